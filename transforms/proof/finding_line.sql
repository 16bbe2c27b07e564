-- grain: one finding and one billed claim line of its subject
-- units: at_risk_units of the line; at_risk_e4 in ten-thousandths of a dollar, null where the line has no money
-- source: rule book s. 6 (units too many x allowed, else paid, else charge per unit of that code)
with
-- the lines of a subject: one line, one therapy day (and code, and payer), a capped code's lines, a patient's date over
-- all disciplines, or a clinician's day
subject_line as (
    select f.finding_key, f.at_risk_units, f.line_cap_units, f.is_at_risk_timed_only, l.line_key
    from finding_row as f
    join stg_line as l on l.day_key = f.day_key
    where not l.is_set_aside
        and (f.line_key is null or l.line_key = f.line_key)
        and (f.procedure_code is null or f.procedure_code in (l.procedure_code, l.counted_code))
        and (not f.has_payer_subject or l.payer_id = f.payer_id)
    union all
    select f.finding_key, f.at_risk_units, f.line_cap_units, f.is_at_risk_timed_only, l.line_key
    from finding_row as f
    join stg_line as l
        on l.patient_key = f.patient_key and l.service_date = f.service_date
        and l.procedure_code = f.procedure_code
        and l.billing_provider_id is not distinct from f.billing_provider_id and l.payer_id = f.payer_id
    join stg_term as term on term.term_key = l.term_key
        -- lines that this very cap binds: the MUE where the payer follows it, or the payer's own
        and (
            (term.is_mue_bound and term.mue_reference_key = f.reference_key)
            or term.payer_cap_reference_key = f.reference_key
        )
    where f.has_billing_provider_subject and not l.is_set_aside
    union all
    select f.finding_key, f.at_risk_units, f.line_cap_units, f.is_at_risk_timed_only, l.line_key
    from finding_row as f
    join stg_line as l on l.patient_key = f.patient_key and l.service_date = f.service_date
    where f.day_key is null and not f.has_billing_provider_subject and not l.is_set_aside and l.is_timed
    union all
    select f.finding_key, f.at_risk_units, f.line_cap_units, f.is_at_risk_timed_only, l.line_key
    from finding_row as f
    join stg_line as l on l.clinician_key = f.clinician_key and l.service_date = f.service_date
    where f.patient_key is null and not l.is_set_aside and l.is_timed
),
-- an excess is taken from units above the lawful split first, then from the last lines
line as (
    select
        s.finding_key,
        l.line_key,
        l.claim_id,
        l.line_number,
        l.billed_units,
        l.amount_e4,
        coalesce(s.at_risk_units, 0) as at_risk_units,
        s.line_cap_units,
        -- an excess of timed units never falls on an untimed line
        case when l.is_timed or not s.is_at_risk_timed_only then coalesce(u.units_above_split, 0) else 0 end
            as first_units,
        case when l.is_timed or not s.is_at_risk_timed_only
            then l.billed_units - coalesce(u.units_above_split, 0) else 0 end as other_units
    from subject_line as s
    join stg_line as l on l.line_key = s.line_key
    left join unit_line as u on u.line_key = s.line_key
),
-- the units that stand before this line in that order
ordered as (
    select
        line.finding_key,
        line.line_key,
        line.billed_units,
        line.amount_e4,
        line.at_risk_units,
        line.line_cap_units,
        line.first_units,
        line.other_units,
        coalesce(sum(line.first_units) over (
            partition by line.finding_key order by line.claim_id desc, line.line_number desc
            rows between unbounded preceding and 1 preceding
        ), 0) as first_units_before,
        sum(line.first_units) over (partition by line.finding_key) + coalesce(sum(line.other_units) over (
            partition by line.finding_key order by line.claim_id desc, line.line_number desc
            rows between unbounded preceding and 1 preceding
        ), 0) as other_units_before
    from line
),
-- the units of each line that are at risk
risk as (
    select
        ordered.finding_key,
        ordered.line_key,
        ordered.billed_units,
        ordered.amount_e4,
        -- a cap on each line by itself is exceeded on that line
        cast(case
            when ordered.line_cap_units is not null then greatest(0, ordered.billed_units - ordered.line_cap_units)
            else greatest(0, least(ordered.first_units, ordered.at_risk_units - ordered.first_units_before))
                + greatest(0, least(ordered.other_units, ordered.at_risk_units - ordered.other_units_before))
        end as bigint) as at_risk_units
    from ordered
)
select
    risk.finding_key,
    risk.line_key,
    risk.at_risk_units,
    -- whole-number division, half a ten-thousandth up
    case when risk.at_risk_units > 0
        then (2 * risk.amount_e4 * risk.at_risk_units + risk.billed_units) // (2 * risk.billed_units) end as at_risk_e4
from risk
union all
-- the line that says the same and stands: nothing of it is at risk
select f.finding_key, f.twin_line_key as line_key, 0 as at_risk_units, cast(null as bigint) as at_risk_e4
from finding_row as f
where f.twin_line_key is not null
