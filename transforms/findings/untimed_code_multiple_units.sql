-- grain: one therapy day and untimed code billed on it
-- units: billed units
-- source: rule book s. 6 and s. 1 (untimed code); CMS Pub. 100-04 ch. 5 s. 20.2.B
-- not_checked: the same code once in each of two disciplines
select
    case
        when not d.is_judged then 'unjudged'
        when billed.billed_units > 1 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    billed.procedure_code,
    billed.billed_units,
    1 as expected_units,
    billed.billed_units - 1 as at_risk_units,
    'Untimed code ' || billed.procedure_code || ' was billed ' || billed.billed_units
        || ' times; it is billed once a day whatever the minutes.' as message
from stg_therapy_day as d
join unit_billed_code as billed on billed.day_key = d.day_key and not billed.is_timed
