-- grain: one therapy day with a counting note
-- units: timed units; whole minutes
-- source: rule book s. 6 and s. 2 (covered dates, billing lag); CMS Pub. 100-04 ch. 5 s. 20.2.C
-- not_checked: days inside the billing lag or outside the dates that both extracts cover; days with denied lines
with
-- therapy days with a block of an untimed code that is payable by itself
untimed as (
    select distinct b.day_key
    from stg_block as b
    where b.kind = 'untimed' and (b.mue_units is null or b.mue_units > 0)
)
select
    case
        when not d.is_judged then 'unjudged'
        when d.has_billed_line then 'passed'
        when not d.is_covered or not d.is_past_billing_lag or d.has_set_aside_line then 'unjudged'
        when untimed.day_key is not null then 'violated'
        -- a unit under both methods; on an undecidable day under CMS
        when d.sure_cms_units >= 1 and (d.ama_units >= 1 or not d.is_decidable) then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    0 as billed_units,
    case when d.is_decidable then least(d.sure_cms_units, d.ama_units) else d.sure_cms_units end as expected_units,
    case when d.is_decidable then greatest(d.sure_cms_units, d.ama_units) end as expected_units_other_method,
    d.sure_minutes as supported_minutes,
    case when d.sure_cms_units >= 1 and (d.ama_units >= 1 or not d.is_decidable)
        then d.sure_minutes || ' sure minutes are documented, enough for a unit, and nothing was billed.'
        else 'An untimed code is documented, and nothing was billed.'
    end as message
from unit_day as d
left join untimed on untimed.day_key = d.day_key
where d.has_counting_note
