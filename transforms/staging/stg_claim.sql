-- grain: one claim that was accepted, and whether it still bills
-- units: none
-- source: rule book s. 2 (voids and replacements)
with
-- one row a claim
claim as (
    select
        c.claim_id,
        max(c.claim_frequency_code) as frequency_code,
        max(c.original_claim_id) as original_claim_id
    from ok_claims as c
    group by c.claim_id
),
-- every claim that names another one, to replace it (7) or to void it (8); a claim naming itself names nobody
naming as (
    select
        claim.claim_id,
        claim.frequency_code,
        claim.original_claim_id,
        -- of several replacing one, the greatest claim id stands
        max(case when claim.frequency_code = '7' then claim.claim_id end)
            over (partition by claim.original_claim_id) as standing_replacement_id
    from claim
    where claim.frequency_code in ('7', '8')
        and claim.original_claim_id is not null
        and claim.original_claim_id <> claim.claim_id
),
-- every claim that some other claim names: only the named claim goes, so a chain leaves its last
named as (
    select distinct naming.original_claim_id as claim_id
    from naming
)
select
    row_number() over (order by claim.claim_id) as claim_key,
    claim.claim_id,
    claim.frequency_code = '8' as is_void,
    named.claim_id is not null
        or coalesce(claim.frequency_code = '7' and claim.claim_id < naming.standing_replacement_id, false) as is_gone,
    claim.frequency_code in ('7', '8') and original.claim_id is null as is_orphan
from claim
left join naming on naming.claim_id = claim.claim_id
left join named on named.claim_id = claim.claim_id
left join claim as original
    on original.claim_id = claim.original_claim_id and original.claim_id <> claim.claim_id
