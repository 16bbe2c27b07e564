-- grain: one row for the whole run: the first and last service date that both extracts cover (null: none)
-- units: dates
-- source: rule book s. 2 ("not documented" and "not billed")
with
-- the first and last service date of all accepted claim lines
claim as (
    select min(c.service_date) as first_date, max(c.service_date) as last_date
    from ok_claims as c
),
-- the same of all accepted notes
note as (
    select min(n.service_date) as first_date, max(n.service_date) as last_date
    from ok_notes as n
)
select
    case when claim.first_date > note.first_date then claim.first_date
        when note.first_date is not null and claim.first_date is not null then note.first_date end as first_date,
    case when claim.last_date < note.last_date then claim.last_date
        when note.last_date is not null and claim.last_date is not null then note.last_date end as last_date
from claim
cross join note
