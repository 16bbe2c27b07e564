-- grain: one therapy day with a counting note and a billed line
-- units: timed units; whole minutes
-- source: rule book s. 6 (lost revenue), s. 3 (sure time) and s. 1 (unlisted code); CMS Pub. 100-04 ch. 5 s. 20.2.C
-- violated_when: the therapy day has a counting note, and fewer timed units are billed than its sure minutes support;
--   no cap, denied line or secondary payer's line explains it
-- shows: bill, notes, minutes, units, caps, dollars
with
-- therapy days that document a timed code with a cap of 0, the MUE's or the day's payer's: it could not be billed
never_payable as (
    select distinct b.day_key
    from stg_block as b
    where b.kind = 'timed_15' and (b.mue_units = 0 or b.payer_cap_units = 0)
),
-- the timed code with the most credited minutes beyond what was billed of it
lacking as (
    select
        c.day_key,
        c.procedure_code,
        row_number() over (
            partition by c.day_key order by c.credited_seconds - 900 * c.billed_units desc, c.procedure_code
        ) as place
    from unit_day_code as c
    where c.is_timed
)
select
    case
        when not d.is_judged or d.has_set_aside_line or d.sure_units is null then 'unjudged'
        when d.has_unlisted_block or d.has_unlisted_line or never_payable.day_key is not null then 'unjudged'
        when d.billed_timed_units < d.sure_units
            and d.billed_timed_units < coalesce(d.timed_units_per_day_cap, d.sure_units)
            and capped.day_key is null then 'violated'
        else 'passed'
    end as verdict,
    d.day_key,
    case when d.is_decidable then lacking.procedure_code end as named_code,
    d.billed_timed_units as billed_units,
    d.sure_units as expected_units,
    case d.counting_method
        when 'either' then greatest(d.sure_cms_units, d.ama_units)
        else d.other_method_units
    end as expected_units_other_method,
    d.sure_minutes as supported_minutes,
    d.payer_reference_key as reference_key,
    d.billed_timed_units || ' timed units were billed, and ' || d.sure_minutes || ' sure minutes make at least '
        || d.sure_units || case d.counting_method
            when 'cms_8_minute' then ' under the CMS 8-minute rule'
            when 'ama_midpoint' then ' when each code is counted alone (AMA midpoint)'
            else ' under either count (the method of this payer is not known)'
        end || case when d.is_decidable and lacking.procedure_code is not null
            then '; code ' || lacking.procedure_code || ' has the most minutes that were not billed.' else '.' end
        as message
from unit_day as d
left join unit_capped_day as capped on capped.day_key = d.day_key
left join never_payable on never_payable.day_key = d.day_key
left join lacking on lacking.day_key = d.day_key and lacking.place = 1
where d.has_counting_note and d.has_billed_line
