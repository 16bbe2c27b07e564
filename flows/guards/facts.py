"""What the guards look at in a night's delivery: counts of rows, payers and dates.

A night's delivery is the rows of the files in load_count: without a warehouse that is every file of the folder, with
one only the new and changed files, whatever else the other tables hold of the dates they touch.
"""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from transforms.database.duckdb_file import rows_as_dicts
from transforms.database.sql_values import literal
from transforms.reference.tables import check_days

_TONIGHT = "file_number in (select c.file_number from load_count as c)"
_ROWS = """
select f.table_name, sum(c.rows_read)::bigint as read, sum(c.rows_accepted)::bigint as accepted,
    sum(c.rows_quarantined)::bigint as quarantined, sum(c.rows_duplicate)::bigint as duplicate
from load_count as c join input_file as f on f.file_number = c.file_number group by f.table_name"""
_REASONS = f"""
select q.table_name, q.reason, count(*) from quarantine as q where q.{_TONIGHT}
group by q.table_name, q.reason order by count(*) desc, q.reason"""
_PAYERS = f"""
select l.payer_id, count(*) as lines from stg_line as l
where not l.is_set_aside and l.{_TONIGHT} group by l.payer_id order by l.payer_id"""
# Only patients and dates that the rules would judge: the others accuse nobody.
_DATES_WITHOUT_NOTES = f"""
select l.service_date, count(distinct l.patient_key) from stg_line as l
join stg_coverage as coverage on l.service_date between coverage.first_date and coverage.last_date
join run_setting as setting on l.service_date between setting.since_date and setting.until_date
where not l.is_set_aside and l.{_TONIGHT}
    and not exists (select 1 from stg_note as n where n.service_date = l.service_date)
    and not exists (
        select 1 from stg_unjudged_day as u where u.patient_key = l.patient_key and u.service_date = l.service_date)
group by l.service_date order by l.service_date"""

# Notes that count, of all those delivered how many have a block of their own.
_NOTES = f"""
select count(*), count(*) filter (exists (select 1 from stg_block as b where b.note_key = n.note_key))
from stg_note as n
join run_setting as setting on n.service_date between setting.since_date and setting.until_date
where n.standing = 'counting' and n.{_TONIGHT}"""
_DATES_WITHOUT_BLOCKS = f"""
select n.service_date, count(*) from stg_note as n
join run_setting as setting on n.service_date between setting.since_date and setting.until_date
where n.standing = 'counting' and n.{_TONIGHT}
    and not exists (select 1 from stg_block as b where b.service_date = n.service_date)
group by n.service_date order by n.service_date"""


@dataclass(frozen=True)
class TableRows:
    """The rows of one table in a delivery, and how many of those set aside have which reason, most first."""

    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PayerLines:
    """The claim lines in scope of one payer in a delivery."""

    lines: int


@dataclass(frozen=True)
class NightFacts:
    """One night's delivery in counts.

    `dates_without_notes`: by covered service date without a note of anybody, its judged claim days in this delivery.
    `notes`, `notes_with_blocks`: notes that count in this delivery, and those of them that have a block.
    `dates_without_blocks`: by service date without a block of anybody, its notes that count in this delivery.
    `reference_checks`: by reference file and day it was last checked, its rows in force on the as-of date.
    `is_incremental`: the delivery is what was new (a warehouse keeps the rest), and may rightly be empty.
    `has_history`: the warehouse held files before this delivery.
    `asked_for_rows`: whether rows should have come: not where a rebuild, a removal or a backfill's end is under way.
    """

    as_of: date
    is_incremental: bool = False
    rows: dict[str, TableRows] = field(default_factory=dict)
    payers: dict[str, PayerLines] = field(default_factory=dict)
    dates_without_notes: dict[date, int] = field(default_factory=dict)
    reference_checks: dict[tuple[str, date], int] = field(default_factory=dict)
    notes: int = 0
    notes_with_blocks: int = 0
    dates_without_blocks: dict[date, int] = field(default_factory=dict)
    has_history: bool = False
    asked_for_rows: bool = True


def night_facts(
    con,
    as_of: date,
    *,
    reference: Path | None = None,
    is_incremental: bool = False,
    has_history: bool = False,
    asked_for_rows: bool = True,
) -> NightFacts:
    """The facts of the delivery that a database holds after staging; `reference` is the user's folder of tables.

    Reads input_file, load_count, quarantine, run_setting and stg_line, stg_note, stg_block, stg_coverage,
    stg_unjudged_day.
    """
    reasons: dict[str, dict[str, int]] = {}
    for table, reason, count in con.execute(_REASONS).fetchall():
        reasons.setdefault(table, {})[reason] = count
    return NightFacts(
        as_of,
        is_incremental,
        {table: TableRows(*counts, reasons.get(table, {})) for table, *counts in con.execute(_ROWS).fetchall()},
        {payer: PayerLines(*counts) for payer, *counts in con.execute(_PAYERS).fetchall()},
        dict(con.execute(_DATES_WITHOUT_NOTES).fetchall()),
        check_days(reference, as_of),
        *con.execute(_NOTES).fetchone(),
        dict(con.execute(_DATES_WITHOUT_BLOCKS).fetchall()),
        has_history,
        asked_for_rows,
    )


def guards_in_force(con, as_of: date) -> list[dict]:
    """The rows of ref_guard in force on the as-of date, by name."""
    day = literal(as_of)
    return rows_as_dicts(
        con, f"select * from ref_guard where {day} >= effective_from and {day} < effective_to order by guard"
    )
