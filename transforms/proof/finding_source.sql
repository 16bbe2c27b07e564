-- grain: one finding and one row of an extract that it came from
-- units: none
-- source: rule book s. 6 (the rows it came from, file and line)
with
-- claim lines of the subject
claim_row as (
    select f.finding_key, l.file_number, l.source_line
    from finding_line as f
    join stg_line as l on l.line_key = f.line_key
),
-- note versions of the subject
note_row as (
    select f.finding_key, n.file_number, n.source_line
    from finding_note as f
    join stg_note as n on n.note_key = f.note_key
),
-- blocks of those notes; one block where the subject is one
block_row as (
    select f.finding_key, b.file_number, b.source_line
    from finding_note as f
    join finding_row as r on r.finding_key = f.finding_key
    join stg_block as b on b.note_key = f.note_key
    where (r.block_key is null or b.block_key = r.block_key)
        and (r.clinician_key is null or b.clinician_key = r.clinician_key)
),
-- the other patients' blocks that overlap a double-booked one
other_patient_row as (
    select f.finding_key, other.file_number, other.source_line
    from finding_row as f
    join min_clinician_block as booked
        on booked.patient_key = f.patient_key and booked.service_date = f.service_date
        and booked.discipline = f.discipline and booked.is_double_booked
    join min_block as mine on mine.block_key = booked.block_key
    join stg_block as other
        on other.clinician_key = booked.clinician_key and other.service_date = booked.service_date
        and other.patient_key <> booked.patient_key and other.is_timed_one_on_one
        and other.start_minute < mine.end_minute and mine.start_minute < other.end_minute
    where f.rule_id = 'therapist_in_two_places'
)
select claim_row.finding_key, claim_row.file_number, claim_row.source_line from claim_row
union
select note_row.finding_key, note_row.file_number, note_row.source_line from note_row
union
select block_row.finding_key, block_row.file_number, block_row.source_line from block_row
union
select other_patient_row.finding_key, other_patient_row.file_number, other_patient_row.source_line
from other_patient_row
