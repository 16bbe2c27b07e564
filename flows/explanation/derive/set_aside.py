"""Rows set aside that name a finding's patient: any of them may be what is missing from the finding's day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flows.text_table import table, wrap
from transforms.contract.fields import REASONS
from transforms.database.duckdb_file import rows_as_dicts

#: So many rows are named; of the others how many there are.
MOST_NAMED = 10
_ROWS = """
with asked as (select distinct a.patient_id from asked_patient_day as a),
-- rows set aside, with the patient that they name under the claims' id; a block names none
broken as (
    select q.table_name, q.file_name, q.line_number, q.piece, q.column_name, q.reason, q.service_date, q.claim_id,
        q.note_id, case when q.table_name = 'claims' then q.patient_id else coalesce(x.to_id, q.patient_id) end as whose
    from quarantine as q
    left join crosswalk_patient as x on x.from_id = q.patient_id
),
-- the patient that a row names, or whose claim or note it is a part of
of_patient as (
    select b.whose as patient_id, b.* exclude (whose) from broken as b
    union
    select c.patient_id, b.* exclude (whose) from broken as b
    join whole.near_claim as c on c.claim_id = b.claim_id
    where b.table_name = 'claims' and b.whose is null
    union
    select n.patient_id, b.* exclude (whose) from broken as b
    join whole.near_note as n on n.note_id = b.note_id
    where b.table_name <> 'claims' and b.whose is null
    union
    select n.whose as patient_id, b.* exclude (whose) from broken as b
    join broken as n on n.table_name = 'notes' and n.note_id = b.note_id
    where b.table_name = 'note_blocks'
)
select o.patient_id, o.table_name, o.file_name || ':' || o.line_number as source, o.column_name, o.reason as
    reason_code, o.service_date
from of_patient as o
join asked on asked.patient_id = o.patient_id
order by o.patient_id, o.table_name, o.file_name, o.line_number, o.piece
"""


def set_aside_of_patients(con) -> dict[str, list[dict]]:
    """By patient the rows set aside that name it or belong to a claim or note of it, in the order of the files."""
    patients: dict[str, list[dict]] = {}
    for row in rows_as_dicts(con, _ROWS):
        row["why"] = REASONS.get(row["reason_code"], row["reason_code"])
        patients.setdefault(row.pop("patient_id"), []).append(row)
    return patients


def set_aside_facts(rows: list[dict], day: date) -> dict[str, Any]:
    """Of a patient's rows those that are named beside a finding of `day`: first its own date's, then undated ones."""
    ranked = sorted(rows, key=lambda row: 1 if row["service_date"] is None else 0 if row["service_date"] == day else 2)
    return {"rows": ranked[:MOST_NAMED], "more": max(0, len(ranked) - MOST_NAMED)}


def told_rows(facts: Mapping[str, Any]) -> list[list]:
    """One row a row set aside: file and line, table, column, why, date."""
    names = ("source", "table_name", "column_name", "why", "service_date")
    return [[row[name] or ("not read" if name == "service_date" else "") for name in names] for row in _held(facts)]


def lead(facts: Mapping[str, Any]) -> str:
    """What the rows mean for the finding, as one text."""
    aside = facts["set_aside"]
    count = len(aside["rows"]) + aside["more"]
    verb = "1 row of this patient was" if count == 1 else f"{count} rows of this patient were"
    more = f" The first {len(aside['rows'])} are named." if aside["more"] else ""
    return (
        f"{verb} set aside and could not be counted. Look whether one of them is what this finding misses.{more} "
        "`minutewise quarantine` shows the cells and says what to do."
    )


def set_aside_text(facts: Mapping[str, Any]) -> list[str]:
    """The rows as lines of text, nothing where there are none."""
    held = _held(facts)
    if not held:
        return []
    names = ("source", "table_name", "column_name", "reason_code", "service_date")
    rows = [[row[name] or ("not read" if name == "service_date" else "") for name in names] for row in held]
    whys = {row["reason_code"]: row["why"] for row in held}
    text = [*wrap(lead(facts)), "", *table(["row", "table", "column", "reason", "date"], rows), ""]
    return text + [line for reason, why in whys.items() for line in wrap(f"{reason}: {why}.", hanging=4)]


def _held(facts: Mapping[str, Any]) -> list[dict]:
    return (facts.get("set_aside") or {}).get("rows") or []
