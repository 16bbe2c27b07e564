-- grain: one therapy day and counted code with a clocked one-on-one block
-- units: whole minutes
-- source: rule book s. 3 (each minute counts once) and s. 6; CMS Pub. 100-04 ch. 5 s. 20.2.C, ch. 15 s. 230
-- violated_when: a block claims a minute or more that another block of the patient already holds; an error where the
--   doubled time was billed, otherwise a review
-- shows: minutes, notes, bill, units
select
    case
        when not d.is_judged then 'unjudged'
        when c.double_counted_seconds > 0 then 'violated'
        else 'passed'
    end as verdict,
    -- two clinicians with one patient write the same minutes: an error only where they were billed twice
    case when not coalesce(d.billed_timed_units > d.supported_units, false) then 'review' end as severity,
    d.day_key,
    c.procedure_code,
    c.double_counted_seconds // 60 as double_counted_minutes,
    d.supported_minutes,
    c.double_counted_seconds // 60 || ' minute(s) of code ' || c.procedure_code
        || ' lie on clock minutes that other blocks of the same patient hold already.' as message
from unit_day as d
join unit_day_code as c on c.day_key = d.day_key
where c.has_clocked_block
