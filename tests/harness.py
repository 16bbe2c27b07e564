"""Runs an audit in memory, from a folder of extracts to findings, without Great Expectations and publishing."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from transforms.accept.apply import apply_contract
from transforms.contract.fields import TABLES
from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.extract import find_inputs, load_extracts, load_mapping
from transforms.models.run import ROWS_PER_PASS, Match, Setting, judge_rows, measure_match, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference


@dataclass(frozen=True)
class AuditResult:
    """What an audit found: findings and units as dicts of columns, rules by rule id, the unjudged patients and dates,
    the same with each reason, and how many therapy days each reason leaves partly unjudged."""

    findings: list[dict]
    rules: dict[str, dict]
    units: list[dict]
    quarantine: list[dict]
    unjudged: set[tuple]
    reasons: set[tuple]
    partly_unjudged: dict[str, int]
    match: Match


def audit_folder(
    folder: Path,
    as_of: date,
    reference: Path | None = None,
    *,
    crosswalk: Path | None = None,
    mapping: Path | None = None,
    since: date | None = None,
    until: date | None = None,
    rows_per_pass: int = ROWS_PER_PASS,
    threads: int | None = None,
    claims_only: bool = False,
) -> AuditResult:
    """The result of auditing the extracts in `folder`; a rule that could not be run fails the test at once."""
    bounds = {name: day for name, day in (("since", since), ("until", until)) if day}
    setting = Setting(as_of, is_claims_only=claims_only, **bounds)
    tables = ("claims",) if claims_only else TABLES
    read = load_mapping(mapping) if mapping else None
    with open_database(threads=threads) as con:
        load_reference(con, reference)
        load_crosswalk(con, crosswalk)
        load_extracts(con, find_inputs(folder, {}, read, tables=tables), read)
        apply_contract(con, as_of)
        stage_rows(con, setting)
        match = measure_match(con, setting)
        judge_rows(con, setting, rows_per_pass)
        assert con.execute("select * from rule_error").fetchall() == []
        reasons = con.execute(
            "select p.patient_id, u.service_date, u.reason from stg_unjudged_day u "
            "join stg_patient p using (patient_key)"
        ).fetchall()
        partly = con.execute(
            "select name, cast(sum(amount) as bigint) from date_count where kind = 'partly_unjudged' group by name"
        ).fetchall()
        return AuditResult(
            findings=rows_as_dicts(con, "select * from finding order by finding_id"),
            rules={row["rule_id"]: row for row in rows_as_dicts(con, "select * from rule_result")},
            units=rows_as_dicts(con, "select * from unit_published order by all"),
            quarantine=rows_as_dicts(con, "select * from quarantine order by table_name, file_name, source_line"),
            unjudged={(patient, day) for patient, day, _ in reasons},
            reasons=set(reasons),
            partly_unjudged=dict(partly),
            match=match,
        )
