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
        l.clinician_key,
        l.service_date,
        l.counted_code,
        sum(l.billed_units) as billed_units
    from stg_line as l
    join stg_therapy_day as d
        on d.patient_key = l.patient_key and d.service_date = l.service_date and d.discipline = l.discipline
    where not l.is_set_aside and l.is_timed and d.is_judged and l.clinician_key is not null
        and ';' || coalesce(l.modifiers, '') || ';' not like '%;CQ;%'
        and ';' || coalesce(l.modifiers, '') || ';' not like '%;CO;%'
    group by d.day_key, d.counting_method, l.clinician_key, l.service_date, l.counted_code
),
-- the least minutes that a therapy day's units need: CMS by the day, AMA by the code, either the smaller (AMA)
day as (
    select
        code.day_key,
        code.clinician_key,
        code.service_date,
        sum(code.billed_units) as billed_units,
        case
            when code.counting_method = 'cms_8_minute' then 15 * sum(code.billed_units) - 7
            else sum(15 * code.billed_units - 7)
        end as needed_minutes
    from code
    group by code.day_key, code.counting_method, code.clinician_key, code.service_date
),
-- by clinician and date
billed as (
    select day.clinician_key, day.service_date, sum(day.billed_units) as billed_units,
        sum(day.needed_minutes) as needed_minutes
    from day
    group by day.clinician_key, day.service_date
),
-- credited one-on-one minutes of judged days
credited as (
    select b.clinician_key, b.service_date, sum(b.credited_minutes) as credited_minutes
    from min_block as b
    join stg_therapy_day as d
        on d.patient_key = b.patient_key and d.service_date = b.service_date and d.discipline = b.discipline
    where d.is_judged
    group by b.clinician_key, b.service_date
)
select
    case
        when greatest(coalesce(billed.needed_minutes, 0), coalesce(credited.credited_minutes, 0)) > most.value
            then 'violated'
        else 'passed'
    end as verdict,
    coalesce(billed.clinician_key, credited.clinician_key) as clinician_key,
    coalesce(billed.service_date, credited.service_date) as service_date,
    cast(coalesce(billed.billed_units, 0) as integer) as billed_units,
    cast(coalesce(credited.credited_minutes, 0) as integer) as supported_minutes,
    most.reference_key,
    'The units billed need at least ' || cast(coalesce(billed.needed_minutes, 0) as integer)
        || ' minutes and the notes credit ' || cast(coalesce(credited.credited_minutes, 0) as integer)
        || '; one day is taken to hold at most ' || cast(most.value as integer) || '.' as message
from billed
full outer join credited
    on credited.clinician_key = billed.clinician_key and credited.service_date = billed.service_date
join ref_parameter as most
    on most.name = 'provider_day_minutes'
    and coalesce(billed.service_date, credited.service_date) >= most.effective_from
    and coalesce(billed.service_date, credited.service_date) < most.effective_to
