-- grain: one finding and one note version that it rests on
-- units: none
-- source: rule book s. 6 (the rows it came from)
select f.finding_key, f.note_key
from finding_row as f
where f.note_key is not null
union
select f.finding_key, n.note_key
from finding_row as f
join stg_note as n on n.patient_key = f.patient_key and n.service_date = f.service_date
where f.note_key is null
    and (f.discipline is null or n.discipline = f.discipline)
    and (f.has_every_note or n.standing = 'counting')
union
select f.finding_key, b.note_key
from finding_row as f
join min_block as b on b.clinician_key = f.clinician_key and b.service_date = f.service_date
where f.patient_key is null
