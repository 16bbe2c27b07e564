-- grain: one clinician and service date with timed units billed or one-on-one minutes credited
-- units: timed units; whole minutes that these units need at the least; credited time in whole seconds
-- source: rule book s. 6 (provider_day_impossible: 15n - 7 minutes carry n units; less as in therapist_in_two_places)
with
-- timed units of a clinician on one therapy day and code, assistants' lines aside
code as (
    select
        l.day_key,
        l.clinician_key,
        l.counted_code,
        sum(l.billed_units) as billed_units
    from stg_line as l
    -- a modifier has two characters and stands between semicolons: no other one holds it
    where l.is_timed and not l.is_set_aside and l.day_key is not null and l.clinician_key is not null
        and not coalesce(l.modifiers like '%CQ%' or l.modifiers like '%CO%', false)
    group by l.day_key, l.clinician_key, l.counted_code
),
-- by therapy day, and what they need when each code is counted alone
alone as (
    select
        code.day_key,
        code.clinician_key,
        sum(code.billed_units) as billed_units,
        sum(15 * code.billed_units - 7) as needed_minutes
    from code
    group by code.day_key, code.clinician_key
),
-- the least minutes that a therapy day's units need: CMS by the day, AMA by the code, either the smaller (AMA)
day as (
    select
        alone.day_key,
        alone.clinician_key,
        d.service_date,
        d.is_judged,
        alone.billed_units,
        case
            when d.counting_method = 'cms_8_minute' then 15 * alone.billed_units - 7
            else alone.needed_minutes
        end as needed_minutes
    from alone
    join stg_therapy_day as d on d.day_key = alone.day_key
),
-- what the totals of a clinician's notes are below their blocks
below as (
    select noted.clinician_key, noted.day_key, sum(n.below_written_seconds) as below_seconds
    from (select distinct b.clinician_key, b.day_key, b.note_key from min_block as b) as noted
    join min_note as n on n.note_key = noted.note_key and n.below_written_seconds > 0
    group by noted.clinician_key, noted.day_key
),
-- what a clinician billed, and what the notes credit; unjudged patients and dates leave theirs out
part as (
    select
        day.clinician_key,
        day.service_date,
        day.is_judged,
        case when day.is_judged then day.billed_units else 0 end as billed_units,
        case when day.is_judged then day.needed_minutes else 0 end as needed_minutes,
        0 as credited_seconds
    from day
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
    from below
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
