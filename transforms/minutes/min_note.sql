-- grain: one counting note, with the minutes that it supports
-- units: whole minutes
-- source: rule book s. 3 (supported minutes of a note, sure minutes)
with
-- the minutes of each block of a counting note; only timed one-on-one ones have any
block as (
    select b.note_key, b.written_minutes, b.credited_minutes
    from min_block as b
    union all
    select b.note_key, 0 as written_minutes, 0 as credited_minutes
    from stg_block as b
    where not b.is_timed_one_on_one
),
-- W and C: minutes written and credited in a note's blocks
block_sum as (
    select
        block.note_key,
        cast(sum(block.written_minutes) as integer) as written_minutes,
        cast(sum(block.credited_minutes) as integer) as credited_minutes
    from block
    group by block.note_key
),
-- the same beside T, the total that the note states
note as (
    select
        n.note_key,
        n.day_key,
        n.patient_key,
        n.service_date,
        n.discipline,
        n.total_timed_minutes,
        block_sum.note_key is not null as has_blocks,
        coalesce(block_sum.written_minutes, 0) as written_minutes,
        coalesce(block_sum.credited_minutes, 0) as credited_minutes
    from stg_note as n
    left join block_sum on block_sum.note_key = n.note_key
    where n.standing = 'counting'
),
-- with what it supports
supported as (
    select
        note.note_key,
        note.day_key,
        note.patient_key,
        note.service_date,
        note.discipline,
        note.total_timed_minutes,
        note.has_blocks,
        note.written_minutes,
        note.credited_minutes,
        case
            when not note.has_blocks then coalesce(note.total_timed_minutes, 0)
            when note.total_timed_minutes is null then note.credited_minutes
            when note.total_timed_minutes >= note.written_minutes
                then note.total_timed_minutes - (note.written_minutes - note.credited_minutes)
            else least(note.total_timed_minutes, note.credited_minutes)
        end as supported_minutes
    from note
)
select
    supported.note_key,
    supported.day_key,
    supported.patient_key,
    supported.service_date,
    supported.discipline,
    supported.total_timed_minutes,
    supported.has_blocks,
    supported.written_minutes,
    supported.credited_minutes,
    supported.supported_minutes,
    case
        when supported.has_blocks and supported.total_timed_minutes > supported.written_minutes
            then supported.credited_minutes
        else supported.supported_minutes
    end as sure_minutes,
    not supported.has_blocks or coalesce(supported.total_timed_minutes > supported.written_minutes, false)
        as is_incomplete
from supported
