-- grain: one therapy day with a counting note, with the minutes that its notes support
-- units: whole minutes
-- source: rule book s. 3 (a therapy day sums its counting notes; incomplete; undecidable)
with
-- sums over the day's counting notes
note_sum as (
    select
        n.day_key,
        cast(sum(n.written_minutes) as integer) as written_minutes,
        cast(sum(n.credited_minutes) as integer) as credited_minutes,
        cast(sum(n.supported_minutes) as integer) as supported_minutes,
        cast(sum(n.sure_minutes) as integer) as sure_minutes,
        max(case when n.is_incomplete then 1 else 0 end) = 1 as is_incomplete,
        min(case when n.has_blocks then 1 else 0 end) = 1 as have_all_notes_blocks
    from min_note as n
    group by n.day_key
),
-- minutes of the day's blocks that another block holds already
double_sum as (
    select
        b.day_key,
        cast(sum(b.double_counted_minutes) as integer) as double_counted_minutes
    from min_block as b
    where b.double_counted_minutes > 0
    group by b.day_key
)
select
    note_sum.day_key,
    note_sum.written_minutes,
    note_sum.credited_minutes,
    note_sum.supported_minutes,
    note_sum.sure_minutes,
    note_sum.is_incomplete,
    note_sum.have_all_notes_blocks,
    coalesce(double_sum.double_counted_minutes, 0) as double_counted_minutes,
    not note_sum.is_incomplete and double_sum.day_key is null as is_decidable
from note_sum
left join double_sum on double_sum.day_key = note_sum.day_key
