-- grain: one claim that replaces or voids another, or that another one replaces or voids
-- units: none
-- source: rule book s. 2 (voids and replacements)
with
-- every claim with a line of frequency 7 or 8
correction as (
    select distinct c.claim_id
    from ok_claims as c
    where c.claim_frequency_code in ('7', '8')
),
-- what these claims say of themselves, over all their lines
said as (
    select
        c.claim_id,
        max(c.claim_frequency_code) as frequency_code,
        max(c.original_claim_id) as original_claim_id
    from ok_claims as c
    join correction on correction.claim_id = c.claim_id
    group by c.claim_id
),
-- those that name another one, to replace it (7) or to void it (8); a claim naming itself names nobody
naming as (
    select
        said.claim_id,
        said.frequency_code,
        said.original_claim_id,
        -- of several replacing one, the greatest claim id stands
        max(case when said.frequency_code = '7' then said.claim_id end)
            over (partition by said.original_claim_id) as standing_replacement_id
    from said
    where said.original_claim_id is not null and said.original_claim_id <> said.claim_id
),
-- every claim that some other claim names and that is known: only the named claim goes, so a chain leaves its last
named as (
    select distinct c.claim_id
    from ok_claims as c
    join naming on naming.original_claim_id = c.claim_id
),
-- the claims of either kind
claim as (
    select said.claim_id from said
    union
    select named.claim_id from named
)
select
    claim.claim_id,
    coalesce(said.frequency_code = '8', false) as is_void,
    named.claim_id is not null
        or coalesce(naming.frequency_code = '7' and claim.claim_id < naming.standing_replacement_id, false) as is_gone,
    said.claim_id is not null and original.claim_id is null as is_orphan
from claim
left join said on said.claim_id = claim.claim_id
left join naming on naming.claim_id = claim.claim_id
left join named on named.claim_id = claim.claim_id
left join named as original on original.claim_id = naming.original_claim_id
