-- grain: one violation, as published
-- units: whole minutes and units; dollars in at_risk_usd
-- source: interface s. 3 (findings.parquet)
with
-- claims and money
line as (
    select
        f.finding_key,
        string_agg(distinct l.claim_id, ';' order by l.claim_id) as claim_ids,
        case when min(c.provider_id) = max(c.provider_id) then min(c.provider_id) end as provider_id,
        case when min(l.billing_provider_id) = max(l.billing_provider_id) then min(l.billing_provider_id) end
            as billing_provider_id,
        case when min(l.clinic_id) = max(l.clinic_id) then min(l.clinic_id) end as clinic_id,
        sum(f.at_risk_e4) as at_risk_e4
    from finding_line as f
    join stg_line as l on l.line_key = f.line_key
    left join stg_clinician as c on c.clinician_key = l.clinician_key
    group by f.finding_key
),
-- notes
note as (
    select
        f.finding_key,
        string_agg(distinct n.note_id, ';' order by n.note_id) as note_ids,
        case when min(c.provider_id) = max(c.provider_id) then min(c.provider_id) end as provider_id,
        case when min(n.clinic_id) = max(n.clinic_id) then min(n.clinic_id) end as clinic_id
    from finding_note as f
    join stg_note as n on n.note_key = f.note_key
    join stg_clinician as c on c.clinician_key = n.clinician_key
    group by f.finding_key
),
-- file and line of every row
source as (
    select
        s.finding_key,
        string_agg(i.file_name || ':' || s.source_line, ';' order by i.file_name, s.source_line) as sources
    from finding_source as s
    join delivered_file as i on i.file_number = s.file_number
    group by s.finding_key
),
-- everything together
joined as (
    select
        named.finding_id,
        f.rule_id,
        f.severity,
        f.service_date,
        p.patient_id,
        f.discipline,
        f.payer_id,
        coalesce(own.provider_id, line.provider_id, note.provider_id) as provider_id,
        case when f.has_billing_provider_subject then f.billing_provider_id else line.billing_provider_id end
            as billing_provider_id,
        coalesce(f.procedure_code, f.named_code, code.only_code) as procedure_code,
        line.claim_ids,
        note.note_ids,
        source.sources,
        f.billed_units,
        f.expected_units,
        f.expected_units_other_method,
        f.supported_minutes,
        f.double_counted_minutes,
        f.cap_units,
        code.billed_codes,
        code.documented_codes,
        -- ten-thousandths to whole cents, half a cent up, in whole numbers
        cast((line.at_risk_e4 + 50) // 100 as decimal(18, 0)) * cast(0.01 as decimal(2, 2)) as at_risk_usd,
        f.message,
        coalesce(line.clinic_id, note.clinic_id) as clinic_id,
        f.reference_key,
        rule.citation
    from finding_row as f
    join finding_id as named on named.finding_key = f.finding_key
    join ref_audit_rule as rule on rule.rule_id = f.rule_id
    left join stg_patient as p on p.patient_key = f.patient_key
    left join stg_clinician as own on own.clinician_key = f.clinician_key
    left join line on line.finding_key = f.finding_key
    left join note on note.finding_key = f.finding_key
    left join source on source.finding_key = f.finding_key
    left join finding_code as code on code.finding_key = f.finding_key
)
select
    joined.finding_id,
    joined.rule_id,
    joined.severity,
    joined.service_date,
    joined.patient_id,
    joined.discipline,
    joined.payer_id,
    joined.provider_id,
    joined.billing_provider_id,
    joined.procedure_code,
    joined.claim_ids,
    joined.note_ids,
    joined.sources,
    joined.billed_units,
    joined.expected_units,
    joined.expected_units_other_method,
    joined.supported_minutes,
    joined.double_counted_minutes,
    joined.cap_units,
    cast(joined.at_risk_usd as decimal(18, 2)) as at_risk_usd,
    joined.billed_codes,
    joined.documented_codes,
    joined.message,
    joined.clinic_id,
    joined.reference_key,
    sha256(
        joined.severity
        || chr(31) || coalesce(cast(joined.billed_units as varchar), '')
        || chr(31) || coalesce(cast(joined.expected_units as varchar), '')
        || chr(31) || coalesce(cast(joined.expected_units_other_method as varchar), '')
        || chr(31) || coalesce(cast(joined.supported_minutes as varchar), '')
        || chr(31) || coalesce(cast(joined.double_counted_minutes as varchar), '')
        || chr(31) || coalesce(cast(joined.cap_units as varchar), '')
        || chr(31) || coalesce(cast(joined.at_risk_usd as varchar), '')
        || chr(31) || coalesce(joined.claim_ids, '')
        || chr(31) || coalesce(joined.note_ids, '')
        || chr(31) || joined.message
    ) as evidence_hash,
    joined.citation
from joined
