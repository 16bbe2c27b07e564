-- grain: one therapy day with a counting note and a billed line
-- units: timed units; whole minutes
-- source: rule book s. 6; CMS Pub. 100-04 ch. 5 s. 20.2.C
-- not_checked: whether the treatment was needed or skilled; undecidable days of payers not on the CMS count
select
    case
        when not d.is_judged or d.supported_units is null then 'unjudged'
        when d.billed_timed_units > d.supported_units then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    d.billed_timed_units as billed_units,
    d.supported_units as expected_units,
    d.other_method_units as expected_units_other_method,
    d.supported_minutes,
    d.billed_timed_units - d.supported_units as at_risk_units,
    true as is_at_risk_timed_only,
    d.payer_reference_key as reference_key,
    d.billed_timed_units || ' timed units were billed, and ' || d.supported_minutes
        || ' supported minutes make at most ' || d.supported_units || case d.counting_method
            when 'cms_8_minute' then ' under the CMS 8-minute rule.'
            when 'ama_midpoint' then ' when each code is counted alone (AMA midpoint).'
            else ' under either count (the method of this payer is not known).'
        end as message
from unit_day as d
where d.has_counting_note and d.has_billed_line
