-- grain: one counting note with blocks and a stated total
-- units: whole minutes
-- source: rule book s. 6 and s. 3 (T above W by a minute or more); CMS Pub. 100-02 ch. 15 s. 220.3.E
-- violated_when: every block of the note gives its minutes, and the stated total exceeds the minutes written in its
--   timed blocks by a minute or more
-- shows: notes, minutes, bill, units
select
    case
        when not d.is_judged then 'unjudged'
        when n.total_timed_seconds >= n.written_seconds + 60 and not n.has_unmeasured_block then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    n.note_key,
    n.supported_seconds // 60 as supported_minutes,
    'The note states a total of ' || n.total_timed_seconds // 60 || ' timed minutes, and its timed blocks explain '
        || n.written_seconds // 60 || '.' as message
from min_note as n
join stg_therapy_day as d on d.day_key = n.day_key
where n.has_blocks and n.total_timed_seconds is not null
