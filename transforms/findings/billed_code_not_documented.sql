-- grain: one therapy day with a counting note, and one counted code billed on it
-- units: billed units of the code
-- source: rule book s. 6, s. 1 (what a block documents) and s. 2 (a quarantined note of an unread patient); CMS Pub.
-- 100-02 ch. 15 s. 220.3.E
-- violated_when: every counting note of the therapy day has blocks, and none of them documents the code; for a timed
--   code, only where no note has minutes that its blocks leave unexplained
-- shows: bill, notes, minutes, units, dollars
select
    case
        when not d.is_judged then 'unjudged'
        when c.is_documented then 'passed'
        when not d.have_all_notes_blocks or (c.is_timed and d.has_unexplained_minutes) then 'unjudged'
        when d.has_unread_note_on_date then 'unjudged'
        else 'violated'
    end as verdict,
    d.day_key,
    c.procedure_code,
    c.billed_units,
    c.billed_units as at_risk_units,
    'Code ' || c.procedure_code || ' was billed ' || c.billed_units
        || ' time(s), and no block of the day''s notes documents it.' as message
from unit_day as d
join unit_day_code as c on c.day_key = d.day_key
where d.has_counting_note and c.billed_units > 0
