"""Rows set aside that name a finding's patient: any of them may be what is missing from the finding's day."""

from datetime import date
from typing import Any

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
