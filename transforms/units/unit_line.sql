-- grain: one billed line of a therapy day, with its units that stand above the expected split
-- units: whole units
-- source: rule book s. 6 (units too many x allowed, else paid, else charge)
with
-- the units of the same code on this line and on the lines before it
line as (
    select
        l.line_key,
        d.day_key,
        l.counted_code,
        l.is_timed,
        l.billed_units,
        sum(l.billed_units) over (
            partition by d.day_key, l.counted_code order by l.line_key
            rows between unbounded preceding and current row
        ) as units_so_far
    from stg_line as l
    join stg_therapy_day as d
        on d.patient_key = l.patient_key and d.service_date = l.service_date and d.discipline = l.discipline
    where not l.is_set_aside
)
select
    line.line_key,
    line.day_key,
    line.counted_code,
    line.is_timed,
    line.billed_units,
    cast(case
        when split.expected_units is null then 0
        else least(line.billed_units, greatest(0, line.units_so_far - split.expected_units))
    end as integer) as units_above_split
from line
left join unit_split as split on split.day_key = line.day_key and split.procedure_code = line.counted_code
