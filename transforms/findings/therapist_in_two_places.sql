-- grain: one therapy day with a clocked one-on-one block
-- units: whole minutes; double_counted_minutes is the excess of the clinician's run over its clock minutes
-- source: rule book s. 6; CMS Pub. 100-02 ch. 15 s. 230.A
-- not_checked: blocks without clock times; group and supervised work
with
-- the runs in which the day's blocks lie
run as (
    select
        b.patient_key,
        b.service_date,
        b.discipline,
        b.clinician_key,
        b.clinician_run_number,
        max(case when b.is_double_booked then b.run_excess_minutes else 0 end) as excess_minutes
    from min_clinician_block as b
    group by b.patient_key, b.service_date, b.discipline, b.clinician_key, b.clinician_run_number
),
-- their excess, by therapy day
day_excess as (
    select
        run.patient_key,
        run.service_date,
        run.discipline,
        cast(sum(run.excess_minutes) as integer) as excess_minutes,
        min(case when run.excess_minutes > 0 then run.clinician_key end) as least_clinician_key,
        max(case when run.excess_minutes > 0 then run.clinician_key end) as greatest_clinician_key
    from run
    group by run.patient_key, run.service_date, run.discipline
)
select
    case
        when not d.is_judged then 'unjudged'
        when day_excess.excess_minutes > 0 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    case when day_excess.least_clinician_key = day_excess.greatest_clinician_key
        then day_excess.least_clinician_key end as clinician_key,
    day_excess.excess_minutes as double_counted_minutes,
    u.supported_minutes,
    'The clinician''s one-on-one minutes with several patients at once exceed the clock by '
        || day_excess.excess_minutes || ' minute(s).' as message
from stg_therapy_day as d
join unit_day as u on u.day_key = d.day_key
join day_excess
    on day_excess.patient_key = d.patient_key and day_excess.service_date = d.service_date
    and day_excess.discipline = d.discipline
