"""The units of a therapy day as text: both methods step by step, every lawful split, and the bill beside it."""

from flows.explanation.because import ama_most, billed_sum
from flows.explanation.counts import MOST_SPLITS
from flows.explanation.rules import METHODS
from flows.explanation.table import WIDTH, in_force, table, wrap
from flows.explanation.words import NOT_KNOWN, counted, known
from transforms.told_time import long_minutes
from transforms.told_time import minutes as told


def units(facts: dict) -> list[str]:
    """Both counts of every therapy day that the finding is about."""
    discipline = facts["finding"]["discipline"]
    days = [day for day in facts["days"] if discipline in (None, day["discipline"])]
    text = []
    for day in days:
        if len(facts["days"]) > 1:
            text += [f"  Therapy day {day['discipline']}", ""]
        text += [*counted_with(facts, day), *(line for one in day["why_supported"] for line in wrap(one))]
        text += [*day_units(day), ""]
    return text[:-1] + _together(facts)


def _together(facts: dict) -> list[str]:
    """What several disciplines of the date support together, where they gave time together."""
    sums = facts["patient_day"]
    if facts["finding"]["discipline"] is not None or sums is None or not sums["joint_seconds"]:
        return []
    return ["", *wrap(together_words(facts))]


def together_words(facts: dict) -> str:
    sums = facts["patient_day"]
    return (
        f"All disciplines together support {long_minutes(sums['held_seconds'])}, of which the patient's clock can hold "
        f"M = {told(sums['shared_once_seconds'])}; J = {told(sums['joint_seconds'])} were given together, and are one "
        "discipline's to bill."
    )


def day_units(day: dict) -> list[str]:
    if not day["has_counting_note"]:
        return [f"  No counting note: no unit rule judges this therapy day. Billed {billed_sum(day)}."]
    if day["supported_seconds"] == 0 and not any(code["is_timed"] for code in day["codes"]):
        return ["  No timed minutes, and no timed code billed: 0 units under both methods."]
    text = [*wrap(method_words(day)), "", *_cms(day), "", *_ama(day)]
    return [*text, "", *bill_beside(day)] if day["has_billed_line"] else text


def counted_with(facts: dict, day: dict) -> list[str]:
    pairs = {
        (row["procedure_code"], row["counted_code"])
        for row in [*facts["lines"], *facts["blocks"]]
        if row["discipline"] == day["discipline"] and row["counted_code"] not in (None, row["procedure_code"])
    }
    return [f"  {own} counts as {other}: one code for minutes, units and split." for own, other in sorted(pairs)]


def method_words(day: dict) -> str:
    """How the day's payer counts, and the dated row that says so."""
    if day["has_several_payers"]:
        return several_payers(day)
    if day["payer_id"] is None:
        return "Nobody was billed, so no payer says how to count: both counts."
    row, method = day["method_row"] or {}, METHODS[day["counting_method"]]
    said = f"Payer {day['payer_id']} counts by the {method}"
    if day["counting_method"] == "either":
        said = f"Nobody has told how payer {day['payer_id']} counts: too many is only what exceeds the larger count, "
        said += "too few only what falls short of the smaller, and the split is not judged"
    if row:
        said += f" (row {row['reference_key']}, {in_force(row)}; {row['citation']})"
    return said + "."


def several_payers(day: dict) -> str:
    """Each payer's units of a day that several were billed for."""
    named = ", ".join(
        f"{payer['payer_id']} {payer['payer_units']} ({METHODS[payer['counting_method']]})" for payer in day["payers"]
    )
    return (
        f"The lines name several payers, each as the primary one ({named}; units in scope): nobody knows whose minutes "
        "are whose, so no unit rule judges the day. Both counts stand here all the same."
    )


def _cms(day: dict) -> list[str]:
    count = day["cms_8_minute"]
    text = []
    for place, line in enumerate(cms_lines(day)):
        text += [f"  CMS 8-minute rule   {line}"] if not place else wrap(line, 22)
    if not day["is_decidable"]:
        return text + wrap(undecidable(day), 4)
    if not count["steps"]:
        return text
    codes = list(count["steps"][0]["left"])
    start = {code["procedure_code"]: code["credited_seconds"] for code in day["codes"]}
    rows = [["", "", *(told(start[code]) for code in codes), "minutes credited; each unit pays for 15"]]
    rows += [
        [step["unit"], step["code"], *(told(step["left"][code]) for code in codes), step_words(step)]
        for step in count["steps"]
    ]
    text += table(["unit", "goes to", *codes, ""], rows, " ".join(codes), indent=4, longest=WIDTH)
    return text + split_lines(count)


def day_sentences(day: dict) -> dict:
    """What both counts of a day rest on, for a page that lays them out itself."""
    counts = day["has_counting_note"]
    return {
        "method": method_words(day),
        "cms": cms_lines(day) if counts else [],
        "ama": ama_unknown(day) if counts and not is_ama_known(day) else [],
    }


def cms_lines(day: dict) -> list[str]:
    """The CMS count of the supported minutes, of the sure ones where they differ, and of those with unlisted codes."""
    supported = day["supported_seconds"]
    if supported is None:
        lines = [f"supported minutes {NOT_KNOWN}: no count of the day"]
    else:
        lines = [unit_range(day["supported_minutes"], day["cms_units"])]
        if supported % 60:
            lines.append(f"({told(supported)} are supported; only whole minutes of the day count)")
    if day["sure_seconds"] != supported:
        lines.append(f"sure: {unit_range(day['sure_minutes'], day['sure_cms_units'])}")
    if day["has_unlisted_block"] and day["most_seconds"] is not None:
        more = long_minutes(day["most_seconds"] - (supported or 0))
        lines.append(f"with {more} of codes not listed: {unit_range(day['most_minutes'], day['most_cms_units'])}")
    elif day["has_unlisted_block"]:
        lines.append("a block of a code not listed gives no minutes: nobody knows what it may add")
    return lines


def undecidable(day: dict) -> str:
    why = "; ".join(day["why_undecidable"])
    return f"The split over codes is undecidable ({why}): only the day's total is judged."


def unit_range(minutes: int, number: int) -> str:
    low, high = max(0, 15 * number - 7), 15 * number + 7
    return f"{minutes} minutes lie in {low}-{high}: {counted(number, 'unit')}   floor(({minutes} + 7) / 15) = {number}"


def step_words(step: dict) -> str:
    """Why a unit goes to its code; less than a minute below the most is equal to it."""
    if step["tied_with"]:
        near = "" if step["unpaid_seconds"] == step["most_seconds"] else " (less than a minute below the most)"
        return f"{told(step['unpaid_seconds'])} unpaid{near}, a tie with {', '.join(step['tied_with'])}"
    return f"{told(step['unpaid_seconds'])} unpaid is the most"


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
    codes = [code for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]
    text = ["  AMA midpoint        each code alone on its credited minutes, never two codes pooled"]
    if not is_ama_known(day):
        return text + [line for one in ama_unknown(day) for line in wrap(one, 4)]
    for code in codes:
        text.append(f"    {code['procedure_code']}  {long_minutes(code['credited_seconds']):>11}   {ama_formula(code)}")
    return [*text, f"    together {counted(day['ama_units'], 'unit')}"]


def is_ama_known(day: dict) -> bool:
    """Whether the minutes of each code are known."""
    return day["is_decidable"] and not day["has_unlisted_block"]


def ama_formula(code: dict) -> str:
    """A code's units by itself: a unit is attained once its midpoint is passed, in seconds where they are known."""
    seconds, units = code["credited_seconds"], code["ama_units"]
    if seconds % 60:
        return f"floor(({seconds} s + 449) / 900) = {units}"
    return f"floor(({seconds // 60} + 7) / 15) = {units}"


def ama_unknown(day: dict) -> list[str]:
    """What AMA can make of a day whose minutes per code are not known."""
    if day["most_ama_units"] is None:
        return [f"How long the day took is {NOT_KNOWN}, and so is its AMA count."]
    return [
        f"The minutes of each code are not known. {ama_most(day)}.",
        "Above this is too many under every reading; that it is too few is not said.",
    ]


def bill_beside(day: dict) -> list[str]:
    rows = []
    for code in day["codes"]:
        if code["is_timed"]:
            expected = code["expected_units"]
            above = "" if expected is None else max(0, code["billed_units"] - expected) or ""
            rows.append([code["procedure_code"], told(code["credited_seconds"]), code["billed_units"], expected, above])
    if not rows:
        return ["  No timed code is billed or documented."]
    over = day["supported_units"] is not None and max(0, day["billed_timed_units"] - day["supported_units"])
    held = known(day["supported_seconds"])
    rows.append(["day", held, day["billed_timed_units"], day["supported_units"], over or ""])
    text = table(["code", "minutes", "billed", "lawful", "above"], rows, "minutes billed lawful above")
    if any(code["expected_units"] is not None for code in day["codes"]):
        return [*text, "  lawful: by code, the lawful split nearest to the bill; by day, the most units supported"]
    if day["supported_units"] is not None:
        return [*text, "  lawful: the most units supported; the split over codes is not judged"]
    return [*text, "  Neither the units of the day nor their split is judged."]
