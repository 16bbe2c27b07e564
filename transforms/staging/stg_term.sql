-- grain: one payer, kind of claim, code in scope or unlisted, and service date that an accepted claim line names
-- together, with what the payer and the tables in force say of it
-- units: units of the caps
-- source: rule book s. 1 (kinds of codes, unlisted codes), s. 4 (counting methods), s. 5 (caps); interface s. 1
with
-- nearly all lines share theirs with many others
said as (
    select distinct c.payer_id, c.claim_type, c.procedure_code, c.service_date
    from ok_claims as c
),
-- with the code's kind: the payer's own row where there is one, else the row for any payer; without a row unlisted
kind as (
    select
        said.payer_id as written_payer_id,
        coalesce(x.to_id, said.payer_id) as payer_id,
        said.claim_type,
        said.procedure_code,
        said.service_date,
        coalesce(own.kind, shipped.kind, 'unlisted') as kind,
        coalesce(shipped.kind, 'unlisted') as shipped_kind,
        own.procedure_code is not null as has_own_kind,
        coalesce(own.disciplines, shipped.disciplines) as disciplines
    from said
    left join crosswalk_payer as x on x.from_id = said.payer_id
    left join ref_procedure_code as shipped
        on shipped.procedure_code = said.procedure_code and shipped.payer_id is null
        and said.service_date >= shipped.effective_from and said.service_date < shipped.effective_to
    left join ref_procedure_code as own
        on own.procedure_code = said.procedure_code and own.payer_id = coalesce(x.to_id, said.payer_id)
        and said.service_date >= own.effective_from and said.service_date < own.effective_to
),
-- those that bear on therapy
term as (
    select
        kind.written_payer_id,
        kind.payer_id,
        kind.claim_type,
        kind.procedure_code,
        kind.service_date,
        kind.kind,
        kind.shipped_kind,
        kind.has_own_kind,
        kind.disciplines,
        coalesce(alias.target_code, kind.procedure_code) as counted_code
    from kind
    left join ref_code_alias as alias
        on alias.procedure_code = kind.procedure_code and alias.relation = 'counts_as'
        and kind.service_date >= alias.effective_from and kind.service_date < alias.effective_to
    where kind.kind in ('timed_15', 'untimed', 'unlisted')
),
-- base codes on a date, with the add-on that counts as them
add_on as (
    select
        base.counted_code,
        base.service_date,
        min(alias.procedure_code) as procedure_code
    from (select distinct term.counted_code, term.service_date from term) as base
    join ref_code_alias as alias
        on alias.target_code = base.counted_code and alias.relation = 'counts_as'
        and base.service_date >= alias.effective_from and base.service_date < alias.effective_to
    group by base.counted_code, base.service_date
),
-- each term with the other code of its pair: the base code of an add-on, the add-on of a base code
paired as (
    select
        term.written_payer_id,
        term.payer_id,
        term.claim_type,
        term.procedure_code,
        term.service_date,
        term.kind,
        term.shipped_kind,
        term.has_own_kind,
        term.disciplines,
        term.counted_code,
        case when term.procedure_code = term.counted_code then add_on.procedure_code else term.counted_code end
            as partner_code
    from term
    left join add_on on add_on.counted_code = term.counted_code and add_on.service_date = term.service_date
)
select
    row_number() over (
        order by paired.written_payer_id, paired.claim_type, paired.service_date, paired.procedure_code
    ) as term_key,
    paired.written_payer_id,
    paired.payer_id,
    dense_rank() over (order by paired.payer_id) as payer_key,
    paired.claim_type,
    paired.procedure_code,
    paired.service_date,
    paired.counted_code,
    paired.kind,
    paired.kind = 'timed_15' as is_timed,
    paired.shipped_kind,
    paired.has_own_kind,
    paired.disciplines,
    -- the payer's own row where there is one, else the row for any other payer
    paired.claim_type = 'professional' and coalesce(own.follows_mue, anyone.follows_mue, false) as is_mue_bound,
    coalesce(own.counting_method, anyone.counting_method, 'either') as counting_method,
    case when own.payer_id is null then anyone.timed_units_per_day_cap else own.timed_units_per_day_cap end
        as timed_units_per_day_cap,
    coalesce(own.reference_key, anyone.reference_key) as payer_reference_key,
    own.payer_id is null and coalesce(anyone.counting_method, 'either') = 'either' as is_payer_unlisted,
    mue.cap_units as mue_units,
    mue.adjudication_indicator as mue_indicator,
    mue.reference_key as mue_reference_key,
    own_cap.cap_units as payer_cap_units,
    own_cap.adjudication_indicator as payer_cap_indicator,
    own_cap.reference_key as payer_cap_reference_key,
    paired.partner_code,
    partner_mue.cap_units as partner_mue_units,
    partner_cap.cap_units as partner_payer_cap_units
from paired
left join ref_payer_method as own
    on own.payer_id = paired.payer_id
    and paired.service_date >= own.effective_from and paired.service_date < own.effective_to
left join ref_payer_method as anyone
    on anyone.payer_id = '*'
    and paired.service_date >= anyone.effective_from and paired.service_date < anyone.effective_to
left join ref_code_cap as mue
    on mue.procedure_code = paired.procedure_code and mue.payer_id is null
    and paired.service_date >= mue.effective_from and paired.service_date < mue.effective_to
left join ref_code_cap as own_cap
    on own_cap.procedure_code = paired.procedure_code and own_cap.payer_id = paired.payer_id
    and paired.service_date >= own_cap.effective_from and paired.service_date < own_cap.effective_to
left join ref_code_cap as partner_mue
    on partner_mue.procedure_code = paired.partner_code and partner_mue.payer_id is null
    and paired.service_date >= partner_mue.effective_from and paired.service_date < partner_mue.effective_to
left join ref_code_cap as partner_cap
    on partner_cap.procedure_code = paired.partner_code and partner_cap.payer_id = paired.payer_id
    and paired.service_date >= partner_cap.effective_from and paired.service_date < partner_cap.effective_to
