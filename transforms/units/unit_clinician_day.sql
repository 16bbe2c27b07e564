-- grain: one clinician and service date with timed units billed or one-on-one minutes credited
-- units: timed units; whole minutes that these units need at the least; credited time in whole seconds
-- source: rule book s. 6 (provider_day_impossible: 15n - 7 minutes carry n units; less as in therapist_in_two_places)
with
-- what a clinician billed, and what the notes credit; unjudged patients and dates leave theirs out
part as (
    select
        day.clinician_key,
        day.service_date,
        day.is_judged,
        case when day.is_judged then day.billed_units else 0 end as billed_units,
        case when day.is_judged then day.needed_minutes else 0 end as needed_minutes,
        0 as credited_seconds
    from unit_clinician_need as day
    union all
    select
        b.clinician_key,
        b.service_date,
        d.is_judged,
        0 as billed_units,
        0 as needed_minutes,
        -- what is left of a session's clock that a block of another kind shares may be that block's
        case when d.is_judged and not b.is_shared_with_other_block then b.credited_seconds else 0 end
            as credited_seconds
    from min_block as b
    join stg_therapy_day as d on d.day_key = b.day_key
    union all
    select
        below.clinician_key,
        d.service_date,
        d.is_judged,
        0 as billed_units,
        0 as needed_minutes,
        case when d.is_judged then -below.below_seconds else 0 end as credited_seconds
    from min_clinician_below as below
    join stg_therapy_day as d on d.day_key = below.day_key
)
select
    part.clinician_key,
    part.service_date,
    max(case when part.is_judged then 1 else 0 end) = 1 as is_judged,
    cast(sum(part.billed_units) as bigint) as billed_units,
    cast(sum(part.needed_minutes) as bigint) as needed_minutes,
    cast(greatest(0, sum(part.credited_seconds)) as bigint) as credited_seconds
from part
group by part.clinician_key, part.service_date
