-- grain: one clinician and therapy day with timed units billed by the clinician
-- units: timed units, and the whole minutes that they need at the least
-- source: rule book s. 6 (provider_day_impossible: 15n - 7 minutes carry n units)
-- form: view
with
-- the units of the day, and what they need when each code is counted alone
alone as (
    select
        code.day_key,
        code.clinician_key,
        sum(code.billed_units) as billed_units,
        sum(15 * code.billed_units - 7) as needed_minutes
    from unit_clinician_code as code
    group by code.day_key, code.clinician_key
)
select
    alone.day_key,
    alone.clinician_key,
    d.service_date,
    d.is_judged,
    alone.billed_units,
    -- CMS by the day, AMA by the code, either the smaller (AMA)
    case
        when d.counting_method = 'cms_8_minute' then 15 * alone.billed_units - 7
        else alone.needed_minutes
    end as needed_minutes
from alone
join stg_therapy_day as d on d.day_key = alone.day_key
