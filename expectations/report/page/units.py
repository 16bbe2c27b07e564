"""Units, caps and dollars of a derivation for the page: both counts step by step, and the bill beside the lawful."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from expectations.report.page.tables import table
from expectations.report.values import counted, in_force, money
from transforms.database.told_time import minutes as told

_INDICATORS = {"1": "1: line by line", "2": "2: never exceeded", "3": "3: more if justified"}


def units(facts: Mapping[str, Any]) -> list:
    """Both counts of every therapy day that the finding is about."""
    discipline = facts["finding"]["discipline"]
    items: list = []
    for day in facts.get("days") or []:
        if discipline in (None, day["discipline"]):
            items += [f"Therapy day {day['discipline']}:"] if len(facts["days"]) > 1 else []
            items += [*_counted_with(facts, day), *day["why_supported"], *_day(day)]
    return items


def _counted_with(facts: Mapping[str, Any], day: Mapping[str, Any]) -> list[str]:
    pairs = {
        (row["procedure_code"], row["counted_code"])
        for row in [*facts["lines"], *facts["blocks"]]
        if row["discipline"] == day["discipline"] and row["counted_code"] not in (None, row["procedure_code"])
    }
    return [f"{own} counts as {other}: one code for minutes, units and split." for own, other in sorted(pairs)]


def _day(day: Mapping[str, Any]) -> list:
    if not day["has_counting_note"]:
        return ["No counting note: no unit rule judges this therapy day."]
    if day["supported_seconds"] == 0 and not any(code["is_timed"] for code in day["codes"]):
        return ["No timed minutes, and no timed code billed: 0 units under both methods."]
    items = [day["said"]["method"], *_cms(day), *_ama(day)]
    return [*items, *_beside(day)] if day["has_billed_line"] else items


def _cms(day: Mapping[str, Any]) -> list:
    count = day["cms_8_minute"]
    items: list = [f"CMS 8-minute rule: {one.replace('   ', ', ')}." for one in day["said"]["cms"]]
    if not day["is_decidable"]:
        why = "; ".join(day["why_undecidable"])
        return [*items, f"The split over codes is undecidable ({why}): only the day's total is judged."]
    if not count["steps"]:
        return items
    codes = list(count["steps"][0]["left"])
    start = {code["procedure_code"]: code["credited_seconds"] for code in day["codes"]}
    rows = [["", "credited minutes", *(told(start.get(code, 0)) for code in codes), "each unit pays for 15"]]
    for step in count["steps"]:
        rows.append([step["unit"], step["code"], *(told(step["left"][code]) for code in codes), step["why"]])
    headings = ["unit", "goes to", *(f"left of {code}" for code in codes), "why"]
    return [*items, table("CMS 8-minute rule: the units one by one", headings, rows), _splits(count)]


def _splits(count: Mapping[str, Any]) -> str:
    if count["split_count"] == 1:
        return f"The one lawful split: {_split(count['splits'][0])}."
    tied = f"{', '.join(count['tied'])} are tied for the last {counted(count['tied_units'], 'unit')}"
    said = f"{count['split_count']} lawful splits: {tied}, any is right"
    # A derivation lists no splits where there are too many to read.
    if not count["splits"]:
        return f"{said}."
    return f"{said}: {'; or '.join(_split(split) for split in count['splits'])}."


def _split(split: Mapping[str, int]) -> str:
    return ", ".join(f"{code} x{number}" for code, number in split.items()) or "no unit"


def _ama(day: Mapping[str, Any]) -> list:
    if day["said"]["ama"]:
        return [f"AMA midpoint: {one}" for one in day["said"]["ama"]]
    codes = [code for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]
    rows = [
        [code["procedure_code"], told(code["credited_seconds"]), code["ama_formula"], code["ama_units"]]
        for code in codes
    ]
    together = f"AMA midpoint: each code alone, never two pooled: {counted(day['ama_units'], 'unit')} together."
    return [together, *([table("AMA midpoint", ["code", "minutes", "count", "units"], rows)] if rows else [])]


def _beside(day: Mapping[str, Any]) -> list:
    rows = []
    for code in day["codes"]:
        if code["is_timed"]:
            billed, lawful = code["billed_units"], code["expected_units"]
            above = "" if lawful is None else max(0, billed - lawful) or ""
            rows.append([code["procedure_code"], told(code["credited_seconds"]), billed, lawful, above])
    if not rows:
        return ["No timed code is billed or documented."]
    most, billed = day["supported_units"], day["billed_timed_units"]
    over = "" if most is None else max(0, billed - most) or ""
    held = "not known" if day["supported_seconds"] is None else told(day["supported_seconds"])
    rows.append(["day", held, billed, most, over])
    if any(code["expected_units"] is not None for code in day["codes"]):
        said = "Lawful by code: the lawful split nearest to the bill; by day: the most units supported."
    elif most is not None:
        said = "Lawful: the most units supported; the split over codes is not judged."
    else:
        said = "Neither the units of the day nor their split is judged."
    return [table("The bill beside the lawful", ["code", "minutes", "billed", "lawful", "above"], rows), said]


def caps(facts: Mapping[str, Any]) -> list:
    """Every cap that binds lines of the date, the cap on the day's timed units, and where each comes from."""
    rows = [
        [
            cap["procedure_code"],
            _owner(cap, facts["caps"]),
            cap["billing_provider_id"] or "unknown",
            cap["cap_units"],
            _INDICATORS.get(cap["indicator"] or "", ""),
            cap["tested_units"],
            max(0, cap["tested_units"] - cap["cap_units"]) or "",
            _source(cap),
        ]
        for cap in facts.get("caps") or []
    ]
    for day in facts.get("days") or []:
        for payer in day["payers"]:
            if payer["timed_units_per_day_cap"] is not None:
                billed, most = payer["payer_timed_units"], payer["timed_units_per_day_cap"]
                name, owner = f"timed, {day['discipline']}", f"payer {payer['payer_id']}"
                over = max(0, billed - most) or ""
                rows.append([name, owner, "", most, "", billed, over, _source(payer["method_row"])])
    if not rows:
        return ["No cap binds a line of this date."]
    headings = ["code", "cap of", "billed by", "cap", "indicator", "billed", "over", "source"]
    return [table("Caps in force on the service date", headings, rows), *_justified(facts)]


def _owner(cap: Mapping[str, Any], caps_: list[Mapping[str, Any]]) -> str:
    """Whose cap it is, and to whom the units under it were billed where that is not one payer."""
    if cap["cap_kind"] == "payer":
        return f"payer {cap['payer_id']}"
    return f"MUE ({cap['payer_id']})" if len({one["payer_id"] for one in caps_}) > 1 else "MUE"


def _source(row: Mapping[str, Any] | None) -> str:
    return f"{row['citation']}; {in_force(row)}; row {row['reference_key']}" if row else ""


def _justified(facts: Mapping[str, Any]) -> list[str]:
    given = [note for note in facts["notes"] if note["standing"] == "counting" and note["cap_justification"]]
    if not given:
        return ["No counting note of the date gives a justification for units above a cap."]
    return [f"{note['note_id']} ({note['source']}) justifies: “{note['cap_justification']}”" for note in given]


def dollars(facts: Mapping[str, Any]) -> list:
    """Units at risk times their price, line by line."""
    subject, finding = facts["subject"], facts["finding"]
    if subject is None:
        return ["Counted again, the finding is not the same: its dollars cannot be laid out."]
    if subject["at_risk_units"] is None:
        return ["This rule counts no units as too many, so it puts no dollars at risk."]
    at_risk = [line for line in facts["dollars"] if line["at_risk_units"]]
    headings = ["claim", "line", "code", "billed", "at risk", "price", "dollars", "row"]
    rows = [
        [
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            line["at_risk_units"],
            _price(line),
            money(line["at_risk_usd"]),
            line["source"],
        ]
        for line in at_risk
    ]
    items = [table("Units at risk times their price", headings, rows)] if rows else []
    if finding["at_risk_usd"] is None:
        return [*items, "No claim line at risk holds an amount: the dollars are unknown."]
    total = sum(Decimal(line["at_risk_usd"]) for line in at_risk if line["at_risk_usd"] is not None)
    rounded = "" if total == Decimal(finding["at_risk_usd"]) else f" ({money(total)}, rounded to cents)"
    return [*items, f"At risk in all: {money(finding['at_risk_usd'])}{rounded}."]


def _price(line: Mapping[str, Any]) -> str:
    if line["amount_usd"] is None:
        return "the line holds no amount"
    risk, billed = line["at_risk_units"], line["billed_units"]
    amount = f"{line['amount_is']} {money(line['amount_usd'])}"
    return amount if risk == billed else f"{amount} / {billed} x {risk}"
