-- grain: one therapy day with a billed line, and one untimed code that a block of its counting notes has as its own
-- units: none
-- source: rule book s. 6, s. 2 (covered dates, billing lag, an unread claim) and s. 1 (what a block documents)
-- not_checked: timed codes; codes never payable by themselves (MUE of 0); services left unbilled on purpose
with
-- such codes
code as (
    select distinct b.day_key, b.procedure_code
    from stg_block as b
    where b.kind = 'untimed' and coalesce(b.mue_units <> 0, true)
),
-- codes that the lines of a patient and date bill, or would have
line_code as (
    select distinct l.patient_day_key, l.procedure_code
    from stg_line as l
    union
    select distinct l.patient_day_key, l.counted_code as procedure_code
    from stg_line as l
),
-- of the documented codes, those that stand on a line there, as themselves or as a code that their block stands for
billed as (
    select distinct b.day_key, b.procedure_code
    from stg_block as b
    join unit_documented as d on d.block_key = b.block_key
    join line_code on line_code.patient_day_key = b.patient_day_key and line_code.procedure_code = d.procedure_code
    where b.kind = 'untimed'
)
select
    case
        when not d.is_judged then 'unjudged'
        when billed.day_key is not null then 'passed'
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
left join billed on billed.day_key = code.day_key and billed.procedure_code = code.procedure_code
where d.has_billed_line and d.has_counting_note
