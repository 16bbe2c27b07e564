-- grain: one therapy day with a billed line
-- units: billed units, timed and untimed
-- source: rule book s. 6 and s. 2 (said only inside the dates that both extracts cover)
-- not_checked: days outside the dates that both extracts cover
with
-- units billed on each day
billed as (
    select l.day_key, cast(sum(l.billed_units) as integer) as billed_units
    from unit_line as l
    group by l.day_key
)
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_counting_note or d.has_not_billable_note or d.has_draft then 'passed'
        when not d.is_covered then 'unjudged'
        else 'violated'
    end as verdict,
    d.day_key,
    billed.billed_units,
    billed.billed_units as at_risk_units,
    billed.billed_units || ' unit(s) were billed, and the extracts hold no note of this discipline on this day, '
        || 'not even a draft.' as message
from stg_therapy_day as d
join billed on billed.day_key = d.day_key
