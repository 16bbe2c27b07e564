-- grain: one therapy day, untimed code billed on it and payer
-- units: billed units
-- source: rule book s. 6 and s. 1 (untimed code); CMS Pub. 100-04 ch. 5 s. 20.2.B
-- without_notes: judged
-- violated_when: an untimed code is billed more than once on a therapy day to one payer; a review where the notes
--   document it as often
-- shows: bill, caps, dollars, notes
with
-- the units of an untimed code that one payer was billed for
billed as (
    select l.day_key, l.procedure_code, l.payer_id, sum(l.billed_units) as billed_units
    from stg_line as l
    where not l.is_set_aside and not l.is_timed and l.day_key is not null
    group by l.day_key, l.procedure_code, l.payer_id
)
select
    case
        when not d.is_judged then 'unjudged'
        when billed.billed_units > 1 then 'violated'
        else 'passed'
    end as verdict,
    -- the notes hold as many services, by different clinicians or at different times
    case when visit.visits >= billed.billed_units or setting.is_claims_only then 'review' end as severity,
    d.day_key,
    billed.procedure_code,
    billed.payer_id,
    d.has_several_payers as has_payer_subject,
    billed.billed_units,
    1 as expected_units,
    billed.billed_units - 1 as at_risk_units,
    'Untimed code ' || billed.procedure_code || ' was billed ' || billed.billed_units
        || ' times; it is billed once a day whatever the minutes'
        || case
            when visit.visits >= billed.billed_units
                then '. The notes hold ' || visit.visits
                    || ' blocks of it by different clinicians or at different times, so a person has to read them.'
            when setting.is_claims_only then '. No note was read, and they may hold as many services.'
            else '.'
        end as message
from stg_therapy_day as d
join run_setting as setting on d.service_date between setting.since_date and setting.until_date
join billed on billed.day_key = d.day_key
left join unit_documented_visit as visit
    on visit.day_key = billed.day_key and visit.procedure_code = billed.procedure_code
