-- grain: one therapy day: patient, service date and discipline
-- units: units billed, over timed and untimed codes where not said otherwise
-- source: rule book s. 1 (therapy day), s. 2 (which rows count), s. 4 (several payers)
with
-- every row that puts a therapy day there
seen as (
    select
        l.day_key,
        l.patient_day_key,
        l.patient_key,
        l.service_date,
        l.discipline,
        case when l.is_set_aside then 0 else 1 end as billed_line,
        case when l.is_set_aside then 1 else 0 end as set_aside_line,
        0 as counting_note,
        0 as not_billable_note,
        0 as draft_note,
        case when not l.is_set_aside then l.payer_id end as payer_id,
        case when not l.is_set_aside then l.counting_method end as counting_method,
        case when not l.is_set_aside then l.timed_units_per_day_cap end as timed_units_per_day_cap,
        case when not l.is_set_aside then l.payer_reference_key end as payer_reference_key
    from stg_line as l
    where l.day_key is not null
    union all
    select
        n.day_key,
        n.patient_day_key,
        n.patient_key,
        n.service_date,
        n.discipline,
        0 as billed_line,
        0 as set_aside_line,
        case when n.standing = 'counting' then 1 else 0 end as counting_note,
        case when n.standing = 'not_billable' then 1 else 0 end as not_billable_note,
        case when n.standing = 'draft' then 1 else 0 end as draft_note,
        cast(null as varchar) as payer_id,
        cast(null as varchar) as counting_method,
        cast(null as integer) as timed_units_per_day_cap,
        cast(null as varchar) as payer_reference_key
    from stg_note as n
),
-- one row a therapy day; where one payer was billed, what its row says
day as (
    select
        seen.day_key,
        min(seen.patient_day_key) as patient_day_key,
        min(seen.patient_key) as patient_key,
        min(seen.service_date) as service_date,
        min(seen.discipline) as discipline,
        max(seen.billed_line) = 1 as has_billed_line,
        max(seen.set_aside_line) = 1 as has_set_aside_line,
        max(seen.counting_note) = 1 as has_counting_note,
        max(seen.not_billable_note) = 1 as has_not_billable_note,
        max(seen.draft_note) = 1 as has_draft,
        min(seen.payer_id) as payer_id,
        coalesce(min(seen.payer_id) <> max(seen.payer_id), false) as has_several_payers,
        min(seen.counting_method) as counting_method,
        min(seen.timed_units_per_day_cap) as timed_units_per_day_cap,
        min(seen.payer_reference_key) as payer_reference_key
    from seen
    group by seen.day_key
),
-- units a payer was billed for on a day of several payers
payer_units as (
    select
        l.day_key,
        l.payer_id,
        sum(l.billed_units) as payer_units,
        min(l.counting_method) as counting_method,
        min(l.timed_units_per_day_cap) as timed_units_per_day_cap,
        min(l.payer_reference_key) as payer_reference_key
    from stg_line as l
    join day on day.day_key = l.day_key and day.has_several_payers
    where not l.is_set_aside
    group by l.day_key, l.payer_id
),
-- the payer billed most units stands for such a day, then the first by id
payer as (
    select
        payer_units.day_key,
        payer_units.payer_id,
        payer_units.counting_method,
        payer_units.timed_units_per_day_cap,
        payer_units.payer_reference_key,
        count(*) over (partition by payer_units.day_key) as payer_count,
        row_number() over (
            partition by payer_units.day_key order by payer_units.payer_units desc, payer_units.payer_id
        ) as place
    from payer_units
),
-- patients and dates where no rule accuses
unjudged as (
    select distinct u.patient_day_key
    from stg_unjudged_day as u
),
-- patients and dates whose counting notes justify units above a cap
justified as (
    select distinct n.patient_day_key
    from stg_note as n
    where n.standing = 'counting' and n.has_justification
)
select
    day.day_key,
    day.patient_day_key,
    day.patient_key,
    day.service_date,
    day.discipline,
    day.has_billed_line,
    day.has_set_aside_line,
    day.has_counting_note,
    day.has_not_billable_note,
    day.has_draft,
    case when day.has_several_payers then payer.payer_id else day.payer_id end as payer_id,
    case when day.has_several_payers then payer.counting_method else day.counting_method end as counting_method,
    case when day.has_several_payers then payer.timed_units_per_day_cap else day.timed_units_per_day_cap end
        as timed_units_per_day_cap,
    case when day.has_several_payers then payer.payer_reference_key else day.payer_reference_key end
        as payer_reference_key,
    coalesce(payer.payer_count, case when day.payer_id is null then 0 else 1 end) as payer_count,
    justified.patient_day_key is not null as has_justification,
    unjudged.patient_day_key is null as is_judged,
    coalesce(day.service_date between coverage.first_date and coverage.last_date, false) as is_covered,
    day.service_date <= setting.as_of_date - cast(lag.value as integer) as is_past_billing_lag
from day
cross join run_setting as setting
cross join stg_coverage as coverage
left join payer on payer.day_key = day.day_key and payer.place = 1
left join unjudged on unjudged.patient_day_key = day.patient_day_key
left join justified on justified.patient_day_key = day.patient_day_key
left join ref_parameter as lag
    on lag.name = 'billing_lag_days'
    and day.service_date >= lag.effective_from and day.service_date < lag.effective_to
