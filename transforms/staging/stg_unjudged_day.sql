-- grain: one patient, service date and reason for which no rule accuses there
-- units: none
-- source: rule book s. 2 (unjudged)
with
-- rows that broke the contract, with the ids they name
broken as (
    select
        q.table_name,
        coalesce(case when q.table_name <> 'claims' then x.to_id end, q.patient_id) as patient_id,
        q.service_date,
        q.claim_id,
        q.original_claim_id,
        q.note_id
    from quarantine as q
    left join crosswalk_patient as x on x.from_id = q.patient_id
),
-- the patient and date of the broken row itself, and of every accepted row of its claim or note
touched as (
    select p.patient_key, broken.service_date, 'quarantined_row' as reason
    from broken
    join stg_patient as p on p.patient_id = broken.patient_id
    where broken.service_date is not null
    union
    select p.patient_key, c.service_date, 'quarantined_row' as reason
    from ok_claims as c
    join stg_patient as p on p.patient_id = c.patient_id
    join broken on broken.claim_id = c.claim_id
    union
    -- a correction that could not be read leaves open what the claim it names still bills
    select p.patient_key, c.service_date, 'quarantined_row' as reason
    from ok_claims as c
    join stg_patient as p on p.patient_id = c.patient_id
    join broken on broken.original_claim_id = c.claim_id
    union
    select p.patient_key, n.service_date, 'quarantined_row' as reason
    from ok_notes as n
    left join crosswalk_patient as x on x.from_id = n.patient_id
    join stg_patient as p on p.patient_id = coalesce(x.to_id, n.patient_id)
    join broken on broken.note_id = n.note_id
),
-- what the blocks of a counting note without a total leave open
note_blocks as (
    select
        b.note_key,
        count(case when b.is_timed_one_on_one and b.stated_minutes is null and b.start_minute is null then 1 end)
            as blocks_without_minutes,
        count(case when b.has_minutes_in_prose then 1 end) as blocks_with_prose
    from stg_block as b
    join stg_note as n on n.note_key = b.note_key and n.total_timed_minutes is null
    group by b.note_key
),
-- notes whose minutes may stand in prose only: no total, and no blocks or blocks that hold no minutes
prose as (
    select n.patient_key, n.service_date, 'minutes_in_prose' as reason
    from stg_note as n
    left join note_blocks on note_blocks.note_key = n.note_key
    where n.standing = 'counting'
        and n.total_timed_minutes is null
        and (note_blocks.note_key is null or note_blocks.blocks_without_minutes > 0)
        and (n.has_minutes_in_prose or coalesce(note_blocks.blocks_with_prose, 0) > 0)
),
-- where no extract of blocks was given at all, a note without a total says nothing of its minutes
no_blocks as (
    select n.patient_key, n.service_date, 'no_block_extract' as reason
    from stg_note as n
    where n.standing = 'counting'
        and n.total_timed_minutes is null
        and not exists (select 1 as found from delivered_file as f where f.table_name = 'note_blocks')
),
-- lines dated by their claim, and lines whose discipline nothing settles
lines as (
    select
        l.patient_key,
        l.service_date,
        case when l.service_date_basis = 'claim' then 'claim_dated_line' else 'unsettled_discipline' end as reason
    from stg_line as l
    where l.service_date_basis = 'claim' or l.discipline is null
),
-- all of them, each once
marked as (
    select touched.patient_key, touched.service_date, touched.reason from touched
    union
    select prose.patient_key, prose.service_date, prose.reason from prose
    union
    select no_blocks.patient_key, no_blocks.service_date, no_blocks.reason from no_blocks
    union
    select lines.patient_key, lines.service_date, lines.reason from lines
)
select
    marked.patient_key,
    marked.patient_key * 3000000 + date_diff('day', date '1990-01-01', marked.service_date) as patient_day_key,
    marked.service_date,
    marked.reason
from marked
