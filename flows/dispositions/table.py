"""The decisions of the log beside the findings they were made on, in DuckDB and in the manifest."""

from datetime import date

import pyarrow as pa

from flows.dispositions.log import Log

#: Columns that a decision adds to a published finding; all null where nothing was decided of it.
COLUMNS = (
    "disposition",
    "disposition_status",
    "disposition_by",
    "disposition_on",
    "disposition_reason",
    "waived_until",
)
#: The findings with the decision that stands: the last one made on the finding's present evidence; where there is
#: none, the last one on the finding at all, which then holds no more (dispositions_check.standing).
FINDINGS = """
with decided as (
    select f.finding_id, f.evidence_hash,
        coalesce(max(d.place) filter (d.evidence_hash = f.evidence_hash), max(d.place)) as place
    from finding as f
    join decision as d on d.finding_id = f.finding_id
    group by f.finding_id, f.evidence_hash
)
select f.*,
    d.disposition,
    case when d.place is null then null
        when d.evidence_hash <> f.evidence_hash then 'evidence changed'
        when d.is_past then 'waiver expired'
        else 'holds' end as disposition_status,
    d.decided_by as disposition_by,
    d.decided_on as disposition_on,
    d.reason as disposition_reason,
    d.waived_until
from finding as f
left join decided as c on c.finding_id = f.finding_id and c.evidence_hash = f.evidence_hash
left join decision as d on d.place = c.place"""
_COUNTS = f"""
select disposition, disposition_status, count(*)
from ({FINDINGS}) where disposition is not null group by all order by all"""
_SCHEMA = pa.schema(
    [
        ("place", pa.int64()),
        ("finding_id", pa.string()),
        ("evidence_hash", pa.string()),
        ("disposition", pa.string()),
        ("waived_until", pa.date32()),
        ("is_past", pa.bool_()),
        ("decided_by", pa.string()),
        ("decided_on", pa.date32()),
        ("reason", pa.string()),
    ]
)


def load_decisions(con, log: Log, as_of: date) -> None:
    """Makes the table `decision`, one row a row of the log; a waiver is past on the days after its last day."""
    rows = [
        {
            "place": place,
            "is_past": decision.waived_until is not None and decision.waived_until < as_of,
            **{name: getattr(decision, name) for name in _SCHEMA.names if name not in ("place", "is_past")},
        }
        for place, decision in enumerate(log.decisions)
    ]
    con.register("decision_read", pa.Table.from_pylist(rows, _SCHEMA))
    con.execute("create or replace table decision as select * from decision_read")
    con.unregister("decision_read")


def disposition_counts(con) -> dict[str, dict[str, int]]:
    """Disposition -> status -> findings; findings that nothing was decided of are in none."""
    counts: dict[str, dict[str, int]] = {}
    for disposition, status, findings in con.execute(_COUNTS).fetchall():
        counts.setdefault(disposition, {})[status] = findings
    return counts
