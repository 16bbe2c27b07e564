-- grain: one therapy day with a counting note, with the sums over its notes
-- units: whole seconds; supported_seconds is null where a note does not say how long
-- source: rule book s. 3 (supported time of a therapy day: S and K)
with
-- sums over the day's counting notes; a note that does not say how long counts as what its blocks are credited
note_sum as (
    select
        n.day_key,
        min(n.patient_day_key) as patient_day_key,
        cast(sum(n.written_seconds) as bigint) as written_seconds,
        cast(sum(n.credited_seconds) as bigint) as credited_seconds,
        cast(sum(n.patient_credited_seconds) as bigint) as patient_credited_seconds,
        cast(sum(coalesce(n.supported_seconds, n.note_credited_seconds)) as bigint) as notes_seconds,
        cast(sum(greatest(0, coalesce(n.supported_seconds, n.note_credited_seconds) - n.note_credited_seconds))
            as bigint) as beyond_blocks_seconds,
        cast(sum(n.sure_seconds) as bigint) as sure_seconds,
        max(case when n.supported_seconds is null then 1 else 0 end) = 1 as has_unknown_note,
        max(case when n.is_incomplete then 1 else 0 end) = 1 as is_incomplete,
        max(case when n.has_unmeasured_block then 1 else 0 end) = 1 as has_unmeasured_block,
        max(case when n.below_written_seconds >= 60 then 1 else 0 end) = 1 as has_total_below_blocks,
        -- minutes that no block explains, not even one that does not say how long it took
        max(case when n.has_blocks and not n.has_unmeasured_block and n.total_timed_seconds >= n.written_seconds + 60
            then 1 else 0 end) = 1 as has_unexplained_minutes,
        min(case when n.has_blocks then 1 else 0 end) = 1 as have_all_notes_blocks
    from min_note as n
    group by n.day_key
)
select
    note_sum.day_key,
    note_sum.patient_day_key,
    note_sum.written_seconds,
    note_sum.credited_seconds,
    note_sum.patient_credited_seconds,
    note_sum.notes_seconds,
    note_sum.credited_seconds + note_sum.beyond_blocks_seconds as clock_bound_seconds,
    note_sum.beyond_blocks_seconds,
    least(note_sum.notes_seconds, note_sum.credited_seconds + note_sum.beyond_blocks_seconds) as held_seconds,
    case when not note_sum.has_unknown_note
        then least(note_sum.notes_seconds, note_sum.credited_seconds + note_sum.beyond_blocks_seconds)
    end as supported_seconds,
    note_sum.sure_seconds,
    note_sum.has_unknown_note,
    note_sum.is_incomplete,
    note_sum.has_unmeasured_block,
    note_sum.has_total_below_blocks,
    note_sum.has_unexplained_minutes,
    note_sum.have_all_notes_blocks
from note_sum
