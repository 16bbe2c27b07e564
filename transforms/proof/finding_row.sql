-- grain: one violation of a rule, with the whole subject that it names
-- units: as in violation
-- source: rule book s. 6 (subjects); violation is filled by the models in findings/
select
    row_number() over (
        order by
            v.rule_id, v.patient_key, v.service_date, v.day_key, v.procedure_code, v.note_key, v.block_key, v.line_key,
            v.billing_provider_id, v.payer_id, v.clinician_key
    ) as finding_key,
    v.rule_id,
    coalesce(v.severity, rule.severity) as severity,
    v.day_key,
    coalesce(v.patient_key, d.patient_key) as patient_key,
    coalesce(v.service_date, d.service_date) as service_date,
    d.discipline,
    v.procedure_code,
    v.named_code,
    v.note_key,
    v.block_key,
    v.block_number,
    v.line_key,
    v.twin_line_key,
    v.billing_provider_id,
    coalesce(v.has_billing_provider_subject, false) as has_billing_provider_subject,
    v.clinician_key,
    coalesce(v.has_payer_subject, false) as has_payer_subject,
    coalesce(v.payer_id, d.payer_id) as payer_id,
    v.billed_units,
    v.expected_units,
    v.expected_units_other_method,
    v.supported_minutes,
    v.double_counted_minutes,
    v.cap_units,
    v.line_cap_units,
    v.at_risk_units,
    coalesce(v.has_every_note, false) as has_every_note,
    coalesce(v.has_overlapping_blocks, false) as has_overlapping_blocks,
    coalesce(v.is_at_risk_timed_only, false) as is_at_risk_timed_only,
    v.reference_key,
    v.message
from violation as v
join ref_audit_rule as rule on rule.rule_id = v.rule_id
left join stg_therapy_day as d on d.day_key = v.day_key
