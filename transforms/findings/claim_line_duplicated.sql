-- grain: one billed claim line
-- units: billed units of the line
-- source: rule book s. 6; CMS Pub. 100-04 ch. 1 s. 120
-- not_checked: lines that differ in any of patient, date, code, modifiers, units, rendering provider and payer
with
-- billed lines, and the first claim that bills the same
line as (
    select
        l.line_key,
        l.patient_key,
        l.service_date,
        l.discipline,
        l.payer_id,
        l.procedure_code,
        l.is_timed,
        l.billed_units,
        l.claim_key > min(l.claim_key) over (
            partition by
                l.patient_key, l.service_date, l.procedure_code, l.modifiers, l.billed_units, l.clinician_key,
                l.payer_id
        ) as is_repeated
    from stg_line as l
    where not l.is_set_aside and l.discipline is not null
)
select
    case
        when not d.is_judged then 'unjudged'
        when not line.is_repeated then 'passed'
        -- two visits, two claims: the minutes hold all that was billed
        when line.is_timed and d.has_counting_note
            and u.billed_timed_units <= coalesce(u.supported_units, u.cms_units) then 'passed'
        else 'violated'
    end as verdict,
    d.day_key,
    line.line_key,
    line.payer_id,
    line.procedure_code,
    line.billed_units,
    u.supported_minutes,
    line.billed_units as at_risk_units,
    'An earlier claim bills the same: code ' || line.procedure_code || ', ' || line.billed_units
        || ' unit(s), same modifiers, rendering provider and payer.' as message
from line
join stg_therapy_day as d
    on d.patient_key = line.patient_key and d.service_date = line.service_date and d.discipline = line.discipline
join unit_day as u on u.day_key = d.day_key
