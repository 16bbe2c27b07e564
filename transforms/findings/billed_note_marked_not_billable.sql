-- grain: one therapy day with a billed line
-- units: billed units, timed and untimed
-- source: rule book s. 6 and s. 2 (counting note); CMS Pub. 100-02 ch. 15 s. 220.3
-- violated_when: lines are billed, no note of the therapy day counts, and one is marked not billable
-- shows: bill, notes, dollars
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_not_billable_note and not d.has_counting_note then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    d.billed_units,
    true as has_every_note,
    d.billed_units as at_risk_units,
    d.billed_units || ' unit(s) were billed, and the only signed note of the day is marked not billable.'
        as message
from unit_day as d
where d.has_billed_line
