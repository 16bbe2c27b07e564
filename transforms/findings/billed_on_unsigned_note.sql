-- grain: one therapy day with a billed line
-- units: billed units, timed and untimed
-- source: rule book s. 6; CMS Pub. 100-02 ch. 15 s. 220.3.E
-- not_checked: whether the draft was signed after the extract was made
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
        when d.has_draft and not d.has_counting_note and not d.has_not_billable_note then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    billed.billed_units,
    billed.billed_units as at_risk_units,
    billed.billed_units || ' unit(s) were billed, and the only note of the day is a draft.' as message
from stg_therapy_day as d
join billed on billed.day_key = d.day_key
