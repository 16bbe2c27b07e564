-- grain: one block of a counting note and one code that it documents
-- units: seconds since midnight of the service date
-- source: rule book s. 1 (a block documents its own code whatever its delivery, and delivered to a group also 97150;
-- 97014 and G0283 document each other)
-- form: view
select b.block_key, b.day_key, b.patient_day_key, b.counted_code, b.counted_code as procedure_code, b.clinician_key,
    b.start_second, b.end_second
from stg_block as b
union all
select b.block_key, b.day_key, b.patient_day_key, b.counted_code, b.procedure_code, b.clinician_key,
    b.start_second, b.end_second
from stg_block as b
where b.procedure_code <> b.counted_code
union all
select b.block_key, b.day_key, b.patient_day_key, b.counted_code, alias.target_code as procedure_code,
    b.clinician_key, b.start_second, b.end_second
from stg_block as b
join ref_code_alias as alias on alias.procedure_code = b.procedure_code
    and b.service_date >= alias.effective_from and b.service_date < alias.effective_to
where alias.relation = 'documents' or (alias.relation = 'documents_in_group' and b.delivery = 'group')
union all
select b.block_key, b.day_key, b.patient_day_key, b.counted_code, alias.target_code as procedure_code,
    b.clinician_key, b.start_second, b.end_second
from stg_block as b
join ref_code_alias as alias on alias.procedure_code = '*' and alias.relation = 'documents_in_group'
    and b.service_date >= alias.effective_from and b.service_date < alias.effective_to
where b.delivery = 'group'
