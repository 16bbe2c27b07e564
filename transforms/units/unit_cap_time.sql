-- grain: one patient, date and timed code of the patient's counting notes or bills, over all disciplines
-- units: whole seconds that may stand behind the code's billed units; is_unknown where the record does not say how long
-- source: rule book s. 5 (the minutes of the record carry units above a cap)
-- form: view
select
    d.patient_day_key,
    c.procedure_code,
    -- its credited time, on an undecidable day all that the day supports
    sum(case when d.is_decidable then c.credited_seconds else coalesce(d.supported_seconds, 0) end) as held_seconds,
    -- nobody knows that a day which does not say how long does not make them
    max(case when d.has_unknown_note then 1 else 0 end) = 1 as is_unknown
from unit_day_code as c
join unit_day as d on d.day_key = c.day_key
where c.is_timed and d.has_counting_note
group by d.patient_day_key, c.procedure_code
