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
    join finding_row as r on r.finding_key = f.finding_key and r.block_key is null
    join stg_block as b on b.note_key = f.note_key
    where r.clinician_key is null or b.clinician_key = r.clinician_key
    union all
    select r.finding_key, b.file_number, b.source_line
    from finding_row as r
    join stg_block as b on b.block_key = r.block_key
),
-- the places before and after a block's own among its clinician's blocks, where those that overlap it are looked for
step as (
    select unnest(generate_series(-50, 50)) as places_on
),
-- the other patients' blocks that overlap a double-booked one, next to it in the clinician's order
overlapping as (
    select distinct
        f.finding_key,
        other.block_key
    from finding_row as f
    join min_clinician_block as booked on booked.day_key = f.day_key and booked.is_double_booked
    cross join step
    join min_clinician_block as other
        on other.clinician_key = booked.clinician_key and other.service_date = booked.service_date
        and other.clinician_run_number = booked.clinician_run_number and other.place = booked.place + step.places_on
    where f.has_overlapping_blocks
        and other.patient_key <> booked.patient_key
        and other.start_second < booked.end_second and booked.start_second < other.end_second
),
-- at most 50 of them: a finding that listed a whole clinic's day would help nobody
listed as (
    select
        overlapping.finding_key,
        overlapping.block_key,
        row_number() over (partition by overlapping.finding_key order by overlapping.block_key) as place
    from overlapping
),
-- their rows
other_patient_row as (
    select listed.finding_key, b.file_number, b.source_line
    from listed
    join stg_block as b on b.block_key = listed.block_key
    where listed.place <= 50
)
select claim_row.finding_key, claim_row.file_number, claim_row.source_line from claim_row
union
select note_row.finding_key, note_row.file_number, note_row.source_line from note_row
union
select block_row.finding_key, block_row.file_number, block_row.source_line from block_row
union
select other_patient_row.finding_key, other_patient_row.file_number, other_patient_row.source_line
from other_patient_row
