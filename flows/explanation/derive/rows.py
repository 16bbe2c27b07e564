"""The rows that a finding came from: claim lines, note versions and blocks of its patient and date, with file and line.

Nothing is counted here; every number is a column of the audit's own models, run again over the dates asked. Each query
runs once for all subjects asked, and its rows are told by subject (asked.py).
"""

from collections.abc import Sequence

from flows.explanation.derive.rebuild import grouped
from transforms.database.duckdb_file import rows_as_dicts

#: A finding lists at most so many rows of others (rule book s. 6), and says how many more there are.
MOST_OF_OTHERS = 50
#: Who else names a claim line's claim, by its own number or the payer's: claims that replace or void it, and the one
#: that stands where several replace the same.
_NAMED_BY = """
create or replace temp table line_named_by as
with naming as (
    select c.claim_id, c.line_number, o.claim_id as naming_id from ok_claims as c
    join ok_claims as o on o.original_claim_id = c.claim_id
    where o.claim_id <> c.claim_id and o.claim_frequency_code in ('6', '7', '8')
    union
    select c.claim_id, c.line_number, o.claim_id from ok_claims as c
    join ok_claims as o on o.original_claim_id = c.payer_claim_id
    where o.claim_id <> c.claim_id and o.claim_frequency_code in ('6', '7', '8')
    union
    select c.claim_id, c.line_number, o.claim_id from ok_claims as c
    join ok_claims as o on o.original_claim_id = c.original_claim_id
    where o.claim_id > c.claim_id and o.claim_frequency_code in ('6', '7') and c.claim_frequency_code in ('6', '7')
)
select claim_id, line_number, string_agg(distinct naming_id, ', ' order by naming_id) as named_by
from naming group by claim_id, line_number
"""
_LINES = """
select
    a.subject, c.claim_id, c.line_number, c.patient_id, c.payer_id, c.procedure_code, c.billed_units, c.modifiers,
    c.rendering_provider_id, c.billing_provider_id, c.clinic_id, c.claim_type, c.claim_frequency_code,
    c.original_claim_id, c.claim_status, c.payer_order, c.charge_usd, c.allowed_usd, c.paid_usd,
    l.line_key, l.payer_id as ruling_payer_id, l.counted_code, l.is_timed, l.discipline, l.discipline_source,
    term.counting_method, term.is_mue_bound, term.mue_units,
    case when claim.is_void then 'void'
        when claim.is_gone then 'gone'
        when c.claim_frequency_code in ('0', '9') then 'no_final_bill'
        when l.line_key is null and term.kind = 'unlisted' then 'not_listed'
        when l.line_key is null and term.term_key is null then 'out_of_scope'
        when l.line_key is null then 'no_units'
        when l.is_set_aside and c.claim_status = 'denied' then 'denied'
        when l.is_set_aside then 'secondary_payer'
        else 'bills' end as standing,
    named.named_by,
    i.file_name || ':' || c.source_line as source
from ok_claims as c
join delivered_file as i on i.file_number = c.file_number
left join stg_claim as claim on claim.claim_id = c.claim_id
left join line_named_by as named on named.claim_id = c.claim_id and named.line_number = c.line_number
left join stg_line as l on l.claim_id = c.claim_id and l.line_number = c.line_number
left join stg_term as term on term.written_payer_id = c.payer_id and term.claim_type = c.claim_type
    and term.procedure_code = c.procedure_code and term.service_date = c.service_date
"""
_OF_PATIENTS = """
join asked_patient_day as a on a.patient_id = c.patient_id and a.service_date = c.service_date
order by a.subject, c.claim_id, c.line_number
"""
_OF_CLINICIANS = """
join asked_clinician_day as a on a.provider_id = c.rendering_provider_id and a.service_date = c.service_date
order by a.subject, c.claim_id, c.line_number
"""
_NOTES = """
with version as (
    select n.*, coalesce(x.to_id, n.patient_id) as claims_patient_id, coalesce(px.to_id, n.provider_id) as clinician_id
    from ok_notes as n
    left join crosswalk_patient as x on x.from_id = n.patient_id
    left join crosswalk_provider as px on px.from_id = n.provider_id
),
here as (
    select distinct a.subject, version.note_id from version
    join asked_patient_day as a on a.patient_id = version.claims_patient_id and a.service_date = version.service_date
)
select
    here.subject, v.note_id, v.note_version, v.service_date, v.discipline, v.clinician_id, v.status, v.is_billable,
    cast(round(v.total_timed_minutes * 60) as integer) as total_timed_seconds,
    cast(round(v.total_treatment_minutes * 60) as integer) as total_treatment_seconds, v.cap_justification,
    s.note_key, coalesce(s.standing, case when v.status = 'void' then 'void' else 'superseded' end) as standing,
    m.has_blocks, m.has_unmeasured_block, m.written_seconds, m.note_credited_seconds, m.credited_seconds,
    m.supported_seconds, m.sure_seconds, m.is_incomplete, m.below_written_seconds,
    (select count(*) from ok_note_blocks as b where b.note_id = v.note_id
        and (b.note_version is null or b.note_version = v.note_version)) as block_count,
    i.file_name || ':' || v.source_line as source
from version as v
join here on here.note_id = v.note_id
join delivered_file as i on i.file_number = v.file_number
left join stg_note as s on s.note_id = v.note_id and s.note_version = v.note_version
left join min_note as m on m.note_key = s.note_key
order by here.subject, v.note_id, v.note_version
"""
#: Blocks of counting notes; the caller says of which subjects, and joins them in.
_BLOCKS = """
select
    {subject}, b.block_key, b.note_key, n.note_id, n.note_version, b.block_number, p.patient_id, b.discipline,
    c.provider_id as clinician_id, b.procedure_code, b.counted_code, b.kind, b.delivery, b.is_timed_one_on_one,
    b.start_second, b.end_second, m.clock_seconds, b.stated_seconds, m.has_session_clock, m.is_shared_with_other_block,
    m.is_unmeasured, m.written_seconds, m.worth_seconds, w.note_credited_seconds, m.credited_seconds, m.rest_seconds,
    m.double_counted_seconds, m.run_number, i.file_name || ':' || b.source_line as source
from stg_block as b
join stg_note as n on n.note_key = b.note_key
join stg_patient as p on p.patient_key = b.patient_key
join stg_clinician as c on c.clinician_key = b.clinician_key
join delivered_file as i on i.file_number = b.file_number
left join min_block as m on m.block_key = b.block_key
left join min_credited as w on w.block_key = b.block_key
{join}
"""
_PATIENTS_BLOCKS = _BLOCKS.format(
    subject="a.subject",
    join="join asked_patient_day as a on a.patient_key = b.patient_key and a.service_date = b.service_date",
)
#: Of a clinician's run the blocks of the patient asked, and of other patients' blocks those nearest to them in the
#: clinician's order, the overlapping ones first.
_RUNS_BLOCKS = """
with own as (
    select a.subject, a.patient_key, r.clinician_key, r.service_date, r.clinician_run_number, r.place, r.start_second,
        r.end_second
    from min_clinician_block as r
    join asked_patient_day as a on a.patient_key = r.patient_key and a.service_date = r.service_date
    where a.subject in (select unnest($subjects::integer[])) and r.run_excess_seconds > 0
),
beside as (
    select own.subject, r.block_key, r.patient_key = own.patient_key as is_own,
        min(case when r.start_second < own.end_second and own.start_second < r.end_second then 0 else 1 end) as apart,
        min(abs(r.place - own.place)) as distance
    from own
    cross join (select unnest(generate_series(-$most, $most)) as places_on) as step
    join min_clinician_block as r
        on r.clinician_key = own.clinician_key and r.service_date = own.service_date
        and r.clinician_run_number = own.clinician_run_number and r.place = own.place + step.places_on
    group by all
),
listed as (
    select beside.subject, beside.block_key from beside
    join min_clinician_block as r on r.block_key = beside.block_key
    qualify row_number() over (
        partition by beside.subject, r.clinician_key, r.clinician_run_number, beside.is_own
        order by beside.apart, beside.distance, beside.block_key
    ) <= $most
)
""" + _BLOCKS.format(
    subject="l.subject, r.clinician_key, r.clinician_run_number as run_place, r.is_double_booked",
    join="join listed as l on l.block_key = b.block_key join min_clinician_block as r on r.block_key = b.block_key",
)
#: How the blocks of a therapy day come to their first credit, step by step.
_FIRST_CREDIT = """
select c.block_key, c.place, c.covered_until, c.first_credited_seconds
from min_credit as c
join stg_block as b on b.block_key = c.block_key
join asked_patient_day as a on a.patient_key = b.patient_key and a.service_date = b.service_date
where c.set_kind = 'day'
"""
#: A block on a date without two blocks on one second of the clock: nothing reaches into it, and it is credited its
#: worth.
_ALONE = {"place": None, "covered_until": None}
_DOLLARS = """
select f.finding_key, l.line_key, l.claim_id, l.line_number, l.procedure_code, l.billed_units, f.at_risk_units,
    u.units_above_split, l.amount_e4, f.at_risk_e4, c.charge_usd, c.allowed_usd, c.paid_usd,
    i.file_name || ':' || l.source_line as source
from finding_line as f
join finding_row as r on r.finding_key = f.finding_key and r.twin_line_key is distinct from f.line_key
join stg_line as l on l.line_key = f.line_key
join ok_claims as c on c.claim_id = l.claim_id and c.line_number = l.line_number
join delivered_file as i on i.file_number = l.file_number
left join unit_line as u on u.line_key = l.line_key
where f.finding_key in (select unnest(?::bigint[])) order by l.claim_id, l.line_number
"""


def claim_lines(con) -> tuple[dict[int, list[dict]], dict[int, list[dict]]]:
    """Every accepted line of the patients' dates asked, and of the rendering providers' dates asked, by subject.

    Those that bill nothing are there with the reason.
    """
    con.execute(_NAMED_BY)
    patients, clinicians = rows_as_dicts(con, _LINES + _OF_PATIENTS), rows_as_dicts(con, _LINES + _OF_CLINICIANS)
    return grouped(patients, "subject"), grouped(clinicians, "subject")


def note_versions(con) -> dict[int, list[dict]]:
    """By patient's date asked, every version of its notes, with what it is to the day and the minutes it supports."""
    return grouped(rows_as_dicts(con, _NOTES), "subject")


def patient_blocks(con) -> dict[int, list[dict]]:
    """By patient's date asked, blocks of its counting notes in the order of the clock, with the steps of the credit."""
    rows = rows_as_dicts(con, _PATIENTS_BLOCKS)
    steps = {row["block_key"]: row for row in rows_as_dicts(con, _FIRST_CREDIT)}
    for block in rows:
        alone = {**_ALONE, "first_credited_seconds": block["credited_seconds"]}
        block.update(steps.get(block["block_key"], alone))
    return {subject: tagged(blocks) for subject, blocks in grouped(rows, "subject").items()}


def run_blocks(con, subjects: Sequence[int]) -> dict[tuple, list[dict]]:
    """By patient's date, clinician's key and number of the run, blocks of clinicians' runs in the order of the clock.

    The patient's own blocks, and of other patients' those next to them: MOST_OF_OTHERS of each at most.
    """
    rows = rows_as_dicts(con, _RUNS_BLOCKS, {"subjects": list(subjects), "most": MOST_OF_OTHERS})
    blocks = grouped(rows, "subject", "clinician_key", "run_place")
    tagged_blocks = {run: tagged(several) for run, several in blocks.items()}
    for block in (block for several in tagged_blocks.values() for block in several):
        block["is_double_booked"] = block.pop("is_double_booked")  # after the block's own columns
    return tagged_blocks


def tagged(blocks: list[dict]) -> list[dict]:
    """The blocks in the order of the clock, those without one last, each with a letter to call it by."""

    def order(block):
        clock = block["start_second"]
        return (clock is None, clock, block["end_second"], block["note_id"], block["block_number"], block["block_key"])

    ordered = sorted(blocks, key=lambda block: tuple(-1 if part is None else part for part in order(block)))
    for number, block in enumerate(ordered):
        block["tag"] = _letters(number)
    return ordered


def _letters(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


def dollar_lines(con, keys: Sequence[int]) -> dict[int, list[dict]]:
    """By finding_key, the claim lines of a finding's subject, with the units at risk on each and its money."""
    return grouped(rows_as_dicts(con, _DOLLARS, [list(keys)]), "finding_key")
