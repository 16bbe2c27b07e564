-- grain: one rule of the registry, as published
-- units: subjects; dollars
-- source: rule book s. 6 (passed, failed, not applicable, error)
with
-- subjects in scope and left unjudged, over all service dates
counted as (
    select
        c.rule_id,
        sum(case when c.verdict <> 'unjudged' then c.subjects else 0 end) as in_scope,
        sum(case when c.verdict = 'unjudged' then c.subjects else 0 end) as unjudged
    from rule_count as c
    group by c.rule_id
),
-- violations by severity
violated as (
    select
        f.rule_id,
        count(*) as violations,
        sum(case when f.severity = 'error' then 1 else 0 end) as errors,
        sum(case when f.severity = 'warning' then 1 else 0 end) as warnings,
        sum(case when f.severity = 'review' then 1 else 0 end) as reviews,
        sum(f.at_risk_usd) as at_risk_usd
    from finding as f
    group by f.rule_id
),
-- rules whose model could not be run
broken as (
    select distinct e.rule_id
    from rule_error as e
)
select
    rule.rule_id,
    case
        when broken.rule_id is not null then 'error'
        when coalesce(violated.violations, 0) > 0 then 'failed'
        when coalesce(counted.in_scope, 0) = 0 then 'not_applicable'
        else 'passed'
    end as status,
    cast(coalesce(counted.in_scope, 0) as bigint) as in_scope,
    cast(coalesce(counted.unjudged, 0) as bigint) as unjudged,
    cast(coalesce(violated.violations, 0) as bigint) as violations,
    cast(coalesce(violated.errors, 0) as bigint) as errors,
    cast(coalesce(violated.warnings, 0) as bigint) as warnings,
    cast(coalesce(violated.reviews, 0) as bigint) as reviews,
    cast(violated.at_risk_usd as decimal(18, 2)) as at_risk_usd
from ref_audit_rule as rule
left join counted on counted.rule_id = rule.rule_id
left join violated on violated.rule_id = rule.rule_id
left join broken on broken.rule_id = rule.rule_id
