-- grain: one service date, clinician and code, as units.parquet has the code
-- units: therapy days and billed units
-- source: our own ledger: what was documented against what was billed, to be held against a billing system's own count
-- form: view
with
-- therapy days and codes, with the clinicians who rendered the billed lines
rendered as (
    select l.day_key, l.counted_code, l.clinician_key, sum(l.billed_units) as units
    from stg_line as l
    where not l.is_set_aside and l.day_key is not null and l.clinician_key is not null
    group by l.day_key, l.counted_code, l.clinician_key
),
-- of them the one with most units
renderer as (
    select
        rendered.day_key,
        rendered.counted_code,
        rendered.clinician_key,
        row_number() over (
            partition by rendered.day_key, rendered.counted_code order by rendered.units desc, rendered.clinician_key
        ) as place
    from rendered
),
-- therapy days with the clinician of a counting note: of several the first
author as (
    select n.day_key, min(n.clinician_key) as clinician_key
    from stg_note as n
    where n.standing = 'counting'
    group by n.day_key
),
-- documented codes for which another code that their block documents too was billed
stood_for as (
    select distinct d.day_key, d.counted_code
    from unit_documented as d
    join unit_day_code as other on other.day_key = d.day_key and other.procedure_code = d.procedure_code
    where d.procedure_code <> d.counted_code and other.billed_units > 0
),
-- one row a therapy day and code: whose it is, and whether it was documented, billed or both
placed as (
    select
        d.service_date,
        coalesce(renderer.clinician_key, author.clinician_key) as clinician_key,
        c.procedure_code,
        c.billed_units,
        case
            when c.billed_units > 0 and c.is_documented then 'matched'
            when c.billed_units > 0 then 'billed only'
            when c.is_documented and stood_for.day_key is null then 'documented only'
        end as standing
    from unit_day_code as c
    join stg_therapy_day as d on d.day_key = c.day_key
    left join renderer
        on renderer.day_key = c.day_key and renderer.counted_code = c.procedure_code and renderer.place = 1
    left join author on author.day_key = c.day_key
    left join stood_for on stood_for.day_key = c.day_key and stood_for.counted_code = c.procedure_code
)
select
    placed.service_date,
    p.provider_id,
    placed.procedure_code,
    count(case when placed.standing = 'matched' then 1 end) as matched_days,
    cast(coalesce(sum(case when placed.standing = 'matched' then placed.billed_units end), 0) as bigint)
        as matched_units,
    count(case when placed.standing = 'billed only' then 1 end) as billed_only_days,
    cast(coalesce(sum(case when placed.standing = 'billed only' then placed.billed_units end), 0) as bigint)
        as billed_only_units,
    count(case when placed.standing = 'documented only' then 1 end) as documented_only_days
from placed
left join stg_clinician as p on p.clinician_key = placed.clinician_key
where placed.standing is not null
group by placed.service_date, p.provider_id, placed.procedure_code
