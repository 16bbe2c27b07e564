-- grain: one clinician (rendering provider of a claim line, provider of a note or block), under the claim system's id
-- units: none
-- source: accepted claims, notes and blocks; crosswalk_provider
with
-- every provider id that any table names
named as (
    select c.rendering_provider_id as provider_id
    from ok_claims as c
    where c.rendering_provider_id is not null
    union
    select coalesce(x.to_id, n.provider_id) as provider_id
    from ok_notes as n
    left join crosswalk_provider as x on x.from_id = n.provider_id
    union
    select coalesce(x.to_id, b.provider_id) as provider_id
    from ok_note_blocks as b
    left join crosswalk_provider as x on x.from_id = b.provider_id
    where b.provider_id is not null
)
select
    row_number() over (order by named.provider_id) as clinician_key,
    named.provider_id
from named
