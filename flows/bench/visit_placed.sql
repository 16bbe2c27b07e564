-- grain: one visit: who saw whom, when, and what was planted in it
-- units: minutes of the day; draws are numbers in hundreds or ten thousands
-- A clinician has 12 visits a weekday, a patient about 12 in six weeks; a clinic has eight clinicians.
create or replace view visit_placed as
with
-- the visit's date and its place on that date
dated as (
    select
        n.visit,
        n.visit * getvariable('days') // getvariable('visits') as day,
        n.visit - (
            (n.visit * getvariable('days') // getvariable('visits')) * getvariable('visits')
            + getvariable('days') - 1
        ) // getvariable('days') as place_of_day
    from visit_number as n
),
-- its clinician, and its place in the clinician's day
seated as (
    select
        dated.visit,
        dated.day,
        dated.place_of_day // 12 as clinician,
        dated.place_of_day % 12 as place,
        (dated.place_of_day // 12) % 8 as seat_in_clinic,
        chance(dated.visit, 'planted', 10000) as planted_draw,
        chance(dated.visit, 'second discipline', 1000) as discipline_draw
    from dated
),
-- whose patient it is: one in 250 comes twice a day; some of the first occupational therapist's visits are of
-- patients whom the first physical therapist sees that day, a few of them at the same time
shared as (
    select
        seated.visit,
        seated.day,
        seated.clinician,
        seated.place,
        seated.seat_in_clinic,
        seated.planted_draw,
        case when seated.seat_in_clinic = 5 and seated.discipline_draw < 60 then seated.clinician - 5
            else seated.clinician end as patient_clinician,
        case
            when seated.seat_in_clinic = 5 and seated.discipline_draw < 54 then (seated.place + 6) % 12
            when seated.place = 11 and chance(seated.visit, 'comes twice', 100) < 5 then 0
            else seated.place
        end as patient_place
    from seated
),
-- 30 patients take turns for 30 days, which begin on other days for other clinicians
turned as (
    select shared.*, shared.day + shared.patient_clinician * 7 % 30 as day_of_turn
    from shared
)
select
    turned.visit,
    date '2025-11-03' + cast(
        (260 - getvariable('days') + turned.day) // 5 * 7 + (260 - getvariable('days') + turned.day) % 5 as integer
    ) as service_date,
    turned.clinician,
    turned.clinician // 8 as clinic,
    case when turned.seat_in_clinic <= 4 then 'PT' when turned.seat_in_clinic <= 6 then 'OT' else 'SLP' end
        as discipline,
    turned.seat_in_clinic = 4 as is_assistant,
    case when turned.seat_in_clinic = 4 then turned.clinician - 4 else turned.clinician end as billing_clinician,
    (turned.patient_clinician * 10 + turned.day_of_turn // 30) * 30
        + (turned.day_of_turn % 30 * 12 + turned.patient_place) % 30 as patient,
    (turned.day_of_turn % 30 * 12 + turned.patient_place) // 30 as visit_of_patient,
    turned.place,
    -- from 7:30 on, two visits of 38 minutes and one of 60
    450 + turned.place // 3 * 136 + turned.place % 3 * 38 as start_minute,
    turned.place % 3 = 2 as is_long,
    getvariable('planted')[turned.planted_draw + 1] as planted
from turned
