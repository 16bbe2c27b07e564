"""Make the sample extracts: a synthetic clinic month with planted, labelled errors.

    python data/samples/generate.py [FOLDER]

writes claims.csv, notes.csv, note_blocks.csv, ledger.csv and the payers' overlay (reference/) into FOLDER,
by default the folder of this file. Seeded: the same code writes the same bytes on any machine.
"""

import csv
import random
import sys
from pathlib import Path

import honest
import planted_claims
import planted_notes
import planted_open
import planted_providers
import planted_seconds
import planted_together
import planted_units
from clinic import Clinic

SEED = 20261001


def names(text: str) -> list[str]:
    """Column names, written as words."""
    return text.split()


CLAIMS = names(
    "claim_id line_number patient_id payer_id service_date service_date_to procedure_code billed_units "
    "rendering_provider_id billing_provider_id modifiers discipline claim_type claim_frequency_code original_claim_id "
    "payer_claim_id claim_status payer_order unit_basis service_date_basis diagnosis_codes place_of_service clinic_id "
    "charge_usd allowed_usd paid_usd"
)
NOTES = names(
    "note_id note_version patient_id service_date provider_id discipline status signed_at "
    "total_timed_minutes total_treatment_minutes is_billable cap_justification diagnosis_codes clinic_id narrative"
)
BLOCKS = names(
    "note_id block_number procedure_code note_version minutes started_at ended_at delivery provider_id "
    "provider_role description"
)
LEDGER = names(
    "case kind what rule_id severity service_date patient_id discipline procedure_code note_id block_number "
    "claim_id line_number billing_provider_id provider_id billed_units expected_units cap_units reason"
)
DATED = names("effective_from effective_to citation citation_url last_checked_on")
PAYER_METHOD = ["payer_id", "counting_method", "follows_mue", "timed_units_per_day_cap", *DATED]
CODE_CAP = ["procedure_code", "payer_id", "cap_units", "adjudication_indicator", *DATED]
CONTRACT = "Invented for the samples: the demonstration plan's provider manual"
ABOUT = {"citation": CONTRACT, "citation_url": "https://example.org/demo-plan",
         "last_checked_on": "2026-11-01"}  # fmt: skip
PAYERS = [
    {"payer_id": "DEMO-CAP4", "counting_method": "cms_8_minute", "follows_mue": "false",
     "timed_units_per_day_cap": 4, "effective_from": "2026-01-01", **ABOUT},
    {"payer_id": "DEMO-PPO", "counting_method": "ama_midpoint", "follows_mue": "false",
     "effective_from": "2026-01-01", **ABOUT},
]  # fmt: skip
OWN_CAPS = [{"procedure_code": "97140", "payer_id": "DEMO-PPO", "cap_units": 3, "adjudication_indicator": 3,
             "effective_from": "2026-10-15", **ABOUT}]  # fmt: skip
# Clinicians' days first (they need many free patients), then single cases, then everybody honest.
PARTS = [
    planted_providers,
    planted_units,
    planted_notes,
    planted_claims,
    planted_together,
    planted_seconds,
    planted_open,
    honest,
]


def build() -> Clinic:
    """The whole month, planted cases first."""
    clinic = Clinic(random.Random(SEED))
    for part in PARTS:
        for case in part.CASES:
            case(clinic)
    return clinic


def write(path: Path, columns: list[str], rows: list[dict]) -> None:
    """Write rows as CSV: UTF-8, line feeds, nulls empty. A column that is not in the list is an error."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(folder: Path) -> None:
    """Build the month and write its files into `folder`."""
    clinic = build()
    (folder / "reference").mkdir(parents=True, exist_ok=True)
    claims = sorted(clinic.claims, key=lambda r: (r["service_date"], r["claim_id"], r["line_number"]))
    notes = sorted(clinic.notes, key=lambda r: (str(r["service_date"]), r["note_id"], r["note_version"]))
    blocks = sorted(clinic.blocks, key=lambda r: (r["note_id"], r["note_version"] or 0, r["block_number"]))
    write(folder / "claims.csv", CLAIMS, claims)
    write(folder / "notes.csv", NOTES, notes)
    write(folder / "note_blocks.csv", BLOCKS, blocks)
    write(folder / "ledger.csv", LEDGER, clinic.ledger)
    write(folder / "reference" / "payer_method.csv", PAYER_METHOD, PAYERS)
    write(folder / "reference" / "code_cap.csv", CODE_CAP, OWN_CAPS)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
