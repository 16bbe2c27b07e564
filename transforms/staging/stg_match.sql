-- grain: one row for the whole run: how much of claims and notes meets each other
-- units: claim days (patient, date with a line in scope that bills) and notes, inside the dates both extracts cover
-- source: interface s. 2 (the share of claim days that meet a note, and of notes that meet a claim)
with
-- the dates looked at: those that both extracts cover; where they share none, every date, and nothing meets
window_dates as (
    select
        coalesce(case when c.first_date <= c.last_date then c.first_date end, setting.since_date) as first_date,
        coalesce(case when c.first_date <= c.last_date then c.last_date end, setting.until_date) as last_date,
        setting.since_date,
        setting.until_date
    from stg_coverage as c
    cross join run_setting as setting
),
-- patients and dates with a line in scope that bills
claim_day as (
    select distinct l.patient_key, l.service_date
    from stg_line as l
    join window_dates as w
        on l.service_date between w.first_date and w.last_date
        and l.service_date between w.since_date and w.until_date
    where not l.is_set_aside
),
-- notes that bear on their day
note as (
    select n.note_key, n.patient_key, n.service_date
    from stg_note as n
    join window_dates as w
        on n.service_date between w.first_date and w.last_date
        and n.service_date between w.since_date and w.until_date
),
-- patients and dates with a note, and those with any claim line in scope
note_day as (
    select distinct n.patient_key, n.service_date
    from stg_note as n
),
line_day as (
    select distinct l.patient_key, l.service_date
    from stg_line as l
)
select
    (select count(*) from claim_day) as claim_days,
    (
        select count(*)
        from claim_day
        join note_day
            on note_day.patient_key = claim_day.patient_key and note_day.service_date = claim_day.service_date
    ) as claim_days_with_note,
    (select count(*) from note) as notes,
    (
        select count(*)
        from note
        join line_day on line_day.patient_key = note.patient_key and line_day.service_date = note.service_date
    ) as notes_with_claim
