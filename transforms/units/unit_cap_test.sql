-- grain: one patient, date, code, billing provider and payer, and one cap that binds lines there (MUE, or the payer's)
-- units: billed units; for a line-by-line cap the units of the largest line
-- source: rule book s. 5 (day caps)
with
-- each line under each cap that binds it
bound as (
    select
        l.line_key,
        l.patient_day_key,
        l.patient_key,
        l.service_date,
        l.procedure_code,
        l.billing_provider_id,
        l.payer_id,
        l.counted_code,
        l.is_timed,
        l.billed_units,
        'mue' as cap_kind,
        term.mue_units as cap_units,
        term.mue_indicator as indicator,
        term.mue_reference_key as reference_key
    from stg_line as l
    join stg_term as term on term.term_key = l.term_key
    where not l.is_set_aside and term.is_mue_bound and term.mue_units is not null
    union all
    select
        l.line_key,
        l.patient_day_key,
        l.patient_key,
        l.service_date,
        l.procedure_code,
        l.billing_provider_id,
        l.payer_id,
        l.counted_code,
        l.is_timed,
        l.billed_units,
        'payer' as cap_kind,
        term.payer_cap_units as cap_units,
        term.payer_cap_indicator as indicator,
        term.payer_cap_reference_key as reference_key
    from stg_line as l
    join stg_term as term on term.term_key = l.term_key
    where not l.is_set_aside and term.payer_cap_units is not null
)
select
    bound.patient_day_key,
    min(bound.patient_key) as patient_key,
    min(bound.service_date) as service_date,
    bound.procedure_code,
    bound.billing_provider_id,
    bound.payer_id,
    bound.cap_kind,
    min(bound.counted_code) as counted_code,
    max(case when bound.is_timed then 1 else 0 end) = 1 as is_timed,
    min(bound.cap_units) as cap_units,
    min(bound.indicator) as indicator,
    min(bound.reference_key) as reference_key,
    cast(case when min(bound.indicator) = '1' then max(bound.billed_units) else sum(bound.billed_units) end
        as bigint) as tested_units,
    cast(sum(case
        when bound.indicator = '1' then greatest(0, bound.billed_units - bound.cap_units)
    end) as bigint) as line_excess_units
from bound
group by
    bound.patient_day_key, bound.procedure_code, bound.billing_provider_id, bound.payer_id, bound.cap_kind
