-- grain: one therapy day with a billed line
-- units: billed units, timed and untimed
-- source: rule book s. 6 and s. 2 (said only inside the dates that both extracts cover; a quarantined note of an unread
-- patient)
-- violated_when: lines are billed, and the therapy day has no note of any kind, drafts and not-billable notes
--   included
-- shows: bill, notes, covered, nearest, dollars
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_counting_note or d.has_not_billable_note or d.has_draft then 'passed'
        when not d.is_covered or d.has_unread_note_on_date then 'unjudged'
        else 'violated'
    end as verdict,
    d.day_key,
    d.billed_units,
    d.billed_units as at_risk_units,
    d.billed_units || ' unit(s) were billed, and the extracts hold no note of this discipline on this day, '
        || 'not even a draft.' as message
from unit_day as d
where d.has_billed_line
