-- grain: one therapy day with a billed line
-- units: billed units, timed and untimed
-- source: rule book s. 6; CMS Pub. 100-02 ch. 15 s. 220.3.E
-- violated_when: lines are billed, and the only notes of the therapy day are drafts
-- shows: bill, notes, dollars
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_draft and not d.has_counting_note and not d.has_not_billable_note then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    d.billed_units,
    true as has_every_note,
    d.billed_units as at_risk_units,
    d.billed_units || ' unit(s) were billed, and the only note of the day is a draft.' as message
from unit_day as d
where d.has_billed_line
