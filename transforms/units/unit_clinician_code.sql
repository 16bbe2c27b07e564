-- grain: one clinician, therapy day and timed code billed by the clinician, assistants' lines (CQ, CO) aside
-- units: billed units
-- source: rule book s. 6 (provider_day_impossible)
-- form: view
select
    l.day_key,
    l.clinician_key,
    l.counted_code,
    sum(l.billed_units) as billed_units
from stg_line as l
-- a modifier has two characters and stands between semicolons: no other one holds it
where l.is_timed and not l.is_set_aside and l.day_key is not null and l.clinician_key is not null
    and not coalesce(l.modifiers like '%CQ%' or l.modifiers like '%CO%', false)
group by l.day_key, l.clinician_key, l.counted_code
