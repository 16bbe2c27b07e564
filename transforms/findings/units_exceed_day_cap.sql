-- grain: one patient, date, code and billing provider that a cap binds; of several caps the lowest one exceeded
-- units: billed units
-- source: rule book s. 5 and s. 6; CMS NCCI practitioner MUE table, dated rows of code_cap.csv
-- not_checked: institutional claims under the MUE; prior authorisation
with
-- each cap, the lowest exceeded one first
test as (
    select
        t.patient_day_key,
        t.patient_key,
        t.service_date,
        t.procedure_code,
        t.billing_provider_id,
        t.payer_id,
        t.cap_units,
        t.indicator,
        t.reference_key,
        t.tested_units,
        coalesce(t.line_excess_units, t.tested_units - t.cap_units) as excess_units,
        row_number() over (
            partition by t.patient_day_key, t.procedure_code, t.billing_provider_id
            order by case when t.tested_units > t.cap_units then 0 else 1 end, t.cap_units, t.cap_payer_id
        ) as place
    from unit_cap_test as t
),
-- patients and dates where no rule accuses
unjudged as (
    select distinct u.patient_day_key
    from stg_unjudged_day as u
),
-- patients and dates with a justification in a counting note of any discipline
justified as (
    select distinct n.patient_day_key
    from stg_note as n
    where n.standing = 'counting' and n.has_justification
)
select
    case
        when unjudged.patient_day_key is not null then 'unjudged'
        when test.tested_units > test.cap_units then 'violated'
        else 'passed'
    end as verdict,
    case
        when test.indicator = '3' and test.cap_units > 0 and justified.patient_day_key is not null then 'review'
    end as severity,
    test.patient_key,
    test.service_date,
    test.procedure_code,
    test.billing_provider_id,
    test.payer_id,
    true as has_billing_provider_subject,
    test.tested_units as billed_units,
    test.cap_units,
    case when test.indicator = '1' then test.cap_units end as line_cap_units,
    test.excess_units as at_risk_units,
    test.reference_key,
    test.tested_units || ' units of ' || test.procedure_code || ' were billed, and the cap in force on the day is '
        || test.cap_units || case
            when test.indicator = '3' and test.cap_units > 0 and justified.patient_day_key is not null
                then '; a note gives a justification, so a person has to read it.'
            else '.'
        end as message
from test
left join unjudged on unjudged.patient_day_key = test.patient_day_key
left join justified on justified.patient_day_key = test.patient_day_key
where test.place = 1
