-- grain: one claim line in scope of a claim that still bills, with its term
-- units: billed units; money in ten-thousandths of a dollar
-- source: rule book s. 2 (which rows count); interface s. 1
-- form: view
select
    place_key(c.file_number, c.source_line, c.piece) as line_key,
    c.claim_id,
    c.line_number,
    p.patient_key,
    patient_day_key(p.patient_key, c.service_date) as patient_day_key,
    c.service_date,
    term.term_key,
    term.payer_id,
    term.payer_key,
    c.procedure_code,
    term.counted_code,
    term.is_timed,
    term.shipped_kind,
    term.has_own_kind,
    term.disciplines,
    c.billed_units,
    rendering.clinician_key,
    c.billing_provider_id,
    c.modifiers,
    -- a modifier has two characters and stands between semicolons: no other one holds it
    coalesce(c.modifiers like '%GP%', false) as has_gp,
    coalesce(c.modifiers like '%GO%', false) as has_go,
    coalesce(c.modifiers like '%GN%', false) as has_gn,
    c.discipline,
    c.service_date_basis,
    c.service_date_to,
    c.claim_status = 'denied' or c.payer_order > 1 as is_set_aside,
    c.clinic_id,
    -- allowed, else paid, else charge (rule book s. 6); a negative amount is a posting, not a price
    cast(10000 * case
        when c.allowed_usd >= 0 then c.allowed_usd
        when c.paid_usd >= 0 then c.paid_usd
        when c.charge_usd >= 0 then c.charge_usd
    end as bigint) as amount_e4,
    c.file_number,
    c.source_line
from ok_claims as c
join stg_term as term
    on term.kind <> 'unlisted' and term.written_payer_id = c.payer_id and term.claim_type = c.claim_type
    and term.procedure_code = c.procedure_code and term.service_date = c.service_date
join stg_patient as p on p.patient_id = c.patient_id
left join stg_claim as claim on claim.claim_id = c.claim_id
left join stg_clinician as rendering on rendering.provider_id = c.rendering_provider_id
where (c.billed_units > 0 or c.claim_status = 'denied' or c.payer_order > 1)
    -- not a final bill, or a claim that bills nothing
    and c.claim_frequency_code not in ('0', '9')
    and not coalesce(claim.is_gone or claim.is_void, false)
