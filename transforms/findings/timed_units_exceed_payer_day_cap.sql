-- grain: one therapy day and payer that was billed for it and caps all timed units of a day
-- units: timed units
-- source: rule book s. 5 (caps on all timed units of a therapy day) and s. 6; the payer's row in payer_method.csv
-- without_notes: judged
-- violated_when: a payer's timed units of the therapy day exceed that payer's cap on all timed units; a review where
--   a note justifies it
-- shows: bill, caps, dollars, notes, minutes, units
with
-- the timed units that such a payer was billed for on a therapy day
billed as (
    select
        l.day_key,
        l.payer_id,
        sum(case when l.is_timed then l.billed_units else 0 end) as billed_units,
        min(term.timed_units_per_day_cap) as cap_units,
        min(term.payer_reference_key) as reference_key
    from stg_line as l
    join stg_term as term on term.term_key = l.term_key
    where not l.is_set_aside and l.day_key is not null and term.timed_units_per_day_cap is not null
    group by l.day_key, l.payer_id
)
select
    case
        when not d.is_judged then 'unjudged'
        when billed.billed_units > billed.cap_units then 'violated'
        else 'passed'
    end as verdict,
    case when d.has_justification or setting.is_claims_only then 'review' end as severity,
    d.day_key,
    billed.payer_id,
    d.has_several_payers as has_payer_subject,
    billed.billed_units,
    billed.cap_units,
    d.supported_minutes,
    billed.billed_units - billed.cap_units as at_risk_units,
    true as is_at_risk_timed_only,
    billed.reference_key,
    billed.billed_units || ' timed units were billed, and the payer pays at most ' || billed.cap_units || ' a day'
        || case
            when d.has_justification then '; a note gives a justification.'
            when setting.is_claims_only then '; no note was read, and one may justify them.'
            else '.'
        end as message
from billed
join unit_day as d on d.day_key = billed.day_key
join run_setting as setting on d.service_date between setting.since_date and setting.until_date
