-- grain: one counting note with blocks and a stated total
-- units: whole minutes
-- source: rule book s. 6 and s. 3 (T > W); CMS Pub. 100-02 ch. 15 s. 220.3.E
-- not_checked: what the minutes without a block were spent on
select
    case
        when not d.is_judged then 'unjudged'
        when n.total_timed_minutes > n.written_minutes then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    n.note_key,
    n.supported_minutes,
    'The note states a total of ' || n.total_timed_minutes || ' timed minutes, and its timed blocks explain '
        || n.written_minutes || '.' as message
from min_note as n
join stg_therapy_day as d on d.day_key = n.day_key
where n.has_blocks and n.total_timed_minutes is not null
