"""Why few claims and notes match: rows that were set aside, dates that no format fits, ids written in two ways.

All of it is counts, reasons and shapes: a value stands in no message.
"""

from collections import Counter

from transforms.contract.fields import TABLES
from transforms.database.quoting import name, text

#: So many reasons of a table are named, and so many cells are looked at for the commonest shape.
_MOST_REASONS, _MOST_CELLS = 2, 1_000
_LONGEST_SHAPE = 24
_LOADED = """
select f.table_name, cast(coalesce(sum(c.rows_accepted), 0) as bigint) as accepted,
    cast(coalesce(sum(c.rows_quarantined), 0) as bigint) as set_aside
from load_count as c
join input_file as f on f.file_number = c.file_number
group by f.table_name"""
_REASONS = """
select q.table_name, q.reason, q.column_name, count(*) as row_count
from quarantine as q
group by q.table_name, q.reason, q.column_name
order by row_count desc, q.table_name, q.reason, q.column_name"""
#: How two systems write one id: what is told, and the form in which both are the same.
_FORMS = {
    "the .0 behind them": "case when x.id like '%.0' then substring(x.id, 1, length(x.id) - 2) else x.id end",
    "leading zeros": "case when regexp_matches(x.id, '^[0-9]+$') then "
    "coalesce(cast(try_cast(x.id as decimal(38, 0)) as varchar), x.id) else x.id end",
    "upper and lower case": "lower(x.id)",
}
_NEAR_IDS = """
with claim_patient as (
    select distinct c.patient_id as id from ok_claims as c
),
note_patient as (
    select distinct coalesce(w.to_id, n.patient_id) as id
    from ok_notes as n
    left join crosswalk_patient as w on w.from_id = n.patient_id
),
-- patients of one extract alone, in the form asked
of_claims as (
    select x.id, {form} as form from claim_patient as x
    left join note_patient as other on other.id = x.id
    where other.id is null
),
of_notes as (
    select x.id, {form} as form from note_patient as x
    left join claim_patient as other on other.id = x.id
    where other.id is null
)
select count(distinct of_claims.id), (select count(*) from claim_patient)
from of_claims
join of_notes on of_notes.form = of_claims.form"""


def why_low_match(con) -> str:
    """What was read and what of it bears on the match, as sentences that each end with a point."""
    loaded = {table: (accepted, aside) for table, accepted, aside in con.execute(_LOADED).fetchall()}
    reasons = con.execute(_REASONS).fetchall()
    tables = [_told_table(table, *loaded[table], reasons) for table in TABLES if table in loaded]
    told = [f"Read were {'; '.join(tables)}."] if tables else []
    return " ".join([*told, *_unread_dates(con, reasons), *_near_ids(con)])


def shape_of(cell: str) -> str:
    """A cell's shape without its value: 9 for a digit, A for a letter, other signs as they stand."""
    signs = ("9" if sign.isdigit() else "A" if sign.isalpha() else sign for sign in cell[: _LONGEST_SHAPE + 1])
    shape = "".join(sign if sign.isprintable() else "?" for sign in signs)
    return shape if len(shape) <= _LONGEST_SHAPE else shape[:_LONGEST_SHAPE] + "..."


def _told_table(table: str, accepted: int, set_aside: int, reasons: list[tuple]) -> str:
    counts: Counter[str] = Counter()
    for held_by, reason, _, rows in reasons:
        counts[reason] += rows if held_by == table else 0
    commonest = [f"{reason} {rows}" for reason, rows in counts.most_common(_MOST_REASONS) if rows]
    because = f" ({', '.join(commonest)})" if commonest else ""
    return f"{table}, {accepted} rows accepted and {set_aside} set aside{because}"


def _unread_dates(con, reasons: list[tuple]) -> list[str]:
    """A sentence for each table whose service dates could not be read."""
    told = []
    for table, reason, column, rows in reasons:
        if reason == "unreadable_date" and column == "service_date":
            shape = _commonest_shape(con, table, reason, column)
            such = f", most like {shape} (9 a digit, A a letter)" if shape else ""
            told.append(
                f"{rows} rows of {table} have a {column} that cannot be read{such}: say how their dates are written in "
                "date_formats of a mapping (docs/mapping.md)."
            )
    return told


def _commonest_shape(con, table: str, reason: str, column: str) -> str | None:
    """The shape of most cells that could not be read, among the first ones; None where no row of them was read now."""
    cells = con.execute(
        f"select cast(r.{name(column)} as varchar) from quarantine as q "
        f"join raw_{table} as r on r.file_number = q.file_number and r.source_line = q.source_line "
        "and coalesce(r.piece, 0) = coalesce(q.piece, 0) "
        f"where q.table_name = {text(table)} and q.reason = {text(reason)} and q.column_name = {text(column)} "
        f"and r.{name(column)} is not null order by q.file_number, q.source_line, q.piece limit {_MOST_CELLS}"
    ).fetchall()
    counted = Counter(shape_of(cell.strip()) for (cell,) in cells)
    return min(counted, key=lambda shape: (-counted[shape], shape)) if counted else None


def _near_ids(con) -> list[str]:
    """A sentence for each way in which patients' ids differ between the extracts and would else be the same."""
    told = []
    for difference, form in _FORMS.items():
        near, patients = con.execute(_NEAR_IDS.format(form=form)).fetchone()
        if near:
            told.append(
                f"{near} of {patients} patients of the claims are in the notes under an id that differs only in "
                f"{difference}: make both alike in a mapping (strip or replace, docs/mapping.md)."
            )
    return told
