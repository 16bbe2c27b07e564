-- grain: one counting note, with the minutes that it supports
-- units: whole minutes
-- source: rule book s. 3 (supported minutes of a note, sure minutes)
with
-- notes that have blocks of any code
with_blocks as (
    select distinct b.note_key
    from stg_block as b
),
-- W and C: minutes written and credited in a note's timed one-on-one blocks
block_sum as (
    select
        b.note_key,
        cast(sum(b.written_minutes) as integer) as written_minutes,
        cast(sum(b.credited_minutes) as integer) as credited_minutes
    from min_block as b
    group by b.note_key
),
-- the same beside T, the total that the note states
note as (
    select
        n.note_key,
        n.patient_key,
        n.service_date,
        n.discipline,
        n.total_timed_minutes,
        with_blocks.note_key is not null as has_blocks,
        coalesce(block_sum.written_minutes, 0) as written_minutes,
        coalesce(block_sum.credited_minutes, 0) as credited_minutes
    from stg_note as n
    left join with_blocks on with_blocks.note_key = n.note_key
    left join block_sum on block_sum.note_key = n.note_key
    where n.standing = 'counting'
),
-- what the note supports
supported as (
    select
        note.note_key,
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
    note.note_key,
    note.patient_key,
    note.service_date,
    note.discipline,
    note.total_timed_minutes,
    note.has_blocks,
    note.written_minutes,
    note.credited_minutes,
    supported.supported_minutes,
    case
        when note.has_blocks and note.total_timed_minutes > note.written_minutes then note.credited_minutes
        else supported.supported_minutes
    end as sure_minutes,
    not note.has_blocks or coalesce(note.total_timed_minutes > note.written_minutes, false) as is_incomplete
from note
join supported on supported.note_key = note.note_key
