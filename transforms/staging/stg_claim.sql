-- grain: one claim that replaces or voids another, or that another one replaces or voids
-- units: none
-- source: rule book s. 2 (frequency codes, voids and replacements, corrections that nobody can follow)
with
-- every claim with a line of frequency 6 (an old 7), 7 or 8
correction as (
    select distinct c.claim_id
    from ok_claims as c
    where c.claim_frequency_code in ('6', '7', '8')
),
-- what these claims say of themselves, over all their lines
said as (
    select
        c.claim_id,
        max(c.claim_frequency_code) = '8' as is_void,
        max(c.original_claim_id) as original_name,
        -- several originals, a void that is also a replacement, or a line not paid: nobody can follow
        coalesce(min(c.original_claim_id) <> max(c.original_claim_id), false)
            or (max(c.claim_frequency_code) = '8'
                and max(case when c.claim_frequency_code in ('6', '7') then 1 else 0 end) = 1)
            or max(case when c.claim_status in ('denied', 'pending') then 1 else 0 end) = 1 as is_unclear
    from ok_claims as c
    join correction on correction.claim_id = c.claim_id
    group by c.claim_id
),
-- every name that one of these claims gives, and the claims of the extract that bear it: as their own number, or as the
-- payer's
bearer as (
    select said.claim_id, c.claim_id as named_claim_id
    from said
    join ok_claims as c on c.claim_id = said.original_name
    union
    select said.claim_id, c.claim_id as named_claim_id
    from said
    join ok_claims as c on c.payer_claim_id = said.original_name
),
-- by the claim that names: whether it names itself, or a name that several claims bear
naming as (
    select
        bearer.claim_id,
        max(bearer.named_claim_id) as named_claim_id,
        min(bearer.named_claim_id) <> max(bearer.named_claim_id)
            or max(case when bearer.named_claim_id = bearer.claim_id then 1 else 0 end) = 1 as is_unclear
    from bearer
    group by bearer.claim_id
),
-- where a claim's naming leads in one step, in two, four, ... 64: a chain has ended by then, a circle never does
after_one as (
    select naming.claim_id, naming.named_claim_id as reached_claim_id
    from naming
),
after_two as (
    select one.claim_id, next.reached_claim_id
    from after_one as one
    join after_one as next on next.claim_id = one.reached_claim_id
),
after_four as (
    select one.claim_id, next.reached_claim_id
    from after_two as one
    join after_two as next on next.claim_id = one.reached_claim_id
),
after_eight as (
    select one.claim_id, next.reached_claim_id
    from after_four as one
    join after_four as next on next.claim_id = one.reached_claim_id
),
after_sixteen as (
    select one.claim_id, next.reached_claim_id
    from after_eight as one
    join after_eight as next on next.claim_id = one.reached_claim_id
),
after_thirty_two as (
    select one.claim_id, next.reached_claim_id
    from after_sixteen as one
    join after_sixteen as next on next.claim_id = one.reached_claim_id
),
circle as (
    select distinct one.claim_id
    from after_thirty_two as one
    join after_thirty_two as next on next.claim_id = one.reached_claim_id
),
-- corrections that nobody can follow; a void that another claim names is one
unclear as (
    select said.claim_id from said where said.is_unclear
    union
    select naming.claim_id from naming where naming.is_unclear
    union
    select circle.claim_id from circle
    union
    select naming.claim_id
    from naming
    join said on said.claim_id = naming.named_claim_id
    where said.is_void
),
-- all claims in them: the one that names, and every one that bears the name
in_unclear as (
    select unclear.claim_id from unclear
    union
    select bearer.named_claim_id as claim_id
    from unclear
    join bearer on bearer.claim_id = unclear.claim_id
),
-- of several replacing one, the greatest claim id stands, whether the original is known or not; a correction that
-- nobody can follow takes no other one away
rival as (
    select
        said.claim_id,
        said.claim_id < max(said.claim_id) over (
            partition by coalesce(naming.named_claim_id, said.original_name)
        ) as is_gone
    from said
    left join naming on naming.claim_id = said.claim_id
    left join unclear on unclear.claim_id = said.claim_id
    where not said.is_void and said.original_name is not null and unclear.claim_id is null
),
-- every claim that some other claim names: only the named claim goes, so a chain leaves its last
named as (
    select distinct bearer.named_claim_id as claim_id
    from bearer
    where bearer.named_claim_id <> bearer.claim_id
),
-- the claims of either kind
claim as (
    select said.claim_id from said
    union
    select named.claim_id from named
)
select
    claim.claim_id,
    coalesce(said.is_void, false) as is_void,
    named.claim_id is not null or coalesce(rival.is_gone, false) as is_gone,
    said.claim_id is not null and naming.claim_id is null as is_orphan,
    in_unclear.claim_id is not null as is_unclear
from claim
left join said on said.claim_id = claim.claim_id
left join naming on naming.claim_id = claim.claim_id
left join rival on rival.claim_id = claim.claim_id
left join named on named.claim_id = claim.claim_id
left join in_unclear on in_unclear.claim_id = claim.claim_id
