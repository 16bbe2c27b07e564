-- grain: one clocked block of min_block on a clinician's date on which two patients' visits overlap, in its run of
-- overlapping blocks
-- units: whole seconds
-- source: rule book s. 6 (therapist_in_two_places)
with
-- from when until when a clinician's blocks hold a patient
visit as (
    select
        b.clinician_key,
        b.service_date,
        b.patient_key,
        min(b.start_second) as start_second,
        max(b.end_second) as end_second
    from min_block as b
    where b.clock_seconds is not null
    group by b.clinician_key, b.service_date, b.patient_key
),
-- the visits in order, with the latest end before each
visit_in_order as (
    select
        visit.clinician_key,
        visit.service_date,
        visit.start_second,
        max(visit.end_second) over (
            partition by visit.clinician_key, visit.service_date
            order by visit.start_second, visit.end_second, visit.patient_key
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from visit
),
-- clinicians and dates on which these overlap; nowhere else can a clinician be in two places
crowded as (
    select distinct v.clinician_key, v.service_date
    from visit_in_order as v
    where v.start_second < v.covered_until
),
-- a clinician's clocked blocks in order, with the latest end before each
stretch as (
    select
        b.block_key,
        b.note_key,
        b.clinician_key,
        b.service_date,
        b.patient_key,
        b.patient_day_key,
        b.day_key,
        b.discipline,
        b.start_second,
        b.end_second,
        -- what is left of a session's clock that a block of another kind shares may be that block's
        case when b.is_shared_with_other_block then 0 else b.credited_seconds end as credited_seconds,
        row_number() over (
            partition by b.clinician_key, b.service_date order by b.start_second, b.end_second, b.block_key
        ) as place,
        max(b.end_second) over (
            partition by b.clinician_key, b.service_date
            order by b.start_second, b.end_second, b.block_key
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from min_block as b
    join crowded on crowded.clinician_key = b.clinician_key and crowded.service_date = b.service_date
    where b.clock_seconds is not null
),
-- a new run starts where no earlier block reaches; touching is no overlap
numbered as (
    select
        stretch.block_key,
        stretch.note_key,
        stretch.clinician_key,
        stretch.service_date,
        stretch.patient_key,
        stretch.patient_day_key,
        stretch.day_key,
        stretch.discipline,
        stretch.start_second,
        stretch.end_second,
        stretch.credited_seconds,
        stretch.place,
        cast(sum(case when stretch.start_second < stretch.covered_until then 0 else 1 end) over (
            partition by stretch.clinician_key, stretch.service_date order by stretch.place
        ) as bigint) as run_number
    from stretch
),
-- what the totals of a run's notes are below their blocks
below as (
    select
        noted.clinician_key,
        noted.service_date,
        noted.run_number,
        cast(sum(n.below_written_seconds) as bigint) as below_seconds
    from (
        select distinct numbered.clinician_key, numbered.service_date, numbered.run_number, numbered.note_key
        from numbered
    ) as noted
    join min_note as n on n.note_key = noted.note_key
    group by noted.clinician_key, noted.service_date, noted.run_number
),
-- the credited time of each run beyond the clock time that it covers
run as (
    select
        numbered.clinician_key,
        numbered.service_date,
        numbered.run_number,
        min(numbered.patient_key) <> max(numbered.patient_key) as has_several_patients,
        cast(sum(numbered.credited_seconds) as bigint)
            - (max(numbered.end_second) - min(numbered.start_second)) as excess_seconds
    from numbered
    group by numbered.clinician_key, numbered.service_date, numbered.run_number
),
-- runs that hold a minute or more of several patients beyond the clock
double_booked as (
    select
        run.clinician_key,
        run.service_date,
        run.run_number,
        run.excess_seconds - below.below_seconds as excess_seconds
    from run
    join below
        on below.clinician_key = run.clinician_key and below.service_date = run.service_date
        and below.run_number = run.run_number
    where run.has_several_patients and run.excess_seconds - below.below_seconds >= 60
),
-- the starts and ends of their blocks; an end at the moment of a start comes first, for touching is no overlap
event as (
    select
        numbered.block_key, numbered.clinician_key, numbered.service_date, numbered.run_number, numbered.patient_key,
        numbered.start_second as at_second, 1 as is_start
    from numbered
    join double_booked
        on double_booked.clinician_key = numbered.clinician_key and double_booked.service_date = numbered.service_date
        and double_booked.run_number = numbered.run_number
    union all
    select
        numbered.block_key, numbered.clinician_key, numbered.service_date, numbered.run_number, numbered.patient_key,
        numbered.end_second as at_second, 0 as is_start
    from numbered
    join double_booked
        on double_booked.clinician_key = numbered.clinician_key and double_booked.service_date = numbered.service_date
        and double_booked.run_number = numbered.run_number
),
-- blocks begun and ended up to each event: of the whole run, and of the same patient
counted as (
    select
        event.block_key,
        event.is_start,
        cast(sum(event.is_start) over of_run as bigint) as begun,
        cast(sum(1 - event.is_start) over of_run as bigint) as ended,
        cast(sum(event.is_start) over of_patient as bigint) as begun_of_patient,
        cast(sum(1 - event.is_start) over of_patient as bigint) as ended_of_patient
    from event
    window
        of_run as (
            partition by event.clinician_key, event.service_date, event.run_number
            order by event.at_second, event.is_start
            range between unbounded preceding and current row
        ),
        of_patient as (
            partition by event.clinician_key, event.service_date, event.run_number, event.patient_key
            order by event.at_second, event.is_start
            range between unbounded preceding and current row
        )
),
-- of each block, the other patients' blocks that overlap it: begun before its end, and not ended at its start
overlap as (
    select
        counted.block_key,
        max(case when counted.is_start = 0 then counted.begun - counted.begun_of_patient end)
            - max(case when counted.is_start = 1 then counted.ended - counted.ended_of_patient end) as other_blocks
    from counted
    group by counted.block_key
)
select
    numbered.block_key,
    numbered.clinician_key,
    numbered.service_date,
    numbered.patient_key,
    numbered.patient_day_key,
    numbered.day_key,
    numbered.discipline,
    numbered.start_second,
    numbered.end_second,
    numbered.place,
    numbered.run_number as clinician_run_number,
    coalesce(double_booked.excess_seconds, 0) as run_excess_seconds,
    coalesce(overlap.other_blocks, 0) as other_patient_blocks,
    coalesce(overlap.other_blocks > 0, false) as is_double_booked
from numbered
left join double_booked
    on double_booked.clinician_key = numbered.clinician_key and double_booked.service_date = numbered.service_date
    and double_booked.run_number = numbered.run_number
left join overlap on overlap.block_key = numbered.block_key
