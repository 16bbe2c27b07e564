-- grain: one therapy day with a counting note
-- units: timed units; whole minutes
-- source: rule book s. 6, s. 2 (covered dates, billing lag, an unread claim) and s. 1 (unlisted code); CMS Pub. 100-04
-- ch. 5 s. 20.2.C
-- violated_when: no line is billed, and either the sure minutes make a unit under both counting methods (where
--   minutes per code are uncertain: a unit under CMS, and more than 7.5 minutes for each timed code), or a counting
--   note has a block of an untimed code whose MUE is not 0
-- shows: bill, notes, minutes, units, covered, billing_lag, nearest
with
-- what the blocks of a therapy day's counting notes could have been billed as
block as (
    select
        b.day_key,
        -- an untimed code that is payable by itself
        min(case when b.kind = 'untimed' and coalesce(b.mue_units <> 0, true) then b.procedure_code end)
            as untimed_code,
        max(case when b.kind = 'timed_15' and b.mue_units = 0 then 1 else 0 end) = 1 as has_never_payable_code,
        count(distinct case when b.kind = 'timed_15' then b.counted_code end) as timed_codes
    from stg_block as b
    group by b.day_key
),
-- the timed code with the most credited minutes
most as (
    select
        c.day_key,
        c.procedure_code,
        row_number() over (partition by c.day_key order by c.credited_seconds desc, c.procedure_code) as place
    from unit_day_code as c
    where c.is_timed and c.credited_seconds > 0
),
-- whether the sure minutes make a unit: under both methods, on an undecidable day under CMS and more than half a unit
-- for each of its codes
day as (
    select
        d.day_key,
        case
            when d.is_decidable then d.sure_cms_units >= 1 and d.least_ama_units >= 1
            else d.sure_cms_units >= 1 and d.have_all_notes_blocks
                and d.sure_seconds > 450 * coalesce(block.timed_codes, 0)
        end as has_unit,
        block.untimed_code,
        coalesce(block.has_never_payable_code, false) as has_never_payable_code
    from unit_day as d
    left join block on block.day_key = d.day_key
    where d.has_counting_note
)
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_billed_line then 'passed'
        when not d.is_covered or not d.is_past_billing_lag or d.has_set_aside_line then 'unjudged'
        when d.has_unlisted_line_on_date or d.has_unread_claim_on_date or day.has_never_payable_code then 'unjudged'
        when day.untimed_code is not null or day.has_unit then 'violated'
        when d.has_unmeasured_block or d.has_unknown_note then 'unjudged'
        else 'passed'
    end as verdict,
    d.day_key,
    case when day.has_unit then most.procedure_code else day.untimed_code end as named_code,
    0 as billed_units,
    case when d.is_decidable then least(d.sure_cms_units, d.least_ama_units) else d.sure_cms_units end
        as expected_units,
    case when d.is_decidable then greatest(d.sure_cms_units, d.ama_units) end as expected_units_other_method,
    d.sure_minutes as supported_minutes,
    case when day.has_unit
        then d.sure_minutes || ' sure minutes are documented, enough for a unit'
            || coalesce(' (most of them of code ' || most.procedure_code || ')', '') || ', and nothing was billed.'
        else 'Untimed code ' || day.untimed_code || ' is documented, and nothing was billed.'
    end as message
from unit_day as d
join day on day.day_key = d.day_key
left join most on most.day_key = d.day_key and most.place = 1
where d.has_counting_note
