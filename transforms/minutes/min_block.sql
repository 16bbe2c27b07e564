-- grain: one timed one-on-one block of a counting note, with the minutes that it is credited
-- units: whole minutes
-- source: rule book s. 3 (worth, each minute counts once, rests given back)
with
-- what the block says it took, and what it is worth
block as (
    select
        b.block_key,
        b.note_key,
        b.block_number,
        b.note_version,
        b.patient_key,
        b.patient_day_key,
        b.day_key,
        b.service_date,
        b.discipline,
        b.clinician_key,
        b.procedure_code,
        b.counted_code,
        b.stated_minutes,
        b.start_minute,
        b.end_minute,
        b.end_minute - b.start_minute as clock_minutes,
        b.clock_has_seconds,
        coalesce(b.stated_minutes, b.end_minute - b.start_minute, 0) as written_minutes,
        case
            when b.stated_minutes is null then coalesce(b.end_minute - b.start_minute, 0)
            when b.stated_minutes > b.end_minute - b.start_minute then b.end_minute - b.start_minute
            else b.stated_minutes
        end as worth_minutes
    from stg_block as b
    where b.is_timed_one_on_one
),
-- patients and dates with two blocks on one clock minute; everywhere else a block is credited its worth
crowded as (
    select distinct one.patient_day_key
    from block as one
    join block as other
        on other.patient_day_key = one.patient_day_key and other.block_key > one.block_key
        and other.start_minute < one.end_minute and one.start_minute < other.end_minute
),
-- their blocks with a clock, and the latest end among the patient's blocks before them
stretch as (
    select
        block.block_key,
        block.patient_day_key,
        block.discipline,
        block.start_minute,
        block.end_minute,
        block.worth_minutes,
        row_number() over (
            partition by block.patient_day_key
            order by
                block.start_minute, block.end_minute, n.note_id, block.block_number, block.note_version nulls first
        ) as place,
        max(block.end_minute) over (
            partition by block.patient_day_key
            order by
                block.start_minute, block.end_minute, n.note_id, block.block_number, block.note_version nulls first
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from block
    join crowded on crowded.patient_day_key = block.patient_day_key
    join stg_note as n on n.note_key = block.note_key
    where block.clock_minutes is not null
),
-- the smaller of its worth and the clock minutes that no earlier stretch covers; a run starts where none reaches
first_credit as (
    select
        stretch.block_key,
        stretch.patient_day_key,
        stretch.discipline,
        stretch.start_minute,
        stretch.end_minute,
        stretch.place,
        stretch.worth_minutes,
        least(
            stretch.worth_minutes,
            greatest(
                0,
                stretch.end_minute
                - greatest(stretch.start_minute, coalesce(stretch.covered_until, stretch.start_minute))
            )
        ) as credited_minutes,
        sum(case when stretch.start_minute < stretch.covered_until then 0 else 1 end) over (
            partition by stretch.patient_day_key order by stretch.place
        ) as run_number
    from stretch
),
-- what each run covers and still has to give, and what the blocks before this one lack
run as (
    select
        first_credit.block_key,
        first_credit.worth_minutes,
        first_credit.credited_minutes,
        first_credit.run_number,
        max(first_credit.end_minute) over same_run - min(first_credit.start_minute) over same_run
            - sum(first_credit.credited_minutes) over same_run as spare_minutes,
        coalesce(
            sum(first_credit.worth_minutes - first_credit.credited_minutes) over (
                partition by first_credit.patient_day_key, first_credit.run_number
                order by first_credit.place
                rows between unbounded preceding and 1 preceding
            ), 0
        ) as lacking_before_minutes,
        min(first_credit.discipline) over same_run <> max(first_credit.discipline) over same_run
            as has_several_disciplines
    from first_credit
    window same_run as (partition by first_credit.patient_day_key, first_credit.run_number)
),
-- rests given back, in the same order, as long as the run has clock minutes left
raised as (
    select
        run.block_key,
        run.run_number,
        run.has_several_disciplines,
        run.credited_minutes + greatest(
            0,
            least(run.worth_minutes - run.credited_minutes, run.spare_minutes - run.lacking_before_minutes)
        ) as credited_minutes
    from run
)
select
    block.block_key,
    block.note_key,
    block.block_number,
    block.patient_key,
    block.patient_day_key,
    block.day_key,
    block.service_date,
    block.discipline,
    block.clinician_key,
    block.procedure_code,
    block.counted_code,
    block.stated_minutes,
    block.start_minute,
    block.end_minute,
    block.clock_minutes,
    block.clock_has_seconds,
    block.written_minutes,
    block.worth_minutes,
    cast(coalesce(raised.credited_minutes, block.worth_minutes) as integer) as credited_minutes,
    cast(block.worth_minutes - coalesce(raised.credited_minutes, block.worth_minutes) as integer)
        as double_counted_minutes,
    cast(raised.run_number as integer) as run_number,
    coalesce(raised.has_several_disciplines, false) as has_several_disciplines
from block
left join raised on raised.block_key = block.block_key
