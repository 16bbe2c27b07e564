-- grain: one timed one-on-one block of a counting note, with the time that it is credited
-- units: whole seconds
-- source: rule book s. 3 (credit over the therapy day, double-counted)
with
-- what each block lacks of its worth in its note, and in its therapy day
lacking as (
    select
        c.block_key,
        c.worth_seconds - c.note_credited_seconds as note_lack_seconds,
        -- only where the notes' own totals together are above what the day's clock holds
        case
            when day.has_unknown_note or day.notes_seconds < day.clock_bound_seconds + 60 then 0
            else c.worth_seconds - c.credited_seconds
        end as day_lack_seconds
    from min_credited as c
    join min_day_sum as day on day.day_key = c.day_key
)
select
    w.block_key,
    w.note_key,
    w.block_number,
    w.patient_key,
    w.patient_day_key,
    w.day_key,
    w.service_date,
    w.discipline,
    w.clinician_key,
    w.procedure_code,
    w.counted_code,
    w.stated_seconds,
    w.start_second,
    w.end_second,
    w.clock_seconds,
    w.has_session_clock,
    w.is_shared_with_other_block,
    w.is_unmeasured,
    w.written_seconds,
    w.worth_seconds,
    c.credited_seconds,
    c.rest_seconds,
    c.run_number,
    -- a session's clock holds its blocks together, unless they state more than it
    case
        when w.has_session_clock and not w.is_session_overfull then 0
        when lacking.note_lack_seconds >= 60 then lacking.note_lack_seconds
        when lacking.day_lack_seconds >= 60 then lacking.day_lack_seconds
        else 0
    end as double_counted_seconds
from min_written as w
join min_credited as c on c.block_key = w.block_key
join lacking on lacking.block_key = w.block_key
