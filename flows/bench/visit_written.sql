-- grain: one visit: what its note holds
-- units: whole minutes; start and end in minutes of the day
-- Up to three timed codes whose minutes fit between this visit and the clinician's next, and at most one untimed code.
create or replace view visit_written as
with
-- how long, how many codes, and in which way the clinician writes times
drawn as (
    select
        p.visit,
        p.service_date,
        p.clinician,
        p.clinic,
        p.discipline,
        p.is_assistant,
        p.billing_clinician,
        p.patient,
        p.visit_of_patient,
        p.place,
        p.is_long,
        p.planted,
        p.visit_of_patient = 0 and not p.is_assistant as is_evaluation,
        case
            when p.planted = 'double_booked' and p.place > 0 and p.is_long then p.start_minute - 38
            when p.planted = 'double_booked' and p.place > 0 then p.start_minute - 25
            else p.start_minute
        end as start_minute,
        case
            when p.discipline = 'SLP' then case when chance(p.visit, 'codes', 100) < 30 then 1 else 0 end
            when p.planted in ('overlap', 'wrong_code') then 2
            when p.planted = 'above_cap' or p.visit_of_patient = 0 and not p.is_long then 1
            when p.is_long then case when chance(p.visit, 'codes', 100) < 35 then 2 else 3 end
            when chance(p.visit, 'codes', 100) < 30 then 1
            when chance(p.visit, 'codes', 100) < 88 then 2
            else 3
        end as timed_codes,
        case
            when p.planted = 'above_cap' then 75
            when p.visit_of_patient = 0 and not p.is_assistant then
                case when p.is_long then 23 + chance(p.visit, 'minutes', 15) else 8 + chance(p.visit, 'minutes', 9) end
            -- a third of all visits are planned in quarters of an hour
            when chance(p.visit, 'rounded', 100) < 30 then case when p.is_long then 45 else 30 end
            when p.is_long then 45 + chance(p.visit, 'minutes', 15)
            else 23 + chance(p.visit, 'minutes', 15)
        end as timed_minutes,
        case
            when p.planted in ('overlap', 'double_booked', 'stated_above_clock') then 'both'
            when p.planted = 'above_cap' then 'stated'
            when chance(p.visit, 'way', 100) < 55 then 'both'
            when chance(p.visit, 'way', 100) < 75 then 'rests'
            when chance(p.visit, 'way', 100) < 84 then 'clock'
            else 'stated'
        end as way,
        chance(p.visit, 'first code', 60) as code_draw,
        chance(p.visit, 'equal', 100) < 15 as is_equal,
        chance(p.visit, 'untimed', 100) as untimed_draw
    from visit_placed as p
),
-- the first code's minutes, and the codes
first_code as (
    select
        drawn.*,
        case
            when drawn.timed_codes = 0 then 0
            when drawn.timed_codes = 1 then drawn.timed_minutes
            when drawn.is_equal then drawn.timed_minutes // drawn.timed_codes
            when drawn.timed_codes = 2 then drawn.timed_minutes * (35 + chance(drawn.visit, 'first', 31)) // 100
            else drawn.timed_minutes * (28 + chance(drawn.visit, 'first', 20)) // 100
        end as first_minutes,
        case
            when drawn.planted = 'above_cap' then ['97112']
            when drawn.discipline = 'PT' and chance(drawn.visit, 'rare code', 100) < 6 then ['97035', '97110', '97530']
            when drawn.discipline = 'PT' then ['97110', '97112', '97140', '97530', '97116', '97110', '97140']
            when drawn.discipline = 'OT' then ['97530', '97535', '97110', '97140', '97530', '97535']
            else ['97129']
        end as codes
    from drawn
),
-- the second's and the third's
second_code as (
    select
        first_code.*,
        case
            when first_code.timed_codes < 2 then 0
            when first_code.timed_codes = 2 then first_code.timed_minutes - first_code.first_minutes
            when first_code.is_equal then first_code.first_minutes
            else (first_code.timed_minutes - first_code.first_minutes) * (40 + chance(first_code.visit, 'second', 21))
                // 100
        end as second_minutes,
        case when len(first_code.codes) < 6 then 0 else first_code.code_draw % (len(first_code.codes) - 2) end as turn
    from first_code
)
select
    s.visit,
    s.service_date,
    s.clinician,
    s.clinic,
    s.discipline,
    s.is_assistant,
    s.billing_clinician,
    s.patient,
    s.visit_of_patient,
    s.planted,
    s.is_evaluation,
    s.start_minute,
    case when s.is_long then 60 else 38 end as minutes_to_next,
    s.way,
    s.timed_codes,
    s.timed_minutes,
    s.codes[s.turn + 1] as first_code,
    s.codes[s.turn + 2] as second_code,
    s.codes[s.turn + 3] as third_code,
    s.first_minutes,
    s.second_minutes,
    case when s.timed_codes < 3 then 0 else s.timed_minutes - s.first_minutes - s.second_minutes end as third_minutes,
    -- one visit in five gives its first code in two stretches
    s.planted is null and s.first_minutes >= 12 and chance(s.visit, 'two stretches', 100) < 25 as has_two_stretches,
    -- one visit in ten ends with time that is written down and counts for nothing
    case
        when s.timed_codes > 0 and s.planted is null and chance(s.visit, 'not counted', 100) < 11
            then ['independent', 'aide', 'documentation'][1 + s.code_draw % 3]
    end as uncounted_delivery,
    case
        when s.discipline = 'SLP' and s.is_evaluation then '92523'
        when s.discipline = 'SLP' and s.untimed_draw < 75 then '92507'
        when s.discipline = 'SLP' then '92526'
        when s.is_evaluation and s.discipline = 'PT' then ['97161', '97162', '97163'][1 + s.untimed_draw % 3]
        when s.is_evaluation then ['97165', '97166', '97167'][1 + s.untimed_draw % 3]
        when s.untimed_draw < 12 then '97010'
        when s.untimed_draw < 22 and s.discipline = 'PT' then '97014'
        when s.untimed_draw < 24 then '97150'
    end as untimed_code,
    case
        when chance(s.patient, 'payer', 100) < 40 then 'MEDICARE'
        when chance(s.patient, 'payer', 100) < 60 then 'DEMO-PPO'
        when chance(s.patient, 'payer', 100) < 75 then 'DEMO-CAP4'
        else 'COMM-2217'  -- no payer table has it: judged on either count
    end as payer
from second_code as s
