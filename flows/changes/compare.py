"""Compares the findings of two published runs: new, reopened, resolved, changed. By rule, or one by one."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.database.duckdb_file import open_database, rows_as_dicts

_COLUMNS = ["finding_id", "rule_id", "evidence_hash", "at_risk_usd"]
#: What a finding is told by, and what of it can move: the columns of the evidence hash.
TOLD = ("severity", "service_date", "procedure_code")
MOVING = (
    "severity",
    "billed_units",
    "expected_units",
    "expected_units_other_method",
    "supported_minutes",
    "double_counted_minutes",
    "cap_units",
    "at_risk_usd",
    "claim_ids",
    "note_ids",
    "message",
)
_DISPOSITION = ("disposition", "disposition_status", "waived_until")
#: A finding keeps its id while its subject stands, and its evidence hash while what was found of it stands.
_CHANGE = """
case when n.finding_id is null then 'resolved'
    when b.finding_id is null and came_back.finding_id is not null then 'reopened'
    when b.finding_id is null then 'new'
    when n.evidence_hash <> b.evidence_hash then 'changed' end"""
_JOINED = """
from found_now as n
full join found_before as b on b.finding_id = n.finding_id
left join came_back on came_back.finding_id = n.finding_id"""
_QUERY = f"""
with moved as (
    select coalesce(n.rule_id, b.rule_id) as rule_id, {_CHANGE} as change,
        n.at_risk_usd as now_usd, b.at_risk_usd as before_usd
    {_JOINED}
)
select
    rule_id,
    count(*) filter (change = 'new') as new,
    count(*) filter (change = 'reopened') as reopened,
    count(*) filter (change = 'resolved') as resolved,
    count(*) filter (change = 'changed') as changed,
    coalesce(sum(now_usd) filter (change in ('new', 'reopened')), 0) as new_usd,
    coalesce(sum(before_usd) filter (change = 'resolved'), 0) as resolved_usd,
    coalesce(sum(coalesce(now_usd, 0) - coalesce(before_usd, 0)) filter (change = 'changed'), 0) as changed_usd
from moved
where change is not null
group by 1
order by 1
"""
_ONE_BY_ONE = f"""
select {_CHANGE} as change, n as now, b as before
{_JOINED}
where change is not null
    or (b.disposition_status = 'holds' and n.disposition_status is distinct from 'holds')
order by coalesce(n.rule_id, b.rule_id), coalesce(n.service_date, b.service_date), coalesce(n.finding_id, b.finding_id)
"""


@dataclass(frozen=True)
class RuleChange:
    """What became of one rule's findings; `new_usd` is of the new and the reopened ones.

    `changed_usd` is by how much the changed ones' dollars moved. Only a run on a warehouse knows what was there before.
    """

    rule_id: str
    new: int
    reopened: int
    resolved: int
    changed: int
    new_usd: Decimal
    resolved_usd: Decimal
    changed_usd: Decimal


def compare_findings(before: Path, now: Path, since: str | None = None, until: str | None = None) -> list[RuleChange]:
    """One entry a rule with a change, by rule id; both folders are published runs.

    A run of a part of the dates (`since`, `until`, ISO, both ends in) is compared over that part alone.
    Raises OSError or pyarrow.ArrowException where a file cannot be read.
    """
    with open_database() as con:
        con.register("found_now", _findings(now, since, until))
        con.register("found_before", _findings(before, since, until))
        con.register("came_back", _came_back(now))
        return [RuleChange(**row) for row in rows_as_dicts(con, _QUERY)]


def moved_findings(before: Path, now: Path, since: str | None = None, until: str | None = None) -> list[dict]:
    """One dict a finding that changed, by rule, date and id: `change`, and the finding as it is `now` and was `before`.

    `change` is None for one that stands as it was, but whose disposition held before and holds no more. A finding has
    the columns TOLD, MOVING and those of its disposition. Raises as compare_findings does.
    """
    columns = [*dict.fromkeys((*_COLUMNS, *TOLD, *MOVING))]
    with open_database() as con:
        con.register("found_now", _with_disposition(now, columns, since, until))
        con.register("found_before", _with_disposition(before, columns, since, until))
        con.register("came_back", _came_back(now))
        return rows_as_dicts(con, _ONE_BY_ONE)


def _with_disposition(folder: Path, columns: list[str], since: str | None, until: str | None) -> pa.Table:
    """The findings with their disposition; null in a run of a time when there were none."""
    there = pq.read_schema(folder / "findings.parquet").names
    table = _findings(folder, since, until, [*columns, *(name for name in _DISPOSITION if name in there)])
    for name in _DISPOSITION:
        if name not in there:
            kind = pa.date32() if name == "waived_until" else pa.string()
            table = table.append_column(name, pa.nulls(table.num_rows, kind))
    return table


def _findings(folder: Path, since: str | None, until: str | None, columns: list[str] | None = None) -> pa.Table:
    bounds = [(">=", since), ("<=", until)]
    filters = [("service_date", sign, _day(day)) for sign, day in bounds if day]
    return pq.read_table(folder / "findings.parquet", columns=columns or _COLUMNS, filters=filters or None)


def _came_back(folder: Path) -> pa.Table:
    """The findings that have been resolved before, where the run keeps their lives."""
    lives = folder / "finding_history.parquet"
    if not lives.exists():
        return pa.table({"finding_id": pa.array([], pa.string())})
    return pq.read_table(lives, columns=["finding_id"], filters=[("times_reopened", ">", 0)])


def _day(iso: str):
    return pa.scalar(iso).cast(pa.date32())
