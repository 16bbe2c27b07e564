"""Write canonical rows and reference rows as the files that the audit reads."""

import csv
from pathlib import Path

COLUMNS = {
    "claims": [
        "claim_id",
        "line_number",
        "patient_id",
        "payer_id",
        "service_date",
        "service_date_to",
        "procedure_code",
        "billed_units",
        "rendering_provider_id",
        "billing_provider_id",
        "modifiers",
        "discipline",
        "claim_type",
        "service_date_basis",
        "claim_frequency_code",
        "original_claim_id",
        "payer_claim_id",
        "claim_status",
        "payer_order",
        "unit_basis",
        "diagnosis_codes",
        "place_of_service",
        "clinic_id",
        "charge_usd",
        "allowed_usd",
        "paid_usd",
    ],
    "notes": [
        "note_id",
        "patient_id",
        "service_date",
        "provider_id",
        "discipline",
        "note_version",
        "status",
        "signed_at",
        "total_timed_minutes",
        "total_treatment_minutes",
        "is_billable",
        "cap_justification",
        "diagnosis_codes",
        "clinic_id",
        "narrative",
    ],
    "note_blocks": [
        "note_id",
        "block_number",
        "procedure_code",
        "note_version",
        "minutes",
        "started_at",
        "ended_at",
        "delivery",
        "provider_id",
        "provider_role",
        "goal",
        "description",
    ],
}
PROVENANCE = ["effective_from", "effective_to", "citation", "last_checked_on"]
REFERENCE_COLUMNS = {
    "payer_method": ["payer_id", "counting_method", "follows_mue", "timed_units_per_day_cap", *PROVENANCE],
    "code_cap": ["procedure_code", "payer_id", "cap_units", "adjudication_indicator", *PROVENANCE],
    "procedure_code": ["procedure_code", "payer_id", "kind", "short_words", "disciplines", *PROVENANCE],
    "parameter": ["name", "value", "unit", *PROVENANCE],
}


def write_extract(folder, claims, notes, blocks):
    """Write claims.csv, notes.csv and note_blocks.csv into `folder` (made where missing)."""
    for table, rows in (("claims", claims), ("notes", notes), ("note_blocks", blocks)):
        _write(Path(folder) / f"{table}.csv", COLUMNS[table], rows)


def write_reference(folder, reference):
    """Write the reference tables as a user's overlay, each row with a citation: payer_method.csv,
    code_cap.csv, procedure_code.csv and parameter.csv where there are rows."""
    for table, rows in (
        ("payer_method", reference.get("payer_method", [])),
        ("code_cap", reference.get("code_cap", [])),
        ("procedure_code", reference.get("procedure_code", [])),
        ("parameter", reference.get("parameters", [])),
    ):
        if rows:
            given = {"citation": "made for a test", "last_checked_on": "2026-01-01"}
            if table == "procedure_code":
                given |= {"short_words": "made for a test", "disciplines": "PT;OT;SLP"}
            _write(Path(folder) / f"{table}.csv", REFERENCE_COLUMNS[table], [given | row for row in rows])


def _write(path, columns, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[_cell(row.get(column)) for column in columns] for row in rows])


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
