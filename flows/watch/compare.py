"""Compares the findings of two published runs, by rule: new, reopened, resolved, changed. Counts and dollars only."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.engine import open_database, rows_as_dicts

_COLUMNS = ["finding_id", "rule_id", "evidence_hash", "at_risk_usd"]
#: A finding keeps its id while its subject stands, and its evidence hash while what was found of it stands.
_QUERY = """
select
    coalesce(n.rule_id, b.rule_id) as rule_id,
    count(*) filter (b.finding_id is null and came_back.finding_id is null) as new,
    count(*) filter (b.finding_id is null and came_back.finding_id is not null) as reopened,
    count(*) filter (n.finding_id is null) as resolved,
    count(*) filter (n.evidence_hash <> b.evidence_hash) as changed,
    coalesce(sum(n.at_risk_usd) filter (b.finding_id is null), 0) as new_usd,
    coalesce(sum(b.at_risk_usd) filter (n.finding_id is null), 0) as resolved_usd,
    coalesce(sum(coalesce(n.at_risk_usd, 0) - coalesce(b.at_risk_usd, 0))
        filter (n.evidence_hash <> b.evidence_hash), 0) as changed_usd
from found_now as n
full join found_before as b on b.finding_id = n.finding_id
left join came_back on came_back.finding_id = n.finding_id
group by 1
having new + reopened + resolved + changed > 0
order by 1
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


def _findings(folder: Path, since: str | None, until: str | None) -> pa.Table:
    bounds = [(">=", since), ("<=", until)]
    filters = [("service_date", sign, _day(day)) for sign, day in bounds if day]
    return pq.read_table(folder / "findings.parquet", columns=_COLUMNS, filters=filters or None)


def _came_back(folder: Path) -> pa.Table:
    """The findings that have been resolved before, where the run keeps their lives."""
    lives = folder / "finding_history.parquet"
    if not lives.exists():
        return pa.table({"finding_id": pa.array([], pa.string())})
    return pq.read_table(lives, columns=["finding_id"], filters=[("times_reopened", ">", 0)])


def _day(iso: str):
    return pa.scalar(iso).cast(pa.date32())
