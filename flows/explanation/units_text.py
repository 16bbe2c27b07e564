"""The units of a therapy day as text: both methods step by step, every lawful split, and the bill beside it."""

from flows.explanation.because import billed_sum
from flows.explanation.counts import MOST_SPLITS
from flows.explanation.rules import METHODS
from flows.explanation.table import WIDTH, in_force, table, wrap
from flows.explanation.words import counted


def units(facts: dict) -> list[str]:
    """Both counts of every therapy day that the finding is about."""
    discipline = facts["finding"]["discipline"]
    days = [day for day in facts["days"] if discipline in (None, day["discipline"])]
    text = []
    for day in days:
        if len(facts["days"]) > 1:
            text += [f"  Therapy day {day['discipline']}", ""]
        text += [*counted_with(facts, day), *day_units(day), ""]
    return text[:-1]


def day_units(day: dict) -> list[str]:
    if not day["has_counting_note"]:
        return [f"  No counting note: no unit rule judges this therapy day. Billed {billed_sum(day)}."]
    if not day["supported_minutes"] and not any(code["is_timed"] for code in day["codes"]):
        return ["  No timed minutes, and no timed code billed: 0 units under both methods."]
    text = [*method_words(day), "", *_cms(day), "", *_ama(day)]
    return [*text, "", *bill_beside(day)] if day["has_billed_line"] else text


def counted_with(facts: dict, day: dict) -> list[str]:
    pairs = {
        (row["procedure_code"], row["counted_code"])
        for row in [*facts["lines"], *facts["blocks"]]
        if row["discipline"] == day["discipline"] and row["counted_code"] not in (None, row["procedure_code"])
    }
    return [f"  {own} counts as {other}: one code for minutes, units and split." for own, other in sorted(pairs)]


def method_words(day: dict) -> list[str]:
    if day["payer_id"] is None:
        return ["  Nobody was billed, so no payer says how to count: both counts."]
    row, method = day["method_row"] or {}, METHODS[day["counting_method"]]
    said = f"Payer {day['payer_id']} counts by the {method}"
    if day["counting_method"] == "either":
        said = f"Nobody has told how payer {day['payer_id']} counts: too many is only what exceeds the larger count, "
        said += "too few only what falls short of the smaller, and the split is not judged"
    if row:
        said += f" (row {row['reference_key']}, {in_force(row)}; {row['citation']})"
    text = wrap(said + ".")
    if len(day["payers"]) > 1:
        named = ", ".join(f"{payer['payer_id']} {payer['payer_units']}" for payer in day["payers"])
        text += wrap(f"The lines name several payers ({named} units in scope): the one billed most rules, then by id.")
    return text


def _cms(day: dict) -> list[str]:
    count, supported = day["cms_8_minute"], day["supported_minutes"]
    text = [f"  CMS 8-minute rule   {unit_range(supported, day['cms_units'])}"]
    if day["sure_minutes"] != supported:
        text.append(f"                      sure: {unit_range(day['sure_minutes'], day['sure_cms_units'])}")
    if not day["is_decidable"]:
        why = "; ".join(day["why_undecidable"])
        said = f"The split over codes is undecidable ({why}): only the day's total is judged, under CMS."
        return text + wrap(said, 4)
    if not count["steps"]:
        return text
    codes = list(count["steps"][0]["left"])
    start = {code["procedure_code"]: code["credited_minutes"] for code in day["codes"]}
    rows = [["", "", *(start[code] for code in codes), "minutes credited; each unit pays for 15"]]
    rows += [
        [step["unit"], step["code"], *(step["left"][code] for code in codes), step_words(step)]
        for step in count["steps"]
    ]
    text += table(["unit", "goes to", *codes, ""], rows, " ".join(codes), indent=4, longest=WIDTH)
    return text + split_lines(count)


def unit_range(minutes: int, number: int) -> str:
    low, high = max(0, 15 * number - 7), 15 * number + 7
    return f"{minutes} minutes lie in {low}-{high}: {counted(number, 'unit')}   floor(({minutes} + 7) / 15) = {number}"


def step_words(step: dict) -> str:
    if step["tied_with"]:
        return f"{step['unpaid']} unpaid, a tie with {', '.join(step['tied_with'])}"
    return f"{step['unpaid']} unpaid is the most"


def split_lines(count: dict) -> list[str]:
    if count["split_count"] == 1:
        return [f"    The one lawful split: {split_text(count['splits'][0])}"]
    units = counted(count["tied_units"], "unit")
    tied = ", ".join(count["tied"])
    text = wrap(f"{count['split_count']} lawful splits: {tied} are tied for the last {units}, any is right:", 4)
    if count["split_count"] > MOST_SPLITS:
        return [*text, f"      any {count['tied_units']} of the tied codes get one each"]
    return text + [f"      {split_text(split)}" for split in count["splits"]]


def split_text(split: dict) -> str:
    """A split over codes: 97110 x1, 97112 x2."""
    return ", ".join(f"{code} x{number}" for code, number in split.items()) or "no unit"


def _ama(day: dict) -> list[str]:
    codes = [code for code in day["codes"] if code["is_timed"] and code["credited_minutes"]]
    text = ["  AMA midpoint        each code alone on its credited minutes, never two codes pooled"]
    for code in codes:
        minutes, own = code["credited_minutes"], code["ama_units"]
        text.append(f"    {code['procedure_code']}  {minutes:>3} minutes   floor(({minutes} + 7) / 15) = {own}")
    text.append(f"    together {counted(day['ama_units'], 'unit')}")
    if not day["is_decidable"]:
        text += wrap("Under AMA the units of an undecidable day are unjudged.", 4)
    return text


def bill_beside(day: dict) -> list[str]:
    rows = []
    for code in day["codes"]:
        if code["is_timed"]:
            expected = code["expected_units"]
            above = "" if expected is None else max(0, code["billed_units"] - expected) or ""
            rows.append([code["procedure_code"], code["credited_minutes"], code["billed_units"], expected, above])
    if not rows:
        return ["  No timed code is billed or documented."]
    over = day["supported_units"] is not None and max(0, day["billed_timed_units"] - day["supported_units"])
    rows.append(["day", day["supported_minutes"], day["billed_timed_units"], day["supported_units"], over or ""])
    text = table(["code", "minutes", "billed", "lawful", "above"], rows, "minutes billed lawful above")
    if any(code["expected_units"] is not None for code in day["codes"]):
        return [*text, "  lawful: by code, the lawful split nearest to the bill; by day, the most units supported"]
    if day["supported_units"] is not None:
        return [*text, "  lawful: the most units supported; the split over codes is not judged"]
    return [*text, "  Neither the units of the day nor their split is judged."]
