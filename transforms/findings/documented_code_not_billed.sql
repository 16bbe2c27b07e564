-- grain: one therapy day with a billed line, and one untimed code that a block of its counting notes has as its own
-- units: none
-- source: rule book s. 6, s. 2 (covered dates, billing lag, an unread claim) and s. 1 (what a block documents)
-- violated_when: the day is billed, and a counting note has a block of an untimed code (MUE not 0) that no line of
--   the patient and date bills, directly or under another name
-- shows: bill, minutes, notes, covered, billing_lag, nearest
with
-- codes that the lines of a patient and date bill, or would have
line_code as (
    select distinct l.patient_day_key, l.procedure_code
    from stg_line as l
    union
    select distinct l.patient_day_key, l.counted_code as procedure_code
    from stg_line as l
),
-- blocks for which one of them stands: the block's own code, or another that it documents
billed as (
    select distinct d.block_key
    from unit_documented as d
    join line_code on line_code.patient_day_key = d.patient_day_key and line_code.procedure_code = d.procedure_code
),
-- the untimed codes that blocks have as their own, and whether one of these blocks is not billed
code as (
    select
        b.day_key,
        b.procedure_code,
        max(case when billed.block_key is null then 1 else 0 end) = 1 as is_missing
    from stg_block as b
    left join billed on billed.block_key = b.block_key
    where b.kind = 'untimed' and coalesce(b.mue_units <> 0, true)
    group by b.day_key, b.procedure_code
)
select
    case
        when not d.is_judged then 'unjudged'
        when not code.is_missing then 'passed'
        when not d.is_covered or not d.is_past_billing_lag or d.has_unread_claim_on_date then 'unjudged'
        else 'violated'
    end as verdict,
    d.day_key,
    code.procedure_code,
    0 as billed_units,
    1 as expected_units,
    'A block of the notes documents untimed code ' || code.procedure_code
        || ', the day was billed, and no line of the patient and date bills it.' as message
from unit_day as d
join code on code.day_key = d.day_key
where d.has_billed_line and d.has_counting_note
