-- grain: one therapy day and code, as published
-- units: whole minutes, cut at the grain of the row, and units; a day's supported minutes are null where not known
-- source: interface s. 3 (units.parquet)
-- form: view
with
-- days with more than one lawful split: a mark of the day, on each of its rows
tied as (
    select distinct s.day_key
    from unit_split as s
    where s.is_tie
)
select
    p.patient_id,
    d.service_date,
    d.discipline,
    d.payer_id,
    d.counting_method,
    c.procedure_code,
    c.is_timed,
    c.written_seconds // 60 as written_minutes,
    c.credited_seconds // 60 as credited_minutes,
    c.double_counted_seconds // 60 as double_counted_minutes,
    u.supported_minutes as day_supported_minutes,
    u.sure_minutes as day_sure_minutes,
    u.cms_units as day_units_cms,
    u.ama_units as day_units_ama,
    split.expected_units,
    c.billed_units,
    c.is_documented,
    tied.day_key is not null as is_tie,
    u.is_decidable,
    d.is_judged,
    d.has_several_payers
from unit_day_code as c
join stg_therapy_day as d on d.day_key = c.day_key
join stg_patient as p on p.patient_key = d.patient_key
join unit_day as u on u.day_key = c.day_key
left join unit_split as split on split.day_key = c.day_key and split.procedure_code = c.procedure_code
left join tied on tied.day_key = c.day_key
