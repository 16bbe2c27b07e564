-- grain: one therapy day with a billed line
-- units: billed units, timed and untimed
-- source: rule book s. 6 and s. 4 (several payers); CMS Pub. 100-04 ch. 5 s. 20.2.C (the minutes billed to one payer)
-- without_notes: judged
-- violated_when: the billed lines of the therapy day name several payers, each as the primary one
-- shows: bill, notes, minutes, units
with
-- how many payers were billed for a day of several
payer as (
    select l.day_key, count(distinct l.payer_key) as payers
    from stg_line as l
    join stg_therapy_day as d on d.day_key = l.day_key and d.has_several_payers
    where not l.is_set_aside
    group by l.day_key
)
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_several_payers then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    d.billed_units,
    d.billed_units || ' unit(s) were billed to ' || payer.payers
        || ' payers, each as the primary one; the notes do not say whose minutes are whose, so units are not judged.'
        as message
from unit_day as d
left join payer on payer.day_key = d.day_key
where d.has_billed_line
