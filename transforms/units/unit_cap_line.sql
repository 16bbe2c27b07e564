-- grain: one billed claim line and one cap that binds it (the MUE, or the payer's own)
-- units: billed units
-- source: rule book s. 5 (day caps)
-- form: view
select
    l.line_key,
    l.patient_day_key,
    l.patient_key,
    l.service_date,
    l.procedure_code,
    l.billing_provider_id,
    l.payer_id,
    l.counted_code,
    l.is_timed,
    l.billed_units,
    'mue' as cap_kind,
    term.mue_units as cap_units,
    term.mue_indicator as indicator,
    term.mue_reference_key as reference_key
from stg_line as l
join stg_term as term on term.term_key = l.term_key
where not l.is_set_aside and term.is_mue_bound and term.mue_units is not null
union all
select
    l.line_key,
    l.patient_day_key,
    l.patient_key,
    l.service_date,
    l.procedure_code,
    l.billing_provider_id,
    l.payer_id,
    l.counted_code,
    l.is_timed,
    l.billed_units,
    'payer' as cap_kind,
    term.payer_cap_units as cap_units,
    term.payer_cap_indicator as indicator,
    term.payer_cap_reference_key as reference_key
from stg_line as l
join stg_term as term on term.term_key = l.term_key
where not l.is_set_aside and term.payer_cap_units is not null
