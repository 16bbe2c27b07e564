-- grain: one patient and date on which several disciplines treated together and billed timed units
-- units: timed units; whole minutes
-- source: rule book s. 3 (co-treatment: M and J) and s. 6; CMS, 11 Part B billing scenarios (team therapy)
-- violated_when: disciplines that treated a patient together for a minute or more billed more timed units than any
--   way to share the time supports; an error where every day counts by the CMS rule, otherwise a review
-- shows: bill, minutes, notes, units, dollars
with
-- the therapy days of a patient and date together
date_sum as (
    select
        d.patient_day_key,
        min(d.patient_key) as patient_key,
        min(d.service_date) as service_date,
        min(d.payer_id) as payer_id,
        count(case when d.billed_timed_units > 0 then 1 end) as billing_disciplines,
        sum(d.billed_timed_units) as billed_units,
        -- the most that each day supports by itself; null where one of them cannot be said
        min(case when d.has_counting_note and not d.has_several_payers and d.supported_units is not null
            and not d.has_unlisted_block then 1 else 0 end) = 1
            and min(d.payer_id) = max(d.payer_id) as is_known,
        max(case when d.has_unlisted_line_on_date then 1 else 0 end) = 1 as has_unlisted_line,
        sum(d.supported_units) as supported_units,
        -- what the shared time makes at the most: 7 minutes short of a unit on each day under CMS, half a unit of each
        -- code of the others
        sum(case when d.counting_method = 'cms_8_minute' then 420 else 449 * d.timed_codes end) as rounding_seconds,
        min(case when d.counting_method = 'cms_8_minute' then 1 else 0 end) = 1 as is_all_cms
    from unit_day as d
    group by d.patient_day_key
    having count(case when d.billed_timed_units > 0 then 1 end) > 1
),
-- the units that any sharing of the time supports
bound as (
    select
        date_sum.patient_day_key,
        date_sum.patient_key,
        date_sum.service_date,
        date_sum.payer_id,
        date_sum.billed_units,
        date_sum.is_known and not date_sum.has_unlisted_line as is_known,
        date_sum.is_all_cms,
        least(
            date_sum.supported_units, (patient.shared_once_seconds + date_sum.rounding_seconds) // 900
        ) as most_units,
        patient.shared_once_seconds // 60 as shared_once_minutes,
        patient.joint_seconds
    from date_sum
    join min_patient_day as patient on patient.patient_day_key = date_sum.patient_day_key
),
-- patients and dates where no rule accuses
unjudged as (
    select distinct u.patient_day_key
    from stg_unjudged_day as u
)
select
    case
        when unjudged.patient_day_key is not null then 'unjudged'
        when not bound.is_known then 'unjudged'
        when bound.billed_units > bound.most_units then 'violated'
        else 'passed'
    end as verdict,
    case when not bound.is_all_cms then 'review' end as severity,
    bound.patient_key,
    bound.service_date,
    bound.payer_id,
    bound.billed_units,
    bound.most_units as expected_units,
    bound.shared_once_minutes as supported_minutes,
    bound.joint_seconds // 60 as double_counted_minutes,
    bound.billed_units - bound.most_units as at_risk_units,
    true as is_at_risk_timed_only,
    'Several disciplines billed ' || bound.billed_units || ' timed units together, and treated the patient at the same '
        || 'time for ' || bound.joint_seconds // 60 || ' minutes; however these are shared, '
        || bound.shared_once_minutes || ' minutes support at most ' || bound.most_units || '.' as message
from bound
left join unjudged on unjudged.patient_day_key = bound.patient_day_key
where bound.joint_seconds >= 60
