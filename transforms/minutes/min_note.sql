-- grain: one counting note, with the time that it supports
-- units: whole seconds; supported_seconds is null where the note does not say how long
-- source: rule book s. 3 (supported time of a note, sure time, incomplete)
with
-- the time of each block of a counting note; only timed one-on-one ones hold any
block as (
    select
        c.note_key, c.written_seconds, c.note_credited_seconds, c.credited_seconds, c.patient_credited_seconds,
        c.sure_seconds, case when c.is_unmeasured then 1 else 0 end as unmeasured
    from min_credited as c
    union all
    select b.note_key, 0 as written_seconds, 0 as note_credited_seconds, 0 as credited_seconds,
        0 as patient_credited_seconds, 0 as sure_seconds, 0 as unmeasured
    from stg_block as b
    where not b.is_timed_one_on_one
),
-- W, Cn and what else its blocks hold
block_sum as (
    select
        block.note_key,
        cast(sum(block.written_seconds) as bigint) as written_seconds,
        cast(sum(block.note_credited_seconds) as bigint) as note_credited_seconds,
        cast(sum(block.credited_seconds) as bigint) as credited_seconds,
        cast(sum(block.patient_credited_seconds) as bigint) as patient_credited_seconds,
        cast(sum(block.sure_seconds) as bigint) as sure_seconds,
        max(block.unmeasured) = 1 as has_unmeasured_block
    from block
    group by block.note_key
),
-- the same beside T and TT, the totals that the note states
note as (
    select
        n.note_key,
        n.day_key,
        n.patient_day_key,
        n.patient_key,
        n.service_date,
        n.discipline,
        n.total_timed_seconds,
        n.total_treatment_seconds,
        block_sum.note_key is not null as has_blocks,
        coalesce(block_sum.has_unmeasured_block, false) as has_unmeasured_block,
        coalesce(block_sum.written_seconds, 0) as written_seconds,
        coalesce(block_sum.note_credited_seconds, 0) as note_credited_seconds,
        coalesce(block_sum.credited_seconds, 0) as credited_seconds,
        coalesce(block_sum.patient_credited_seconds, 0) as patient_credited_seconds,
        coalesce(block_sum.sure_seconds, 0) as block_sure_seconds
    from stg_note as n
    left join block_sum on block_sum.note_key = n.note_key
    where n.standing = 'counting'
)
select
    note.note_key,
    note.day_key,
    note.patient_day_key,
    note.patient_key,
    note.service_date,
    note.discipline,
    note.total_timed_seconds,
    note.has_blocks,
    note.has_unmeasured_block,
    note.written_seconds,
    note.note_credited_seconds,
    note.credited_seconds,
    note.patient_credited_seconds,
    case
        when note.total_timed_seconds is null and (note.has_unmeasured_block or not note.has_blocks)
            then case when note.total_treatment_seconds is not null
                then greatest(note.note_credited_seconds, note.total_treatment_seconds) end
        when note.total_timed_seconds is null then note.note_credited_seconds
        when not note.has_blocks then note.total_timed_seconds
        -- less than a minute apart: one total, rounded
        when abs(note.total_timed_seconds - note.written_seconds) < 60
            then greatest(note.total_timed_seconds, note.written_seconds)
                - (note.written_seconds - note.note_credited_seconds)
        when note.total_timed_seconds > note.written_seconds
            then note.total_timed_seconds - (note.written_seconds - note.note_credited_seconds)
        else least(note.total_timed_seconds, note.note_credited_seconds)
    end as supported_seconds,
    case
        when not note.has_blocks then coalesce(note.total_timed_seconds, 0)
        when note.total_timed_seconds is null then note.block_sure_seconds
        when abs(note.total_timed_seconds - note.written_seconds) < 60
            then greatest(0, least(note.total_timed_seconds, note.written_seconds)
                - (note.written_seconds - note.block_sure_seconds))
        when note.total_timed_seconds > note.written_seconds then note.block_sure_seconds
        else least(note.total_timed_seconds, note.block_sure_seconds)
    end as sure_seconds,
    not note.has_blocks or note.has_unmeasured_block
        or coalesce(note.total_timed_seconds >= note.written_seconds + 60, false) as is_incomplete,
    -- what its total is below its blocks
    case when note.total_timed_seconds < note.written_seconds
        then note.written_seconds - note.total_timed_seconds else 0 end as below_written_seconds
from note
