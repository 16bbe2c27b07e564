-- grain: one billed line of a code that has units above the expected split of its therapy day, with these units
-- units: whole units
-- source: rule book s. 6 (units too many x allowed, else paid, else charge)
with
-- the units of the same code on this line and on the lines before it
line as (
    select
        l.line_key,
        l.day_key,
        l.counted_code,
        l.is_timed,
        l.billed_units,
        split.expected_units,
        sum(l.billed_units) over (
            partition by l.day_key, l.counted_code order by l.claim_id, l.line_number
            rows between unbounded preceding and current row
        ) as units_so_far
    from stg_line as l
    join unit_split as split
        on split.day_key = l.day_key and split.procedure_code = l.counted_code
        and split.billed_units > split.expected_units
    where not l.is_set_aside
)
select
    line.line_key,
    line.day_key,
    line.counted_code,
    line.is_timed,
    line.billed_units,
    cast(least(line.billed_units, greatest(0, line.units_so_far - line.expected_units)) as bigint)
        as units_above_split
from line
