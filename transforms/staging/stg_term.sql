-- grain: one payer, kind of claim, code in scope and service date that an accepted claim line names together, with
-- what the payer and the tables in force say of it
-- units: units of the caps
-- source: rule book s. 4 (counting methods), s. 5 (caps); interface s. 1
with
-- nearly all lines share theirs with many others
said as (
    select distinct c.payer_id, c.claim_type, c.procedure_code, c.service_date
    from ok_claims as c
),
-- those of codes in scope, under the payer's own id
term as (
    select
        said.payer_id as written_payer_id,
        coalesce(x.to_id, said.payer_id) as payer_id,
        said.claim_type,
        said.procedure_code,
        said.service_date,
        code.kind,
        code.disciplines
    from said
    join ref_procedure_code as code
        on code.procedure_code = said.procedure_code and code.kind in ('timed_15', 'untimed')
        and said.service_date >= code.effective_from and said.service_date < code.effective_to
    left join crosswalk_payer as x on x.from_id = said.payer_id
)
select
    row_number() over (
        order by term.written_payer_id, term.claim_type, term.service_date, term.procedure_code
    ) as term_key,
    term.written_payer_id,
    term.payer_id,
    dense_rank() over (order by term.payer_id) as payer_key,
    term.claim_type,
    term.procedure_code,
    term.service_date,
    coalesce(alias.target_code, term.procedure_code) as counted_code,
    term.kind = 'timed_15' as is_timed,
    term.disciplines,
    -- the payer's own row where there is one, else the row for any other payer
    term.claim_type = 'professional' and coalesce(own.follows_mue, anyone.follows_mue, false) as is_mue_bound,
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
    own_cap.reference_key as payer_cap_reference_key
from term
left join ref_payer_method as own
    on own.payer_id = term.payer_id
    and term.service_date >= own.effective_from and term.service_date < own.effective_to
left join ref_payer_method as anyone
    on anyone.payer_id = '*'
    and term.service_date >= anyone.effective_from and term.service_date < anyone.effective_to
left join ref_code_alias as alias
    on alias.procedure_code = term.procedure_code and alias.relation = 'counts_as'
    and term.service_date >= alias.effective_from and term.service_date < alias.effective_to
left join ref_code_cap as mue
    on mue.procedure_code = term.procedure_code and mue.payer_id is null
    and term.service_date >= mue.effective_from and term.service_date < mue.effective_to
left join ref_code_cap as own_cap
    on own_cap.procedure_code = term.procedure_code and own_cap.payer_id = term.payer_id
    and term.service_date >= own_cap.effective_from and term.service_date < own_cap.effective_to
