-- grain: one clinician and service date with timed units billed or one-on-one minutes credited
-- units: whole minutes (supported_minutes: credited; the minutes the billed units need at the least in the message)
-- source: rule book s. 6 (15n - 7 minutes carry n units); parameter provider_day_minutes
-- not_checked: work at two sites; an assistant's lines billed without CQ or CO
with
-- timed units of a clinician on one therapy day and code, assistants' lines aside
code as (
    select
        d.day_key,
        d.counting_method,
        d.is_judged,
        l.clinician_key,
        l.service_date,
        l.counted_code,
        sum(l.billed_units) as billed_units
    from stg_line as l
    join stg_therapy_day as d on d.day_key = l.day_key
    where not l.is_set_aside and l.is_timed and l.clinician_key is not null
        and ';' || coalesce(l.modifiers, '') || ';' not like '%;CQ;%'
        and ';' || coalesce(l.modifiers, '') || ';' not like '%;CO;%'
    group by d.day_key, d.counting_method, d.is_judged, l.clinician_key, l.service_date, l.counted_code
),
-- the least minutes that a therapy day's units need: CMS by the day, AMA by the code, either the smaller (AMA)
day as (
    select
        code.day_key,
        code.is_judged,
        code.clinician_key,
        code.service_date,
        sum(code.billed_units) as billed_units,
        case
            when code.counting_method = 'cms_8_minute' then 15 * sum(code.billed_units) - 7
            else sum(15 * code.billed_units - 7)
        end as needed_minutes
    from code
    group by code.day_key, code.counting_method, code.is_judged, code.clinician_key, code.service_date
),
-- what a clinician billed, and what the notes credit; unjudged patients and dates leave theirs out
part as (
    select
        day.clinician_key,
        day.service_date,
        day.is_judged,
        case when day.is_judged then day.billed_units else 0 end as billed_units,
        case when day.is_judged then day.needed_minutes else 0 end as needed_minutes,
        0 as credited_minutes
    from day
    union all
    select
        b.clinician_key,
        b.service_date,
        d.is_judged,
        0 as billed_units,
        0 as needed_minutes,
        case when d.is_judged then b.credited_minutes else 0 end as credited_minutes
    from min_block as b
    join stg_therapy_day as d on d.day_key = b.day_key
),
-- by clinician and date
clinician_day as (
    select
        part.clinician_key,
        part.service_date,
        max(case when part.is_judged then 1 else 0 end) = 1 as is_judged,
        cast(sum(part.billed_units) as integer) as billed_units,
        cast(sum(part.needed_minutes) as integer) as needed_minutes,
        cast(sum(part.credited_minutes) as integer) as credited_minutes
    from part
    group by part.clinician_key, part.service_date
)
select
    case
        when not c.is_judged then 'unjudged'
        when greatest(c.needed_minutes, c.credited_minutes) > most.value then 'violated'
        else 'passed'
    end as verdict,
    c.clinician_key,
    c.service_date,
    c.billed_units,
    c.credited_minutes as supported_minutes,
    most.reference_key,
    'The units billed need at least ' || c.needed_minutes || ' minutes and the notes credit ' || c.credited_minutes
        || '; one day is taken to hold at most ' || cast(most.value as integer) || '.' as message
from clinician_day as c
join ref_parameter as most
    on most.name = 'provider_day_minutes'
    and c.service_date >= most.effective_from and c.service_date < most.effective_to
