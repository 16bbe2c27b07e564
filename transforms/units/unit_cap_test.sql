-- grain: one patient, date, code, billing provider and payer, and one cap that binds lines there (MUE, or the payer's)
-- units: billed units; for a line-by-line cap the units of the largest line
-- source: rule book s. 5 (day caps)
select
    line.patient_day_key,
    min(line.patient_key) as patient_key,
    min(line.service_date) as service_date,
    line.procedure_code,
    line.billing_provider_id,
    line.payer_id,
    line.cap_kind,
    min(line.counted_code) as counted_code,
    max(case when line.is_timed then 1 else 0 end) = 1 as is_timed,
    min(line.cap_units) as cap_units,
    min(line.indicator) as indicator,
    min(line.reference_key) as reference_key,
    cast(case when min(line.indicator) = '1' then max(line.billed_units) else sum(line.billed_units) end
        as bigint) as tested_units,
    cast(sum(case
        when line.indicator = '1' then greatest(0, line.billed_units - line.cap_units)
    end) as bigint) as line_excess_units
from unit_cap_line as line
group by
    line.patient_day_key, line.procedure_code, line.billing_provider_id, line.payer_id, line.cap_kind
