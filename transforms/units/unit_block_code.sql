-- grain: one therapy day and code of a block of its counting notes
-- units: whole seconds; null for a code that holds no minutes
-- source: rule book s. 6 (what is documented, by code)
with
-- each block, with what it is credited; untimed, group and supervised ones hold no minutes
block as (
    select b.day_key, b.procedure_code, b.credited_seconds, case when b.is_unmeasured then 1 else 0 end as unmeasured
    from min_block as b
    union all
    select b.day_key, b.procedure_code, cast(null as bigint) as credited_seconds, 0 as unmeasured
    from stg_block as b
    where not b.is_timed_one_on_one
)
select
    block.day_key,
    block.procedure_code,
    sum(block.credited_seconds) as credited_seconds,
    sum(block.unmeasured) as unmeasured
from block
group by block.day_key, block.procedure_code
