-- grain: one therapy day: patient, service date and discipline
-- units: units billed, over timed and untimed codes where not said otherwise
-- source: rule book s. 1 (therapy day), s. 2 (which rows count), s. 4 (several payers)
with
-- units a payer was billed for on the day
payer_units as (
    select
        l.patient_key,
        l.service_date,
        l.discipline,
        l.payer_id,
        sum(l.billed_units) as payer_units,
        min(l.counting_method) as counting_method,
        min(l.timed_units_per_day_cap) as timed_units_per_day_cap,
        min(l.payer_reference_key) as payer_reference_key
    from stg_line as l
    where not l.is_set_aside and l.discipline is not null
    group by l.patient_key, l.service_date, l.discipline, l.payer_id
),
-- the payer billed most units stands for the day, then the first by id
payer as (
    select
        payer_units.patient_key,
        payer_units.service_date,
        payer_units.discipline,
        payer_units.payer_id,
        payer_units.counting_method,
        payer_units.timed_units_per_day_cap,
        payer_units.payer_reference_key,
        count(*) over (
            partition by payer_units.patient_key, payer_units.service_date, payer_units.discipline
        ) as payer_count,
        row_number() over (
            partition by payer_units.patient_key, payer_units.service_date, payer_units.discipline
            order by payer_units.payer_units desc, payer_units.payer_id
        ) as place
    from payer_units
),
-- every row that puts a therapy day there
seen as (
    select
        l.patient_key,
        l.service_date,
        l.discipline,
        case when l.is_set_aside then 0 else 1 end as billed_line,
        case when l.is_set_aside then 1 else 0 end as set_aside_line,
        0 as counting_note,
        0 as not_billable_note,
        0 as draft_note
    from stg_line as l
    where l.discipline is not null
    union all
    select
        n.patient_key,
        n.service_date,
        n.discipline,
        0 as billed_line,
        0 as set_aside_line,
        case when n.standing = 'counting' then 1 else 0 end as counting_note,
        case when n.standing = 'not_billable' then 1 else 0 end as not_billable_note,
        case when n.standing = 'draft' then 1 else 0 end as draft_note
    from stg_note as n
),
-- one row a therapy day
day as (
    select
        seen.patient_key,
        seen.service_date,
        seen.discipline,
        max(seen.billed_line) = 1 as has_billed_line,
        max(seen.set_aside_line) = 1 as has_set_aside_line,
        max(seen.counting_note) = 1 as has_counting_note,
        max(seen.not_billable_note) = 1 as has_not_billable_note,
        max(seen.draft_note) = 1 as has_draft
    from seen
    group by seen.patient_key, seen.service_date, seen.discipline
),
-- patients and dates where no rule accuses
unjudged as (
    select distinct u.patient_key, u.service_date
    from stg_unjudged_day as u
),
-- patients and dates whose counting notes justify units above a cap
justified as (
    select distinct n.patient_key, n.service_date
    from stg_note as n
    where n.standing = 'counting' and n.has_justification
)
select
    row_number() over (order by day.patient_key, day.service_date, day.discipline) as day_key,
    day.patient_key,
    day.service_date,
    day.discipline,
    day.has_billed_line,
    day.has_set_aside_line,
    day.has_counting_note,
    day.has_not_billable_note,
    day.has_draft,
    payer.payer_id,
    payer.counting_method,
    payer.timed_units_per_day_cap,
    payer.payer_reference_key,
    coalesce(payer.payer_count, 0) as payer_count,
    justified.patient_key is not null as has_justification,
    unjudged.patient_key is null as is_judged,
    coalesce(day.service_date between coverage.first_date and coverage.last_date, false) as is_covered,
    day.service_date <= setting.as_of_date - cast(lag.value as integer) as is_past_billing_lag
from day
cross join run_setting as setting
cross join stg_coverage as coverage
left join payer
    on payer.patient_key = day.patient_key and payer.service_date = day.service_date
    and payer.discipline = day.discipline and payer.place = 1
left join unjudged on unjudged.patient_key = day.patient_key and unjudged.service_date = day.service_date
left join justified on justified.patient_key = day.patient_key and justified.service_date = day.service_date
left join ref_parameter as lag
    on lag.name = 'billing_lag_days'
    and day.service_date >= lag.effective_from and day.service_date < lag.effective_to
