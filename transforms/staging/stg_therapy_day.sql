-- grain: one therapy day: patient, service date and discipline
-- units: units of the payer's cap; payer, method and cap are null where no payer was billed, or several were
-- source: rule book s. 1 (therapy day, unlisted code), s. 2 (which rows count), s. 4 (several payers)
with
-- every row that puts a therapy day there
seen as (
    select
        l.day_key,
        case when l.is_set_aside then 0 else 1 end as billed_line,
        case when l.is_set_aside then 1 else 0 end as set_aside_line,
        0 as counting_note,
        0 as not_billable_note,
        0 as draft_note,
        case when not l.is_set_aside then l.payer_key end as payer_key,
        case when not l.is_set_aside then l.term_key end as term_key
    from stg_line as l
    where l.day_key is not null
    union all
    select
        n.day_key,
        0 as billed_line,
        0 as set_aside_line,
        case when n.standing = 'counting' then 1 else 0 end as counting_note,
        case when n.standing = 'not_billable' then 1 else 0 end as not_billable_note,
        case when n.standing = 'draft' then 1 else 0 end as draft_note,
        cast(null as bigint) as payer_key,
        cast(null as bigint) as term_key
    from stg_note as n
),
-- one row a therapy day; where one payer was billed, any of its terms of the day says how it counts
day as (
    select
        seen.day_key,
        max(seen.billed_line) = 1 as has_billed_line,
        max(seen.set_aside_line) = 1 as has_set_aside_line,
        max(seen.counting_note) = 1 as has_counting_note,
        max(seen.not_billable_note) = 1 as has_not_billable_note,
        max(seen.draft_note) = 1 as has_draft,
        coalesce(min(seen.payer_key) <> max(seen.payer_key), false) as has_several_payers,
        min(seen.term_key) as term_key
    from seen
    group by seen.day_key
),
-- each day with what its key holds
settled as (
    select
        day.day_key,
        patient_day_of(day.day_key) as patient_day_key,
        patient_of(day.day_key) as patient_key,
        date_of(day.day_key) as service_date,
        case discipline_of(day.day_key) when 1 then 'PT' when 2 then 'OT' else 'SLP' end as discipline,
        day.has_billed_line,
        day.has_set_aside_line,
        day.has_counting_note,
        day.has_not_billable_note,
        day.has_draft,
        day.has_several_payers,
        case when not day.has_several_payers then day.term_key end as term_key
    from day
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
),
-- therapy days with a one-on-one block of a code that nobody listed
unlisted_block as (
    select distinct b.day_key
    from stg_block as b
    where b.kind = 'unlisted' and b.delivery = 'one_on_one'
),
-- therapy days with a billed line of such a code, and their patients and dates
unlisted_line as (
    select distinct l.day_key
    from stg_unlisted_line as l
),
unlisted_line_date as (
    select distinct l.patient_day_key
    from stg_unlisted_line as l
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
    day.has_several_payers,
    term.payer_id,
    term.counting_method,
    term.timed_units_per_day_cap,
    term.payer_reference_key,
    justified.patient_day_key is not null as has_justification,
    unlisted_block.day_key is not null as has_unlisted_block,
    unlisted_line.day_key is not null as has_unlisted_line,
    unlisted_line_date.patient_day_key is not null as has_unlisted_line_on_date,
    unjudged.patient_day_key is null as is_judged,
    coalesce(day.service_date between coverage.first_date and coverage.last_date, false) as is_covered,
    coalesce(unread.has_unread_note, false) as has_unread_note_on_date,
    coalesce(unread.has_unread_claim, false) as has_unread_claim_on_date,
    day.service_date <= setting.as_of_date - cast(lag.value as integer) as is_past_billing_lag
from settled as day
cross join run_setting as setting
cross join stg_coverage as coverage
left join stg_term as term on term.term_key = day.term_key
left join unjudged on unjudged.patient_day_key = day.patient_day_key
left join justified on justified.patient_day_key = day.patient_day_key
left join unlisted_block on unlisted_block.day_key = day.day_key
left join unlisted_line on unlisted_line.day_key = day.day_key
left join unlisted_line_date on unlisted_line_date.patient_day_key = day.patient_day_key
left join stg_unread_date as unread on unread.service_date = day.service_date
left join ref_parameter as lag
    on lag.name = 'billing_lag_days'
    and day.service_date >= lag.effective_from and day.service_date < lag.effective_to
