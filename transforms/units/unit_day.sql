-- grain: one therapy day, with all that staging says of it, and its timed units billed and supported under both methods
-- units: whole minutes and timed units; null where the day's method cannot decide
-- source: rule book s. 4 (CMS 8-minute rule, AMA midpoint, either)
with
-- sums over the day's codes; only timed ones make units of minutes
code_sum as (
    select
        c.day_key,
        cast(sum(c.billed_units) as integer) as billed_units,
        cast(sum(case when c.is_timed then c.billed_units else 0 end) as integer) as billed_timed_units,
        cast(sum(case when c.is_timed then c.ama_units else 0 end) as integer) as ama_units,
        max(case when c.has_clocked_block then 1 else 0 end) = 1 as has_clocked_block
    from unit_day_code as c
    group by c.day_key
),
-- both counts; CMS: floor((m + 7) / 15) of the day's supported minutes
counted as (
    select
        d.day_key,
        d.patient_day_key,
        d.patient_key,
        d.service_date,
        d.discipline,
        d.has_billed_line,
        d.has_set_aside_line,
        d.has_counting_note,
        d.has_not_billable_note,
        d.has_draft,
        d.payer_id,
        d.counting_method,
        d.timed_units_per_day_cap,
        d.payer_reference_key,
        d.payer_count,
        d.has_justification,
        d.is_judged,
        d.is_covered,
        d.is_past_billing_lag,
        coalesce(code_sum.billed_units, 0) as billed_units,
        coalesce(code_sum.billed_timed_units, 0) as billed_timed_units,
        (coalesce(m.supported_minutes, 0) + 7) // 15 as cms_units,
        (coalesce(m.sure_minutes, 0) + 7) // 15 as sure_cms_units,
        coalesce(code_sum.ama_units, 0) as ama_units,
        coalesce(m.supported_minutes, 0) as supported_minutes,
        coalesce(m.sure_minutes, 0) as sure_minutes,
        coalesce(m.is_incomplete, false) as is_incomplete,
        coalesce(m.have_all_notes_blocks, false) as have_all_notes_blocks,
        coalesce(m.is_decidable, true) as is_decidable,
        coalesce(code_sum.has_clocked_block, false) as has_clocked_block
    from stg_therapy_day as d
    left join min_day as m on m.day_key = d.day_key
    left join code_sum on code_sum.day_key = d.day_key
)
select
    counted.day_key,
    counted.patient_day_key,
    counted.patient_key,
    counted.service_date,
    counted.discipline,
    counted.has_billed_line,
    counted.has_set_aside_line,
    counted.has_counting_note,
    counted.has_not_billable_note,
    counted.has_draft,
    counted.payer_id,
    counted.counting_method,
    counted.timed_units_per_day_cap,
    counted.payer_reference_key,
    counted.payer_count,
    counted.has_justification,
    counted.is_judged,
    counted.is_covered,
    counted.is_past_billing_lag,
    counted.billed_units,
    counted.billed_timed_units,
    counted.supported_minutes,
    counted.sure_minutes,
    counted.is_incomplete,
    counted.have_all_notes_blocks,
    counted.is_decidable,
    counted.has_clocked_block,
    cast(counted.cms_units as integer) as cms_units,
    cast(counted.sure_cms_units as integer) as sure_cms_units,
    counted.ama_units,
    -- the most units that a lawful reading supports; under AMA an undecidable day's units are unjudged
    cast(case
        when counted.counting_method = 'cms_8_minute' then counted.cms_units
        when not counted.is_decidable then null
        when counted.counting_method = 'ama_midpoint' then counted.ama_units
        when counted.counting_method = 'either' then greatest(counted.cms_units, counted.ama_units)
    end as integer) as supported_units,
    -- the fewest units that every lawful reading supports
    cast(case
        when counted.counting_method = 'cms_8_minute' then counted.sure_cms_units
        when not counted.is_decidable then null
        when counted.counting_method = 'ama_midpoint' then counted.ama_units
        when counted.counting_method = 'either' then least(counted.sure_cms_units, counted.ama_units)
    end as integer) as sure_units,
    -- the count of the method that is not the payer's; for either, the smaller of the two
    cast(case
        when not counted.is_decidable and counted.counting_method = 'cms_8_minute' then null
        when counted.counting_method = 'cms_8_minute' then counted.ama_units
        when counted.counting_method = 'ama_midpoint' then counted.cms_units
        when counted.counting_method = 'either' then least(counted.cms_units, counted.ama_units)
    end as integer) as other_method_units
from counted
