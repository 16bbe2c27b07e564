-- grain: one billed claim line
-- units: billed units of the line
-- source: rule book s. 6; CMS Pub. 100-04 ch. 1 s. 120
-- not_checked: lines that differ in any of patient, date, code, modifiers, units, rendering provider and payer
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
        l.claim_id > min(l.claim_id) over (
            partition by
                l.patient_day_key, l.procedure_code, l.modifiers, l.billed_units, l.clinician_key, l.payer_id
        ) as is_repeated
    from stg_line as l
    join crowded on crowded.patient_day_key = l.patient_day_key
    where not l.is_set_aside and l.day_key is not null
)
select
    case
        when not d.is_judged then 'unjudged'
        when not coalesce(repeated.is_repeated, false) then 'passed'
        -- two visits, two claims: the minutes hold all that was billed
        when line.is_timed and d.has_counting_note
            and d.billed_timed_units <= coalesce(d.supported_units, d.cms_units) then 'passed'
        else 'violated'
    end as verdict,
    d.day_key,
    line.line_key,
    line.payer_id,
    line.procedure_code,
    line.billed_units,
    d.supported_minutes,
    line.billed_units as at_risk_units,
    'An earlier claim bills the same: code ' || line.procedure_code || ', ' || line.billed_units
        || ' unit(s), same modifiers, rendering provider and payer.' as message
from stg_line as line
join unit_day as d on d.day_key = line.day_key
left join repeated on repeated.line_key = line.line_key
where not line.is_set_aside
