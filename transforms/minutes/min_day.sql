-- grain: one therapy day with a counting note, with the time that its notes support
-- units: whole seconds; supported_seconds is null where a note does not say how long
-- source: rule book s. 3 (sure time, incomplete, undecidable, co-treatment)
with
-- what the day's blocks say of its split over codes
block_sum as (
    select
        b.day_key,
        max(case when b.double_counted_seconds > 0 then 1 else 0 end) = 1 as has_double_counted_block,
        max(case when b.has_session_clock then 1 else 0 end) = 1 as has_session_clock,
        max(case when b.rest_seconds >= 60 then 1 else 0 end) = 1 as has_rests_given_back
    from min_block as b
    group by b.day_key
)
select
    day.day_key,
    day.written_seconds,
    day.credited_seconds,
    day.supported_seconds,
    -- never above the supported time; without the clock time that other disciplines' blocks cover, at most as much as
    -- those disciplines support, where they all say how long
    greatest(
        0,
        least(day.sure_seconds, coalesce(day.supported_seconds, day.sure_seconds))
        - case
            when patient.unknown_days > case when day.has_unknown_note then 1 else 0 end
                then coalesce(joint.joint_seconds, 0)
            else least(coalesce(joint.joint_seconds, 0), patient.held_seconds - day.held_seconds)
        end
    ) as sure_seconds,
    day.is_incomplete,
    day.has_unknown_note,
    day.has_unmeasured_block,
    day.has_unexplained_minutes,
    day.have_all_notes_blocks,
    coalesce(block_sum.has_session_clock, false) as has_session_clock,
    not (
        day.is_incomplete or day.has_total_below_blocks
        or coalesce(
            block_sum.has_double_counted_block or block_sum.has_session_clock or block_sum.has_rests_given_back, false
        )
        or coalesce(joint.joint_seconds >= 60, false)
    ) as is_decidable
from min_day_sum as day
join min_patient_day as patient on patient.patient_day_key = day.patient_day_key
left join block_sum on block_sum.day_key = day.day_key
left join min_joint as joint on joint.day_key = day.day_key
