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
        c.credited_seconds,
        c.ama_units,
        d.counting_method,
        d.cms_units,
        d.is_decidable
    from unit_day_code as c
    join unit_day as d on d.day_key = c.day_key
    where c.is_timed
),
-- each unit that a code could still be given: the time not yet paid for when the units before it have paid 15 minutes
-- each; a code less than a minute below the most is equal to it, and so may be paid a little beyond its time
slot as (
    select
        code.day_key,
        code.procedure_code,
        code.billed_units,
        code.credited_seconds,
        code.cms_units,
        unnest(generate_series(1, (code.credited_seconds + 959) // 900)) as unit_number
    from code
    where code.is_decidable and code.counting_method = 'cms_8_minute'
),
-- with that time, and whether the unit was billed
open_slot as (
    select
        slot.day_key,
        slot.procedure_code,
        slot.unit_number,
        slot.cms_units,
        slot.credited_seconds - 900 * (slot.unit_number - 1) as unpaid_seconds,
        case when slot.billed_units >= slot.unit_number then 1 else 0 end as is_billed
    from slot
),
-- a lawful split leaves no unit unpaid that lies a minute or more above one it pays. So each unit in turn is taken for
-- the largest left unpaid: what lies above it is paid, and of what lies less than a minute below it any may be
candidate as (
    select
        s.day_key,
        s.procedure_code,
        s.unpaid_seconds,
        s.cms_units,
        count(*) over above as slots_above,
        coalesce(sum(s.is_billed) over above, 0) as billed_above,
        count(*) over within_minute as slots_within,
        coalesce(sum(s.is_billed) over within_minute, 0) as billed_within
    from open_slot as s
    window
        above as (
            partition by s.day_key order by s.unpaid_seconds desc range between unbounded preceding and 1 preceding
        ),
        within_minute as (
            partition by s.day_key order by s.unpaid_seconds desc range between unbounded preceding and 59 following
        )
),
-- the candidates that leave room for the day's units, with how much of the bill each can cover
lawful as (
    select
        candidate.day_key,
        candidate.procedure_code,
        candidate.unpaid_seconds,
        candidate.slots_above < candidate.cms_units and candidate.cms_units < candidate.slots_within as has_choice,
        candidate.billed_above
            + least(candidate.cms_units - candidate.slots_above, candidate.billed_within - candidate.billed_above)
            as covered_units
    from candidate
    where candidate.slots_above <= candidate.cms_units and candidate.cms_units <= candidate.slots_within
),
-- the one that covers most of the bill; of equals the one nearest to the most minutes
chosen as (
    select
        lawful.day_key,
        lawful.unpaid_seconds,
        max(case when lawful.has_choice then 1 else 0 end) over (partition by lawful.day_key) = 1 as is_tie,
        row_number() over (
            partition by lawful.day_key
            order by lawful.covered_units desc, lawful.unpaid_seconds desc, lawful.procedure_code
        ) as place
    from lawful
),
-- its units in the order in which they are given: above it all; among equals those billed first, then the lower code
ranked as (
    select
        s.day_key,
        s.procedure_code,
        s.cms_units,
        chosen.is_tie,
        row_number() over (
            partition by s.day_key
            order by
                case when s.unpaid_seconds > chosen.unpaid_seconds then 0
                    when s.unpaid_seconds > chosen.unpaid_seconds - 60 then 1 else 2 end,
                case when s.unpaid_seconds > chosen.unpaid_seconds then 0 else 1 - s.is_billed end,
                s.procedure_code,
                s.unit_number
        ) as place
    from open_slot as s
    join chosen on chosen.day_key = s.day_key and chosen.place = 1
),
-- units a code under CMS
cms as (
    select
        ranked.day_key,
        ranked.procedure_code,
        max(case when ranked.is_tie then 1 else 0 end) = 1 as is_tie,
        sum(case when ranked.place <= ranked.cms_units then 1 else 0 end) as cms_units
    from ranked
    group by ranked.day_key, ranked.procedure_code
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
