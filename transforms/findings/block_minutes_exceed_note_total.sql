-- grain: one counting note with blocks and a stated total
-- units: whole minutes
-- source: rule book s. 6 and s. 3 (W > T); CMS Pub. 100-02 ch. 15 s. 220.3.E
-- not_checked: untimed minutes
select
    case
        when not d.is_judged then 'unjudged'
        when n.written_minutes > n.total_timed_minutes then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    n.note_key,
    n.supported_minutes,
    'The timed blocks of the note add up to ' || n.written_minutes || ' minutes, and its stated total is '
        || n.total_timed_minutes || '.' as message
from min_note as n
join stg_therapy_day as d on d.day_key = n.day_key
where n.has_blocks and n.total_timed_minutes is not null
