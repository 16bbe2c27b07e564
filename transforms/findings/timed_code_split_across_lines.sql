-- grain: one therapy day and timed code billed on it
-- units: billed units of the code
-- source: rule book s. 6; CMS Pub. 100-04 ch. 5 s. 20.2
-- without_notes: judged
-- violated_when: a claim has several lines of one timed code with the same modifiers and rendering provider
-- shows: bill, notes
with
-- of codes on several lines, lines of one claim that say the same but for the units
same as (
    select
        l.day_key,
        l.procedure_code,
        l.claim_id,
        l.modifiers,
        l.clinician_key,
        count(*) as lines
    from stg_line as l
    join unit_billed_code as b
        on b.day_key = l.day_key and b.procedure_code = l.procedure_code and b.is_timed and b.line_count > 1
    where not l.is_set_aside
    group by l.day_key, l.procedure_code, l.claim_id, l.modifiers, l.clinician_key
),
-- by therapy day and code
split as (
    select same.day_key, same.procedure_code, max(same.lines) as lines
    from same
    group by same.day_key, same.procedure_code
)
select
    case
        when not d.is_judged then 'unjudged'
        when split.lines > 1 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    code.procedure_code,
    code.billed_units,
    'Code ' || code.procedure_code || ' stands on ' || split.lines
        || ' lines of one claim with the same modifiers and rendering provider.' as message
from stg_therapy_day as d
join unit_billed_code as code on code.day_key = d.day_key and code.is_timed
left join split on split.day_key = code.day_key and split.procedure_code = code.procedure_code
