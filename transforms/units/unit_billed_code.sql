-- grain: one therapy day and code billed on it
-- units: billed units; lines
-- source: rule book s. 2 (which rows count)
select
    l.day_key,
    l.procedure_code,
    min(l.patient_day_key) as patient_day_key,
    min(l.service_date) as service_date,
    min(l.counted_code) as counted_code,
    max(case when l.is_timed then 1 else 0 end) = 1 as is_timed,
    count(*) as line_count,
    cast(sum(l.billed_units) as bigint) as billed_units
from stg_line as l
where not l.is_set_aside and l.day_key is not null
group by l.day_key, l.procedure_code
