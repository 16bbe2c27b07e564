"""The samples: made by their generator byte for byte, and audited to exactly what their ledger says."""

import csv
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.harness import audit_folder
from transforms.unjudged import PARTLY

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples"
AS_OF = date(2026, 11, 10)
BILLING_LAG_DAYS = 5
MADE = [
    "claims.csv",
    "notes.csv",
    "note_blocks.csv",
    "ledger.csv",
    "reference/payer_method.csv",
    "reference/code_cap.csv",
]
# The visits that the project promises to hold, by case label and how many rows of each kind at least.
NAMED_CASES = {
    "example-24-23": {"lawful": 2},
    "example-24-23-wrong": {"finding": 2},
    "example-20-20": {"lawful": 3},
    "example-20-20-wrong": {"finding": 1},
    "example-33-7": {"lawful": 2},
    "example-33-7-wrong": {"finding": 2},
    "example-18-13-10-8": {"lawful": 2},
    "example-7-7-7": {"lawful": 4},
    "example-20-18": {"lawful": 2},
    "example-20-18-wrong": {"finding": 2},
    "five-units-97112": {"finding": 1},
    "five-units-97112-without-minutes": {"finding": 2},
    "five-units-97112-justified": {"finding": 1},
    "same-clock-time": {"finding": 2},
    "tape-inside-97112": {"lawful": 1},
    "group-block": {"lawful": 4},
    "two-visit-day": {"lawful": 2},
    "co-treatment": {"lawful": 4},
    "co-treatment-split": {"lawful": 6},
    "co-treatment-billed-by-both": {"finding": 2},
    "three-times-7.75": {"lawful": 3, "finding": 1},
    "block-without-minutes": {"lawful": 2, "finding": 1},
    "evaluation-left-out": {"lawful": 2, "finding": 2},
    "other-length-code": {"lawful": 3},
    "payer-claim-number": {"lawful": 2},
    "several-payers": {"finding": 2, "unjudged": 2},
    "code-not-listed": {"finding": 1, "unjudged": 4},
    "correction-without-original": {"lawful": 1, "unjudged": 2},
    "correction-unclear": {"unjudged": 2},
    "line-over-three-dates": {"unjudged": 3},
    "note-with-an-unreadable-date": {"unjudged": 1, "quarantine": 1},
}
# Columns of findings.parquet that a ledger row must meet wherever it fills them.
COMPARED = [
    "rule_id",
    "severity",
    "service_date",
    "patient_id",
    "discipline",
    "procedure_code",
    "billing_provider_id",
    "provider_id",
    "billed_units",
    "expected_units",
    "cap_units",
]


def read(path):
    """Rows of a CSV file as dicts of text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_text(value):
    """A finding's value as the ledger writes it: whole numbers without a point, null empty."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) else str(value)[:10] if is_date(value) else str(value)


def is_date(value):
    return isinstance(value, date) or hasattr(value, "isoformat")


def meets(row, finding):
    """Does this finding hold everything that the ledger row says of it?"""
    same = all(not row[column] or as_text(finding.get(column)) == row[column] for column in COMPARED)
    ids = [("claim_id", "claim_ids"), ("note_id", "note_ids")]
    return same and all(not row[one] or row[one] in as_text(finding.get(several)).split(";") for one, several in ids)


def unmatched(planted, findings):
    """(ledger rows without exactly one finding, findings without exactly one ledger row)."""
    pairs = [(i, j) for i, row in enumerate(planted) for j, f in enumerate(findings) if meets(row, f)]
    found, known = [i for i, _ in pairs], [j for _, j in pairs]
    missed = [row for i, row in enumerate(planted) if found.count(i) != 1]
    accused = [f for j, f in enumerate(findings) if known.count(j) != 1]
    return missed, accused


@pytest.fixture(scope="module")
def ledger():
    return read(SAMPLES / "ledger.csv")


@pytest.fixture(scope="module")
def planted(ledger):
    return [row for row in ledger if row["kind"] == "finding"]


@pytest.fixture(scope="module")
def audit():
    """The whole audit over the sample extracts."""
    return audit_folder(SAMPLES, AS_OF, reference=SAMPLES / "reference")


@pytest.fixture(scope="module")
def findings(audit):
    return audit.findings


def test_generator_writes_the_committed_bytes(tmp_path):
    command = [sys.executable, "-B", str(SAMPLES / "generate.py"), str(tmp_path)]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


def test_every_rule_of_the_rule_book_is_violated_at_least_twice(planted):
    """A rule that somebody added since may have no sample."""
    rules = [row["rule_id"] for row in read(ROOT / "data" / "reference" / "audit_rules.csv")]
    counts = {rule: sum(row["rule_id"] == rule for row in planted) for rule in rules}
    assert sum(count >= 2 for count in counts.values()) >= 23
    assert {rule: count for rule, count in counts.items() if count == 1} == {}
    assert {row["rule_id"] for row in planted} <= set(rules)


@pytest.mark.parametrize("label", NAMED_CASES)
def test_named_case_is_there(ledger, label):
    kinds = [row["kind"] for row in ledger if row["case"] == label]
    for kind, at_least in NAMED_CASES[label].items():
        assert kinds.count(kind) >= at_least
    assert f"`{label}`" in (SAMPLES / "README.md").read_text(encoding="utf-8")


def test_clinic_is_as_promised():
    claims, notes = read(SAMPLES / "claims.csv"), read(SAMPLES / "notes.csv")
    assert len({row["patient_id"] for row in notes}) == 42
    assert len({row["provider_id"] for row in notes}) == 4
    assert {row["payer_id"] for row in claims} == {"MEDICARE", "DEMO-PPO", "DEMO-CAP4"}
    days = {row["service_date"] for row in notes} - {"2026-10-32"}
    assert (min(days), max(days)) == ("2026-10-01", "2026-10-30")
    assert max(row["service_date"] for row in claims) == "2026-10-30"


def test_three_broken_rows_and_no_more(ledger):
    broken = [row for row in ledger if row["kind"] == "quarantine"]
    lines = {(row["claim_id"], row["line_number"]) for row in broken if row["line_number"]}
    notes = {row["note_id"] for row in broken if not row["line_number"]}
    rows = read(SAMPLES / "claims.csv")
    odd = [row for row in rows if not row["billed_units"].isdigit() or row["unit_basis"] == "MJ"]
    assert [(row["claim_id"], row["line_number"]) for row in odd] == sorted(lines)
    undated = [row["note_id"] for row in read(SAMPLES / "notes.csv") if row["service_date"] == "2026-10-32"]
    assert undated == sorted(notes)
    assert (len(odd), len(undated)) == (2, 1)


def test_planted_ledger_is_found_exactly(planted, findings):
    missed, accused = unmatched(planted, findings)
    assert missed == [], "planted and not found once"
    assert accused == [], "found and not planted"


def test_broken_rows_are_quarantined_and_days_unjudged_for_the_reasons_of_the_ledger(ledger, audit):
    broken = [row for row in ledger if row["kind"] == "quarantine"]
    ids = {row["claim_id"] if row["line_number"] else row["note_id"] for row in broken}
    assert {as_text(row["claim_id"]) or as_text(row["note_id"]) for row in audit.quarantine} == ids
    assert len(audit.quarantine) == len(broken)
    said = {(row["patient_id"], row["service_date"], row["reason"]) for row in ledger if row["reason"]}
    whole = {one for one in said if one[2] not in PARTLY}
    assert {(patient, as_text(day), reason) for patient, day, reason in audit.reasons} == whole
    assert audit.partly_unjudged == Counter(one[2] for one in said - whole)
    # The day before the first note stays judged by other rules; only "not documented" is not said of it.
    without = {row["case"] for row in ledger if row["kind"] in ("quarantine", "unjudged") and not row["reason"]}
    assert without == {"outside-the-notes"}


def test_every_reason_of_the_second_edition_is_there(ledger):
    assert {row["reason"] for row in ledger} >= {
        "code_not_listed", "correction_unclear", "correction_without_original", "line_spans_dates",
        "quarantined_row_undated", "several_payers",
    }  # fmt: skip


def test_nobody_honest_is_accused(ledger, findings):
    spared = [row for row in ledger if row["kind"] != "finding" and row["patient_id"]]
    wrong = {(row["patient_id"], row["service_date"]) for row in ledger if row["kind"] == "finding"}
    spared = {(row["patient_id"], row["service_date"]) for row in spared} - wrong
    accused = {(as_text(f["patient_id"]), as_text(f["service_date"])) for f in findings}
    assert spared & accused == set()


def test_unbilled_days_wait_for_the_billing_lag(planted):
    as_of = date(2026, 11, 3)
    last_judged = str(as_of - timedelta(days=BILLING_LAG_DAYS))
    due = [
        row for row in planted if row["rule_id"] != "documented_day_not_billed" or row["service_date"] <= last_judged
    ]
    assert len(due) < len(planted)
    early = audit_folder(SAMPLES, as_of, reference=SAMPLES / "reference")
    assert unmatched(due, early.findings) == ([], [])
