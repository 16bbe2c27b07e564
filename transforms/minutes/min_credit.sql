-- grain: one clocked block that shares clock time with another one of its patient and date, and one set of blocks in
-- which it is credited: those of its note, of its therapy day, or of its patient and date
-- units: whole seconds; place in the order in which blocks are credited; covered_until is a second of the day
-- source: rule book s. 3 (each minute counts once, rests given back; done three times)
with
-- the patient's clocked blocks of a date, with the latest end before each
clocked as (
    select
        b.block_key,
        b.note_key,
        b.block_number,
        b.note_version,
        b.day_key,
        b.patient_day_key,
        b.start_second,
        b.end_second,
        b.worth_seconds,
        max(b.end_second) over (
            partition by b.patient_day_key
            order by b.start_second, b.end_second, b.block_key
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from min_written as b
    where b.clock_seconds is not null
),
-- patients and dates with two blocks on one second of the clock; everywhere else a block is credited its worth
crowded as (
    select distinct clocked.patient_day_key
    from clocked
    where clocked.start_second < clocked.covered_until
),
-- their blocks in order
block as (
    select
        clocked.block_key,
        clocked.note_key,
        clocked.day_key,
        clocked.patient_day_key,
        clocked.start_second,
        clocked.end_second,
        clocked.worth_seconds,
        row_number() over (
            partition by clocked.patient_day_key
            order by
                clocked.start_second, clocked.end_second, n.note_id, clocked.block_number,
                clocked.note_version nulls first, clocked.block_key
        ) as place
    from clocked
    join crowded on crowded.patient_day_key = clocked.patient_day_key
    join stg_note as n on n.note_key = clocked.note_key
),
-- each of them in its three sets
in_set as (
    select block.block_key, 'note' as set_kind, block.note_key as set_key, block.start_second, block.end_second,
        block.worth_seconds, block.place
    from block
    union all
    select block.block_key, 'day' as set_kind, block.day_key as set_key, block.start_second, block.end_second,
        block.worth_seconds, block.place
    from block
    union all
    select block.block_key, 'patient' as set_kind, block.patient_day_key as set_key, block.start_second,
        block.end_second, block.worth_seconds, block.place
    from block
),
-- with the latest end among the blocks of the set before it
stretch as (
    select
        s.block_key,
        s.set_kind,
        s.set_key,
        s.start_second,
        s.end_second,
        s.worth_seconds,
        s.place,
        max(s.end_second) over (
            partition by s.set_kind, s.set_key order by s.place rows between unbounded preceding and 1 preceding
        ) as covered_until
    from in_set as s
),
-- the smaller of its worth and the clock time that no earlier stretch covers; a run starts where none reaches
first_credit as (
    select
        stretch.block_key,
        stretch.set_kind,
        stretch.set_key,
        stretch.start_second,
        stretch.end_second,
        stretch.worth_seconds,
        stretch.place,
        stretch.covered_until,
        least(
            stretch.worth_seconds,
            greatest(
                0,
                stretch.end_second
                - greatest(stretch.start_second, coalesce(stretch.covered_until, stretch.start_second))
            )
        ) as credited_seconds,
        sum(case when stretch.start_second < stretch.covered_until then 0 else 1 end) over (
            partition by stretch.set_kind, stretch.set_key order by stretch.place
        ) as run_number
    from stretch
),
-- what each run covers and still has to give, and what the blocks before this one lack
run as (
    select
        f.block_key,
        f.set_kind,
        f.set_key,
        f.worth_seconds,
        f.place,
        f.covered_until,
        f.credited_seconds,
        f.run_number,
        max(f.end_second) over same_run - min(f.start_second) over same_run - sum(f.credited_seconds) over same_run
            as spare_seconds,
        coalesce(
            sum(f.worth_seconds - f.credited_seconds) over (
                partition by f.set_kind, f.set_key, f.run_number
                order by f.place
                rows between unbounded preceding and 1 preceding
            ), 0
        ) as lacking_before_seconds
    from first_credit as f
    window same_run as (partition by f.set_kind, f.set_key, f.run_number)
)
select
    run.block_key,
    run.set_kind,
    cast(run.run_number as bigint) as run_number,
    run.place,
    -- the latest end among the blocks before it; null for the first
    run.covered_until,
    cast(run.credited_seconds as bigint) as first_credited_seconds,
    -- rests given back, in the same order, as long as the run has clock time left
    cast(run.credited_seconds + greatest(
        0,
        least(run.worth_seconds - run.credited_seconds, run.spare_seconds - run.lacking_before_seconds)
    ) as bigint) as credited_seconds
from run
