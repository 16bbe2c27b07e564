-- grain: one therapy day and timed code, with the units that the lawful split nearest to the bill gives it
-- units: whole units; null where the split is undecidable, or not judged (either, no payer)
-- source: rule book s. 4 (CMS split, ties, the expected split)
with
-- the timed codes of days that can be split, under their method
code as (
    select
        c.day_key,
        c.procedure_code,
        c.billed_units,
        c.credited_minutes,
        c.ama_units,
        d.counting_method,
        d.cms_units,
        d.is_decidable
    from unit_day_code as c
    join unit_day as d on d.day_key = c.day_key
    where c.is_timed
),
-- each unit that a code could still be given: the minutes not yet paid for when the units before it have paid 15 each
slot as (
    select
        code.day_key,
        code.procedure_code,
        code.billed_units,
        code.credited_minutes,
        code.cms_units,
        unnest(generate_series(1, (code.credited_minutes + 14) // 15)) as unit_number
    from code
    where code.is_decidable and code.counting_method = 'cms_8_minute' and code.credited_minutes > 0
),
-- the day's units go to the most minutes; among equals, to codes billed for that unit, then to the lower code
ranked as (
    select
        slot.day_key,
        slot.procedure_code,
        slot.cms_units,
        slot.credited_minutes - 15 * (slot.unit_number - 1) as unpaid_minutes,
        row_number() over (
            partition by slot.day_key
            order by
                slot.credited_minutes - 15 * (slot.unit_number - 1) desc,
                case when slot.billed_units >= slot.unit_number then 0 else 1 end,
                slot.procedure_code
        ) as place
    from slot
),
-- units a code under CMS
cms as (
    select
        ranked.day_key,
        ranked.procedure_code,
        cast(sum(case when ranked.place <= ranked.cms_units then 1 else 0 end) as integer) as cms_units
    from ranked
    group by ranked.day_key, ranked.procedure_code
),
-- days with more than one lawful split: equal minutes on both sides of the last unit given
tie as (
    select ranked.day_key
    from ranked
    group by ranked.day_key
    having min(case when ranked.place <= ranked.cms_units then ranked.unpaid_minutes end)
        = max(case when ranked.place > ranked.cms_units then ranked.unpaid_minutes end)
)
select
    code.day_key,
    code.procedure_code,
    code.billed_units,
    cast(case
        when not code.is_decidable then null
        when code.counting_method = 'cms_8_minute' then coalesce(cms.cms_units, 0)
        when code.counting_method = 'ama_midpoint' then code.ama_units
    end as integer) as expected_units,
    tie.day_key is not null as is_tie
from code
left join cms on cms.day_key = code.day_key and cms.procedure_code = code.procedure_code
left join tie on tie.day_key = code.day_key
