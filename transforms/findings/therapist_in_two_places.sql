-- grain: one therapy day with a clocked one-on-one block
-- units: whole minutes; double_counted_minutes is the excess of the clinician's run over its clock minutes
-- source: rule book s. 6; CMS Pub. 100-02 ch. 15 s. 230.A
-- violated_when: one clinician's overlapping one-on-one blocks with several patients add up to a minute or more
--   beyond the clock time they cover, after time that the notes' totals leave out
-- shows: clinician, bill, notes, minutes
with
-- the runs in which the day's blocks lie
run as (
    select
        b.day_key,
        b.clinician_key,
        b.clinician_run_number,
        max(case when b.is_double_booked then b.run_excess_seconds else 0 end) as excess_seconds,
        sum(b.other_patient_blocks) as other_blocks
    from min_clinician_block as b
    group by b.day_key, b.clinician_key, b.clinician_run_number
),
-- their excess, by therapy day
day_excess as (
    select
        run.day_key,
        cast(sum(run.excess_seconds) as bigint) // 60 as excess_minutes,
        sum(run.other_blocks) as other_blocks,
        min(run.clinician_key) as least_clinician_key,
        max(run.clinician_key) as greatest_clinician_key
    from run
    where run.excess_seconds > 0
    group by run.day_key
)
select
    case
        when not d.is_judged then 'unjudged'
        when day_excess.excess_minutes > 0 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    case when day_excess.least_clinician_key = day_excess.greatest_clinician_key
        then day_excess.least_clinician_key end as clinician_key,
    day_excess.excess_minutes as double_counted_minutes,
    d.supported_minutes,
    true as has_overlapping_blocks,
    'The clinician''s one-on-one minutes with several patients at once exceed the clock by '
        || day_excess.excess_minutes || ' minute(s).'
        || case when day_excess.other_blocks > 50
            then ' Of ' || day_excess.other_blocks || ' overlaps with other patients'' blocks at most 50 are listed.'
            else '' end as message
from unit_day as d
left join day_excess on day_excess.day_key = d.day_key
where d.has_clocked_block
