-- grain: one therapy day, with all that staging says of it, and its timed units billed and supported under both methods
-- units: whole seconds, whole minutes and timed units; null where the record or the day's method cannot decide
-- source: rule book s. 4 (CMS 8-minute rule, AMA midpoint and its most, either), s. 1 (unlisted code)
with
-- sums over the day's codes; only timed ones make units of minutes
code_sum as (
    select
        c.day_key,
        cast(sum(c.billed_units) as bigint) as billed_units,
        cast(sum(case when c.is_timed then c.billed_units else 0 end) as bigint) as billed_timed_units,
        cast(sum(case when c.is_timed then c.ama_units else 0 end) as bigint) as ama_units,
        cast(sum(case when c.is_timed then c.least_ama_units else 0 end) as bigint) as least_ama_units,
        cast(sum(case when c.is_timed then (c.worth_seconds + 449) // 900 else 0 end) as bigint) as worth_ama_units,
        count(case when c.is_timed then 1 end) as timed_codes,
        max(case when c.has_clocked_block then 1 else 0 end) = 1 as has_clocked_block
    from unit_day_code as c
    group by c.day_key
),
-- what the day's one-on-one blocks of unlisted codes hold; null where one of them does not say
unlisted as (
    select
        b.day_key,
        case when max(case when b.stated_seconds is null and b.start_second is null then 1 else 0 end) = 0
            then cast(sum(coalesce(b.stated_seconds, b.end_second - b.start_second)) as bigint) end as unlisted_seconds
    from stg_block as b
    where b.kind = 'unlisted' and b.delivery = 'one_on_one'
    group by b.day_key
),
-- each day, with the time that can be pooled at the most
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
        d.has_several_payers,
        d.payer_id,
        d.counting_method,
        d.timed_units_per_day_cap,
        d.payer_reference_key,
        d.has_justification,
        d.has_unlisted_block,
        d.has_unlisted_line,
        d.has_unlisted_line_on_date,
        d.is_judged,
        d.is_covered,
        d.has_unread_note_on_date,
        d.has_unread_claim_on_date,
        d.is_past_billing_lag,
        coalesce(code_sum.billed_units, 0) as billed_units,
        coalesce(code_sum.billed_timed_units, 0) as billed_timed_units,
        coalesce(code_sum.timed_codes, 0) as timed_codes,
        case when d.has_counting_note then m.supported_seconds else 0 end as supported_seconds,
        -- with what unlisted codes may add to it
        case when d.has_counting_note then m.supported_seconds else 0 end
            + case when d.has_unlisted_block then unlisted.unlisted_seconds else 0 end as most_seconds,
        coalesce(m.sure_seconds, 0) as sure_seconds,
        coalesce(code_sum.ama_units, 0) as ama_units,
        coalesce(code_sum.least_ama_units, 0) as least_ama_units,
        coalesce(code_sum.worth_ama_units, 0) as worth_ama_units,
        coalesce(m.is_incomplete, false) as is_incomplete,
        coalesce(m.has_unknown_note, false) as has_unknown_note,
        coalesce(m.has_unmeasured_block, false) as has_unmeasured_block,
        coalesce(m.has_unexplained_minutes, false) as has_unexplained_minutes,
        coalesce(m.have_all_notes_blocks, false) as have_all_notes_blocks,
        coalesce(m.has_session_clock, false) as has_session_clock,
        coalesce(m.is_decidable, true) as is_decidable,
        coalesce(code_sum.has_clocked_block, false) as has_clocked_block
    from stg_therapy_day as d
    left join min_day as m on m.day_key = d.day_key
    left join code_sum on code_sum.day_key = d.day_key
    left join unlisted on unlisted.day_key = d.day_key
),
-- both counts, and the most that AMA can make of a day whose minutes per code are not known
unit as (
    select
        counted.day_key,
        (counted.supported_seconds // 60 + 7) // 15 as cms_units,
        (counted.most_seconds // 60 + 7) // 15 as most_cms_units,
        (counted.sure_seconds // 60 + 7) // 15 as sure_cms_units,
        case
            when counted.has_unlisted_block then (counted.most_seconds + 449 * counted.timed_codes) // 900
            when counted.is_decidable then counted.ama_units
            when counted.is_incomplete or counted.has_session_clock
                then (counted.supported_seconds + 449 * counted.timed_codes) // 900
            else least((counted.supported_seconds + 449 * counted.timed_codes) // 900, counted.worth_ama_units)
        end as most_ama_units
    from counted
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
    counted.has_several_payers,
    counted.payer_id,
    counted.counting_method,
    counted.timed_units_per_day_cap,
    counted.payer_reference_key,
    counted.has_justification,
    counted.has_unlisted_block,
    counted.has_unlisted_line,
    counted.has_unlisted_line_on_date,
    counted.is_judged,
    counted.is_covered,
    counted.has_unread_note_on_date,
    counted.has_unread_claim_on_date,
    counted.is_past_billing_lag,
    counted.billed_units,
    counted.billed_timed_units,
    counted.timed_codes,
    counted.supported_seconds,
    counted.most_seconds,
    counted.sure_seconds,
    counted.supported_seconds // 60 as supported_minutes,
    counted.most_seconds // 60 as most_minutes,
    counted.sure_seconds // 60 as sure_minutes,
    counted.is_incomplete,
    counted.has_unknown_note,
    counted.has_unmeasured_block,
    counted.has_unexplained_minutes,
    counted.have_all_notes_blocks,
    counted.is_decidable,
    counted.has_clocked_block,
    unit.cms_units,
    unit.most_cms_units,
    unit.sure_cms_units,
    counted.ama_units,
    counted.least_ama_units,
    counted.worth_ama_units,
    unit.most_ama_units,
    -- the most units that a lawful reading supports; null where the record does not say how long
    case
        when counted.supported_seconds is null then null
        when counted.counting_method = 'cms_8_minute' then unit.most_cms_units
        when counted.counting_method = 'ama_midpoint' then unit.most_ama_units
        when counted.counting_method = 'either' then greatest(unit.most_cms_units, unit.most_ama_units)
    end as supported_units,
    -- the fewest units that every lawful reading supports; the AMA count is known of decidable days only
    case
        when counted.counting_method = 'cms_8_minute' then unit.sure_cms_units
        when not counted.is_decidable then null
        when counted.counting_method = 'ama_midpoint' then counted.least_ama_units
        when counted.counting_method = 'either' then least(unit.sure_cms_units, counted.least_ama_units)
    end as sure_units,
    -- the count of the method that is not the payer's; for either, the smaller of the two
    case
        when counted.counting_method = 'ama_midpoint' then unit.cms_units
        when not counted.is_decidable then null
        when counted.counting_method = 'cms_8_minute' then counted.ama_units
        when counted.counting_method = 'either' then least(unit.cms_units, counted.ama_units)
    end as other_method_units
from counted
join unit on unit.day_key = counted.day_key
