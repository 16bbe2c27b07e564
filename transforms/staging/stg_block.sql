-- grain: one block of a counting note
-- units: minutes; start and end in minutes since midnight of the service date
-- source: rule book s. 1 (block, one code for two), s. 2 (which minutes count)
with
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
        b.minutes as stated_minutes,
        -- a start that is also the end is no clock
        case when b.end_minute > b.start_minute then b.start_minute end as start_minute,
        case when b.end_minute > b.start_minute then b.end_minute end as end_minute,
        b.clock_has_seconds,
        b.has_minutes_in_prose,
        b.file_number,
        b.source_line,
        b.piece
    from ok_note_blocks as b
    join stg_note as n
        on n.note_id = b.note_id and (b.note_version is null or b.note_version = n.note_version)
    where n.standing = 'counting'
)
select
    (cast(block.file_number as bigint) * 1000000000 + block.source_line) * 1000
        + coalesce(block.piece, 0) as block_key,
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
    code.kind,
    block.delivery,
    coalesce(code.kind = 'timed_15' and block.delivery = 'one_on_one', false) as is_timed_one_on_one,
    block.stated_minutes,
    block.start_minute,
    block.end_minute,
    block.clock_has_seconds,
    block.has_minutes_in_prose,
    mue.cap_units as mue_units,
    block.file_number,
    block.source_line
from block
left join crosswalk_provider as x on x.from_id = block.provider_id
left join stg_clinician as c on c.provider_id = coalesce(x.to_id, block.provider_id)
left join ref_procedure_code as code
    on code.procedure_code = block.procedure_code
    and block.service_date >= code.effective_from and block.service_date < code.effective_to
left join ref_code_alias as alias
    on alias.procedure_code = block.procedure_code and alias.relation = 'counts_as'
    and block.service_date >= alias.effective_from and block.service_date < alias.effective_to
left join ref_code_cap as mue
    on mue.procedure_code = block.procedure_code and mue.payer_id is null
    and block.service_date >= mue.effective_from and block.service_date < mue.effective_to
