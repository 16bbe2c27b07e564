-- grain: one therapy day with a counting note and a billed line
-- units: timed units; whole minutes
-- source: rule book s. 6, s. 4 (every split of a tie is lawful) and s. 1 (unlisted code); CMS Pub. 100-04 ch. 5 s.
-- 20.2.C
-- violated_when: the therapy day has a counting note, the total of its units is supported and its minutes per code
--   are certain, and a code has more units billed than in the lawful split closest to the bill
-- shows: bill, notes, minutes, units, caps, dollars
with
-- timed units that stand above the lawful split nearest to the bill, and the codes they stand on
above as (
    select
        s.day_key,
        min(s.procedure_code) as first_code,
        cast(sum(s.billed_units - s.expected_units) as bigint) as units_above_split,
        string_agg(s.procedure_code || ' (billed ' || s.billed_units || ', lawful ' || s.expected_units || ')', ', '
            order by s.procedure_code) as codes
    from unit_split as s
    where s.billed_units > s.expected_units
    group by s.day_key
)
select
    case
        when not d.is_judged or not d.is_decidable or coalesce(d.counting_method, 'either') = 'either' then 'unjudged'
        when d.has_unlisted_block or d.has_unlisted_line then 'unjudged'
        when d.billed_timed_units <= d.supported_units and above.units_above_split > 0 then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    above.first_code as named_code,
    d.billed_timed_units as billed_units,
    d.supported_units as expected_units,
    d.other_method_units as expected_units_other_method,
    d.supported_minutes,
    above.units_above_split as at_risk_units,
    true as is_at_risk_timed_only,
    d.payer_reference_key as reference_key,
    'The number of timed units holds, but no lawful split of the minutes gives so many to ' || above.codes || '.'
        as message
from unit_day as d
left join above on above.day_key = d.day_key
where d.has_counting_note and d.has_billed_line
