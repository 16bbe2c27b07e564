-- grain: one therapy day that can be split, one timed code and one unit that the CMS count may give it
-- units: whole seconds not yet paid for when the code's units before this one have paid 15 minutes each
-- source: rule book s. 4 (CMS split, ties of less than a minute, the split nearest to the bill)
-- form: view
with
-- the timed codes of decidable days with their credited time; a day's counting method goes along, so that who reads the
-- days of one method has only those computed
code as (
    select
        c.day_key,
        c.procedure_code,
        c.billed_units,
        c.credited_seconds,
        d.counting_method,
        d.cms_units
    from unit_day_code as c
    join unit_day as d on d.day_key = c.day_key
    where c.is_timed and d.is_decidable
),
-- each unit that a code could still be given: the time not yet paid for when the units before it have paid 15 minutes
-- each; a code less than a minute below the most is equal to it, and so may be paid a little beyond its time
slot as (
    select
        code.day_key,
        code.procedure_code,
        code.counting_method,
        code.billed_units,
        code.credited_seconds,
        code.cms_units,
        unnest(generate_series(1, (code.credited_seconds + 959) // 900)) as unit_number
    from code
),
-- with that time, and whether the unit was billed
open_slot as (
    select
        slot.day_key,
        slot.procedure_code,
        slot.counting_method,
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
        s.counting_method,
        s.unpaid_seconds,
        s.cms_units,
        count(*) over above as slots_above,
        coalesce(sum(s.is_billed) over above, 0) as billed_above,
        count(*) over within_minute as slots_within,
        coalesce(sum(s.is_billed) over within_minute, 0) as billed_within
    from open_slot as s
    window
        above as (
            partition by s.day_key, s.counting_method order by s.unpaid_seconds desc
            range between unbounded preceding and 1 preceding
        ),
        within_minute as (
            partition by s.day_key, s.counting_method order by s.unpaid_seconds desc
            range between unbounded preceding and 59 following
        )
),
-- the candidates that leave room for the day's units, with how much of the bill each can cover
lawful as (
    select
        candidate.day_key,
        candidate.procedure_code,
        candidate.counting_method,
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
        lawful.counting_method,
        lawful.unpaid_seconds,
        max(case when lawful.has_choice then 1 else 0 end) over same_day = 1 as is_tie,
        row_number() over (
            partition by lawful.day_key, lawful.counting_method
            order by lawful.covered_units desc, lawful.unpaid_seconds desc, lawful.procedure_code
        ) as place
    from lawful
    window same_day as (partition by lawful.day_key, lawful.counting_method)
),
-- its units in the order in which they are given: above it all; among equals those billed first, then the lower code
ranked as (
    select
        s.day_key,
        s.procedure_code,
        s.counting_method,
        s.unit_number,
        s.unpaid_seconds,
        s.is_billed,
        s.cms_units,
        chosen.is_tie,
        row_number() over (
            partition by s.day_key, s.counting_method
            order by
                case when s.unpaid_seconds > chosen.unpaid_seconds then 0
                    when s.unpaid_seconds > chosen.unpaid_seconds - 60 then 1 else 2 end,
                case when s.unpaid_seconds > chosen.unpaid_seconds then 0 else 1 - s.is_billed end,
                s.procedure_code,
                s.unit_number
        ) as place
    from open_slot as s
    join chosen
        on chosen.day_key = s.day_key and chosen.counting_method is not distinct from s.counting_method
        and chosen.place = 1
)
select
    ranked.day_key,
    ranked.procedure_code,
    ranked.counting_method,
    ranked.unit_number,
    ranked.unpaid_seconds,
    ranked.is_billed,
    ranked.place <= ranked.cms_units as is_given,
    ranked.is_tie
from ranked
