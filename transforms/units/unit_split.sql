-- grain: one therapy day and timed code, with the units that the lawful split nearest to the bill gives it
-- units: whole units; null where the split is undecidable, or not judged (either, no payer)
-- source: rule book s. 4 (CMS split, ties, the expected split)
with
-- each unit that a code could still be given: the minutes not yet paid for when the units before it have paid 15 each
slot as (
    select
        c.day_key,
        c.procedure_code,
        c.billed_units,
        c.credited_minutes,
        unnest(generate_series(1, (c.credited_minutes + 14) // 15)) as unit_number
    from unit_day_code as c
    where c.is_timed and c.credited_minutes > 0
),
-- the day's units go to the most minutes; among equals, to codes billed for that unit, then to the lower code
ranked as (
    select
        slot.day_key,
        slot.procedure_code,
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
-- slots that get one of the day's units; equal minutes on both sides of the last unit are a tie
given as (
    select
        ranked.day_key,
        ranked.procedure_code,
        ranked.place <= d.cms_units as is_given,
        max(case when ranked.place <= d.cms_units then ranked.place end)
            over (partition by ranked.day_key, ranked.unpaid_minutes) is not null
        and max(case when ranked.place > d.cms_units then ranked.place end)
            over (partition by ranked.day_key, ranked.unpaid_minutes) is not null as is_tied
    from ranked
    join unit_day as d on d.day_key = ranked.day_key
),
-- units a code under CMS
cms as (
    select
        given.day_key,
        given.procedure_code,
        cast(sum(case when given.is_given then 1 else 0 end) as integer) as cms_units
    from given
    group by given.day_key, given.procedure_code
),
-- days with more than one lawful split
tie as (
    select distinct given.day_key
    from given
    where given.is_tied
)
select
    c.day_key,
    c.procedure_code,
    c.billed_units,
    cast(case
        when not d.is_decidable then null
        when therapy_day.counting_method = 'cms_8_minute' then coalesce(cms.cms_units, 0)
        when therapy_day.counting_method = 'ama_midpoint' then c.ama_units
    end as integer) as expected_units,
    d.is_decidable and coalesce(therapy_day.counting_method = 'cms_8_minute', false) and tie.day_key is not null
        as is_tie
from unit_day_code as c
join unit_day as d on d.day_key = c.day_key
join stg_therapy_day as therapy_day on therapy_day.day_key = c.day_key
left join cms on cms.day_key = c.day_key and cms.procedure_code = c.procedure_code
left join tie on tie.day_key = c.day_key
where c.is_timed
