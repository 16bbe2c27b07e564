-- grain: one billed claim line with a unit at risk under any rule
-- units: dollars in ten-thousandths; a unit counts once, however many rules name it
-- source: rule book s. 6 (totals of dollars)
select
    f.line_key,
    max(f.at_risk_e4) as at_risk_e4
from finding_line as f
where f.at_risk_units > 0
group by f.line_key
