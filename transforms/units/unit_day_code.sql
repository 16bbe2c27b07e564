-- grain: one therapy day and counted code that its counting notes or its billed lines hold
-- units: whole minutes and units; is_documented where a block of the day stands for the code
-- source: rule book s. 1 (one code for two; what a block documents), s. 4 (AMA midpoint)
with
-- what each block and each billed line says of a day's code: minutes, units, and whether a block documents it;
-- a code that is documented only, without a block or a line of its own, is not held
said as (
    select
        b.day_key,
        b.counted_code as procedure_code,
        b.service_date,
        b.written_minutes,
        b.credited_minutes,
        b.double_counted_minutes,
        case when b.clock_minutes is not null then 1 else 0 end as clocked,
        0 as billed_units,
        1 as documented,
        1 as held
    from min_block as b
    union all
    select
        b.day_key,
        b.counted_code as procedure_code,
        b.service_date,
        0 as written_minutes,
        0 as credited_minutes,
        0 as double_counted_minutes,
        0 as clocked,
        0 as billed_units,
        1 as documented,
        case when b.kind in ('timed_15', 'untimed') then 1 else 0 end as held
    from stg_block as b
    where not b.is_timed_one_on_one
    union all
    select
        b.day_key,
        b.counted_code as procedure_code,
        b.service_date,
        0 as written_minutes,
        0 as credited_minutes,
        0 as double_counted_minutes,
        0 as clocked,
        b.billed_units,
        0 as documented,
        1 as held
    from unit_billed_code as b
    union all
    -- 97014 and G0283 each other; a block given to a group also 97150
    select
        b.day_key,
        alias.target_code as procedure_code,
        b.service_date,
        0 as written_minutes,
        0 as credited_minutes,
        0 as double_counted_minutes,
        0 as clocked,
        0 as billed_units,
        1 as documented,
        0 as held
    from stg_block as b
    join ref_code_alias as alias on alias.procedure_code = b.procedure_code
        and b.service_date >= alias.effective_from and b.service_date < alias.effective_to
    where alias.relation = 'documents' or (alias.relation = 'documents_in_group' and b.delivery = 'group')
    union all
    select
        b.day_key,
        alias.target_code as procedure_code,
        b.service_date,
        0 as written_minutes,
        0 as credited_minutes,
        0 as double_counted_minutes,
        0 as clocked,
        0 as billed_units,
        1 as documented,
        0 as held
    from stg_block as b
    join ref_code_alias as alias on alias.procedure_code = '*' and alias.relation = 'documents_in_group'
        and b.service_date >= alias.effective_from and b.service_date < alias.effective_to
    where b.delivery = 'group'
),
-- by therapy day and code
code as (
    select
        said.day_key,
        said.procedure_code,
        min(said.service_date) as service_date,
        cast(sum(said.written_minutes) as integer) as written_minutes,
        cast(sum(said.credited_minutes) as integer) as credited_minutes,
        cast(sum(said.double_counted_minutes) as integer) as double_counted_minutes,
        cast(sum(said.billed_units) as integer) as billed_units,
        max(said.clocked) = 1 as has_clocked_block,
        max(said.documented) = 1 as is_documented
    from said
    group by said.day_key, said.procedure_code
    having max(said.held) = 1
)
select
    code.day_key,
    code.procedure_code,
    code.service_date,
    kind.kind = 'timed_15' as is_timed,
    code.written_minutes,
    code.credited_minutes,
    code.double_counted_minutes,
    code.has_clocked_block,
    code.billed_units,
    -- each code alone on its credited minutes; minutes of two codes are never pooled
    cast((code.credited_minutes + 7) // 15 as integer) as ama_units,
    code.is_documented
from code
join ref_procedure_code as kind
    on kind.procedure_code = code.procedure_code
    and code.service_date >= kind.effective_from and code.service_date < kind.effective_to
