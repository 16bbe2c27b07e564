-- grain: one therapy day that can be split, one unit of its CMS count (numbered from 1, in the order in which they are
-- given) and one timed code
-- units: whole seconds that the code has unpaid before this unit, that any code has at the most, and that are left
-- source: rule book s. 4 (CMS split: each unit to the code with the most time not yet paid for)
-- form: view
with
-- the units given, the one with the most unpaid first, of equals one that was billed; of a lawful split each is then
-- less than a minute below the most
given as (
    select
        slot.day_key,
        slot.procedure_code,
        slot.unpaid_seconds,
        row_number() over (
            partition by slot.day_key order by slot.unpaid_seconds desc, slot.is_billed desc, slot.procedure_code
        ) as unit_number
    from unit_slot as slot
    where slot.is_given
),
-- each timed code beside each of them, with the units that it has been given before
beside as (
    select
        given.day_key,
        given.unit_number,
        given.procedure_code as given_code,
        code.procedure_code,
        code.credited_seconds,
        coalesce(sum(case when code.procedure_code = given.procedure_code then 1 else 0 end) over (
            partition by given.day_key, code.procedure_code order by given.unit_number
            rows between unbounded preceding and 1 preceding
        ), 0) as units_before
    from given
    join unit_day_code as code on code.day_key = given.day_key and code.is_timed and code.credited_seconds > 0
),
-- what it has unpaid, and the most that any code has
unpaid as (
    select
        beside.day_key,
        beside.unit_number,
        beside.given_code,
        beside.procedure_code,
        cast(beside.credited_seconds - 900 * beside.units_before as bigint) as unpaid_seconds,
        max(cast(beside.credited_seconds - 900 * beside.units_before as bigint)) over (
            partition by beside.day_key, beside.unit_number
        ) as most_seconds
    from beside
)
select
    unpaid.day_key,
    unpaid.unit_number,
    unpaid.procedure_code,
    unpaid.procedure_code = unpaid.given_code as is_given,
    -- less than a minute below the most is equal to it
    unpaid.procedure_code <> unpaid.given_code and unpaid.unpaid_seconds > unpaid.most_seconds - 60 as is_tied,
    unpaid.unpaid_seconds,
    unpaid.most_seconds,
    greatest(
        0, unpaid.unpaid_seconds - case when unpaid.procedure_code = unpaid.given_code then 900 else 0 end
    ) as left_seconds
from unpaid
