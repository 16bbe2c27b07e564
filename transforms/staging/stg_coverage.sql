-- grain: one row for the whole run: the first and last service date of each extract, and of both (null: none)
-- units: dates
-- source: rule book s. 2 ("not documented" and "not billed")
with
-- the first and last service date of all accepted claim lines
claim as (
    select min(d.service_date) as first_date, max(d.service_date) as last_date
    from accepted_date as d
    where d.claim_lines > 0
),
-- the same of all accepted notes
note as (
    select min(d.service_date) as first_date, max(d.service_date) as last_date
    from accepted_date as d
    where d.notes > 0
)
select
    case when claim.first_date > note.first_date then claim.first_date
        when note.first_date is not null and claim.first_date is not null then note.first_date end as first_date,
    case when claim.last_date < note.last_date then claim.last_date
        when note.last_date is not null and claim.last_date is not null then note.last_date end as last_date,
    claim.first_date as claims_first_date,
    claim.last_date as claims_last_date,
    note.first_date as notes_first_date,
    note.last_date as notes_last_date
from claim
cross join note
