"""What single rules need beside the rows of a therapy day: runs, provider days, covered dates, duplicates."""

from flows.explanation.rebuild import step_rows
from flows.explanation.rows import clinician_blocks
from transforms.engine import rows_as_dicts

_RUNS = """
select r.clinician_key, c.provider_id as clinician_id, r.run_number, r.excess_minutes
from run as r
join stg_clinician as c on c.clinician_key = r.clinician_key
where exists (
    select 1 from double_booked as d join overlapping as o on o.block_key = d.block_key
    join stg_patient as p on p.patient_key = d.patient_key
    where p.patient_id = ? and d.clinician_key = r.clinician_key and d.run_number = r.run_number
)
order by c.provider_id, r.run_number
"""
_PROVIDER_DAYS = """
select d.day_key, p.patient_id, d.discipline, d.payer_id, d.counting_method, d.is_judged,
    coalesce(day.billed_units, 0) as billed_units, coalesce(day.needed_minutes, 0) as needed_minutes
from stg_therapy_day as d
join stg_patient as p on p.patient_key = d.patient_key
left join day on day.day_key = d.day_key and day.clinician_key = $clinician
where day.day_key is not null or exists (
    select 1 from min_block as b where b.clinician_key = $clinician and b.patient_key = d.patient_key
        and b.service_date = d.service_date and b.discipline = d.discipline
)
order by p.patient_id, d.discipline
"""
_PROVIDER_CODES = """
select day_key, counted_code as procedure_code, cast(billed_units as integer) as billed_units
from code where clinician_key = ? order by day_key, counted_code
"""
_PROVIDER_BLOCKS = """
select p.patient_id, b.discipline, b.procedure_code, b.credited_minutes, n.note_id, b.block_number,
    i.file_name || ':' || s.source_line as source
from min_block as b
join stg_block as s on s.block_key = b.block_key
join stg_note as n on n.note_key = b.note_key
join stg_patient as p on p.patient_key = b.patient_key
join delivered_file as i on i.file_number = s.file_number
where b.clinician_key = ? order by p.patient_id, n.note_id, b.block_number
"""
_TWINS = """
select l.claim_id, l.line_number, l.procedure_code, l.billed_units, l.modifiers, c.provider_id as rendering_provider_id,
    l.payer_id, i.file_name || ':' || l.source_line as source
from stg_line as mine
join stg_line as l
    on l.patient_key = mine.patient_key and l.procedure_code = mine.procedure_code
    and l.modifiers is not distinct from mine.modifiers and l.billed_units = mine.billed_units
    and l.clinician_key is not distinct from mine.clinician_key and l.payer_id = mine.payer_id
    and l.claim_key < mine.claim_key and not l.is_set_aside and l.discipline is not null
left join stg_clinician as c on c.clinician_key = l.clinician_key
join delivered_file as i on i.file_number = l.file_number
where mine.line_key = ? order by l.line_key
"""
_NEAREST_NOTES = """
select n.note_id, n.note_version, n.service_date, n.discipline, n.status,
    n.source_file || ':' || n.source_line as source
from whole.ok_notes as n
left join crosswalk_patient as x on x.from_id = n.patient_id
where coalesce(x.to_id, n.patient_id) = $patient and n.service_date <> $day
    and abs(n.service_date - $day) <= 14
order by abs(n.service_date - $day), n.service_date, n.note_id, n.note_version limit 4
"""
_NEAREST_LINES = """
select c.claim_id, c.line_number, c.service_date, c.procedure_code, c.billed_units,
    c.source_file || ':' || c.source_line as source
from whole.ok_claims as c
where c.patient_id = $patient and c.service_date <> $day and abs(c.service_date - $day) <= 14
order by abs(c.service_date - $day), c.service_date, c.claim_id, c.line_number limit 4
"""


def clinician_runs(con, patient: str) -> list[dict]:
    """The runs in which a clinician holds this patient and others at once, each with all its blocks and its sums."""
    runs = step_rows(con, "minutes", "min_clinician_block", _RUNS, [patient])
    numbered = rows_as_dicts(
        con, "select block_key, clinician_key, clinician_run_number, is_double_booked from min_clinician_block"
    )
    for run in runs:
        inside = {
            row["block_key"]: row["is_double_booked"]
            for row in numbered
            if (row["clinician_key"], row["clinician_run_number"]) == (run["clinician_key"], run["run_number"])
        }
        run["blocks"] = clinician_blocks(con, list(inside))
        for block in run["blocks"]:
            block["is_double_booked"] = inside[block["block_key"]]
        run["start_minute"] = min(block["start_minute"] for block in run["blocks"])
        run["end_minute"] = max(block["end_minute"] for block in run["blocks"])
        run["credited_minutes"] = sum(block["credited_minutes"] for block in run["blocks"])
    return runs


def provider_day(con, provider: str, day) -> dict | None:
    """A clinician's date: what the units of each therapy day need at the least, and what the notes credit."""
    found = con.execute("select clinician_key from stg_clinician where provider_id = ?", [provider]).fetchone()
    if not found:
        return None
    key = found[0]
    days = step_rows(con, "findings", "provider_day_impossible", _PROVIDER_DAYS, {"clinician": key})
    codes = step_rows(con, "findings", "provider_day_impossible", _PROVIDER_CODES, [key])
    blocks = rows_as_dicts(con, _PROVIDER_BLOCKS, [key])
    for one in days:
        one["codes"] = [code for code in codes if code["day_key"] == one["day_key"]]
        who = (one["patient_id"], one["discipline"])
        one["blocks"] = [block for block in blocks if (block["patient_id"], block["discipline"]) == who]
        one["credited_minutes"] = sum(block["credited_minutes"] for block in one["blocks"])
    totals = step_rows(
        con, "findings", "provider_day_impossible", "select * from clinician_day where clinician_key = ?", [key]
    )
    sums = totals[0] if totals else {}
    return {"provider_id": provider, "days": days, "limit": parameter(con, "provider_day_minutes", day), **sums}


def coverage(con, day) -> dict:
    """The dates of both extracts, the dates that both cover, and the billing lag."""
    (dates,) = step_rows(
        con,
        "staging",
        "stg_coverage",
        "select c.first_date as claims_first, c.last_date as claims_last, n.first_date as notes_first, "
        "n.last_date as notes_last from claim as c cross join note as n",
    )
    both = rows_as_dicts(con, "select first_date, last_date from stg_coverage")[0]
    return {**dates, **both, "billing_lag": parameter(con, "billing_lag_days", day)}


def nearest_rows(con, patient: str, day) -> dict:
    """The patient's notes and claim lines of the nearest other dates, at most 14 days away."""
    asked = {"patient": patient, "day": day}
    return {"notes": rows_as_dicts(con, _NEAREST_NOTES, asked), "lines": rows_as_dicts(con, _NEAREST_LINES, asked)}


def earlier_twins(con, line_key: int) -> list[dict]:
    """Lines of surviving claims of smaller claim id that bill the same as this line."""
    return rows_as_dicts(con, _TWINS, [line_key])


def parameter(con, name: str, day) -> dict | None:
    """The dated row of a parameter in force on a date."""
    rows = rows_as_dicts(
        con,
        "select * from ref_parameter where name = ? and ? >= effective_from and ? < effective_to",
        [name, day, day],
    )
    return rows[0] if rows else None
