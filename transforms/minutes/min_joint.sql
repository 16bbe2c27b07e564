-- grain: one therapy day on whose clock another discipline's blocks lie
-- units: whole seconds
-- source: rule book s. 3 (co-treatment: clock time of a day's blocks that other disciplines' blocks cover)
with
-- patients and dates with clocked blocks of several disciplines
mixed as (
    select b.patient_day_key
    from min_written as b
    where b.clock_seconds is not null
    group by b.patient_day_key
    having min(b.day_key) <> max(b.day_key)
),
-- where their blocks start and end
event as (
    select b.patient_day_key, b.start_second as at_second, discipline_of(b.day_key) as discipline_number, 1 as step
    from min_written as b
    join mixed on mixed.patient_day_key = b.patient_day_key
    where b.clock_seconds is not null
    union all
    select b.patient_day_key, b.end_second as at_second, discipline_of(b.day_key) as discipline_number, -1 as step
    from min_written as b
    join mixed on mixed.patient_day_key = b.patient_day_key
    where b.clock_seconds is not null
),
-- one row a moment, with how many blocks of PT (1), OT (2) and SLP (3) begin there, less those that end
moment as (
    select
        event.patient_day_key,
        event.at_second,
        sum(case when event.discipline_number = 1 then event.step else 0 end) as pt_step,
        sum(case when event.discipline_number = 2 then event.step else 0 end) as ot_step,
        sum(case when event.discipline_number = 3 then event.step else 0 end) as slp_step
    from event
    group by event.patient_day_key, event.at_second
),
-- the stretch from each moment to the next, and how many blocks of each discipline run through it
running as (
    select
        moment.patient_day_key,
        lead(moment.at_second) over (partition by moment.patient_day_key order by moment.at_second)
            - moment.at_second as stretch_seconds,
        sum(moment.pt_step) over so_far > 0 as has_pt,
        sum(moment.ot_step) over so_far > 0 as has_ot,
        sum(moment.slp_step) over so_far > 0 as has_slp
    from moment
    window so_far as (
        partition by moment.patient_day_key order by moment.at_second
        range between unbounded preceding and current row
    )
),
-- stretches of several disciplines, once for each of them
joint as (
    select day_key(running.patient_day_key, 1) as day_key, running.stretch_seconds
    from running
    where running.has_pt and (running.has_ot or running.has_slp)
    union all
    select day_key(running.patient_day_key, 2) as day_key, running.stretch_seconds
    from running
    where running.has_ot and (running.has_pt or running.has_slp)
    union all
    select day_key(running.patient_day_key, 3) as day_key, running.stretch_seconds
    from running
    where running.has_slp and (running.has_pt or running.has_ot)
)
select joint.day_key, cast(sum(joint.stretch_seconds) as bigint) as joint_seconds
from joint
where joint.stretch_seconds > 0
group by joint.day_key
