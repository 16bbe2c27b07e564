-- grain: one row for the whole run: whether enough of its counting notes give any minutes
-- units: notes
-- source: rule book s. 6 (timed_minutes_not_documented; parameter minimum_measured_share)
with
-- counting notes of the run, and those with a total or a block that holds minutes or a clock
counted as (
    select
        coalesce(sum(m.counting_notes), 0) as counting_notes,
        coalesce(sum(m.measured_notes), 0) as measured_notes
    from stg_match as m
)
select
    cast(counted.counting_notes as bigint) as counting_notes,
    cast(counted.measured_notes as bigint) as measured_notes,
    counted.measured_notes >= coalesce(least_share.value, 0) * counted.counting_notes as is_measured
from counted
cross join run_setting as setting
left join ref_parameter as least_share
    on least_share.name = 'minimum_measured_share'
    and setting.as_of_date >= least_share.effective_from and setting.as_of_date < least_share.effective_to
