"""What the models count on the patients' dates asked: therapy days, their units under both methods, caps in force."""

from flows.explanation.derive.lawful_splits import EQUAL_BELOW, count_splits, lawful_splits, unit_slots
from flows.explanation.derive.rebuild import grouped
from flows.explanation.sentences.units import MOST_SPLITS
from transforms.database.duckdb_file import rows_as_dicts

#: A therapy day with its minutes step by step: S, K and what of the sums is whose; then its units.
_DAYS = """
select a.subject, u.*, m.written_seconds, m.credited_seconds, m.notes_seconds, m.clock_bound_seconds,
    m.beyond_blocks_seconds, m.held_seconds, m.sure_seconds as notes_sure_seconds, m.has_total_below_blocks,
    d.has_session_clock, j.joint_seconds,
    b.double_counted_seconds, b.most_rest_seconds
from unit_day as u
join asked_patient_day as a on a.patient_key = u.patient_key and a.service_date = u.service_date
left join min_day_sum as m on m.day_key = u.day_key
left join min_day as d on d.day_key = u.day_key
left join min_joint as j on j.day_key = u.day_key
left join (
    select day_key, sum(double_counted_seconds) as double_counted_seconds, max(rest_seconds) as most_rest_seconds
    from min_block group by day_key
) as b on b.day_key = u.day_key
order by a.subject, u.discipline
"""
_PATIENT_DAYS = """
select distinct a.subject, p.therapy_days, p.held_seconds, p.shared_once_seconds, p.joint_seconds
from min_patient_day as p
join stg_therapy_day as d on d.patient_day_key = p.patient_day_key
join asked_patient_day as a on a.patient_key = d.patient_key and a.service_date = d.service_date
"""
#: Keys of the therapy days asked.
_ASKED = """(
    select d.day_key from stg_therapy_day as d
    join asked_patient_day as a on a.patient_key = d.patient_key and a.service_date = d.service_date
)"""
_CODES = f"""
select c.day_key, c.procedure_code, c.is_timed, c.written_seconds, c.worth_seconds, c.credited_seconds,
    c.double_counted_seconds, c.billed_units, c.ama_units, c.least_ama_units, c.is_documented, s.expected_units,
    coalesce(s.is_tie, false) as is_tie
from unit_day_code as c
left join unit_split as s on s.day_key = c.day_key and s.procedure_code = c.procedure_code
where c.day_key in {_ASKED} order by c.day_key, c.procedure_code
"""
#: The units of the CMS count in the order in which they are given, with what every code has unpaid.
_STEPS = f"""
select s.day_key, s.unit_number, s.procedure_code, s.is_given, s.is_tied, s.unpaid_seconds, s.most_seconds,
    s.left_seconds
from unit_step as s
where s.day_key in {_ASKED} order by s.day_key, s.unit_number, s.procedure_code
"""
_DOCUMENTED = f"""
select distinct c.day_key, c.procedure_code from unit_documented as c
where c.day_key in {_ASKED} order by c.procedure_code
"""
_PAYERS = f"""
select l.day_key, l.payer_id, sum(l.billed_units) as payer_units,
    sum(case when l.is_timed then l.billed_units else 0 end) as payer_timed_units,
    min(term.counting_method) as counting_method, min(term.timed_units_per_day_cap) as timed_units_per_day_cap,
    min(term.payer_reference_key) as payer_reference_key
from stg_line as l
join stg_term as term on term.term_key = l.term_key
where not l.is_set_aside and l.day_key in {_ASKED}
group by l.day_key, l.payer_id order by payer_units desc, l.payer_id
"""
_CAPS = """
select a.subject, t.procedure_code, t.counted_code, t.billing_provider_id, t.payer_id, t.cap_kind, t.cap_units,
    t.indicator, t.tested_units, t.is_timed, t.reference_key, r.effective_from, r.effective_to, r.citation,
    r.citation_url, r.last_checked_on
from unit_cap_test as t
join asked_patient_day as a on a.patient_key = t.patient_key and a.service_date = t.service_date
left join ref_code_cap as r on r.reference_key = t.reference_key
order by a.subject, t.procedure_code, t.billing_provider_id, t.cap_units, t.cap_kind, t.payer_id
"""
_BOUND = """
select a.subject, b.procedure_code, b.billing_provider_id, b.payer_id, b.cap_kind, l.claim_id, l.line_number,
    b.billed_units, l.discipline, i.file_name || ':' || l.source_line as source
from unit_cap_line as b
join stg_line as l on l.line_key = b.line_key
join delivered_file as i on i.file_number = l.file_number
join asked_patient_day as a on a.patient_key = b.patient_key and a.service_date = b.service_date
order by l.claim_id, l.line_number
"""
#: The time that may stand behind a timed code above its cap (units_exceed_day_cap.sql).
_HELD = """
select a.subject, held.procedure_code, held.held_seconds
from unit_cap_time as held
join (select distinct d.patient_day_key, d.patient_key, d.service_date from stg_therapy_day as d) as d
    on d.patient_day_key = held.patient_day_key
join asked_patient_day as a on a.patient_key = d.patient_key and a.service_date = d.service_date
"""


def therapy_days(con) -> dict[int, list[dict]]:
    """By patient's date asked, its therapy days, each with its codes, both counts and the row that names its method."""
    rows = rows_as_dicts(con, _DAYS)
    codes = grouped(rows_as_dicts(con, _CODES), "day_key")
    steps = grouped(rows_as_dicts(con, _STEPS), "day_key")
    documented = grouped(rows_as_dicts(con, _DOCUMENTED), "day_key")
    payers = grouped(rows_as_dicts(con, _PAYERS), "day_key")
    methods = reference_rows(con, "ref_payer_method")
    for day in rows:
        day["codes"] = codes.get(day["day_key"], [])
        day["cms_8_minute"] = _cms(day, steps.get(day["day_key"], []))
        day["documented_codes"] = [row["procedure_code"] for row in documented.get(day["day_key"], [])]
        day["payers"] = payers.get(day["day_key"], [])
        for payer in day["payers"]:
            payer["method_row"] = methods.get(payer["payer_reference_key"])
        day["method_row"] = methods.get(day["payer_reference_key"])
    return grouped(rows, "subject")


def patient_sums(con) -> dict[int, dict]:
    """By patient's date asked, what all disciplines support together, and how much of it they gave together."""
    return {subject: own[0] for subject, own in grouped(rows_as_dicts(con, _PATIENT_DAYS), "subject").items()}


def _cms(day: dict, rows: list[dict]) -> dict:
    """The CMS count: its units one by one as unit_step gives them, and every lawful split; none where undecidable."""
    count: dict = {"units": day["cms_units"], "steps": [], "splits": [], "split_count": 0, "tied": []}
    if not day["has_counting_note"] or not rows:
        return count
    count["steps"] = [_step(number, codes) for number, codes in grouped(rows, "unit_number").items()]
    slots = unit_slots({code["procedure_code"]: code["credited_seconds"] for code in day["codes"] if code["is_timed"]})
    count["split_count"] = count_splits(slots, day["cms_units"])
    if count["split_count"] <= MOST_SPLITS:
        count["splits"] = list(lawful_splits(slots, day["cms_units"]))
    return count | (_last_tie(slots, day["cms_units"]) if count["split_count"] > 1 else {})


def _step(number: int, codes: list[dict]) -> dict:
    """One unit of a count: where it goes, and what every code has left unpaid after it."""
    own = next(code for code in codes if code["is_given"])
    return {
        "unit": number,
        "code": own["procedure_code"],
        "unpaid_seconds": own["unpaid_seconds"],
        "most_seconds": own["most_seconds"],
        "tied_with": [code["procedure_code"] for code in codes if code["is_tied"]],
        "left": {code["procedure_code"]: code["left_seconds"] for code in codes},
    }


def _last_tie(slots: list[tuple[str, int]], units: int) -> dict:
    """The codes that are tied for the last units, and how many units they are tied for."""
    ordered = sorted((unpaid for _, unpaid in slots), reverse=True)
    edge = ordered[units - 1]
    near = [slot for slot in slots if abs(slot[1] - edge) < EQUAL_BELOW]
    above = sum(unpaid >= edge + EQUAL_BELOW for _, unpaid in slots)
    return {"tied": sorted({code for code, _ in near}), "tied_units": units - above}


def caps_in_force(con) -> dict[int, list[dict]]:
    """By patient's date asked, every cap that binds its lines, with the lines under it and its dated reference row.

    `held_seconds` is the time that may stand behind a timed code; None where no counting note holds any.
    """
    same = ("procedure_code", "billing_provider_id", "payer_id", "cap_kind")
    caps = grouped(rows_as_dicts(con, _CAPS), "subject")
    lines = grouped(rows_as_dicts(con, _BOUND), "subject")
    held = grouped(rows_as_dicts(con, _HELD), "subject", "procedure_code")
    for subject, own in caps.items():
        for cap in own:
            bound = lines.get(subject, [])
            cap["lines"] = [line for line in bound if all(line[name] == cap[name] for name in same)]
            behind = held.get((subject, cap["counted_code"]))
            cap["held_seconds"] = behind[0]["held_seconds"] if behind and cap["is_timed"] else None
    return caps


def reference_rows(con, table: str) -> dict[str, dict]:
    """The dated rows of a reference table by their key."""
    return {row["reference_key"]: row for row in rows_as_dicts(con, f"select * from {table}")}
