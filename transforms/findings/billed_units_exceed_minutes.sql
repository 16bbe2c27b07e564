-- grain: one therapy day with a counting note and a billed line
-- units: timed units; whole minutes
-- source: rule book s. 6, s. 4 (the most units) and s. 1 (unlisted code); CMS Pub. 100-04 ch. 5 s. 20.2.C
-- violated_when: the therapy day has a counting note, and more timed units are billed than its documented time
--   supports
-- shows: bill, notes, minutes, units, caps, dollars
with
-- the timed code that stands furthest above the lawful split nearest to the bill
above as (
    select
        s.day_key,
        s.procedure_code,
        row_number() over (
            partition by s.day_key order by s.billed_units - s.expected_units desc, s.procedure_code
        ) as place
    from unit_split as s
    where s.billed_units > s.expected_units
)
select
    case
        when not d.is_judged or d.supported_units is null then 'unjudged'
        when d.billed_timed_units > d.supported_units then 'violated'
        -- an unlisted code may hold time of the pool, and nobody knows how much
        when d.has_unlisted_block then 'unjudged'
        else 'passed'
    end as verdict,
    d.day_key,
    above.procedure_code as named_code,
    d.billed_timed_units as billed_units,
    d.supported_units as expected_units,
    d.other_method_units as expected_units_other_method,
    d.supported_minutes,
    d.billed_timed_units - d.supported_units as at_risk_units,
    true as is_at_risk_timed_only,
    d.payer_reference_key as reference_key,
    d.billed_timed_units || ' timed units were billed, and ' || d.most_minutes || ' supported minutes'
        || case when d.has_unlisted_block then ' (those of unlisted codes among them)' else '' end
        || ' make at most ' || d.supported_units || case d.counting_method
            when 'cms_8_minute' then ' under the CMS 8-minute rule.'
            when 'ama_midpoint' then case when d.is_decidable
                then ' when each code is counted alone (AMA midpoint).'
                else ' under the AMA midpoint rule, however they lie on the codes.' end
            else ' under either count (the method of this payer is not known).'
        end as message
from unit_day as d
left join above on above.day_key = d.day_key and above.place = 1
where d.has_counting_note and d.has_billed_line
