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
-- every date on which a patient has an accepted row
patient_date as (
    select p.patient_key, c.service_date
    from ok_claims as c
    join stg_patient as p on p.patient_id = c.patient_id
    union
    select p.patient_key, n.service_date
    from ok_notes as n
    left join crosswalk_patient as x on x.from_id = n.patient_id
    join stg_patient as p on p.patient_id = coalesce(x.to_id, n.patient_id)
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
    select p.patient_key, c.service_date, 'quarantined_row' as reason
    from ok_claims as c
    join stg_patient as p on p.patient_id = c.patient_id
    join broken on broken.original_claim_id = c.payer_claim_id
    union
    select p.patient_key, n.service_date, 'quarantined_row' as reason
    from ok_notes as n
    left join crosswalk_patient as x on x.from_id = n.patient_id
    join stg_patient as p on p.patient_id = coalesce(x.to_id, n.patient_id)
    join broken on broken.note_id = n.note_id
    union
    -- a row whose date nobody can read may belong to any date of its patient
    select d.patient_key, d.service_date, 'quarantined_row_undated' as reason
    from broken
    join stg_patient as p on p.patient_id = broken.patient_id
    join patient_date as d on d.patient_key = p.patient_key
    where broken.service_date is null
),
-- the claims of corrections that nobody can follow
unclear as (
    select p.patient_key, c.service_date, 'correction_unclear' as reason
    from stg_claim as claim
    join ok_claims as c on c.claim_id = claim.claim_id
    join stg_patient as p on p.patient_id = c.patient_id
    where claim.is_unclear
),
-- the lines of corrections that name no claim of the extract
orphan as (
    select claim.claim_id, c.patient_id, c.service_date, c.payer_id
    from stg_claim as claim
    join ok_claims as c on c.claim_id = claim.claim_id
    where claim.is_orphan
),
-- of those, where another claim of that patient, date and payer still bills: it may be the one that was meant
without_original as (
    select p.patient_key, orphan.service_date, 'correction_without_original' as reason
    from orphan
    join stg_patient as p on p.patient_id = orphan.patient_id
    join ok_claims as other
        on other.patient_id = orphan.patient_id and other.service_date = orphan.service_date
        and other.payer_id = orphan.payer_id and other.claim_id <> orphan.claim_id
    left join stg_claim as known on known.claim_id = other.claim_id
    where other.billed_units > 0 and other.claim_status <> 'denied' and other.payer_order = 1
        and other.claim_frequency_code not in ('0', '9')
        and not coalesce(known.is_gone or known.is_void, false)
),
-- every date of lines that span several, counted from the first
spanning as (
    select
        l.patient_key,
        l.service_date,
        unnest(generate_series(0, date_diff('day', l.service_date, l.service_date_to))) as days_after
    from stg_line as l
    where l.service_date_to > l.service_date
),
-- what the blocks of a counting note without a total leave open
note_blocks as (
    select
        b.note_key,
        count(case when b.is_timed_one_on_one and b.stated_seconds is null and b.start_second is null then 1 end)
            as blocks_without_minutes,
        count(case when b.has_minutes_in_prose then 1 end) as blocks_with_prose
    from stg_block as b
    join stg_note as n on n.note_key = b.note_key and n.total_timed_seconds is null
    group by b.note_key
),
-- notes whose minutes may stand in prose only: no total, and no blocks or blocks that hold no minutes
prose as (
    select n.patient_key, n.service_date, 'minutes_in_prose' as reason
    from stg_note as n
    left join note_blocks on note_blocks.note_key = n.note_key
    where n.standing = 'counting'
        and n.total_timed_seconds is null
        and (note_blocks.note_key is null or note_blocks.blocks_without_minutes > 0)
        and (n.has_minutes_in_prose or coalesce(note_blocks.blocks_with_prose, 0) > 0)
),
-- where no extract of blocks was given at all, a note without a total says nothing of its minutes
no_blocks as (
    select n.patient_key, n.service_date, 'no_block_extract' as reason
    from stg_note as n
    where n.standing = 'counting'
        and n.total_timed_seconds is null
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
    union
    select unclear.patient_key, unclear.service_date, unclear.reason from unclear
    union
    select w.patient_key, w.service_date, w.reason from without_original as w
    union
    select
        spanning.patient_key,
        spanning.service_date + cast(spanning.days_after as integer) as service_date,
        'line_spans_dates' as reason
    from spanning
)
select
    marked.patient_key,
    patient_day_key(marked.patient_key, marked.service_date) as patient_day_key,
    marked.service_date,
    marked.reason
from marked
