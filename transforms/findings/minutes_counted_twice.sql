-- grain: one therapy day and counted code with a clocked one-on-one block
-- units: whole minutes
-- source: rule book s. 3 (each minute counts once) and s. 6; CMS Pub. 100-04 ch. 5 s. 20.2.C, ch. 15 s. 230
-- not_checked: blocks without clock times
with
-- codes double-counted in a run of one discipline; in a run of several (co-treatment) either may hold the minute
one_discipline as (
    select distinct b.day_key, b.counted_code as procedure_code
    from min_block as b
    where b.double_counted_minutes > 0 and not b.has_several_disciplines
)
select
    case
        when not d.is_judged then 'unjudged'
        when c.double_counted_minutes > 0 then 'violated'
        else 'passed'
    end as verdict,
    case when one_discipline.day_key is null then 'review' end as severity,
    d.day_key,
    c.procedure_code,
    c.double_counted_minutes,
    d.supported_minutes,
    c.double_counted_minutes || ' minute(s) of code ' || c.procedure_code
        || ' lie on clock minutes that other blocks of the same patient hold already.' as message
from unit_day as d
join unit_day_code as c on c.day_key = d.day_key
left join one_discipline on one_discipline.day_key = c.day_key and one_discipline.procedure_code = c.procedure_code
where c.has_clocked_block
