-- grain: one therapy day and timed code billed on it
-- units: billed units of the code
-- source: rule book s. 6; CMS Pub. 100-04 ch. 5 s. 20.2
-- not_checked: lines with other modifiers or another rendering provider
with
-- lines of one claim that say the same but for the units
same as (
    select
        l.patient_key,
        l.service_date,
        l.discipline,
        l.procedure_code,
        l.claim_key,
        l.modifiers,
        l.clinician_key,
        count(*) as lines,
        sum(l.billed_units) as billed_units
    from stg_line as l
    where not l.is_set_aside and l.is_timed
    group by
        l.patient_key, l.service_date, l.discipline, l.procedure_code, l.claim_key, l.modifiers, l.clinician_key
),
-- by therapy day and code
code as (
    select
        same.patient_key,
        same.service_date,
        same.discipline,
        same.procedure_code,
        max(same.lines) as lines,
        cast(sum(same.billed_units) as integer) as billed_units
    from same
    group by same.patient_key, same.service_date, same.discipline, same.procedure_code
)
select
    case
        when not d.is_judged then 'unjudged'
        when code.lines > 1 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    code.procedure_code,
    code.billed_units,
    'Code ' || code.procedure_code || ' stands on ' || code.lines
        || ' lines of one claim with the same modifiers and rendering provider.' as message
from stg_therapy_day as d
join code
    on code.patient_key = d.patient_key and code.service_date = d.service_date and code.discipline = d.discipline
