-- grain: one patient and date with a counting note, over all disciplines
-- units: whole seconds
-- source: rule book s. 3 (co-treatment: M and J)
with
-- sums over the therapy days of the patient and date
day_sum as (
    select
        d.patient_day_key,
        count(*) as therapy_days,
        count(case when d.has_unknown_note then 1 end) as unknown_days,
        cast(sum(d.held_seconds) as bigint) as held_seconds,
        cast(sum(d.patient_credited_seconds) as bigint) as credited_seconds,
        cast(sum(d.beyond_blocks_seconds) as bigint) as beyond_blocks_seconds
    from min_day_sum as d
    group by d.patient_day_key
)
select
    day_sum.patient_day_key,
    day_sum.therapy_days,
    day_sum.unknown_days,
    day_sum.held_seconds,
    -- M: what the patient's clock can hold of it
    least(day_sum.held_seconds, day_sum.credited_seconds + day_sum.beyond_blocks_seconds) as shared_once_seconds,
    -- J: time that two disciplines gave together
    day_sum.held_seconds
        - least(day_sum.held_seconds, day_sum.credited_seconds + day_sum.beyond_blocks_seconds) as joint_seconds
from day_sum
