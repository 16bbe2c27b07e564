"""The rule book as cases: tests/cases/<rule_id>.yaml, each run through the whole audit.

A file is a list of cases, and each case is a few rows in and the findings *of the file's rule* out.

    - name: 22 minutes support one unit, two were billed     # a sentence; unique in its file
      payer: MEDICARE          # what the case's lines and notes share; these are the defaults:
      patient: P1              #   payer MEDICARE, patient P1, date 2026-10-05, discipline PT,
      notes:                   #   provider T1 (rendering and writing), billing B1
        - blocks: [97112 22]
      lines: [97112 x2]
      findings:
        - {severity: error, billed_units: 2, expected_units: 1}

notes   id (N1, N2, ...), patient, date, provider, discipline, version, status (signed), billable, total
        (stated timed minutes), treatment (stated total treatment minutes), justification, narrative, blocks
        (left out: a note without any). `none` leaves a cell empty.
blocks  "CODE [stated minutes] [start-end] [words]", in any order after the code: 7.75 minutes are lawful, and so
        are seconds (09:00:00-09:07:45). A code alone is a block that was not measured. A word alone is the
        delivery (group, supervised, independent, aide, documentation); by=T2 names the provider, role=aide the
        role, version=2 the note version (given by the note's own version where it has one, else empty).
lines   "CODE xUNITS [key=value ...]" with the keys of LINE_KEYS in case_files.py; `none` empties a default.
        Lines of one patient and date share a claim unless claim= says otherwise, and are numbered in order.
        A row that must go to quarantine has a cell that breaks the contract: minutes or a total below 0,
        basis=MJ, a date that is none (2026-13-45), patient=none.
reference  rows laid over the shipped tables: payer_method "PAYER method key=value ..." (follows_mue, day_cap,
        from, to), code_cap "CODE cap=4 indicator=3 ..." (payer: MUE unless payer= names one; from, to) and
        procedure_code "CODE kind ..." (payer: any unless payer= names one; from, to).
as_of   2026-11-20.
filler  An honest Medicare visit of patient P0 on 2026-09-01 and on 2026-10-31, so that both extracts cover
        the days between; `[first, last]` moves them, `false` leaves them out. `in_scope` and `unjudged` count
        them like any other.

Payers: MEDICARE (shipped: CMS count, follows the MUE table), AMA (AMA count, no MUE), CAP4 (CMS count, at
most 4 timed units a therapy day, no MUE). Any other payer falls to `either`.

Expected: `findings` (how many is exact; of each, only the columns given are compared), and where given
`in_scope`, `unjudged` and `status` of the rule, and `also`: {rule: number of findings} of every other rule that
speaks, or `none` when no other may.

To be quick, cases of the same as_of, filler and reference share one audit, every patient, provider, claim and
note named apart; a case that counts subjects (`in_scope`, `unjudged`, `status`), steps out of the filler's dates or has
a row of no patient has one of its own.
"""

import json
from collections import Counter
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from tests.case_files import (
    case_dates,
    filler_days,
    has_nobodys_rows,
    read_cases,
    write_extracts,
    write_reference,
)
from tests.harness import AuditResult, audit_folder

COUNTED = ("in_scope", "unjudged", "status")
CASES = {f"case{number}-": case for number, case in enumerate(read_cases())}


def group_of(prefix: str) -> str:
    """What cases must have in common to share an audit: a text."""
    case, days = CASES[prefix], filler_days(CASES[prefix])
    is_alone = not days or any(key in case for key in COUNTED) or has_nobodys_rows(case)
    if is_alone or not all(min(days) <= day <= max(days) for day in case_dates(case)):
        return prefix
    return json.dumps([case.get("as_of"), days, case.get("reference")], default=str)


GROUPS = {prefix: group_of(prefix) for prefix in CASES}


@pytest.fixture(scope="module")
def audit_of(tmp_path_factory: pytest.TempPathFactory):
    """A function that gives the audit a case is part of, run when first asked for."""
    done: dict[str, AuditResult] = {}

    def run(prefix: str) -> AuditResult:
        group = GROUPS[prefix]
        if group not in done:
            cases = {name: case for name, case in CASES.items() if GROUPS[name] == group}
            done[group] = audit_cases(cases, tmp_path_factory.mktemp("cases"))
        return done[group]

    return run


def audit_cases(cases: dict[str, dict], folder: Path) -> AuditResult:
    """Audit the cases of one group together."""
    extracts, reference = folder / "extracts", folder / "reference"
    extracts.mkdir()
    reference.mkdir()
    first = next(iter(cases.values()))
    write_extracts(cases, extracts)
    write_reference(first, reference)
    return audit_folder(extracts, first.get("as_of", date(2026, 11, 20)), reference)


def findings_of(result: AuditResult, prefix: str) -> list[dict]:
    """The findings on the case's own patients and providers, with the names the case gave them."""
    return [
        {key: value.replace(prefix, "") if isinstance(value, str) else value for key, value in row.items()}
        for row in result.findings
        if (row["patient_id"] or row["provider_id"]).startswith(prefix)
    ]


def plain(value: object) -> str | None:
    """A value as text, so that 97112 and "97112", 40 and Decimal("40.00") are the same."""
    if value is None or value != value:
        return None
    try:
        number = Decimal(str(value))
        return f"{number.normalize():f}" if number.is_finite() else str(value)
    except InvalidOperation:
        return str(value)[:10] if isinstance(value, date) else str(value)


def is_met(wanted: dict, finding: dict) -> bool:
    """Whether a finding has all that is wanted of it; a column it does not have is a mistake of the case."""
    return all(plain(finding[column]) == plain(value) for column, value in wanted.items())


def are_matched(wanted: list[dict], findings: list[dict]) -> bool:
    """Whether each wanted finding can be given a finding of its own."""
    if not wanted:
        return not findings
    fitting = (place for place, finding in enumerate(findings) if is_met(wanted[0], finding))
    return any(are_matched(wanted[1:], findings[:place] + findings[place + 1 :]) for place in fitting)


def shown(findings: list[dict], wanted: list[dict]) -> str:
    """The findings that came, in the columns the case speaks of, for a failing test's message."""
    columns = ["severity", "patient_id", "service_date", "discipline", "procedure_code", "message"]
    columns += [column for row in wanted for column in row if column not in columns]
    rows = [{column: plain(row.get(column)) for column in columns} for row in findings]
    return "\n".join(map(str, rows)) or "none"


@pytest.mark.parametrize("prefix", CASES, ids=[f"{case['rule_id']}: {case['name']}" for case in CASES.values()])
def test_case(prefix: str, audit_of) -> None:
    """The audit of the case's rows finds, of the file's rule, exactly what the case says."""
    case, result = CASES[prefix], audit_of(prefix)
    rule_id, wanted = case["rule_id"], case["findings"]
    every = findings_of(result, prefix)

    findings = [row for row in every if row["rule_id"] == rule_id]
    assert are_matched(wanted, findings), f"{rule_id}: wanted {wanted}, found\n{shown(findings, wanted)}"
    counts = {key: plain(result.rules[rule_id][key]) for key in COUNTED if key in case}
    assert counts == {key: plain(case[key]) for key in counts}
    others = Counter(row["rule_id"] for row in every if row["rule_id"] != rule_id)
    if "also" in case:
        wanted_others = {} if case["also"] == "none" else case["also"]
        assert others == Counter(wanted_others), f"other rules: wanted {wanted_others}, found {dict(others)}"
