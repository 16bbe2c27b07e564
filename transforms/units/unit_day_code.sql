-- grain: one therapy day and counted code that its counting notes or its billed lines hold
-- units: whole seconds and units; is_documented where a block of the day stands for the code
-- source: rule book s. 1 (one code for two; what a block documents), s. 4 (AMA midpoint)
with
-- what each block and each billed line says of a day's code: time, units, and whether a block documents it;
-- a code that is documented only, without a block or a line of its own, is not held
said as (
    select
        b.day_key,
        b.counted_code as procedure_code,
        1 as timed,
        b.written_seconds,
        b.worth_seconds,
        b.credited_seconds,
        b.double_counted_seconds,
        case when b.clock_seconds is not null then 1 else 0 end as clocked,
        case when b.is_unmeasured then 1 else 0 end as unmeasured,
        0 as billed_units,
        1 as documented,
        1 as held
    from min_block as b
    union all
    select
        b.day_key,
        b.counted_code as procedure_code,
        case when b.kind = 'timed_15' then 1 else 0 end as timed,
        0 as written_seconds,
        0 as worth_seconds,
        0 as credited_seconds,
        0 as double_counted_seconds,
        0 as clocked,
        0 as unmeasured,
        0 as billed_units,
        1 as documented,
        case when b.kind in ('timed_15', 'untimed') then 1 else 0 end as held
    from stg_block as b
    where not b.is_timed_one_on_one
    union all
    select
        b.day_key,
        b.counted_code as procedure_code,
        case when b.is_timed then 1 else 0 end as timed,
        0 as written_seconds,
        0 as worth_seconds,
        0 as credited_seconds,
        0 as double_counted_seconds,
        0 as clocked,
        0 as unmeasured,
        b.billed_units,
        0 as documented,
        1 as held
    from unit_billed_code as b
    union all
    -- 97014 and G0283 each other; a block given to a group also 97150
    select
        d.day_key,
        d.procedure_code,
        0 as timed,
        0 as written_seconds,
        0 as worth_seconds,
        0 as credited_seconds,
        0 as double_counted_seconds,
        0 as clocked,
        0 as unmeasured,
        0 as billed_units,
        1 as documented,
        0 as held
    from unit_documented as d
    where d.procedure_code <> d.counted_code
)
select
    said.day_key,
    said.procedure_code,
    max(said.timed) = 1 as is_timed,
    cast(sum(said.written_seconds) as bigint) as written_seconds,
    cast(sum(said.worth_seconds) as bigint) as worth_seconds,
    cast(sum(said.credited_seconds) as bigint) as credited_seconds,
    cast(sum(said.double_counted_seconds) as bigint) as double_counted_seconds,
    max(said.clocked) = 1 as has_clocked_block,
    max(said.unmeasured) = 1 as has_unmeasured_block,
    cast(sum(said.billed_units) as bigint) as billed_units,
    -- each code alone on its credited time, a unit once its midpoint is passed; time of two codes is never pooled
    cast((sum(said.credited_seconds) + 449) // 900 as bigint) as ama_units,
    -- the same of whole minutes: fewer are too few
    cast((sum(said.credited_seconds) // 60 + 7) // 15 as bigint) as least_ama_units,
    max(said.documented) = 1 as is_documented
from said
group by said.day_key, said.procedure_code
having max(said.held) = 1
