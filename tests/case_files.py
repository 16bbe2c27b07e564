"""Reads tests/cases/*.yaml (test_cases.py says what they look like) and writes cases as CSV extracts."""

import csv
import re
from datetime import date
from pathlib import Path

import sqlglot
import yaml

from transforms.models.load import load_models

CASE_FOLDER = Path(__file__).parent / "cases"
CASE_KEYS = {
    "name", "payer", "patient", "date", "discipline", "provider", "billing", "notes", "lines", "reference",
    "as_of", "filler", "findings", "in_scope", "unjudged", "status", "also",
}  # fmt: skip
NOTE_KEYS = {
    "id": "note_id", "patient": "patient_id", "date": "service_date", "provider": "provider_id",
    "discipline": "discipline", "version": "note_version", "status": "status", "billable": "is_billable",
    "total": "total_timed_minutes", "treatment": "total_treatment_minutes", "justification": "cap_justification",
    "narrative": "narrative",
}  # fmt: skip
LINE_KEYS = {
    "claim": "claim_id", "line": "line_number", "patient": "patient_id", "date": "service_date",
    "payer": "payer_id", "provider": "rendering_provider_id", "billing": "billing_provider_id",
    "discipline": "discipline", "mods": "modifiers", "type": "claim_type", "date_basis": "service_date_basis",
    "freq": "claim_frequency_code", "original": "original_claim_id", "status": "claim_status",
    "order": "payer_order", "basis": "unit_basis", "charge": "charge_usd", "allowed": "allowed_usd",
    "paid": "paid_usd", "to": "service_date_to", "payer_claim": "payer_claim_id",
}  # fmt: skip
SHARED_BY_LINES = ("patient", "date", "payer", "provider", "billing", "discipline")
BLOCK_KEYS = {"by": "provider_id", "role": "provider_role", "version": "note_version"}
DELIVERIES = {"one_on_one", "group", "supervised", "independent", "aide", "documentation"}
REFERENCE_KEYS = {
    "payer_method": {"follows_mue": "follows_mue", "day_cap": "timed_units_per_day_cap"},
    "code_cap": {"cap": "cap_units", "indicator": "adjudication_indicator", "payer": "payer_id"},
    "procedure_code": {"payer": "payer_id"},
}
#: Of a reference row the words before key=value, and what it says where the case does not.
REFERENCE_WORDS = {
    "payer_method": ["payer_id", "counting_method"],
    "code_cap": ["procedure_code"],
    "procedure_code": ["procedure_code", "kind"],
}
REFERENCE_DEFAULTS = {
    "payer_method": {"follows_mue": "false"},
    "code_cap": {},
    "procedure_code": {"short_words": "a code of the case", "disciplines": "PT;OT;SLP"},
}
COLUMNS = {
    "claims": ["claim_id", "line_number", "procedure_code", "billed_units", *list(LINE_KEYS.values())[2:]],
    "notes": list(NOTE_KEYS.values()),
    "note_blocks": ["note_id", "block_number", "procedure_code", "note_version", "minutes", "started_at",
                    "ended_at", "delivery", "provider_id", "provider_role"],
    "payer_method": ["payer_id", "counting_method", "follows_mue", "timed_units_per_day_cap"],
    "code_cap": ["procedure_code", "payer_id", "cap_units", "adjudication_indicator"],
    "procedure_code": ["procedure_code", "payer_id", "kind", "short_words", "disciplines"],
}  # fmt: skip
NAMES = {
    "patient_id", "note_id", "provider_id", "claim_id", "payer_claim_id", "original_claim_id",
    "rendering_provider_id", "billing_provider_id",
}  # fmt: skip
DEFAULTS = {
    "payer": "MEDICARE", "patient": "P1", "date": date(2026, 10, 5), "discipline": "PT", "provider": "T1",
    "billing": "B1",
}  # fmt: skip
FINDING_COLUMNS = {
    column.output_name
    for model in load_models("proof")
    if model.name == "finding"
    for column in sqlglot.parse_one(model.text, read="duckdb").expressions
}
DATED = ["effective_from", "effective_to", "citation", "last_checked_on"]
OWN_PAYERS = ["AMA ama_midpoint", "CAP4 cms_8_minute day_cap=4"]


def read_cases() -> list[dict]:
    """Every case of every file, each with its `rule_id`; a name used twice in a file is an error."""
    found = []
    for path in sorted(CASE_FOLDER.glob("*.yaml")):
        cases = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = [case["name"] for case in cases]
        assert len(names) == len(set(names)), f"{path.name}: two cases of one name"
        for case in cases:
            unknown = set(case) - CASE_KEYS
            assert not unknown, f"{path.name}: {case['name']}: not a key of a case: {sorted(unknown)}"
            unknown = set(case.get("reference", {})) - set(REFERENCE_WORDS)
            assert not unknown, f"{path.name}: {case['name']}: not a reference table of a case: {sorted(unknown)}"
            unknown = {column for row in case["findings"] for column in row} - FINDING_COLUMNS
            assert not unknown, f"{path.name}: {case['name']}: not a column of a finding: {sorted(unknown)}"
            found.append({"rule_id": path.stem, **case})
    return found


def given_words(words: list[str], columns: dict[str, str]) -> dict:
    """The key=value words of a line, block or reference row, under their column names."""
    pairs = (word.split("=", 1) for word in words)
    return {columns[key]: None if value == "none" else value for key, value in pairs}


def note_row(note: dict, case: dict, number: int) -> dict:
    """One row of notes.csv."""
    known = {**{key: case[key] for key in ("patient", "date", "provider", "discipline")}, "id": f"N{number}"}
    given = {key: value for key, value in note.items() if key != "blocks"}
    row = {NOTE_KEYS[key]: value for key, value in {**known, "status": "signed", **given}.items()}
    return {column: None if value == "none" else value for column, value in row.items()}


def block_row(text: str, note: dict, number: int) -> dict:
    """One row of note_blocks.csv out of "97110 09:00-09:24:30 20.5 group by=T2"."""
    code, *words = str(text).split()
    row = {"note_id": note["note_id"], "block_number": number, "procedure_code": code}
    row["note_version"] = note.get("note_version")
    for word in words:
        if "=" in word:
            row |= given_words([word], BLOCK_KEYS)
        elif word in DELIVERIES:
            row["delivery"] = word
        elif ":" in word:
            row["started_at"], row["ended_at"] = word.split("-")
        else:
            assert re.fullmatch(r"-?\d+(\.\d+)?", word), f"not a word of a block: {word}"
            row["minutes"] = word
    return row


def line_rows(texts: list[str], case: dict) -> list[dict]:
    """The rows of claims.csv out of "97112 x2 mods=GP;59 claim=C2", numbered within their claims."""
    rows, used = [], {}
    shared = {LINE_KEYS[key]: case[key] for key in SHARED_BY_LINES}
    for text in texts:
        code, units, *words = text.split()
        assert units.startswith("x"), f"a line is CODE xUNITS ...: {text}"
        row = {**shared, "procedure_code": code, "billed_units": units[1:], **given_words(words, LINE_KEYS)}
        row.setdefault("claim_id", f"C-{row['patient_id']}-{row['service_date']}")
        used[row["claim_id"]] = used.get(row["claim_id"], 0) + 1
        rows.append({"line_number": used[row["claim_id"]], **row})
    return rows


def filler_case(day: object, number: int) -> dict:
    """An honest visit of a patient, a clinician and a biller that no case uses."""
    own = {"patient": "P0", "provider": "T0", "billing": "B0", "payer": "MEDICARE", "discipline": "PT"}
    note = {"id": f"F{number}", "blocks": ["97110 15"]}
    return {**own, "date": day, "notes": [note], "lines": ["97110 x1 mods=GP"]}


def case_tables(case: dict) -> dict[str, list[dict]]:
    """The rows of the three extracts of one case, without its filler."""
    notes, blocks = [], []
    for number, note in enumerate(case.get("notes", []), start=1):
        notes.append(note_row(note, case, number))
        texts = enumerate(note.get("blocks", []), start=1)
        blocks += [block_row(text, notes[-1], place) for place, text in texts]
    return {"claims": line_rows(case.get("lines", []), case), "notes": notes, "note_blocks": blocks}


def write_csv(path: Path, columns: list[str], rows: list[dict]) -> None:
    """Write one table; a column a row does not have, or has as None, is an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def named_apart(rows: list[dict], prefix: str) -> list[dict]:
    """The rows with every patient, provider, claim and note named for their case: cases share an audit."""

    def named(key: str, value: object) -> object:
        return f"{prefix}{value}" if key in NAMES and value is not None else value

    return [{key: named(key, value) for key, value in row.items()} for row in rows]


def filler_days(case: dict) -> list[date]:
    """The dates of the case's filler visits."""
    days = case.get("filler", True)
    return [date(2026, 9, 1), date(2026, 10, 31)] if days is True else days or []


def case_dates(case: dict) -> set[date]:
    """Every service date of the case's own rows that is a date."""
    tables = case_tables(DEFAULTS | case)
    dates = {str(row["service_date"]) for name in ("claims", "notes") for row in tables[name]}
    return {date.fromisoformat(day) for day in dates if is_date(day)}


def is_date(text: str) -> bool:
    """Whether the text is a date of the calendar; some cases need a row whose date cannot be read."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def has_nobodys_rows(case: dict) -> bool:
    """Whether a row of the case names no patient: it bears on every patient of its date."""
    tables = case_tables(DEFAULTS | case)
    return any(row["patient_id"] is None for name in ("claims", "notes") for row in tables[name])


def write_extracts(cases: dict[str, dict], folder: Path) -> None:
    """Write claims.csv, notes.csv and note_blocks.csv of cases, by prefix, that all have the same filler."""
    days = enumerate(filler_days(next(iter(cases.values()))), start=1)
    parts = [case_tables(filler_case(day, number)) for number, day in days]
    for prefix, case in cases.items():
        tables = case_tables(DEFAULTS | case)
        parts.append({name: named_apart(rows, prefix) for name, rows in tables.items()})
    for name in ("claims", "notes", "note_blocks"):
        write_csv(folder / f"{name}.csv", COLUMNS[name], [row for part in parts for row in part[name]])


def write_reference(case: dict, folder: Path) -> None:
    """Write the payers every case knows, and the case's own dated rows, as an overlay of the shipped ones."""
    given = case.get("reference", {})
    for name, first in REFERENCE_WORDS.items():
        rows = []
        for text in (OWN_PAYERS if name == "payer_method" else []) + given.get(name, []):
            words = text.split()
            row = REFERENCE_DEFAULTS[name] | dict(zip(first, words, strict=False))
            keys = REFERENCE_KEYS[name] | {"from": DATED[0], "to": DATED[1]}
            row |= given_words(words[len(first) :], keys)
            own = {"effective_from": "2000-01-01", "citation": "the case", "last_checked_on": "2026-11-01"}
            rows.append(own | row)
        if rows:
            write_csv(folder / f"{name}.csv", COLUMNS[name] + DATED, rows)
