-- grain: one claim line, exact repeats and broken rows among them
-- units: billed units; US dollars
-- source: data/contracts/claims.csv
with
-- the claims of each visit: replaced, voided, sent twice, denied, or the secondary payer's
issued as (
    select
        b.*,
        unnest(case b.planted
            when 'not_billed' then []
            when 'replaced' then [
                {'issue': 0, 'frequency': 1, 'names': null, 'more_units': 1, 'status': 'paid', 'payer_order': 1},
                {'issue': 1, 'frequency': 7, 'names': 0, 'more_units': 0, 'status': 'paid', 'payer_order': 1}
            ]
            when 'voided' then [
                {'issue': 0, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 1},
                {'issue': 1, 'frequency': 8, 'names': 0, 'more_units': 0, 'status': 'paid', 'payer_order': 1},
                {'issue': 2, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 1}
            ]
            when 'sent_twice' then [
                {'issue': 0, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 1},
                {'issue': 1, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 1}
            ]
            when 'denied' then [
                {'issue': 0, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'denied', 'payer_order': 1},
                {'issue': 1, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 1}
            ]
            when 'secondary' then [
                {'issue': 0, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 1},
                {'issue': 1, 'frequency': 1, 'names': null, 'more_units': 0, 'status': 'paid', 'payer_order': 2}
            ]
            else [{
                'issue': 0, 'frequency': 1, 'names': null, 'more_units': 0, 'payer_order': 1,
                'status': case when chance(b.visit, 'pending', 100) < 8 then 'pending' else 'paid' end
            }]
        end) as claim
    from visit_billed as b
),
-- what they bill; the first 15 minutes of cognitive work are 97129, the further ones 97130
itemized as (
    select
        issued.*,
        list_filter([
            {
                'code': issued.first_code,
                'units': case
                    when issued.planted = 'split_lines' then 1
                    when issued.first_code = '97129' then least(issued.first_units, 1)
                    else issued.first_units + issued.claim.more_units
                end
            },
            {
                'code': case when issued.first_code = '97129' then '97130' else issued.first_code end,
                'units': case
                    when issued.first_code = '97129' or issued.planted = 'split_lines' then issued.first_units - 1
                    else 0
                end
            },
            {'code': issued.second_code, 'units': issued.second_units},
            {'code': issued.third_code, 'units': issued.third_units},
            {'code': issued.untimed_code, 'units': issued.untimed_units}
        ], lambda item: item.code is not null and item.units > 0) as items
    from issued
),
-- one row a line
lined as (
    select itemized.*, unnest(itemized.items) as item, unnest(range(1, len(itemized.items) + 1)) as line_number
    from itemized
),
-- what is broken of a few
billed as (
    select
        lined.*,
        chance(lined.visit * 32 + lined.claim.issue * 8 + lined.line_number, 'claim fault', 100000) as fault
    from lined
)
select
    claim_id(billed.visit, billed.claim.issue) as claim_id,
    billed.line_number,
    patient_id(billed.patient) as patient_id,
    case when billed.claim.payer_order = 2 then 'SUPP-0418' else billed.payer end as payer_id,
    case when billed.fault = 0 then date '1899-12-30' else billed.service_date end as service_date,
    case when billed.fault = 1 then null else billed.item.code end as procedure_code,
    case when billed.fault = 2 then -1 else billed.item.units end as billed_units,
    clinician_id(billed.billing_clinician) as rendering_provider_id,
    'GRP' || billed.clinic // 12 + 101 as billing_provider_id,
    case
        when billed.payer = 'DEMO-PPO' and not billed.is_assistant and billed.patient % 5 < 2 then null
        when billed.is_assistant then 'GP;CQ'
        else ['GP', 'GO', 'GN'][list_position(['PT', 'OT', 'SLP'], billed.discipline)]
    end as modifiers,
    case when billed.patient % 5 < 3 then billed.discipline end as discipline,
    'professional' as claim_type,
    billed.claim.frequency as claim_frequency_code,
    claim_id(billed.visit, billed.claim.names) as original_claim_id,
    billed.claim.status as claim_status,
    billed.claim.payer_order as payer_order,
    case when billed.fault = 3 then 'MJ' else 'UN' end as unit_basis,
    diagnosis_codes(billed.discipline, billed.patient) as diagnosis_codes,
    '11' as place_of_service,
    'CLINIC-' || lpad(cast(billed.clinic + 1 as varchar), 3, '0') as clinic_id,
    charge_usd(billed.item.code, billed.item.units) as charge_usd,
    case when billed.claim.status <> 'denied'
        then cast(charge_usd(billed.item.code, billed.item.units) * 0.6 as decimal(12, 2)) end as allowed_usd,
    case when billed.claim.status = 'paid'
        then cast(charge_usd(billed.item.code, billed.item.units) * 0.48 as decimal(12, 2)) end as paid_usd,
    -- the export held a few rows twice
    unnest(range(case when billed.fault between 10 and 49 then 2 else 1 end)) as copy
from billed
