-- grain: one therapy day and timed code, with the units that the lawful split nearest to the bill gives it
-- units: whole units; null where the split is undecidable, or not judged (either, no payer, several payers)
-- source: rule book s. 4 (CMS split, ties of less than a minute, the expected split)
with
-- the timed codes of days that can be split, under their method
code as (
    select
        c.day_key,
        c.procedure_code,
        c.billed_units,
        c.ama_units,
        d.counting_method,
        d.is_decidable
    from unit_day_code as c
    join unit_day as d on d.day_key = c.day_key
    where c.is_timed
),
-- units a code under CMS
cms as (
    select
        slot.day_key,
        slot.procedure_code,
        max(case when slot.is_tie then 1 else 0 end) = 1 as is_tie,
        sum(case when slot.is_given then 1 else 0 end) as cms_units
    from unit_slot as slot
    where slot.counting_method = 'cms_8_minute'
    group by slot.day_key, slot.procedure_code
)
select
    code.day_key,
    code.procedure_code,
    code.billed_units,
    cast(case
        when not code.is_decidable then null
        when code.counting_method = 'cms_8_minute' then coalesce(cms.cms_units, 0)
        when code.counting_method = 'ama_midpoint' then code.ama_units
    end as bigint) as expected_units,
    coalesce(cms.is_tie, false) as is_tie
from code
left join cms on cms.day_key = code.day_key and cms.procedure_code = code.procedure_code
