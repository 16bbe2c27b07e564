-- grain: one patient, date, code, billing provider and payer that a cap binds; of several caps the lowest one exceeded
-- units: billed units
-- source: rule book s. 5 and s. 6; CMS NCCI practitioner MUE table, dated rows of code_cap.csv
-- without_notes: judged
-- violated_when: units of a code under one billing provider and payer exceed the cap in force on the date (MUE or the
--   payer's own); a review where the record justifies more
-- shows: bill, caps, dollars, notes, minutes, units
with
-- each cap, the lowest exceeded one first
test as (
    select
        t.patient_day_key,
        t.patient_key,
        t.service_date,
        t.procedure_code,
        t.counted_code,
        t.is_timed,
        t.billing_provider_id,
        t.payer_id,
        t.cap_units,
        t.indicator,
        t.reference_key,
        t.tested_units,
        coalesce(t.line_excess_units, t.tested_units - t.cap_units) as excess_units,
        min(t.payer_id) over same_code <> max(t.payer_id) over same_code as has_several_payers,
        row_number() over (
            partition by t.patient_day_key, t.procedure_code, t.billing_provider_id, t.payer_id
            order by case when t.tested_units > t.cap_units then 0 else 1 end, t.cap_units, t.reference_key
        ) as place
    from unit_cap_test as t
    window same_code as (partition by t.patient_day_key, t.procedure_code, t.billing_provider_id)
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
),
-- each test, with what speaks for units above the cap
heard as (
    select
        test.patient_day_key,
        test.patient_key,
        test.service_date,
        test.procedure_code,
        test.billing_provider_id,
        test.payer_id,
        test.cap_units,
        test.indicator,
        test.reference_key,
        test.tested_units,
        test.excess_units,
        test.has_several_payers,
        test.indicator = '3' and test.cap_units > 0 and justified.patient_day_key is not null as is_justified,
        test.indicator = '3' and test.cap_units > 0 and test.is_timed
            and coalesce(held.is_unknown or (held.held_seconds + 449) // 900 >= test.tested_units, false) as is_carried,
        test.indicator = '3' and test.cap_units > 0 and setting.is_claims_only as is_unheard
    from test
    join run_setting as setting on test.service_date between setting.since_date and setting.until_date
    left join justified on justified.patient_day_key = test.patient_day_key
    left join unit_cap_time as held
        on held.patient_day_key = test.patient_day_key and held.procedure_code = test.counted_code
    where test.place = 1
)
select
    case
        when unjudged.patient_day_key is not null then 'unjudged'
        when heard.tested_units > heard.cap_units then 'violated'
        else 'passed'
    end as verdict,
    case when heard.is_justified or heard.is_carried or heard.is_unheard then 'review' end as severity,
    heard.patient_key,
    heard.service_date,
    heard.procedure_code,
    heard.billing_provider_id,
    heard.payer_id,
    true as has_billing_provider_subject,
    heard.has_several_payers as has_payer_subject,
    heard.tested_units as billed_units,
    heard.cap_units,
    case when heard.indicator = '1' then heard.cap_units end as line_cap_units,
    heard.excess_units as at_risk_units,
    heard.reference_key,
    heard.tested_units || ' units of ' || heard.procedure_code || ' were billed, and the cap in force on the day is '
        || heard.cap_units || case
            when heard.is_justified then '; a note gives a justification, so a person has to read it.'
            when heard.is_carried then '; the minutes of the record make these units, so a person has to read it.'
            when heard.is_unheard then '; no note was read, and one may justify them.'
            else '.'
        end as message
from heard
left join unjudged on unjudged.patient_day_key = heard.patient_day_key
