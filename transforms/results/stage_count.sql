-- grain: one stage of the way from accepted rows to findings, with its rows
-- units: rows
-- source: our own ledger: an unexplained change of a count is a difference in review
with
-- the stages in the order of the way, whether or not a date has rows of them
stage as (
    select 2 as place, 'claim lines in scope that bill or would have' as name
    union all
    select 3 as place, 'note versions that bear on a day' as name
    union all
    select 4 as place, 'blocks of counting notes' as name
    union all
    select 5 as place, 'therapy days' as name
    union all
    select 6 as place, 'therapy days and codes' as name
    union all
    select 7 as place, 'findings' as name
    union all
    select 9 as place, 'patients and dates unjudged' as name
),
-- replacements and voids, and the claim that each names
naming as (
    select distinct c.claim_id, c.original_claim_id
    from ok_claims as c
    where c.claim_frequency_code in ('6', '7', '8')
),
-- of those, the ones whose claim is known, by its own number or the payer's; a claim naming itself names nobody
known as (
    select distinct naming.claim_id
    from naming
    join ok_claims as original
        on original.claim_id = naming.original_claim_id and original.claim_id <> naming.claim_id
    union
    select distinct naming.claim_id
    from naming
    join ok_claims as original
        on original.payer_claim_id = naming.original_claim_id and original.claim_id <> naming.claim_id
)
select 1 as place, 'accepted claim lines' as stage, cast(coalesce(sum(d.claim_lines), 0) as bigint) as row_count
from accepted_date as d
union all
select stage.place, stage.name as stage, cast(coalesce(sum(c.amount), 0) as bigint) as row_count
from stage
left join date_count as c on c.name = stage.name and c.kind = 'stage'
group by stage.place, stage.name
union all
select 8 as place, 'replacements and voids of unknown claims' as stage,
    (select count(distinct naming.claim_id) from naming) - (select count(*) from known) as row_count
