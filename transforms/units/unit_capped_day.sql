-- grain: one therapy day on which a cap leaves no room for another unit of a timed code billed
-- units: none
-- source: rule book s. 6 (billed_units_below_minutes: no cap stands in the way)
with
-- each billed timed code with whether it stands at one of its caps, and whether the other code of its pair has room
billed as (
    select
        l.day_key,
        l.counted_code,
        l.procedure_code,
        max(case when t.tested_units >= t.cap_units then 1 else 0 end) as is_at_cap,
        min(term.partner_code) as partner_code,
        -- not billed, the other code has room unless its cap is 0
        min(case
            when term.partner_code is null then 0
            when term.is_mue_bound and coalesce(term.partner_mue_units = 0, false) then 0
            when coalesce(term.partner_payer_cap_units = 0, false) then 0
            else 1
        end) as has_partner_room
    from stg_line as l
    join stg_term as term on term.term_key = l.term_key
    left join unit_cap_test as t
        on t.patient_day_key = l.patient_day_key
        and t.procedure_code = l.procedure_code
        and t.payer_id = l.payer_id
        and t.billing_provider_id is not distinct from l.billing_provider_id
        -- a cap of this very line
        and (t.cap_kind = 'payer' or term.is_mue_bound)
    where not l.is_set_aside and l.is_timed and l.day_key is not null
    group by l.day_key, l.counted_code, l.procedure_code
),
-- each counted code: no room on any code billed, nor on the other one of the pair
counted as (
    select
        mine.day_key,
        mine.counted_code
    from billed as mine
    left join billed as other
        on other.day_key = mine.day_key and other.counted_code = mine.counted_code
        and other.procedure_code = mine.partner_code
    group by mine.day_key, mine.counted_code
    having min(mine.is_at_cap) = 1
        and max(case when other.day_key is null then mine.has_partner_room else 0 end) = 0
)
select distinct counted.day_key
from counted
