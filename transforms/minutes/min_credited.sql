-- grain: one timed one-on-one block of a counting note, with what it is credited in each set of blocks
-- units: whole seconds
-- source: rule book s. 3 (Cn over the note, Cd over the therapy day, Cp over the patient and date)
with
-- the three credits of a crowded block side by side
credit as (
    select
        c.block_key,
        max(case when c.set_kind = 'note' then c.credited_seconds end) as note_seconds,
        max(case when c.set_kind = 'day' then c.credited_seconds end) as day_seconds,
        max(case when c.set_kind = 'day' then c.first_credited_seconds end) as first_seconds,
        max(case when c.set_kind = 'day' then c.run_number end) as run_number,
        max(case when c.set_kind = 'patient' then c.credited_seconds end) as patient_seconds
    from min_credit as c
    group by c.block_key
)
select
    w.block_key,
    w.note_key,
    w.day_key,
    w.patient_day_key,
    w.written_seconds,
    w.worth_seconds,
    coalesce(credit.note_seconds, w.worth_seconds) as note_credited_seconds,
    coalesce(credit.day_seconds, w.worth_seconds) as credited_seconds,
    coalesce(credit.patient_seconds, w.worth_seconds) as patient_credited_seconds,
    -- its first credit over the day, less what nobody knows to be its own: what every reading grants
    case when w.is_shared_with_other_block then 0 else coalesce(credit.first_seconds, w.worth_seconds) end
        as sure_seconds,
    coalesce(credit.day_seconds - credit.first_seconds, 0) as rest_seconds,
    credit.run_number,
    w.is_unmeasured,
    w.has_session_clock
from min_written as w
left join credit on credit.block_key = w.block_key
