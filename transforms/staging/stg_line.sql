-- grain: one line of stg_claim_line, with its discipline and which step of the rule book settled it
-- units: billed units; money in ten-thousandths of a dollar
-- source: rule book s. 1 (a claim line's discipline, in this order; a payer's own kind of a code)
with
-- the disciplines of the notes of a patient and date
patient_day as (
    select
        n.patient_day_key,
        min(case when n.standing = 'counting' then n.discipline end) as least_counting,
        max(case when n.standing = 'counting' then n.discipline end) as greatest_counting,
        min(case when n.standing <> 'counting' then n.discipline end) as least_other,
        max(case when n.standing <> 'counting' then n.discipline end) as greatest_other
    from stg_note as n
    group by n.patient_day_key
),
-- patients and dates whose counting notes are of several disciplines
mixed as (
    select patient_day.patient_day_key
    from patient_day
    where patient_day.least_counting <> patient_day.greatest_counting
),
-- there, the disciplines of one clinician's counting notes
clinician_day as (
    select
        n.patient_day_key,
        n.clinician_key,
        min(n.discipline) as least_counting,
        max(n.discipline) as greatest_counting
    from stg_note as n
    join mixed on mixed.patient_day_key = n.patient_day_key
    where n.standing = 'counting'
    group by n.patient_day_key, n.clinician_key
),
-- each line with each step's answer, null where the step does not settle it
step as (
    select
        l.line_key,
        l.claim_id,
        l.line_number,
        l.patient_key,
        l.patient_day_key,
        l.service_date,
        l.discipline as by_column,
        case
            when l.has_gp and not l.has_go and not l.has_gn then 'PT'
            when l.has_go and not l.has_gp and not l.has_gn then 'OT'
            when l.has_gn and not l.has_gp and not l.has_go then 'SLP'
        end as by_modifier,
        case when day.least_counting = day.greatest_counting then day.least_counting end as by_notes,
        case when own.least_counting = own.greatest_counting then own.least_counting end as by_clinician_notes,
        case when l.disciplines in ('PT', 'OT', 'SLP') then l.disciplines end as by_code,
        case when day.least_counting is null and day.least_other = day.greatest_other then day.least_other end
            as by_other_notes,
        case when day.patient_day_key is null then 'PT' end as by_default,
        l.term_key,
        l.payer_id,
        l.payer_key,
        l.procedure_code,
        l.counted_code,
        l.is_timed,
        l.shipped_kind,
        l.has_own_kind,
        l.billed_units,
        l.clinician_key,
        l.billing_provider_id,
        l.modifiers,
        l.service_date_basis,
        l.service_date_to,
        l.is_set_aside,
        l.clinic_id,
        l.amount_e4,
        l.file_number,
        l.source_line
    from stg_claim_line as l
    left join patient_day as day on day.patient_day_key = l.patient_day_key
    left join clinician_day as own
        on own.patient_day_key = l.patient_day_key and own.clinician_key = l.clinician_key
),
-- with the step that settled it
settled as (
    select
        step.line_key,
        step.claim_id,
        step.line_number,
        step.patient_key,
        step.patient_day_key,
        step.service_date,
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
        step.term_key,
        step.payer_id,
        step.payer_key,
        step.procedure_code,
        step.counted_code,
        step.is_timed,
        step.shipped_kind,
        step.has_own_kind,
        step.billed_units,
        step.clinician_key,
        step.billing_provider_id,
        step.modifiers,
        step.service_date_basis,
        step.service_date_to,
        step.is_set_aside,
        step.clinic_id,
        step.amount_e4,
        step.file_number,
        step.source_line
    from step
),
-- patients, dates and disciplines with a code that a payer counts in its own way, billed to several payers: there the
-- shipped kind holds
shipped_day as (
    select settled.patient_day_key, settled.discipline
    from settled
    where not settled.is_set_aside
    group by settled.patient_day_key, settled.discipline
    having max(case when settled.has_own_kind then 1 else 0 end) = 1
        and min(settled.payer_key) <> max(settled.payer_key)
)
select
    l.line_key,
    l.claim_id,
    l.line_number,
    l.patient_key,
    l.patient_day_key,
    l.service_date,
    l.discipline,
    -- null where nothing settles the discipline: the line belongs to no therapy day
    day_key(
        l.patient_day_key,
        case l.discipline when 'PT' then 1 when 'OT' then 2 when 'SLP' then 3 end
    ) as day_key,
    l.discipline_source,
    l.term_key,
    l.payer_id,
    l.payer_key,
    l.procedure_code,
    l.counted_code,
    case
        when shipped_day.patient_day_key is not null and l.shipped_kind in ('timed_15', 'untimed')
            then l.shipped_kind = 'timed_15'
        else l.is_timed
    end as is_timed,
    l.billed_units,
    l.clinician_key,
    l.billing_provider_id,
    l.modifiers,
    l.service_date_basis,
    l.service_date_to,
    l.is_set_aside,
    l.clinic_id,
    l.amount_e4,
    l.file_number,
    l.source_line
from settled as l
left join shipped_day
    on shipped_day.patient_day_key = l.patient_day_key and shipped_day.discipline = l.discipline
