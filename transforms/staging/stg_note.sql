-- grain: one note version that bears on its day: the version that counts, or a draft
-- units: seconds that the note states in minutes, to the nearest second
-- source: rule book s. 2 (note versions, counting notes), s. 3 (time in whole seconds)
with
-- notes of several versions, with the highest one that is no draft
revised as (
    select
        n.note_id,
        max(case when n.status is null or n.status <> 'draft' then n.note_version end) as highest_version
    from ok_notes as n
    group by n.note_id
    having count(*) > 1
),
-- every version, under the ids of the claim system
version as (
    select
        n.note_id,
        n.note_version,
        coalesce(x.to_id, n.patient_id) as patient_id,
        n.service_date,
        coalesce(px.to_id, n.provider_id) as provider_id,
        n.discipline,
        n.status,
        n.is_billable,
        cast(round(n.total_timed_minutes * 60) as integer) as total_timed_seconds,
        cast(round(n.total_treatment_minutes * 60) as integer) as total_treatment_seconds,
        n.cap_justification is not null as has_justification,
        n.has_minutes_in_prose,
        n.clinic_id,
        n.file_number,
        n.source_line,
        n.piece,
        revised.highest_version
    from ok_notes as n
    left join revised on revised.note_id = n.note_id
    left join crosswalk_patient as x on x.from_id = n.patient_id
    left join crosswalk_provider as px on px.from_id = n.provider_id
),
-- what each version is to its day; a void version, and all below the highest, are nothing to it
standing as (
    select
        version.note_id,
        version.note_version,
        version.patient_id,
        version.service_date,
        version.provider_id,
        version.discipline,
        version.total_timed_seconds,
        version.total_treatment_seconds,
        version.has_justification,
        version.has_minutes_in_prose,
        version.clinic_id,
        version.file_number,
        version.source_line,
        version.piece,
        case
            when version.status = 'draft' then 'draft'
            when version.note_version < version.highest_version or version.status = 'void' then 'gone'
            when version.is_billable then 'counting'
            else 'not_billable'
        end as standing
    from version
)
select
    place_key(standing.file_number, standing.source_line, standing.piece) as note_key,
    standing.note_id,
    standing.note_version,
    p.patient_key,
    standing.service_date,
    standing.discipline,
    patient_day_key(p.patient_key, standing.service_date) as patient_day_key,
    day_key(
        patient_day_key(p.patient_key, standing.service_date),
        case standing.discipline when 'PT' then 1 when 'OT' then 2 else 3 end
    ) as day_key,
    c.clinician_key,
    standing.standing,
    standing.total_timed_seconds,
    standing.total_treatment_seconds,
    standing.has_justification,
    standing.has_minutes_in_prose,
    standing.clinic_id,
    standing.file_number,
    standing.source_line
from standing
join stg_patient as p on p.patient_id = standing.patient_id
join stg_clinician as c on c.provider_id = standing.provider_id
where standing.standing <> 'gone'
