-- grain: one surviving claim line of an unlisted code that bears GP, GO or GN, and one discipline that it names
-- units: none
-- source: rule book s. 1 (unlisted code)
-- form: view
with
-- such lines, with what names their discipline
line as (
    select
        p.patient_key,
        c.service_date,
        c.discipline,
        coalesce(c.modifiers like '%GP%', false) as has_gp,
        coalesce(c.modifiers like '%GO%', false) as has_go,
        coalesce(c.modifiers like '%GN%', false) as has_gn
    from ok_claims as c
    join stg_term as term
        on term.kind = 'unlisted' and term.written_payer_id = c.payer_id and term.claim_type = c.claim_type
        and term.procedure_code = c.procedure_code and term.service_date = c.service_date
    join stg_patient as p on p.patient_id = c.patient_id
    left join stg_claim as claim on claim.claim_id = c.claim_id
    where (c.billed_units > 0 or c.claim_status = 'denied' or c.payer_order > 1)
        and c.claim_frequency_code not in ('0', '9')
        and not coalesce(claim.is_gone or claim.is_void, false)
        and (c.modifiers like '%GP%' or c.modifiers like '%GO%' or c.modifiers like '%GN%')
),
-- its column settles the discipline, else its modifiers do; several of them name several
named as (
    select line.patient_key, line.service_date, 1 as discipline_number
    from line
    where coalesce(line.discipline = 'PT', line.has_gp)
    union all
    select line.patient_key, line.service_date, 2 as discipline_number
    from line
    where coalesce(line.discipline = 'OT', line.has_go)
    union all
    select line.patient_key, line.service_date, 3 as discipline_number
    from line
    where coalesce(line.discipline = 'SLP', line.has_gn)
)
select
    named.service_date,
    patient_day_key(named.patient_key, named.service_date) as patient_day_key,
    day_key(patient_day_key(named.patient_key, named.service_date), named.discipline_number) as day_key
from named
