-- grain: one service date that a quarantined row names without a patient who can be read
-- units: none
-- source: rule book s. 2 (whose note or bill it was, nobody knows)
select
    q.service_date,
    max(case when q.table_name = 'claims' then 1 else 0 end) = 1 as has_unread_claim,
    max(case when q.table_name = 'claims' then 0 else 1 end) = 1 as has_unread_note
from quarantine as q
where q.service_date is not null and q.patient_id is null
group by q.service_date
