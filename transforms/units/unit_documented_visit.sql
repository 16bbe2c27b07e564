-- grain: one therapy day and untimed code billed on it
-- units: blocks of counting notes that document the code, those of one clinician and one clock time counted once
-- source: rule book s. 6 (untimed_code_multiple_units, claim_line_duplicated: as many blocks as were billed)
with
-- the blocks that document it, each clinician and clock time once
visit as (
    select distinct
        billed.day_key,
        billed.procedure_code,
        d.clinician_key,
        d.start_second,
        d.end_second
    from unit_billed_code as billed
    join unit_documented as d on d.day_key = billed.day_key and d.procedure_code = billed.procedure_code
    where not billed.is_timed
)
select visit.day_key, visit.procedure_code, count(*) as visits
from visit
group by visit.day_key, visit.procedure_code
