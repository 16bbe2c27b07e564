"""What single rules need beside the rows of a therapy day: runs, provider days, covered dates, duplicates."""

from collections.abc import Iterable
from datetime import date

from flows.explanation.derive.rebuild import grouped
from flows.explanation.derive.rows import run_blocks
from transforms.database.duckdb_file import rows_as_dicts

_RUNS = """
with asked_run as (
    select distinct a.subject, r.clinician_key, r.service_date, r.clinician_run_number
    from min_clinician_block as r
    join asked_patient_day as a on a.patient_key = r.patient_key and a.service_date = r.service_date
    where r.is_double_booked and a.subject in (select unnest(?::integer[]))
),
-- the sums of each run once, however many of its patients are asked
run_sum as (
    select r.clinician_key, r.service_date, r.clinician_run_number, max(r.run_excess_seconds) as excess_seconds,
        min(r.start_second) as start_second, max(r.end_second) as end_second, count(*) as block_count,
        count(distinct r.patient_key) as patient_count,
        sum(case when b.is_shared_with_other_block then 0 else b.credited_seconds end) as credited_seconds
    from min_clinician_block as r
    join min_block as b on b.block_key = r.block_key
    join (select distinct clinician_key, service_date, clinician_run_number from asked_run) as mine
        on mine.clinician_key = r.clinician_key and mine.service_date = r.service_date
        and mine.clinician_run_number = r.clinician_run_number
    group by r.clinician_key, r.service_date, r.clinician_run_number
)
select a.subject, r.clinician_key, c.provider_id as clinician_id, r.clinician_run_number as run_number,
    r.excess_seconds, r.start_second, r.end_second, r.block_count, r.patient_count, r.credited_seconds,
    r.credited_seconds - (r.end_second - r.start_second) - r.excess_seconds as below_seconds
from asked_run as a
join run_sum as r
    on r.clinician_key = a.clinician_key and r.service_date = a.service_date
    and r.clinician_run_number = a.clinician_run_number
join stg_clinician as c on c.clinician_key = r.clinician_key
order by a.subject, c.provider_id, r.clinician_run_number
"""
_PROVIDER_DAYS = """
with own as (
    select day.clinician_key, day.day_key from unit_clinician_need as day
    union
    select b.clinician_key, d.day_key from min_block as b
    join stg_therapy_day as d on d.day_key = b.day_key
)
select a.subject, d.day_key, p.patient_id, d.discipline, d.payer_id, d.counting_method, d.is_judged,
    coalesce(day.billed_units, 0) as billed_units, coalesce(day.needed_minutes, 0) as needed_minutes,
    coalesce(below.below_seconds, 0) as below_seconds
from asked_clinician_day as a
join own on own.clinician_key = a.clinician_key
join stg_therapy_day as d on d.day_key = own.day_key and d.service_date = a.service_date
join stg_patient as p on p.patient_key = d.patient_key
left join unit_clinician_need as day on day.day_key = d.day_key and day.clinician_key = a.clinician_key
left join min_clinician_below as below on below.day_key = d.day_key and below.clinician_key = a.clinician_key
order by a.subject, p.patient_id, d.discipline
"""
_PROVIDER_CODES = """
select a.subject, c.day_key, c.counted_code as procedure_code, cast(c.billed_units as integer) as billed_units
from unit_clinician_code as c
join unit_clinician_need as day on day.day_key = c.day_key and day.clinician_key = c.clinician_key
join asked_clinician_day as a on a.clinician_key = c.clinician_key and a.service_date = day.service_date
order by a.subject, c.day_key, c.counted_code
"""
_PROVIDER_BLOCKS = """
select a.subject, p.patient_id, b.discipline, b.procedure_code, n.note_id, b.block_number,
    case when b.is_shared_with_other_block then 0 else b.credited_seconds end as credited_seconds,
    i.file_name || ':' || s.source_line as source
from min_block as b
join asked_clinician_day as a on a.clinician_key = b.clinician_key and a.service_date = b.service_date
join stg_block as s on s.block_key = b.block_key
join stg_note as n on n.note_key = b.note_key
join stg_patient as p on p.patient_key = b.patient_key
join delivered_file as i on i.file_number = s.file_number
order by a.subject, p.patient_id, n.note_id, b.block_number
"""
_PROVIDER_SUMS = """
select a.subject, c.* from unit_clinician_day as c
join asked_clinician_day as a on a.clinician_key = c.clinician_key and a.service_date = c.service_date
"""
_NEAREST_NOTES = """
select a.subject, n.note_id, n.note_version, n.service_date, n.discipline, n.status,
    n.source_file || ':' || n.source_line as source
from whole.near_note as n
join asked_patient_day as a on a.patient_id = n.patient_id
where a.subject in (select unnest(?::integer[]))
    and n.service_date <> a.service_date and abs(n.service_date - a.service_date) <= 14
window nearest as (
    partition by a.subject
    order by abs(n.service_date - a.service_date), n.service_date, n.note_id, n.note_version
)
qualify row_number() over nearest <= 4
order by a.subject, abs(n.service_date - a.service_date), n.service_date, n.note_id, n.note_version
"""
_NEAREST_LINES = """
select a.subject, c.claim_id, c.line_number, c.service_date, c.procedure_code, c.billed_units,
    c.source_file || ':' || c.source_line as source
from whole.near_claim as c
join asked_patient_day as a on a.patient_id = c.patient_id
where a.subject in (select unnest(?::integer[]))
    and c.service_date <> a.service_date and abs(c.service_date - a.service_date) <= 14
window nearest as (
    partition by a.subject
    order by abs(c.service_date - a.service_date), c.service_date, c.claim_id, c.line_number
)
qualify row_number() over nearest <= 4
order by a.subject, abs(c.service_date - a.service_date), c.service_date, c.claim_id, c.line_number
"""
_PARAMETER = """
select a.service_date, p.* from ref_parameter as p
join asked_date as a on a.service_date >= p.effective_from and a.service_date < p.effective_to
where p.name = ?
"""


def clinician_runs(con, subjects: Iterable[int]) -> dict[int, list[dict]]:
    """By patient's date, the runs in which a clinician holds this patient and others at once.

    Each run has its sums and its blocks: the patient's, and of other patients' those next to them, at most 50. The
    other patients of the clinicians' dates must have been loaded.
    """
    subjects = list(subjects)
    rows = rows_as_dicts(con, _RUNS, [subjects]) if subjects else []
    blocks = run_blocks(con, subjects) if rows else {}
    for run in rows:
        run["blocks"] = blocks.get((run["subject"], run["clinician_key"], run["run_number"]), [])
    return grouped(rows, "subject")


def provider_days(con) -> dict[int, dict]:
    """By clinician's date asked: what the units of each therapy day need at the least, and what the notes credit."""
    asked = rows_as_dicts(con, "select * from asked_clinician_day where clinician_key is not null")
    if not asked:
        return {}
    days = grouped(rows_as_dicts(con, _PROVIDER_DAYS), "subject")
    codes = grouped(rows_as_dicts(con, _PROVIDER_CODES), "subject")
    sums = grouped(rows_as_dicts(con, _PROVIDER_SUMS), "subject")
    blocks = grouped(rows_as_dicts(con, _PROVIDER_BLOCKS), "subject")
    limits = parameter(con, "provider_day_minutes")
    held = {}
    for row in asked:
        subject, limit = row["subject"], limits.get(row["service_date"])
        for one in days.get(subject, []):
            one["codes"] = [code for code in codes.get(subject, []) if code["day_key"] == one["day_key"]]
            who = (one["patient_id"], one["discipline"])
            one["blocks"] = [
                block for block in blocks.get(subject, []) if (block["patient_id"], block["discipline"]) == who
            ]
            one["credited_seconds"] = sum(block["credited_seconds"] for block in one["blocks"])
        own = {"provider_id": row["provider_id"], "days": days.get(subject, []), "limit": limit}
        held[subject] = own | (sums.get(subject) or [{}])[0]
    return held


def coverage(con) -> dict[date, dict]:
    """By service date asked: the dates of both extracts, the dates that both cover, and the billing lag."""
    (dates,) = rows_as_dicts(
        con,
        "select claims_first_date as claims_first, claims_last_date as claims_last, notes_first_date as notes_first, "
        "notes_last_date as notes_last, first_date, last_date from stg_coverage",
    )
    lags = parameter(con, "billing_lag_days")
    days = [day for (day,) in con.execute("select service_date from asked_date").fetchall()]
    return {day: {**dates, "billing_lag": lags.get(day)} for day in days}


def nearest_rows(con, subjects: Iterable[int]) -> dict[int, dict]:
    """By patient's date, the patient's notes and claim lines of the nearest other dates, at most 14 days away."""
    subjects = list(subjects)
    if not subjects:
        return {}
    notes = grouped(rows_as_dicts(con, _NEAREST_NOTES, [subjects]), "subject")
    lines = grouped(rows_as_dicts(con, _NEAREST_LINES, [subjects]), "subject")
    return {subject: {"notes": notes.get(subject, []), "lines": lines.get(subject, [])} for subject in subjects}


def parameter(con, name: str) -> dict[date, dict]:
    """By service date asked, the dated row of a parameter in force."""
    return {day: rows[0] for day, rows in grouped(rows_as_dicts(con, _PARAMETER, [name]), "service_date").items()}
