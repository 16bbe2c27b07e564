-- grain: one patient, under the id that the claim system uses
-- units: none
-- source: accepted claims and notes, quarantined rows whose patient could be read; crosswalk_patient
with
-- every patient id that any table names
named as (
    select c.patient_id
    from ok_claims as c
    union
    select coalesce(x.to_id, n.patient_id) as patient_id
    from ok_notes as n
    left join crosswalk_patient as x on x.from_id = n.patient_id
    union
    select case when q.table_name = 'claims' then q.patient_id else coalesce(x.to_id, q.patient_id) end as patient_id
    from quarantine as q
    left join crosswalk_patient as x on x.from_id = q.patient_id
    where q.patient_id is not null
)
select
    row_number() over (order by named.patient_id) as patient_key,
    named.patient_id
from named
