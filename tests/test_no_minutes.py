"""Extracts without minutes: nobody is accused of too many units, codes and days are judged all the same, and the run
says first that it holds no minutes."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from tests.cli_runs import Ran, minutewise
from tests.harness import AuditResult, audit_folder

pytestmark = pytest.mark.whole_audit

AS_OF = date(2026, 11, 20)
CLAIMS = """claim_id,line_number,patient_id,payer_id,service_date,procedure_code,billed_units,modifiers
C1,1,P1,MEDICARE,2026-10-05,97110,2,GP
C1,2,P1,MEDICARE,2026-10-05,97140,1,GP
C2,1,P2,MEDICARE,2026-10-06,97110,2,GP
C2,2,P2,MEDICARE,2026-10-06,97116,1,GP
C3,1,P3,MEDICARE,2026-10-07,97110,2,GP
C4,1,P4,MEDICARE,2026-10-08,97110,2,GP
C5,1,P5,MEDICARE,2026-10-12,97112,5,GP
C6,1,P6,MEDICARE,2026-10-13,97110,40,GP
C9,1,P9,MEDICARE,2026-10-30,97110,2,GP
"""
#: P4 has no note; P7's day was not billed.
NOTES = """note_id,patient_id,service_date,provider_id,discipline,status
N1,P1,2026-10-05,T1,PT,signed
N2,P2,2026-10-06,T1,PT,signed
N3,P3,2026-10-07,T1,PT,signed
N5,P5,2026-10-12,T1,PT,signed
N6,P6,2026-10-13,T1,PT,signed
N7,P7,2026-10-14,T1,PT,signed
N9,P9,2026-10-30,T1,PT,signed
"""
#: P2's 97116 has no block, P3's 97161 was not billed, P7 was evaluated.
BLOCKS = """note_id,block_number,procedure_code
N1,1,97110
N1,2,97140
N2,1,97110
N3,1,97110
N3,2,97161
N5,1,97112
N6,1,97110
N7,1,97161
N9,1,97110
"""
COUNTING_NOTES = 7
#: What is wrong whatever the minutes. 97112's MUE is 4 and 97110's is 6: minutes that nobody knows may carry more.
SAID = {
    ("billed_code_not_documented", "error", "P2", "97116"),
    ("documented_code_not_billed", "warning", "P3", "97161"),
    ("billed_day_not_documented", "error", "P4", None),
    ("units_exceed_day_cap", "review", "P5", "97112"),
    ("units_exceed_day_cap", "review", "P6", "97110"),
    ("documented_day_not_billed", "warning", "P7", None),
}
UNIT_RULES = ("billed_units_exceed_minutes", "billed_units_below_minutes", "units_on_wrong_code")


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("no-minutes")
    for name, text in (("claims", CLAIMS), ("notes", NOTES), ("note_blocks", BLOCKS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def result(extracts: Path) -> AuditResult:
    return audit_folder(extracts, AS_OF)


@pytest.fixture(scope="module")
def ran(extracts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    out = tmp_path_factory.mktemp("no-minutes-out")
    return minutewise("audit", "--extracts", extracts, "--out", out, "--as-of", AS_OF), out


def test_codes_days_and_caps_are_judged_all_the_same(result):
    named = {"billed_code_not_documented", "documented_code_not_billed", "units_exceed_day_cap"}
    found = {
        (row["rule_id"], row["severity"], row["patient_id"], row["procedure_code"] if row["rule_id"] in named else None)
        for row in result.findings
    }
    assert found == SAID
    assert len(result.findings) == len(SAID)


@pytest.mark.parametrize("rule_id", UNIT_RULES)
def test_no_day_is_called_too_many_or_too_few(result, rule_id):
    """Six billed days with a note; of what they support nobody knows anything, 40 units or two."""
    row = result.rules[rule_id]
    assert row["violations"] == 0
    if rule_id == "billed_units_exceed_minutes":
        assert (row["status"], row["in_scope"], row["unjudged"]) == ("not_applicable", 0, 6)


def test_it_is_the_extract_that_has_no_minutes_and_not_each_note(result):
    row = result.rules["timed_minutes_not_documented"]
    assert (row["status"], row["violations"], row["in_scope"]) == ("not_applicable", 0, 0)


def test_supported_minutes_are_unknown_and_not_nought(result):
    assert {row["day_supported_minutes"] for row in result.units if row["patient_id"] not in ("P4", "P7")} == {None}


def test_no_note_gives_any_minutes(result):
    assert (result.match.counting_notes, result.match.measured_notes) == (COUNTING_NOTES, 0)


def test_an_empty_minutes_column_is_no_minutes_column(extracts, tmp_path, result):
    """Columns that are there and empty in every row say no more."""
    for path in extracts.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        more = {"note_blocks": ["minutes", "started_at", "ended_at"], "notes": ["total_timed_minutes"]}.get(
            path.stem, []
        )
        with (tmp_path / path.name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([[*rows[0], *more], *([*row, *("" for _ in more)] for row in rows[1:])])
    beside = audit_folder(tmp_path, AS_OF)
    assert [row["finding_id"] for row in beside.findings] == [row["finding_id"] for row in result.findings]
    assert beside.rules == result.rules


def test_the_run_says_first_that_it_holds_no_minutes(ran):
    """Beside the two match shares, before any rule: the share of notes that give minutes is 0."""
    told, _ = ran
    assert told.code == 0, told.err
    first = told.out.splitlines()[:2]
    assert any(re.search(rf"minutes: 0% \(0 of {COUNTING_NOTES}\)", line) for line in first), first


def test_the_published_findings_accuse_no_units(ran):
    told, out = ran
    assert told.code == 0, told.err
    (run,) = (out / "runs").iterdir()
    with (run / "findings.csv").open(encoding="utf-8", newline="") as file:
        rules = {row["rule_id"] for row in csv.DictReader(file)}
    assert rules == {rule_id for rule_id, *_ in SAID}
