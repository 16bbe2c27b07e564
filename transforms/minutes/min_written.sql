-- grain: one timed one-on-one block of a counting note, with what it writes and what that is worth at most
-- units: whole seconds
-- source: rule book s. 3 (clock, stated, written, worth, unmeasured, session clock)
with
-- the very same start and end on several blocks of one note, timed or not
shared_clock as (
    select
        b.note_key,
        b.start_second,
        b.end_second,
        cast(sum(case when b.is_timed_one_on_one then coalesce(b.stated_seconds, 0) else 0 end) as bigint)
            as stated_seconds,
        max(case when b.is_timed_one_on_one then 0 else 1 end) = 1 as has_other_block
    from stg_block as b
    where b.start_second is not null
    group by b.note_key, b.start_second, b.end_second
    -- a session's clock: one of its timed blocks, at the least, states no minutes of its own
    having count(*) > 1 and max(case when b.is_timed_one_on_one and b.stated_seconds is null then 1 else 0 end) = 1
),
-- the timed one-on-one blocks, with the session's clock they share; silent: it is for the clock to say how long
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
        b.stated_seconds,
        b.start_second,
        b.end_second,
        b.end_second - b.start_second as clock_seconds,
        shared_clock.note_key is not null as has_session_clock,
        coalesce(shared_clock.has_other_block, false) as shares_with_other_block,
        shared_clock.stated_seconds as session_stated_seconds,
        shared_clock.note_key is not null and b.stated_seconds is null as is_silent,
        row_number() over (
            partition by b.note_key, b.start_second, b.end_second, b.stated_seconds is null
            order by b.block_number, b.note_version nulls first, b.block_key
        ) as place
    from stg_block as b
    left join shared_clock
        on shared_clock.note_key = b.note_key
        and shared_clock.start_second = b.start_second and shared_clock.end_second = b.end_second
    where b.is_timed_one_on_one
),
-- what each writes: the first silent block of a session's clock holds what the stated minutes leave of it
written as (
    select
        block.block_key,
        case
            when block.is_silent and block.place = 1
                then greatest(0, block.clock_seconds - block.session_stated_seconds)
            when block.is_silent then 0
            else coalesce(block.stated_seconds, block.clock_seconds, 0)
        end as written_seconds
    from block
)
select
    block.block_key,
    block.note_key,
    block.block_number,
    block.note_version,
    block.patient_key,
    block.patient_day_key,
    block.day_key,
    block.service_date,
    block.discipline,
    block.clinician_key,
    block.procedure_code,
    block.counted_code,
    block.stated_seconds,
    block.start_second,
    block.end_second,
    block.clock_seconds,
    block.has_session_clock,
    -- what is left of a clock that a block of another kind shares: nobody knows whose it is
    block.is_silent and block.shares_with_other_block as is_shared_with_other_block,
    block.has_session_clock and block.session_stated_seconds > block.clock_seconds as is_session_overfull,
    block.stated_seconds is null and block.clock_seconds is null as is_unmeasured,
    written.written_seconds,
    case
        when written.written_seconds > block.clock_seconds then block.clock_seconds
        else written.written_seconds
    end as worth_seconds
from block
join written on written.block_key = block.block_key
