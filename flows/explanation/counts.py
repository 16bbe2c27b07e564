"""What the models count on a finding's date: therapy days, their units under both methods, and the caps in force."""

from math import comb

from flows.explanation.rebuild import step_rows
from flows.one_day import lawful_splits
from transforms.engine import rows_as_dicts

#: More lawful splits than this are counted, not listed.
MOST_SPLITS = 24
_DAYS = """
select d.*, m.written_minutes, m.credited_minutes, m.double_counted_minutes, m.have_all_notes_blocks,
    u.billed_timed_units, u.supported_minutes, u.sure_minutes, u.is_incomplete, u.is_decidable, u.cms_units,
    u.sure_cms_units, u.ama_units, u.supported_units, u.sure_units, u.other_method_units
from stg_therapy_day as d
join stg_patient as p on p.patient_key = d.patient_key
left join min_day as m on m.day_key = d.day_key
join unit_day as u on u.day_key = d.day_key
where p.patient_id = ? order by d.discipline
"""
_CODES = """
select c.procedure_code, c.is_timed, c.written_minutes, c.credited_minutes, c.double_counted_minutes, c.billed_units,
    c.ama_units, c.is_documented, s.expected_units, coalesce(s.is_tie, false) as is_tie
from unit_day_code as c
left join unit_split as s on s.day_key = c.day_key and s.procedure_code = c.procedure_code
where c.day_key = ? order by c.procedure_code
"""
_CAPS = """
select t.procedure_code, t.billing_provider_id, nullif(t.cap_payer_id, '') as cap_payer_id, t.cap_units,
    t.indicator, t.tested_units, t.reference_key, r.effective_from, r.effective_to, r.citation, r.citation_url,
    r.last_checked_on
from unit_cap_test as t
join stg_patient as p on p.patient_key = t.patient_key
left join ref_code_cap as r on r.reference_key = t.reference_key
where p.patient_id = ? order by t.procedure_code, t.billing_provider_id, t.cap_units
"""
_BOUND = """
select b.procedure_code, b.billing_provider_id, nullif(b.cap_payer_id, '') as cap_payer_id, l.claim_id, l.line_number,
    b.billed_units, l.discipline, i.file_name || ':' || l.source_line as source
from bound as b
join stg_line as l on l.line_key = b.line_key
join delivered_file as i on i.file_number = l.file_number
join stg_patient as p on p.patient_key = b.patient_key
where p.patient_id = ? order by b.line_key
"""


def therapy_days(con, patient: str) -> list[dict]:
    """The patient's therapy days of the date, each with its codes, both counts and the row that names its method."""
    days = rows_as_dicts(con, _DAYS, [patient])
    slots = step_rows(con, "units", "unit_split", "select * from ranked order by day_key, place")
    for day in days:
        day["codes"] = rows_as_dicts(con, _CODES, [day["day_key"]])
        own = [slot for slot in slots if slot["day_key"] == day["day_key"]]
        day["cms_8_minute"] = _cms(day, own)
        day["documented_codes"] = _documented(con, day)
        day["payers"] = _payers(con, day)
        day["method_row"] = reference_row(con, "ref_payer_method", day["payer_reference_key"])
    return days


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


def _documented(con, day: dict) -> list[str]:
    rows = step_rows(
        con,
        "units",
        "unit_day_code",
        "select distinct procedure_code from documented where patient_key = ? and service_date = ? and discipline = ? "
        "order by procedure_code",
        [day["patient_key"], day["service_date"], day["discipline"]],
    )
    return [row["procedure_code"] for row in rows]


def _payers(con, day: dict) -> list[dict]:
    return step_rows(
        con,
        "staging",
        "stg_therapy_day",
        "select payer_id, payer_units, counting_method, timed_units_per_day_cap from payer_units "
        "where patient_key = ? and service_date = ? and discipline = ? order by payer_units desc, payer_id",
        [day["patient_key"], day["service_date"], day["discipline"]],
    )


def caps_in_force(con, patient: str) -> list[dict]:
    """Every cap that binds lines of the patient's date, with the lines under it and its dated reference row."""
    caps = rows_as_dicts(con, _CAPS, [patient])
    lines = step_rows(con, "units", "unit_cap_test", _BOUND, [patient])
    same = ("procedure_code", "billing_provider_id", "cap_payer_id")
    for cap in caps:
        cap["lines"] = [line for line in lines if all(line[name] == cap[name] for name in same)]
    return caps


def reference_row(con, table: str, key: str | None) -> dict | None:
    """The dated reference row of a key, or None."""
    rows = rows_as_dicts(con, f"select * from {table} where reference_key = ?", [key]) if key else []
    return rows[0] if rows else None
