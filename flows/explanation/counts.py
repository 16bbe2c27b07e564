"""What the models count on the patients' dates asked: therapy days, their units under both methods, caps in force."""

from math import comb

from flows.explanation.rebuild import grouped, step_rows
from flows.one_day import lawful_splits
from transforms.engine import rows_as_dicts

#: More lawful splits than this are counted, not listed.
MOST_SPLITS = 24
_DAYS = """
select a.subject, d.*, m.written_minutes, m.credited_minutes, m.double_counted_minutes, m.have_all_notes_blocks,
    u.billed_timed_units, u.supported_minutes, u.sure_minutes, u.is_incomplete, u.is_decidable, u.cms_units,
    u.sure_cms_units, u.ama_units, u.supported_units, u.sure_units, u.other_method_units
from stg_therapy_day as d
join asked_patient_day as a on a.patient_key = d.patient_key and a.service_date = d.service_date
left join min_day as m on m.day_key = d.day_key
join unit_day as u on u.day_key = d.day_key
order by a.subject, d.discipline
"""
#: Keys of the therapy days asked.
_ASKED = """(
    select d.day_key from stg_therapy_day as d
    join asked_patient_day as a on a.patient_key = d.patient_key and a.service_date = d.service_date
)"""
_CODES = f"""
select c.day_key, c.procedure_code, c.is_timed, c.written_minutes, c.credited_minutes, c.double_counted_minutes,
    c.billed_units, c.ama_units, c.is_documented, s.expected_units, coalesce(s.is_tie, false) as is_tie
from unit_day_code as c
left join unit_split as s on s.day_key = c.day_key and s.procedure_code = c.procedure_code
where c.day_key in {_ASKED} order by c.day_key, c.procedure_code
"""
#: Every unit that a code could be given, in the order in which the CMS count gives them (unit_split.sql).
_SLOTS = f"""
with slot as (
    select c.day_key, c.procedure_code, c.billed_units,
        unnest(generate_series(1, (c.credited_minutes + 14) // 15)) as unit_number, c.credited_minutes
    from unit_day_code as c
    where c.is_timed and c.credited_minutes > 0 and c.day_key in {_ASKED}
)
select slot.day_key, slot.procedure_code, slot.credited_minutes - 15 * (slot.unit_number - 1) as unpaid_minutes
from slot
order by slot.day_key, unpaid_minutes desc, case when slot.billed_units >= slot.unit_number then 0 else 1 end,
    slot.procedure_code
"""
_DOCUMENTED = f"""
select distinct c.day_key, c.procedure_code from said as c
where c.documented = 1 and c.day_key in {_ASKED} order by c.procedure_code
"""
_PAYERS = f"""
select l.day_key, l.payer_id, sum(l.billed_units) as payer_units, min(term.counting_method) as counting_method,
    min(term.timed_units_per_day_cap) as timed_units_per_day_cap
from stg_line as l
join stg_term as term on term.term_key = l.term_key
where not l.is_set_aside and l.day_key in {_ASKED}
group by l.day_key, l.payer_id order by payer_units desc, l.payer_id
"""
_CAPS = """
select a.subject, t.procedure_code, t.billing_provider_id, nullif(t.cap_payer_id, '') as cap_payer_id, t.cap_units,
    t.indicator, t.tested_units, t.reference_key, r.effective_from, r.effective_to, r.citation, r.citation_url,
    r.last_checked_on
from unit_cap_test as t
join asked_patient_day as a on a.patient_key = t.patient_key and a.service_date = t.service_date
left join ref_code_cap as r on r.reference_key = t.reference_key
order by a.subject, t.procedure_code, t.billing_provider_id, t.cap_units, t.cap_payer_id
"""
_BOUND = """
select a.subject, b.procedure_code, b.billing_provider_id, nullif(b.cap_payer_id, '') as cap_payer_id, l.claim_id,
    l.line_number, b.billed_units, l.discipline, i.file_name || ':' || l.source_line as source
from bound as b
join stg_line as l on l.line_key = b.line_key
join delivered_file as i on i.file_number = l.file_number
join asked_patient_day as a on a.patient_key = b.patient_key and a.service_date = b.service_date
order by l.claim_id, l.line_number
"""


def therapy_days(con) -> dict[int, list[dict]]:
    """By patient's date asked, its therapy days, each with its codes, both counts and the row that names its method."""
    rows = rows_as_dicts(con, _DAYS)
    codes = grouped(rows_as_dicts(con, _CODES), "day_key")
    slots: dict = {}
    for slot in rows_as_dicts(con, _SLOTS):
        slots.setdefault(slot["day_key"], []).append(slot)
    documented = grouped(step_rows(con, "units", "unit_day_code", _DOCUMENTED), "day_key")
    payers = grouped(rows_as_dicts(con, _PAYERS), "day_key")
    methods = reference_rows(con, "ref_payer_method")
    for day in rows:
        day["codes"] = codes.get(day["day_key"], [])
        day["cms_8_minute"] = _cms(day, slots.get(day["day_key"], []))
        day["documented_codes"] = [row["procedure_code"] for row in documented.get(day["day_key"], [])]
        day["payers"] = payers.get(day["day_key"], [])
        day["method_row"] = methods.get(day["payer_reference_key"])
    return grouped(rows, "subject")


def _cms(day: dict, slots: list[dict]) -> dict:
    """The CMS count: how its units are handed out one by one, and every lawful split; none where undecidable."""
    count = {"units": day["cms_units"], "steps": [], "splits": [], "split_count": 0, "tied": []}
    if not day["is_decidable"] or not day["has_counting_note"] or len(slots) < day["cms_units"]:
        return count
    left = {code["procedure_code"]: code["credited_minutes"] for code in day["codes"] if code["is_timed"]}
    left = {code: minutes for code, minutes in left.items() if minutes}
    given, waiting = slots[: day["cms_units"]], slots[day["cms_units"] :]
    for number, slot in enumerate(given, start=1):
        code, unpaid = slot["procedure_code"], slot["unpaid_minutes"]
        tied = [other for other, minutes in left.items() if minutes == unpaid and other != code]
        left[code] = max(0, unpaid - 15)
        count["steps"].append({"unit": number, "code": code, "unpaid": unpaid, "tied_with": tied, "left": dict(left)})
    if given:
        edge = given[-1]["unpaid_minutes"]
        tied = [slot["procedure_code"] for slot in slots if slot["unpaid_minutes"] == edge]
        count["tied"] = sorted(tied) if any(slot["unpaid_minutes"] == edge for slot in waiting) else []
        count["tied_units"] = sum(slot["unpaid_minutes"] == edge for slot in given)
        count["split_count"] = comb(len(tied), count["tied_units"])
        if count["split_count"] <= MOST_SPLITS:
            pairs = [(slot["procedure_code"], slot["unpaid_minutes"]) for slot in slots]
            count["splits"] = lawful_splits(pairs, day["cms_units"])
    return count


def caps_in_force(con) -> dict[int, list[dict]]:
    """By patient's date asked, every cap that binds its lines, with the lines under it and its dated reference row."""
    same = ("procedure_code", "billing_provider_id", "cap_payer_id")
    caps = grouped(rows_as_dicts(con, _CAPS), "subject")
    lines = grouped(step_rows(con, "units", "unit_cap_test", _BOUND), "subject")
    for subject, own in caps.items():
        for cap in own:
            bound = lines.get(subject, [])
            cap["lines"] = [line for line in bound if all(line[name] == cap[name] for name in same)]
    return caps


def reference_rows(con, table: str) -> dict[str, dict]:
    """The dated rows of a reference table by their key."""
    return {row["reference_key"]: row for row in rows_as_dicts(con, f"select * from {table}")}
