-- grain: one therapy day and code of a block of its counting notes
-- units: whole seconds; null for a code that holds no minutes
-- source: rule book s. 6 (what is documented, by code)
with
-- each block, with what it is credited, and whether its own minutes are not known: those of a session's clock that
-- another block holds are not, either; untimed, group and supervised ones hold no minutes
block as (
    select
        b.day_key,
        b.procedure_code,
        b.credited_seconds,
        case
            when b.is_unmeasured then 1
            when b.has_session_clock and b.stated_seconds is null and b.credited_seconds = 0 then 1
            else 0
        end as unmeasured
    from min_block as b
    union all
    select b.day_key, b.procedure_code, cast(null as bigint) as credited_seconds, 0 as unmeasured
    from stg_block as b
    where not b.is_timed_one_on_one
)
select
    block.day_key,
    block.procedure_code,
    cast(sum(block.credited_seconds) as bigint) as credited_seconds,
    cast(sum(block.unmeasured) as bigint) as unmeasured
from block
group by block.day_key, block.procedure_code
