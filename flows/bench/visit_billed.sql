-- grain: one visit: the units that its clinic bills for it
-- units: whole minutes and units
-- source: CMS Pub. 100-04 ch. 5 s. 20.2.C, and the CPT midpoint; then what was planted
create or replace view visit_billed as
with
-- CMS: a unit for each full 15 minutes of a code; those left over go to the codes with the largest remainders
counted as (
    select
        w.*,
        (w.first_minutes + w.second_minutes + w.third_minutes + 7) // 15
            - w.first_minutes // 15 - w.second_minutes // 15 - w.third_minutes // 15 as units_left,
        w.first_minutes % 15 as first_rest,
        w.second_minutes % 15 as second_rest,
        w.third_minutes % 15 as third_rest,
        w.payer = 'DEMO-PPO' or w.payer = 'COMM-2217' and w.patient % 2 = 0 as is_midpoint
    from visit_written as w
),
-- both counts of each code
both_counts as (
    select
        counted.*,
        counted.first_minutes // 15 + cast(
            (second_rest > first_rest)::integer + (third_rest > first_rest)::integer < units_left as integer
        ) as first_cms,
        counted.second_minutes // 15 + cast(
            (first_rest >= second_rest)::integer + (third_rest > second_rest)::integer < units_left as integer
        ) as second_cms,
        counted.third_minutes // 15 + cast(
            (first_rest >= third_rest)::integer + (second_rest >= third_rest)::integer < units_left as integer
        ) as third_cms,
        (counted.first_minutes + 7) // 15 as first_ama,
        (counted.second_minutes + 7) // 15 as second_ama,
        (counted.third_minutes + 7) // 15 as third_ama
    from counted
),
-- what is billed: the payer's count, or the other one where that was planted
chosen as (
    select
        both_counts.*,
        case when is_midpoint <> (planted = 'other_method' is true) then first_ama else first_cms end as first_right,
        case when is_midpoint <> (planted = 'other_method' is true) then second_ama else second_cms end as second_right,
        case when is_midpoint <> (planted = 'other_method' is true) then third_ama else third_cms end as third_right
    from both_counts
)
select
    c.visit,
    c.service_date,
    c.clinic,
    c.discipline,
    c.is_assistant,
    c.billing_clinician,
    c.patient,
    c.visit_of_patient,
    c.payer,
    c.planted,
    case when c.planted = 'code_not_documented' then '97542' else c.first_code end as first_code,
    c.second_code,
    c.third_code,
    case
        when c.planted = 'unit_too_many' and c.timed_codes > 0 then c.first_right + 1
        when c.planted in ('unit_too_few', 'wrong_code') then greatest(c.first_right - 1, 0)
        else c.first_right
    end as first_units,
    case
        when c.planted = 'wrong_code' and c.first_right > 0 then c.second_right + 1
        when c.planted = 'unit_too_few' and c.first_right = 0 then greatest(c.second_right - 1, 0)
        else c.second_right
    end as second_units,
    c.third_right as third_units,
    -- Medicare pays G0283 in place of 97014, and never 97010
    case
        when c.payer <> 'MEDICARE' then c.untimed_code
        when c.untimed_code = '97014' then 'G0283'
        when c.untimed_code <> '97010' then c.untimed_code
    end as untimed_code,
    case when c.planted = 'untimed_twice' then 2 else 1 end as untimed_units
from chosen as c
