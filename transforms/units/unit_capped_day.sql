-- grain: one therapy day on which a cap leaves no room for another unit of a timed code billed
-- units: none
-- source: rule book s. 6 (billed_units_below_minutes: no cap stands in the way)
with
-- caps that are reached
reached as (
    select t.patient_day_key, t.procedure_code, t.payer_id, t.billing_provider_id, t.cap_kind
    from unit_cap_test as t
    where t.tested_units >= t.cap_units
),
-- timed codes billed that stand at one of them, a cap of their very line, with the other code of their pair; not
-- billed, that one has room unless its cap is 0
at_cap as (
    select
        l.day_key,
        l.counted_code,
        l.procedure_code,
        min(term.partner_code) as partner_code,
        min(case
            when term.partner_code is null then 0
            when term.is_mue_bound and coalesce(term.partner_mue_units = 0, false) then 0
            when coalesce(term.partner_payer_cap_units = 0, false) then 0
            else 1
        end) as has_partner_room
    from reached
    join stg_line as l
        on l.patient_day_key = reached.patient_day_key and l.procedure_code = reached.procedure_code
        and l.payer_id = reached.payer_id
        and l.billing_provider_id is not distinct from reached.billing_provider_id
    join stg_term as term on term.term_key = l.term_key
    where not l.is_set_aside and l.is_timed and l.day_key is not null
        and (reached.cap_kind = 'payer' or term.is_mue_bound)
    group by l.day_key, l.counted_code, l.procedure_code
)
select distinct mine.day_key
from at_cap as mine
left join unit_billed_code as other
    on other.day_key = mine.day_key and other.procedure_code = mine.partner_code
left join at_cap as other_at_cap
    on other_at_cap.day_key = mine.day_key and other_at_cap.procedure_code = mine.partner_code
-- of a pair it is enough that one of the two has room
where other_at_cap.day_key is not null or (other.day_key is null and mine.has_partner_room = 0)
