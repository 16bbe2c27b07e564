-- grain: one therapy day and counted code that its counting notes or its billed lines hold
-- units: whole minutes and units; is_documented where a block of the day stands for the code
-- source: rule book s. 1 (one code for two; what a block documents), s. 4 (AMA midpoint)
with
-- minutes of timed one-on-one blocks
minute as (
    select
        b.patient_key,
        b.service_date,
        b.discipline,
        b.counted_code as procedure_code,
        sum(b.written_minutes) as written_minutes,
        sum(b.credited_minutes) as credited_minutes,
        sum(b.double_counted_minutes) as double_counted_minutes
    from min_block as b
    group by b.patient_key, b.service_date, b.discipline, b.counted_code
),
-- units billed
billed as (
    select
        l.patient_key,
        l.service_date,
        l.discipline,
        l.counted_code as procedure_code,
        sum(l.billed_units) as billed_units
    from stg_line as l
    where not l.is_set_aside and l.discipline is not null
    group by l.patient_key, l.service_date, l.discipline, l.counted_code
),
-- every block documents its own code; 97014 and G0283 each other; a block given to a group also 97150
documented as (
    select b.patient_key, b.service_date, b.discipline, b.counted_code as procedure_code
    from stg_block as b
    union
    select b.patient_key, b.service_date, b.discipline, alias.target_code as procedure_code
    from stg_block as b
    join ref_code_alias as alias
        on (alias.relation = 'documents' and alias.procedure_code = b.procedure_code)
        or (
            alias.relation = 'documents_in_group' and b.delivery = 'group'
            and alias.procedure_code in ('*', b.procedure_code)
        )
    where b.service_date >= alias.effective_from and b.service_date < alias.effective_to
),
-- every code that any of them holds
code as (
    select minute.patient_key, minute.service_date, minute.discipline, minute.procedure_code
    from minute
    union
    select billed.patient_key, billed.service_date, billed.discipline, billed.procedure_code
    from billed
    union
    select b.patient_key, b.service_date, b.discipline, b.counted_code as procedure_code
    from stg_block as b
    where b.kind in ('timed_15', 'untimed')
)
select
    d.day_key,
    code.procedure_code,
    kind.kind = 'timed_15' as is_timed,
    cast(coalesce(minute.written_minutes, 0) as integer) as written_minutes,
    cast(coalesce(minute.credited_minutes, 0) as integer) as credited_minutes,
    cast(coalesce(minute.double_counted_minutes, 0) as integer) as double_counted_minutes,
    cast(coalesce(billed.billed_units, 0) as integer) as billed_units,
    -- each code alone on its credited minutes; minutes of two codes are never pooled
    cast((coalesce(minute.credited_minutes, 0) + 7) // 15 as integer) as ama_units,
    documented.procedure_code is not null as is_documented
from code
join stg_therapy_day as d
    on d.patient_key = code.patient_key and d.service_date = code.service_date and d.discipline = code.discipline
join ref_procedure_code as kind
    on kind.procedure_code = code.procedure_code
    and code.service_date >= kind.effective_from and code.service_date < kind.effective_to
left join minute
    on minute.patient_key = code.patient_key and minute.service_date = code.service_date
    and minute.discipline = code.discipline and minute.procedure_code = code.procedure_code
left join billed
    on billed.patient_key = code.patient_key and billed.service_date = code.service_date
    and billed.discipline = code.discipline and billed.procedure_code = code.procedure_code
left join documented
    on documented.patient_key = code.patient_key and documented.service_date = code.service_date
    and documented.discipline = code.discipline and documented.procedure_code = code.procedure_code
