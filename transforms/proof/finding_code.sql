-- grain: one finding about therapy days, with what was billed and what is documented there, by code, and the only code
-- units: units and whole minutes, as text
-- source: rule book s. 6 (a finding about a therapy day names what was billed and what is documented)
with
-- the therapy days of a finding: its own, or all of its patient and date
day as (
    select f.finding_key, f.day_key
    from finding_row as f
    where f.day_key is not null
    union all
    select f.finding_key, d.day_key
    from finding_row as f
    join stg_therapy_day as d on d.patient_key = f.patient_key and d.service_date = f.service_date
    where f.day_key is null and f.patient_key is not null
),
-- units billed and time credited by code, each code as it was billed or written
code as (
    select
        day.finding_key,
        b.procedure_code,
        sum(b.billed_units) as billed_units,
        cast(null as bigint) as credited_seconds,
        cast(null as bigint) as unmeasured
    from day
    join unit_billed_code as b on b.day_key = day.day_key
    group by day.finding_key, b.procedure_code
    union all
    select
        day.finding_key,
        b.procedure_code,
        cast(null as bigint) as billed_units,
        sum(b.credited_seconds) as credited_seconds,
        sum(b.unmeasured) as unmeasured
    from day
    join unit_block_code as b on b.day_key = day.day_key
    group by day.finding_key, b.procedure_code
)
select
    code.finding_key,
    case when min(code.procedure_code) = max(code.procedure_code) then min(code.procedure_code) end as only_code,
    string_agg(code.procedure_code || ' x' || code.billed_units, '; ' order by code.procedure_code) as billed_codes,
    string_agg(
        case
            when code.billed_units is not null then null
            when code.unmeasured > 0 and code.credited_seconds = 0 then code.procedure_code || ' minutes not given'
            when code.credited_seconds is null then code.procedure_code
            else code.procedure_code || ' ' || code.credited_seconds // 60 || ' min'
        end, '; ' order by code.procedure_code
    ) as documented_codes
from code
group by code.finding_key
