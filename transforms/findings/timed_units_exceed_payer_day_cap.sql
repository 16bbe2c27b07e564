-- grain: one therapy day billed to a payer that caps all timed units of a day
-- units: timed units
-- source: rule book s. 5 (caps on all timed units of a therapy day) and s. 6; the payer's row in payer_method.csv
-- not_checked: prior authorisation
select
    case
        when not d.is_judged then 'unjudged'
        when d.billed_timed_units > d.timed_units_per_day_cap then 'violated'
        else 'passed'
    end as verdict,
    case when d.has_justification then 'review' end as severity,
    d.day_key,
    d.billed_timed_units as billed_units,
    d.timed_units_per_day_cap as cap_units,
    d.supported_minutes,
    d.billed_timed_units - d.timed_units_per_day_cap as at_risk_units,
    true as is_at_risk_timed_only,
    d.payer_reference_key as reference_key,
    d.billed_timed_units || ' timed units were billed, and the payer pays at most ' || d.timed_units_per_day_cap
        || ' a day' || case when d.has_justification then '; a note gives a justification.' else '.' end as message
from unit_day as d
where d.has_billed_line and d.timed_units_per_day_cap is not null
