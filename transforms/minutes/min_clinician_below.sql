-- grain: one clinician and therapy day with a note whose total is below its blocks
-- units: whole seconds that the totals are below the blocks
-- source: rule book s. 6 (therapist_in_two_places: less what the notes' totals are below their blocks)
-- form: view
select noted.clinician_key, noted.day_key, sum(n.below_written_seconds) as below_seconds
from (select distinct b.clinician_key, b.day_key, b.note_key from min_block as b) as noted
join min_note as n on n.note_key = noted.note_key and n.below_written_seconds > 0
group by noted.clinician_key, noted.day_key
