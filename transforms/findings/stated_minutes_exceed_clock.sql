-- grain: one timed one-on-one block with both stated minutes and clock times
-- units: whole minutes
-- source: rule book s. 6 and s. 3 (by a minute or more)
-- violated_when: a timed one-on-one block states at least a minute more than its start and end times hold
-- shows: minutes, notes, bill, units
select
    case
        when not d.is_judged then 'unjudged'
        when b.stated_seconds >= b.clock_seconds + 60 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    b.counted_code as procedure_code,
    b.note_key,
    b.block_number,
    b.block_key,
    b.credited_seconds // 60 as supported_minutes,
    'The block states ' || b.stated_seconds // 60 || ' minutes, and its clock times hold ' || b.clock_seconds // 60
        || '.'
        as message
from min_block as b
join stg_therapy_day as d on d.day_key = b.day_key
where b.stated_seconds is not null and b.clock_seconds is not null
