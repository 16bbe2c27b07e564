"""Compares the findings of two published runs, by rule: new, resolved, changed. Counts and dollars only."""

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
    count(*) filter (b.finding_id is null) as new,
    count(*) filter (n.finding_id is null) as resolved,
    count(*) filter (n.evidence_hash <> b.evidence_hash) as changed,
    coalesce(sum(n.at_risk_usd) filter (b.finding_id is null), 0) as new_usd,
    coalesce(sum(b.at_risk_usd) filter (n.finding_id is null), 0) as resolved_usd,
    coalesce(sum(coalesce(n.at_risk_usd, 0) - coalesce(b.at_risk_usd, 0))
        filter (n.evidence_hash <> b.evidence_hash), 0) as changed_usd
from found_now as n
full join found_before as b on b.finding_id = n.finding_id
group by 1
having new + resolved + changed > 0
order by 1
"""


@dataclass(frozen=True)
class RuleChange:
    """What became of one rule's findings; `changed_usd` is by how much the changed ones' dollars moved."""

    rule_id: str
    new: int
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
        return [RuleChange(**row) for row in rows_as_dicts(con, _QUERY)]


def _findings(folder: Path, since: str | None, until: str | None) -> pa.Table:
    bounds = [(">=", since), ("<=", until)]
    filters = [("service_date", sign, _day(day)) for sign, day in bounds if day]
    return pq.read_table(folder / "findings.parquet", columns=_COLUMNS, filters=filters or None)


def _day(iso: str):
    return pa.scalar(iso).cast(pa.date32())
