-- grain: one therapy day with a counting note and a timed unit billed
-- units: billed timed units
-- source: rule book s. 6; CMS Pub. 100-02 ch. 15 s. 220.3.E (total timed minutes in the note)
-- violated_when: timed units are billed, and a counting note has neither a total of timed minutes nor minutes in each
--   block of a billed timed code, in a run where most notes give minutes
-- shows: notes, minutes, bill, units
with
-- therapy days with a note that does not say how long: no total, and no blocks or an unmeasured block of a timed code
-- that was billed
silent as (
    select n.day_key, min(c.procedure_code) as first_code
    from min_note as n
    left join min_block as b on b.note_key = n.note_key and b.is_unmeasured
    left join unit_day_code as c
        on c.day_key = b.day_key and c.procedure_code = b.counted_code and c.is_timed and c.billed_units > 0
    where n.total_timed_seconds is null and (not n.has_blocks or c.day_key is not null)
    group by n.day_key
)
select
    case
        when not d.is_judged then 'unjudged'
        when silent.day_key is null then 'passed'
        when not measure.is_measured then 'unjudged'
        else 'violated'
    end as verdict,
    d.day_key,
    silent.first_code as named_code,
    d.billed_timed_units as billed_units,
    d.billed_timed_units || ' timed unit(s) were billed, and a note of the day states neither a total of timed minutes '
        || 'nor the minutes of every code billed.' as message
from unit_day as d
cross join stg_measure as measure
left join silent on silent.day_key = d.day_key
where d.has_counting_note and d.billed_timed_units > 0
