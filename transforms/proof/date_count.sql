-- grain: one service date, kind of count and name
-- units: rows, subjects or days as the kind says; at_risk_e4 in ten-thousandths of a dollar
-- source: our own ledger: what a run says of itself is the sum over its service dates
select l.service_date, 'stage' as kind, 'claim lines in scope that bill or would have' as name, count(*) as amount
from stg_line as l
group by l.service_date
union all
select n.service_date, 'stage' as kind, 'note versions that bear on a day' as name, count(*) as amount
from stg_note as n
group by n.service_date
union all
select b.service_date, 'stage' as kind, 'blocks of counting notes' as name, count(*) as amount
from stg_block as b
group by b.service_date
union all
select d.service_date, 'stage' as kind, 'therapy days' as name, count(*) as amount
from stg_therapy_day as d
group by d.service_date
union all
select d.service_date, 'stage' as kind, 'therapy days and codes' as name, count(*) as amount
from unit_day_code as c
join stg_therapy_day as d on d.day_key = c.day_key
group by d.service_date
union all
select f.service_date, 'stage' as kind, 'findings' as name, count(*) as amount
from finding as f
group by f.service_date
union all
select u.service_date, 'stage' as kind, 'patients and dates unjudged' as name,
    count(distinct u.patient_key) as amount
from stg_unjudged_day as u
group by u.service_date
union all
select u.service_date, 'unjudged' as kind, u.reason as name, count(distinct u.patient_key) as amount
from stg_unjudged_day as u
group by u.service_date, u.reason
union all
select l.service_date, 'discipline' as kind, l.discipline_source as name, count(*) as amount
from stg_line as l
where l.discipline is not null
group by l.service_date, l.discipline_source
union all
-- a therapy day is a patient and discipline here: the date is the group
select l.service_date, 'unlisted_payer' as kind, l.payer_id as name,
    count(distinct l.patient_key || '/' || coalesce(l.discipline, '')) as amount
from stg_line as l
join stg_term as term on term.term_key = l.term_key
where term.is_payer_unlisted and not l.is_set_aside
group by l.service_date, l.payer_id
union all
select l.service_date, 'payer' as kind, l.payer_id as name, count(*) as amount
from stg_line as l
where not l.is_set_aside
group by l.service_date, l.payer_id
union all
select d.service_date, 'several_payers' as kind, '' as name, count(*) as amount
from stg_therapy_day as d
where d.has_several_payers
group by d.service_date
union all
-- reasons that leave some rules unjudged on a therapy day, and the others not
select d.service_date, 'partly_unjudged' as kind, 'several_payers' as name, count(*) as amount
from stg_therapy_day as d
where d.has_several_payers and d.has_counting_note and d.is_judged
group by d.service_date
union all
select d.service_date, 'partly_unjudged' as kind, 'code_not_listed' as name, count(*) as amount
from stg_therapy_day as d
where (d.has_unlisted_block or d.has_unlisted_line) and d.is_judged
group by d.service_date
union all
select m.service_date, 'match' as kind, 'claim_days' as name, m.claim_days as amount
from stg_match as m
union all
select m.service_date, 'match' as kind, 'claim_days_with_note' as name, m.claim_days_with_note as amount
from stg_match as m
union all
select m.service_date, 'match' as kind, 'notes' as name, m.notes as amount
from stg_match as m
union all
select m.service_date, 'match' as kind, 'notes_with_claim' as name, m.notes_with_claim as amount
from stg_match as m
union all
select m.service_date, 'match' as kind, 'counting_notes' as name, m.counting_notes as amount
from stg_match as m
union all
select m.service_date, 'match' as kind, 'measured_notes' as name, m.measured_notes as amount
from stg_match as m
union all
select l.service_date, 'at_risk_e4' as kind, '' as name, cast(sum(r.at_risk_e4) as bigint) as amount
from line_at_risk as r
join stg_line as l on l.line_key = r.line_key
group by l.service_date
