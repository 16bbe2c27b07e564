-- grain: one service date, and how much of its claims and notes meets each other
-- units: claim days (patient, date with a line in scope that bills) and notes
-- source: interface s. 2 (the share of claim days matched to a note, and of notes matched to a claim); rule book s. 6
-- (timed_minutes_not_documented: notes that give minutes)
with
-- patients and dates with a line in scope; billed: it bills
line_day as (
    select
        l.patient_day_key,
        min(l.service_date) as service_date,
        max(case when l.is_set_aside then 0 else 1 end) as is_billed
    from stg_line as l
    group by l.patient_day_key
),
-- counting notes with a block that holds minutes or a clock
timed as (
    select distinct b.note_key
    from stg_block as b
    where b.stated_seconds is not null or b.start_second is not null
),
-- patients and dates with a note, and the notes there: all, those that count, and of those the ones with any minutes
note_day as (
    select
        n.patient_day_key,
        min(n.service_date) as service_date,
        count(*) as notes,
        count(case when n.standing = 'counting' then 1 end) as counting_notes,
        count(case when n.standing = 'counting' and (n.total_timed_seconds is not null or timed.note_key is not null)
            then 1 end) as measured_notes
    from stg_note as n
    left join timed on timed.note_key = n.note_key
    group by n.patient_day_key
),
-- one row a patient and date with any of them
day as (
    select
        coalesce(line_day.service_date, note_day.service_date) as service_date,
        coalesce(line_day.is_billed, 0) as claim_days,
        case when note_day.patient_day_key is not null then coalesce(line_day.is_billed, 0) else 0 end
            as claim_days_with_note,
        coalesce(note_day.notes, 0) as notes,
        case when line_day.patient_day_key is not null then coalesce(note_day.notes, 0) else 0 end as notes_with_claim,
        coalesce(note_day.counting_notes, 0) as counting_notes,
        coalesce(note_day.measured_notes, 0) as measured_notes
    from line_day
    full join note_day on note_day.patient_day_key = line_day.patient_day_key
)
select
    day.service_date,
    cast(sum(day.claim_days) as bigint) as claim_days,
    cast(sum(day.claim_days_with_note) as bigint) as claim_days_with_note,
    cast(sum(day.notes) as bigint) as notes,
    cast(sum(day.notes_with_claim) as bigint) as notes_with_claim,
    cast(sum(day.counting_notes) as bigint) as counting_notes,
    cast(sum(day.measured_notes) as bigint) as measured_notes
from day
group by day.service_date
