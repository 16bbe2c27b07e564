-- grain: one line of stg_claim_line, with its discipline and which step of the rule book settled it
-- units: billed units; money in ten-thousandths of a dollar
-- source: rule book s. 1 (a claim line's discipline, in this order)
with
-- the disciplines of the notes of a patient and date
patient_day as (
    select
        n.patient_key,
        n.service_date,
        min(case when n.standing = 'counting' then n.discipline end) as least_counting,
        max(case when n.standing = 'counting' then n.discipline end) as greatest_counting,
        min(case when n.standing <> 'counting' then n.discipline end) as least_other,
        max(case when n.standing <> 'counting' then n.discipline end) as greatest_other
    from stg_note as n
    group by n.patient_key, n.service_date
),
-- the disciplines of one clinician's counting notes of a patient and date
clinician_day as (
    select
        n.patient_key,
        n.service_date,
        n.clinician_key,
        min(n.discipline) as least_counting,
        max(n.discipline) as greatest_counting
    from stg_note as n
    where n.standing = 'counting'
    group by n.patient_key, n.service_date, n.clinician_key
),
-- the disciplines that a line's modifiers name
named as (
    select
        l.line_key,
        ';' || coalesce(l.modifiers, '') || ';' like '%;GP;%' as is_pt,
        ';' || coalesce(l.modifiers, '') || ';' like '%;GO;%' as is_ot,
        ';' || coalesce(l.modifiers, '') || ';' like '%;GN;%' as is_slp
    from stg_claim_line as l
),
-- each step's answer, null where the step does not settle it
step as (
    select
        l.line_key,
        l.discipline as by_column,
        case
            when named.is_pt and not named.is_ot and not named.is_slp then 'PT'
            when named.is_ot and not named.is_pt and not named.is_slp then 'OT'
            when named.is_slp and not named.is_pt and not named.is_ot then 'SLP'
        end as by_modifier,
        case when day.least_counting = day.greatest_counting then day.least_counting end as by_notes,
        case when own.least_counting = own.greatest_counting then own.least_counting end as by_clinician_notes,
        case when l.disciplines in ('PT', 'OT', 'SLP') then l.disciplines end as by_code,
        case when day.least_other = day.greatest_other then day.least_other end as by_other_notes,
        case when day.patient_key is null then 'PT' end as by_default
    from stg_claim_line as l
    join named on named.line_key = l.line_key
    left join patient_day as day on day.patient_key = l.patient_key and day.service_date = l.service_date
    left join clinician_day as own
        on own.patient_key = l.patient_key and own.service_date = l.service_date
        and own.clinician_key = l.clinician_key
)
select
    l.line_key,
    l.claim_key,
    l.claim_id,
    l.line_number,
    l.patient_key,
    l.service_date,
    coalesce(
        step.by_column, step.by_modifier, step.by_notes, step.by_clinician_notes,
        step.by_code, step.by_other_notes, step.by_default
    ) as discipline,
    case
        when step.by_column is not null then 'column'
        when step.by_modifier is not null then 'modifier'
        when step.by_notes is not null then 'notes of the day'
        when step.by_clinician_notes is not null then 'notes of the clinician'
        when step.by_code is not null then 'code'
        when step.by_other_notes is not null then 'drafts and not-billable notes'
        when step.by_default is not null then 'no note at all'
    end as discipline_source,
    l.payer_id,
    l.procedure_code,
    l.counted_code,
    l.is_timed,
    l.billed_units,
    l.clinician_key,
    l.billing_provider_id,
    l.modifiers,
    l.service_date_basis,
    l.is_set_aside,
    l.clinic_id,
    l.is_mue_bound,
    l.counting_method,
    l.timed_units_per_day_cap,
    l.payer_reference_key,
    l.is_payer_unlisted,
    l.mue_units,
    l.mue_indicator,
    l.mue_reference_key,
    l.payer_cap_units,
    l.payer_cap_indicator,
    l.payer_cap_reference_key,
    l.amount_e4,
    l.file_number,
    l.source_line
from stg_claim_line as l
join step on step.line_key = l.line_key
