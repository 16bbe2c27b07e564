-- grain: one block of a counting note
-- units: seconds; start and end in seconds since midnight of the service date; units of the caps
-- source: rule book s. 1 (block, one code for two, kinds of codes), s. 2 (which minutes count), s. 3 (whole seconds)
with
-- payers with rows of their own for codes or caps
own_payer as (
    select c.payer_id from ref_procedure_code as c where c.payer_id is not null
    union
    select c.payer_id from ref_code_cap as c where c.payer_id is not null
),
-- therapy days billed to such a payer
own_day as (
    select distinct l.day_key
    from stg_line as l
    join own_payer on own_payer.payer_id = l.payer_id
    where not l.is_set_aside
),
-- of those, the days billed to it alone: its rows hold there, on all other days the shipped ones
payer_day as (
    select l.day_key, min(l.payer_id) as payer_id
    from stg_line as l
    join own_day on own_day.day_key = l.day_key
    where not l.is_set_aside
    group by l.day_key
    having min(l.payer_key) = max(l.payer_key)
),
-- the blocks of counting notes; one without a version belongs to the version that counts
block as (
    select
        n.note_key,
        n.patient_key,
        n.patient_day_key,
        n.day_key,
        n.service_date,
        n.discipline,
        n.clinician_key as note_clinician_key,
        b.block_number,
        b.note_version,
        b.procedure_code,
        -- an aide's time is aide time, whatever the delivery says
        case when b.provider_role = 'aide' then 'aide' else b.delivery end as delivery,
        b.provider_id,
        cast(round(b.minutes * 60) as integer) as stated_seconds,
        -- a start that is also the end is no clock
        case when b.end_second > b.start_second then b.start_second end as start_second,
        case when b.end_second > b.start_second then b.end_second end as end_second,
        b.has_minutes_in_prose,
        payer_day.payer_id as own_payer_id,
        b.file_number,
        b.source_line,
        b.piece
    from ok_note_blocks as b
    join stg_note as n
        on n.note_id = b.note_id and (b.note_version is null or b.note_version = n.note_version)
    left join payer_day on payer_day.day_key = n.day_key
    where n.standing = 'counting'
)
select
    place_key(block.file_number, block.source_line, block.piece) as block_key,
    block.note_key,
    block.patient_key,
    block.patient_day_key,
    block.day_key,
    block.service_date,
    block.discipline,
    coalesce(c.clinician_key, block.note_clinician_key) as clinician_key,
    block.block_number,
    block.note_version,
    block.procedure_code,
    coalesce(alias.target_code, block.procedure_code) as counted_code,
    coalesce(own.kind, code.kind, 'unlisted') as kind,
    block.delivery,
    coalesce(own.kind, code.kind, 'unlisted') = 'timed_15' and block.delivery = 'one_on_one' as is_timed_one_on_one,
    block.stated_seconds,
    block.start_second,
    block.end_second,
    block.has_minutes_in_prose,
    mue.cap_units as mue_units,
    own_cap.cap_units as payer_cap_units,
    block.file_number,
    block.source_line
from block
left join crosswalk_provider as x on x.from_id = block.provider_id
left join stg_clinician as c on c.provider_id = coalesce(x.to_id, block.provider_id)
left join ref_procedure_code as code
    on code.procedure_code = block.procedure_code and code.payer_id is null
    and block.service_date >= code.effective_from and block.service_date < code.effective_to
left join ref_procedure_code as own
    on own.procedure_code = block.procedure_code and own.payer_id = block.own_payer_id
    and block.service_date >= own.effective_from and block.service_date < own.effective_to
left join ref_code_alias as alias
    on alias.procedure_code = block.procedure_code and alias.relation = 'counts_as'
    and block.service_date >= alias.effective_from and block.service_date < alias.effective_to
left join ref_code_cap as mue
    on mue.procedure_code = block.procedure_code and mue.payer_id is null
    and block.service_date >= mue.effective_from and block.service_date < mue.effective_to
left join ref_code_cap as own_cap
    on own_cap.procedure_code = block.procedure_code and own_cap.payer_id = block.own_payer_id
    and block.service_date >= own_cap.effective_from and block.service_date < own_cap.effective_to
