-- grain: one clinician and service date with timed units billed or one-on-one minutes credited
-- units: whole minutes (supported_minutes: credited; the minutes the billed units need at the least in the message)
-- source: rule book s. 6 (15n - 7 minutes carry n units); parameter provider_day_minutes
-- without_notes: judged
-- violated_when: the least time that the billed units require, or the credited one-on-one minutes, exceeds the
--   parameter provider_day_minutes
-- shows: clinician_day
select
    case
        when not c.is_judged then 'unjudged'
        when c.needed_minutes > most.value or c.credited_seconds // 60 > most.value then 'violated'
        else 'passed'
    end as verdict,
    c.clinician_key,
    c.service_date,
    c.billed_units,
    c.credited_seconds // 60 as supported_minutes,
    most.reference_key,
    'The units billed need at least ' || c.needed_minutes || ' minutes'
        || case when setting.is_claims_only then '' else ' and the notes credit ' || c.credited_seconds // 60 end
        || '; one day is taken to hold at most ' || cast(most.value as integer) || '.' as message
from unit_clinician_day as c
join run_setting as setting on c.service_date between setting.since_date and setting.until_date
join ref_parameter as most
    on most.name = 'provider_day_minutes'
    and c.service_date >= most.effective_from and c.service_date < most.effective_to
