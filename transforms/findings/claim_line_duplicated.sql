-- grain: one billed claim line
-- units: billed units of the line
-- source: rule book s. 6; CMS Pub. 100-04 ch. 1 s. 120
-- without_notes: judged
-- violated_when: an earlier claim that still bills has the same line (patient, date, discipline, code, modifiers,
--   units, rendering provider and payer), and the day's notes do not support both
-- shows: bill, twins, notes, minutes, units, dollars
with
-- patients and dates with two lines of one code, or lines of two disciplines
crowded as (
    select b.patient_day_key
    from unit_billed_code as b
    group by b.patient_day_key
    having max(b.line_count) > 1 or min(b.day_key) <> max(b.day_key)
),
-- their billed lines that an earlier claim bills just so
repeated as (
    select
        l.line_key,
        l.claim_id > min(l.claim_id) over same as is_repeated,
        first_value(l.line_key) over (
            partition by l.day_key, l.procedure_code, l.modifiers, l.billed_units, l.clinician_key, l.payer_id
            order by l.claim_id, l.line_number, l.line_key
        ) as twin_line_key
    from stg_line as l
    join crowded on crowded.patient_day_key = l.patient_day_key
    where not l.is_set_aside and l.day_key is not null
    window same as (
        partition by l.day_key, l.procedure_code, l.modifiers, l.billed_units, l.clinician_key, l.payer_id
    )
)
select
    case
        when not d.is_judged then 'unjudged'
        when not coalesce(repeated.is_repeated, false) then 'passed'
        -- two visits, two claims: the minutes hold all that was billed, or the notes hold as many services
        when line.is_timed and d.has_counting_note and d.billed_timed_units <= d.supported_units then 'passed'
        when line.is_timed and d.has_counting_note and d.supported_units is null then 'unjudged'
        when not line.is_timed and visit.visits >= billed.billed_units then 'passed'
        else 'violated'
    end as verdict,
    -- notes might show two visits
    case when setting.is_claims_only then 'review' end as severity,
    d.day_key,
    line.line_key,
    repeated.twin_line_key,
    line.payer_id,
    line.procedure_code,
    line.billed_units,
    d.supported_minutes,
    line.billed_units as at_risk_units,
    'Claim ' || twin.claim_id || ' bills the same: code ' || line.procedure_code || ', ' || line.billed_units
        || ' unit(s), same modifiers, rendering provider and payer.'
        || case when setting.is_claims_only then ' No note was read, and they may show two visits.' else '' end
        as message
from stg_line as line
join unit_day as d on d.day_key = line.day_key
join run_setting as setting on d.service_date between setting.since_date and setting.until_date
left join repeated on repeated.line_key = line.line_key
left join stg_line as twin on twin.line_key = repeated.twin_line_key
left join unit_billed_code as billed
    on billed.day_key = line.day_key and billed.procedure_code = line.procedure_code and not billed.is_timed
left join unit_documented_visit as visit
    on visit.day_key = line.day_key and visit.procedure_code = line.procedure_code
where not line.is_set_aside
