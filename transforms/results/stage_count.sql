-- grain: one stage of the way from accepted rows to findings, with its rows
-- units: rows
-- source: our own ledger: an unexplained change of a count is a difference in review
select 1 as place, 'accepted claim lines' as stage, (select count(*) from ok_claims) as row_count
union all
select 2 as place, 'claim lines in scope that bill or would have' as stage, (select count(*) from stg_line) as row_count
union all
select 3 as place, 'note versions that bear on a day' as stage, (select count(*) from stg_note) as row_count
union all
select 4 as place, 'blocks of counting notes' as stage, (select count(*) from stg_block) as row_count
union all
select 5 as place, 'therapy days' as stage, (select count(*) from stg_therapy_day) as row_count
union all
select 6 as place, 'therapy days and codes' as stage, (select count(*) from unit_published) as row_count
union all
select 7 as place, 'findings' as stage, (select count(*) from finding) as row_count
union all
select 8 as place, 'replacements and voids of unknown claims' as stage,
    (select count(*) from stg_claim where is_orphan) as row_count
union all
select 9 as place, 'patients and dates unjudged' as stage,
    (select count(*) from (select distinct patient_key, service_date from stg_unjudged_day)) as row_count
