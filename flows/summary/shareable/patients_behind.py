"""How many patients the numbers of a published run rest on, counted from the run's own rows.

Of findings and of set-aside rows the patients are counted. Of what the run publishes only as a count (subjects in
scope, claim days, days left unjudged) nobody knows the patients, but a bound is known: what ten patients can hold at
the most. A count above that rests on at least 11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from flows.runs.manifest_facts import new_inputs
from transforms.database.duckdb_file import glob_free, open_database
from transforms.database.quoting import text
from transforms.errors import UsageProblem

_PARTS = (
    "findings",
    "units",
    "quarantine",
    "accepted/claims",
    "accepted/notes",
    "accepted/note_blocks",
    "accepted/ref_audit_rule",
)
#: A subject that is none of the other kinds: whatever it is, a row of its own makes it one.
ROW = "row"
#: The patients of each finding. A finding about a clinician's day names none: they are those whose rows make that day.
_FOUND = """
create temp table found as
with clinician_day as (
    select rendering_provider_id as provider_id, service_date, patient_id from claims
    union
    select provider_id, service_date, patient_id from notes
    union
    select b.provider_id, b.service_date, n.patient_id
    from note_blocks as b join notes as n on n.note_id = b.note_id
)
select finding_id, rule_id, severity, at_risk_usd, patient_id from findings where patient_id is not null
union all
select f.finding_id, f.rule_id, f.severity, f.at_risk_usd, c.patient_id
from findings as f
left join clinician_day as c on c.provider_id = f.provider_id and c.service_date = f.service_date
where f.patient_id is null"""
#: Patients as numbers: nobody's id leaves the database.
_PEOPLE = """
select rule_id, severity, at_risk_usd is not null as has_dollars,
    list(distinct patient_number order by patient_number) filter (patient_number is not null) as people
from (select *, case when patient_id is not null then dense_rank() over (order by patient_id) end as patient_number
    from found)
group by all order by all"""
_DOLLARS = """
select rule_id, count(*) as findings
from findings where at_risk_usd is not null group by rule_id order by rule_id"""
#: What is counted of each patient, by kind: rows that can each be one subject of the kind at most.
_HELD = {
    "claim line": "select patient_id from claims",
    "therapy day, note": "select patient_id from notes",
    "therapy day": (
        "select distinct patient_id, service_date, discipline from units "
        "union select patient_id, service_date, discipline from notes"
    ),
    ROW: (
        "select patient_id from claims union all select patient_id from notes union all "
        "select n.patient_id from note_blocks as b join notes as n on n.note_id = b.note_id"
    ),
    "date": (
        "select patient_id, service_date from claims union select patient_id, service_date from notes "
        "union select patient_id, service_date from quarantine where patient_id is not null"
    ),
    "finding": "select patient_id from findings where patient_id is not null",
}
_TEN_MOST = """
select coalesce(sum(held), 0) from (
    select count(*) as held from ({rows}) group by patient_id order by held desc limit 10
)"""


@dataclass(frozen=True)
class PatientsBehind:
    """The patients behind a run's numbers, as numbers of our own.

    people: by (rule id, severity), of all findings. dollar_people and dollar_findings: of those with dollars, by
    rule. subjects: the kind of subject of each rule, a key of ten_most. ten_most: by kind,
    how many of them ten patients can have at the most (findings without a patient added). resolved_ten_most: the same
    of the findings of the run before; None where that run is gone. quarantined: patients by table, and by
    'table: reason'. months: by first and last, patients of the month in which the period begins and ends.
    """

    people: Mapping[tuple[str, str], frozenset[int]] = field(default_factory=dict)
    dollar_people: Mapping[str, frozenset[int]] = field(default_factory=dict)
    dollar_findings: Mapping[str, int] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)
    ten_most: Mapping[str, int] = field(default_factory=dict)
    resolved_ten_most: int | None = None
    quarantined: Mapping[str, int] = field(default_factory=dict)
    months: Mapping[str, int] = field(default_factory=dict)


def patients_behind(folder: Path, manifest: Mapping) -> PatientsBehind:
    """Counts the patients of the run in `folder`; raises UsageProblem where its files cannot be read."""
    folder = folder.absolute()
    before = folder.parent / Path(str(manifest["previous_run"])).name / "findings.parquet"
    files = sorted(path for part in _PARTS for path in _files(folder, part))
    try:
        with open_database(reads=[*files, *([before] if before.is_file() else [])]) as con:
            for part in _PARTS:
                con.execute(f"create view {Path(part).name} as select * from {_source(_files(folder, part))}")
            return _counted(con, manifest, before if before.is_file() else None)
    except (duckdb.Error, KeyError, ValueError) as problem:
        raise UsageProblem(
            f"{folder}: files of this run are missing, damaged or of another version ({type(problem).__name__}); "
            "run the audit again, or choose another run with --run"
        ) from None


def _files(folder: Path, part: str) -> list[Path]:
    """A published table's files: one, or one a month in a folder."""
    single = folder / f"{part}.parquet"
    if single.is_file():
        return [single]
    return sorted([*single.glob("*.parquet"), *(folder / part).glob("*.parquet")])


def _source(files: list[Path]) -> str:
    names = ", ".join(text(glob_free(path)) for path in files)
    return f"read_parquet([{names}], union_by_name = true)"


def _counted(con, manifest: Mapping, before: Path | None) -> PatientsBehind:
    con.execute(_FOUND)
    people: dict[tuple[str, str], frozenset[int]] = {}
    dollar_people: dict[str, frozenset[int]] = {}
    for rule_id, severity, has_dollars, numbers in con.execute(_PEOPLE).fetchall():
        held = frozenset(numbers or ())
        people[rule_id, severity] = people.get((rule_id, severity), frozenset()) | held
        if has_dollars:
            dollar_people[rule_id] = dollar_people.get(rule_id, frozenset()) | held
    return PatientsBehind(
        people=people,
        dollar_people=dollar_people,
        dollar_findings=dict(con.execute(_DOLLARS).fetchall()),
        subjects=_subjects(con),
        ten_most=_ten_most(con),
        resolved_ten_most=_most_findings(con, _source([before])) if before else None,
        quarantined=_quarantined(con, manifest),
        months={end: _of_month(con, manifest["period"][end]) for end in ("first", "last")},
    )


def _subjects(con) -> dict[str, str]:
    rules = con.execute("select rule_id, subject from ref_audit_rule").fetchall()
    return {rule_id: subject if subject in _HELD else ROW for rule_id, subject in rules}


def _ten_most(con) -> dict[str, int]:
    most = {kind: con.execute(_TEN_MOST.format(rows=rows)).fetchone()[0] for kind, rows in _HELD.items()}
    return most | {"finding": _most_findings(con, "findings")}


def _most_findings(con, findings: str) -> int:
    """The most findings that ten patients can have; one without a patient may be anybody's."""
    rows = f"select patient_id from {findings} where patient_id is not null"
    (most,) = con.execute(_TEN_MOST.format(rows=rows)).fetchone()
    return most + con.execute(f"select count(*) from {findings} where patient_id is null").fetchone()[0]


def _quarantined(con, manifest: Mapping) -> dict[str, int]:
    """Patients of set-aside rows by table (those of the files read now) and by 'table: reason'."""
    new = [entry["file_number"] for entry in new_inputs(manifest)]
    tables = con.execute(
        "select table_name, count(distinct patient_id) from quarantine where list_contains(?, file_number) group by 1",
        [new],
    ).fetchall()
    reasons = con.execute(
        "select table_name || ': ' || reason, count(distinct patient_id) from quarantine group by 1"
    ).fetchall()
    return dict(tables) | dict(reasons)


def _of_month(con, day: str | None) -> int:
    """Patients with a therapy day in the month of a date."""
    return con.execute(
        "select count(distinct patient_id) from units "
        "where date_trunc('month', service_date) = date_trunc('month', cast(? as date))",
        [day],
    ).fetchone()[0]
