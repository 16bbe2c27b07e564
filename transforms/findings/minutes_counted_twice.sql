-- grain: one therapy day and counted code with a clocked one-on-one block
-- units: whole minutes
-- source: rule book s. 3 (each minute counts once) and s. 6; CMS Pub. 100-04 ch. 5 s. 20.2.C, ch. 15 s. 230
-- not_checked: blocks without clock times
with
-- the day's clocked blocks by code; co-treatment: the run holds blocks of several disciplines
block as (
    select
        b.patient_key,
        b.service_date,
        b.discipline,
        b.counted_code as procedure_code,
        cast(sum(b.double_counted_minutes) as integer) as double_counted_minutes,
        max(case when b.double_counted_minutes > 0 and not b.has_several_disciplines then 1 else 0 end) = 1
            as has_one_discipline_run
    from min_block as b
    where b.clock_minutes is not null
    group by b.patient_key, b.service_date, b.discipline, b.counted_code
)
select
    case
        when not d.is_judged then 'unjudged'
        when block.double_counted_minutes > 0 then 'violated'
        else 'passed'
    end as verdict,
    case when not block.has_one_discipline_run then 'review' end as severity,
    d.day_key,
    block.procedure_code,
    block.double_counted_minutes,
    u.supported_minutes,
    block.double_counted_minutes || ' minute(s) of code ' || block.procedure_code
        || ' lie on clock minutes that other blocks of the same patient hold already.' as message
from stg_therapy_day as d
join unit_day as u on u.day_key = d.day_key
join block
    on block.patient_key = d.patient_key and block.service_date = d.service_date
    and block.discipline = d.discipline
