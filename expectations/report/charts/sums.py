"""Sums of findings for the charts: how many and how many dollars, by week and by what they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from expectations.report.charts.svg import words

MOST_WEEKS = 53
MOST_BARS = 15
_KINDS = {
    "service_date": pa.date32(),
    "rule_id": pa.string(),
    "clinic_id": pa.string(),
    "provider_id": pa.string(),
    "payer_id": pa.string(),
    "procedure_code": pa.string(),
    "at_risk_usd": pa.decimal128(38, 6),
}


@dataclass(frozen=True)
class Sum:
    """Findings of one name or week, or of several names; dollars at risk are None where no finding of it has any."""

    name: str
    findings: int
    dollars: Decimal | None
    is_others: bool = False


def finding_columns(findings: Sequence[Mapping[str, Any]] | pa.Table) -> pa.Table:
    """The columns that the charts sum, one row a finding; a column that the findings lack is null."""
    if not isinstance(findings, pa.Table):
        return pa.table({name: _column(findings, name, kind) for name, kind in _KINDS.items()})
    held = set(findings.column_names)
    count = findings.num_rows
    return pa.table(
        {name: findings[name].cast(kind) if name in held else pa.nulls(count, kind) for name, kind in _KINDS.items()}
    )


def _column(findings: Sequence[Mapping[str, Any]], name: str, kind: pa.DataType) -> pa.Array:
    values = [row.get(name) for row in findings]
    if kind == pa.string():
        # Half of a surrogate pair is no text that a table can hold.
        values = [None if value is None else str(value).encode("utf-8", "replace").decode() for value in values]
    return pa.array(values, kind)


def by_week(findings: pa.Table) -> tuple[list[Sum], int]:
    """(the weeks by their Monday, in order and without a gap, the last MOST_WEEKS at most; findings before them)."""
    weeks = findings.append_column("week", pc.floor_temporal(findings["service_date"], unit="week"))
    sums = {name: (count, dollars) for name, count, dollars in _summed(weeks, "week") if name is not None}
    if not sums:
        return [], 0
    last = max(sums)
    first = max(min(sums), last - timedelta(weeks=MOST_WEEKS - 1))
    mondays = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    shown = [Sum(monday.isoformat(), *sums.get(monday, (0, None))) for monday in mondays]
    return shown, sum(count for monday, (count, _) in sums.items() if monday < first)


def by_name(findings: pa.Table, column: str, missing: str, titles: Mapping[str, str]) -> list[Sum]:
    """The findings by what stands in `column`, most dollars first, then most findings, then by name.

    After the first MOST_BARS the rest stand together as the last, where they are more than one. Nothing, where no
    finding has the column. `titles` says what a value is called; null is called `missing`.
    """
    rows = _summed(findings, column)
    if all(value is None for value, _, _ in rows):
        return []
    sums = [Sum(words(titles.get(value, value), missing), count, dollars) for value, count, dollars in rows]
    sums.sort(key=lambda one: (-(one.dollars or 0), -one.findings, one.name))
    if len(sums) <= MOST_BARS + 1:
        return sums
    return [*sums[:MOST_BARS], _together(sums[MOST_BARS:])]


def _together(sums: Sequence[Sum]) -> Sum:
    dollars = [one.dollars for one in sums if one.dollars is not None]
    in_all = sum(dollars, Decimal(0)) if dollars else None
    return Sum(f"{len(sums):,} others", sum(one.findings for one in sums), in_all, is_others=True)


def _summed(findings: pa.Table, column: str) -> list[tuple[str | date | None, int, Decimal | None]]:
    sums = findings.group_by(column, use_threads=False).aggregate(
        [([], "count_all"), ("at_risk_usd", "sum", pc.ScalarAggregateOptions(min_count=1))]
    )
    counts, dollars = sums["count_all"].to_pylist(), sums["at_risk_usd_sum"].to_pylist()
    return list(zip(sums[column].to_pylist(), counts, dollars, strict=True))
