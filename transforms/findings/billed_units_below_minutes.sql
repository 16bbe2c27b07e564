-- grain: one therapy day with a counting note and a billed line
-- units: timed units; whole minutes
-- source: rule book s. 6 (lost revenue); CMS Pub. 100-04 ch. 5 s. 20.2.C
-- not_checked: days with denied lines or lines of a secondary payer; units left unbilled on purpose
with
-- therapy days that bill a timed code already at one of its caps
capped as (
    select distinct l.day_key
    from stg_line as l
    join stg_term as term on term.term_key = l.term_key
    join unit_cap_test as t
        on t.patient_day_key = l.patient_day_key
        and t.procedure_code = l.procedure_code
        and t.billing_provider_id is not distinct from l.billing_provider_id
        -- a cap of this very line: the MUE, or its own payer's
        and ((t.cap_payer_id = '' and term.is_mue_bound) or t.cap_payer_id = l.payer_id)
    where t.tested_units >= t.cap_units and not l.is_set_aside and l.is_timed
)
select
    case
        when not d.is_judged or d.has_set_aside_line or d.sure_units is null then 'unjudged'
        when d.billed_timed_units < d.sure_units
            and d.billed_timed_units < coalesce(d.timed_units_per_day_cap, d.sure_units)
            and capped.day_key is null then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    d.billed_timed_units as billed_units,
    d.sure_units as expected_units,
    case d.counting_method
        when 'either' then greatest(d.sure_cms_units, d.ama_units)
        else d.other_method_units
    end as expected_units_other_method,
    d.sure_minutes as supported_minutes,
    d.payer_reference_key as reference_key,
    d.billed_timed_units || ' timed units were billed, and ' || d.sure_minutes || ' sure minutes make at least '
        || d.sure_units || case d.counting_method
            when 'cms_8_minute' then ' under the CMS 8-minute rule.'
            when 'ama_midpoint' then ' when each code is counted alone (AMA midpoint).'
            else ' under either count (the method of this payer is not known).'
        end as message
from unit_day as d
left join capped on capped.day_key = d.day_key
where d.has_counting_note and d.has_billed_line
