-- grain: one clocked block of min_block on a clinician's date on which two patients' visits overlap, in its run of
-- overlapping blocks
-- units: whole minutes
-- source: rule book s. 6 (therapist_in_two_places)
with
-- from when until when a clinician's blocks hold a patient
visit as (
    select
        b.clinician_key,
        b.service_date,
        b.patient_key,
        min(b.start_minute) as start_minute,
        max(b.end_minute) as end_minute
    from min_block as b
    where b.clock_minutes is not null
    group by b.clinician_key, b.service_date, b.patient_key
),
-- clinicians and dates on which these overlap; nowhere else can a clinician be in two places
crowded as (
    select distinct one.clinician_key, one.service_date
    from visit as one
    join visit as other
        on other.clinician_key = one.clinician_key and other.service_date = one.service_date
        and other.patient_key > one.patient_key
        and other.start_minute < one.end_minute and one.start_minute < other.end_minute
),
-- a clinician's clocked blocks in order, with the latest end before each
stretch as (
    select
        b.block_key,
        b.clinician_key,
        b.service_date,
        b.patient_key,
        b.patient_day_key,
        b.day_key,
        b.discipline,
        b.start_minute,
        b.end_minute,
        b.credited_minutes,
        row_number() over (
            partition by b.clinician_key, b.service_date order by b.start_minute, b.end_minute, b.block_key
        ) as place,
        max(b.end_minute) over (
            partition by b.clinician_key, b.service_date
            order by b.start_minute, b.end_minute, b.block_key
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from min_block as b
    join crowded on crowded.clinician_key = b.clinician_key and crowded.service_date = b.service_date
    where b.clock_minutes is not null
),
-- a new run starts where no earlier block reaches; touching is no overlap
numbered as (
    select
        stretch.block_key,
        stretch.clinician_key,
        stretch.service_date,
        stretch.patient_key,
        stretch.patient_day_key,
        stretch.day_key,
        stretch.discipline,
        stretch.start_minute,
        stretch.end_minute,
        stretch.credited_minutes,
        sum(case when stretch.start_minute < stretch.covered_until then 0 else 1 end) over (
            partition by stretch.clinician_key, stretch.service_date order by stretch.place
        ) as run_number
    from stretch
),
-- the credited minutes of each run beyond the clock minutes that it covers
run as (
    select
        numbered.clinician_key,
        numbered.service_date,
        numbered.run_number,
        min(numbered.patient_key) <> max(numbered.patient_key) as has_several_patients,
        cast(sum(numbered.credited_minutes) - (max(numbered.end_minute) - min(numbered.start_minute)) as integer)
            as excess_minutes
    from numbered
    group by numbered.clinician_key, numbered.service_date, numbered.run_number
),
-- runs that hold more minutes of several patients than the clock does
double_booked as (
    select numbered.block_key, numbered.clinician_key, numbered.service_date, numbered.run_number,
        numbered.patient_key, numbered.start_minute, numbered.end_minute, run.excess_minutes
    from numbered
    join run
        on run.clinician_key = numbered.clinician_key and run.service_date = numbered.service_date
        and run.run_number = numbered.run_number
    where run.has_several_patients and run.excess_minutes > 0
),
-- of those, the blocks that overlap another patient's
overlapping as (
    select distinct mine.block_key
    from double_booked as mine
    join double_booked as other
        on other.clinician_key = mine.clinician_key and other.service_date = mine.service_date
        and other.run_number = mine.run_number
        and other.patient_key <> mine.patient_key
        and other.start_minute < mine.end_minute and mine.start_minute < other.end_minute
)
select
    numbered.block_key,
    numbered.clinician_key,
    numbered.service_date,
    numbered.patient_key,
    numbered.patient_day_key,
    numbered.day_key,
    numbered.discipline,
    cast(numbered.run_number as integer) as clinician_run_number,
    coalesce(double_booked.excess_minutes, 0) as run_excess_minutes,
    overlapping.block_key is not null as is_double_booked
from numbered
left join double_booked on double_booked.block_key = numbered.block_key
left join overlapping on overlapping.block_key = numbered.block_key
