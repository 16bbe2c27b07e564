-- grain: one timed one-on-one block with both stated minutes and clock times
-- units: whole minutes
-- source: rule book s. 6 and s. 3 (by more than 1, where the times had seconds)
-- not_checked: blocks with only one of the two; stated minutes below the clock are a rest
select
    case
        when not d.is_judged then 'unjudged'
        when b.stated_minutes > b.clock_minutes + case when b.clock_has_seconds then 1 else 0 end then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    b.counted_code as procedure_code,
    b.note_key,
    b.block_number,
    b.block_key,
    b.credited_minutes as supported_minutes,
    'The block states ' || b.stated_minutes || ' minutes, and its clock times hold ' || b.clock_minutes || '.'
        as message
from min_block as b
join stg_therapy_day as d on d.day_key = b.day_key
where b.stated_minutes is not null and b.clock_minutes is not null
