-- grain: one claim line in scope of a claim that still bills, with what its payer and the tables in force say of it
-- units: billed units; money in ten-thousandths of a dollar
-- source: rule book s. 2 (which rows count), s. 5 (caps); interface s. 1
-- form: view
with
-- lines of codes in scope, of claims neither voided nor replaced, that bill or would have billed
line as (
    select
        (cast(c.file_number as bigint) * 1000000000 + c.source_line) * 1000 + coalesce(c.piece, 0) as line_key,
        c.claim_id,
        c.line_number,
        p.patient_key,
        p.patient_key * 3000000 + date_diff('day', date '1990-01-01', c.service_date) as patient_day_key,
        coalesce(x.to_id, c.payer_id) as payer_id,
        c.service_date,
        c.procedure_code,
        code.kind,
        code.disciplines,
        c.billed_units,
        rendering.clinician_key,
        c.billing_provider_id,
        c.modifiers,
        c.discipline,
        c.claim_type,
        c.service_date_basis,
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
    join ref_procedure_code as code
        on code.procedure_code = c.procedure_code and code.kind in ('timed_15', 'untimed')
        and c.service_date >= code.effective_from and c.service_date < code.effective_to
    join stg_patient as p on p.patient_id = c.patient_id
    left join stg_claim as claim on claim.claim_id = c.claim_id
    left join stg_clinician as rendering on rendering.provider_id = c.rendering_provider_id
    left join crosswalk_payer as x on x.from_id = c.payer_id
    where (c.billed_units > 0 or c.claim_status = 'denied' or c.payer_order > 1)
        and not coalesce(claim.is_gone or claim.is_void, false)
)
select
    line.line_key,
    line.claim_id,
    line.line_number,
    line.patient_key,
    line.patient_day_key,
    line.service_date,
    line.payer_id,
    line.procedure_code,
    coalesce(alias.target_code, line.procedure_code) as counted_code,
    line.kind = 'timed_15' as is_timed,
    line.disciplines,
    line.billed_units,
    line.clinician_key,
    line.billing_provider_id,
    line.modifiers,
    ';' || coalesce(line.modifiers, '') || ';' like '%;GP;%' as has_gp,
    ';' || coalesce(line.modifiers, '') || ';' like '%;GO;%' as has_go,
    ';' || coalesce(line.modifiers, '') || ';' like '%;GN;%' as has_gn,
    line.discipline,
    line.service_date_basis,
    line.is_set_aside,
    line.clinic_id,
    -- the payer's own row where there is one, else the row for any other payer
    line.claim_type = 'professional' and coalesce(own.follows_mue, anyone.follows_mue, false) as is_mue_bound,
    coalesce(own.counting_method, anyone.counting_method, 'either') as counting_method,
    case when own.payer_id is null then anyone.timed_units_per_day_cap else own.timed_units_per_day_cap end
        as timed_units_per_day_cap,
    coalesce(own.reference_key, anyone.reference_key) as payer_reference_key,
    own.payer_id is null and coalesce(anyone.counting_method, 'either') = 'either' as is_payer_unlisted,
    mue.cap_units as mue_units,
    mue.adjudication_indicator as mue_indicator,
    mue.reference_key as mue_reference_key,
    own_cap.cap_units as payer_cap_units,
    own_cap.adjudication_indicator as payer_cap_indicator,
    own_cap.reference_key as payer_cap_reference_key,
    line.amount_e4,
    line.file_number,
    line.source_line
from line
left join ref_payer_method as own
    on own.payer_id = line.payer_id
    and line.service_date >= own.effective_from and line.service_date < own.effective_to
left join ref_payer_method as anyone
    on anyone.payer_id = '*'
    and line.service_date >= anyone.effective_from and line.service_date < anyone.effective_to
left join ref_code_alias as alias
    on alias.procedure_code = line.procedure_code and alias.relation = 'counts_as'
    and line.service_date >= alias.effective_from and line.service_date < alias.effective_to
left join ref_code_cap as mue
    on mue.procedure_code = line.procedure_code and mue.payer_id is null
    and line.service_date >= mue.effective_from and line.service_date < mue.effective_to
left join ref_code_cap as own_cap
    on own_cap.procedure_code = line.procedure_code and own_cap.payer_id = line.payer_id
    and line.service_date >= own_cap.effective_from and line.service_date < own_cap.effective_to
