-- grain: one violation, with the id under which it is published
-- units: none
-- source: interface s. 3 (finding_id: the same subject has the same id in every run)
with
-- the subject of each violation, by the names that people know it by
subject as (
    select
        f.finding_key,
        f.rule_id,
        p.patient_id,
        f.service_date,
        f.discipline,
        f.procedure_code,
        n.note_id,
        f.block_number,
        l.claim_id,
        l.line_number,
        case when f.has_billing_provider_subject then coalesce(f.billing_provider_id, '') end as billing_provider_id,
        case when f.day_key is null then c.provider_id end as provider_id,
        case when f.has_payer_subject then f.payer_id end as payer_id
    from finding_row as f
    left join stg_patient as p on p.patient_key = f.patient_key
    left join stg_note as n on n.note_key = f.note_key
    left join stg_line as l on l.line_key = f.line_key
    left join stg_clinician as c on c.clinician_key = f.clinician_key
)
select
    subject.finding_key,
    sha256(
        subject.rule_id
        || chr(31) || coalesce(subject.patient_id, '')
        || chr(31) || coalesce(cast(subject.service_date as varchar), '')
        || chr(31) || coalesce(subject.discipline, '')
        || chr(31) || coalesce(subject.procedure_code, '')
        || chr(31) || coalesce(subject.note_id, '')
        || chr(31) || coalesce(cast(subject.block_number as varchar), '')
        || chr(31) || coalesce(subject.claim_id, '')
        || chr(31) || coalesce(cast(subject.line_number as varchar), '')
        || chr(31) || coalesce(subject.billing_provider_id, '')
        || chr(31) || coalesce(subject.provider_id, '')
        -- where a payer is part of the subject
        || coalesce(chr(31) || subject.payer_id, '')
    ) as finding_id
from subject
