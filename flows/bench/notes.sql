-- grain: one note version, exact repeats and broken rows among them
-- units: whole minutes
-- source: data/contracts/notes.csv
with
-- the versions of each visit's note
versioned as (
    select
        w.*,
        unnest(case w.planted
            when 'no_note' then []
            when 'amended' then [
                {'version': 1, 'status': 'signed', 'more_minutes': -3},
                {'version': 2, 'status': 'amended', 'more_minutes': 0}
            ]
            when 'note_voided' then [
                {'version': 1, 'status': 'signed', 'more_minutes': 0},
                {'version': 2, 'status': 'void', 'more_minutes': 0}
            ]
            when 'draft' then [{'version': 1, 'status': 'draft', 'more_minutes': 0}]
            when 'total_below_blocks' then [{'version': 1, 'status': 'signed', 'more_minutes': -6}]
            when 'total_above_blocks' then [{'version': 1, 'status': 'signed', 'more_minutes': 9}]
            when 'stated_above_clock' then [{'version': 1, 'status': 'signed', 'more_minutes': 5}]
            else [{'version': 1, 'status': 'signed', 'more_minutes': 0}]
        end) as note,
        chance(w.visit, 'note fault', 100000) as fault
    from visit_written as w
)
select
    note_id(v.visit) as note_id,
    v.note.version as note_version,
    patient_id(v.patient) as patient_id,
    v.service_date,
    case when v.fault = 0 then null else clinician_id(v.clinician) end as provider_id,
    v.discipline,
    v.note.status as status,
    case when v.note.status <> 'draft' then
        cast(v.service_date as timestamp) + to_minutes(1020 + 30 * v.note.version + chance(v.visit, 'signed', 150))
    end as signed_at,
    case
        when v.fault = 1 then 2000
        when v.timed_codes > 0 and (
            v.planted in ('total_below_blocks', 'total_above_blocks') or chance(v.visit, 'states total', 100) < 88
        ) then v.timed_minutes + v.note.more_minutes
    end as total_timed_minutes,
    v.timed_minutes + case when v.untimed_code is null then 0 else 12 end as total_treatment_minutes,
    v.planted is distinct from 'not_billable' as is_billable,
    case when v.planted = 'above_cap' and v.visit % 3 = 0
        then 'Severe ataxia after a fall; constant hands-on balance work was needed.' end as cap_justification,
    diagnosis_codes(v.discipline, v.patient) as diagnosis_codes,
    'CLINIC-' || lpad(cast(v.clinic + 1 as varchar), 3, '0') as clinic_id,
    narrative(v.discipline, v.visit) as narrative,
    unnest(range(case when v.fault between 10 and 29 then 2 else 1 end)) as copy
from versioned as v
