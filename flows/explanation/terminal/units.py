"""The units of a therapy day as text: both methods step by step, every lawful split, and the bill beside it."""

from flows.explanation.sentences.because import billed_sum
from flows.explanation.sentences.units import (
    ama_formula,
    ama_unknown,
    cms_lines,
    is_ama_known,
    method_words,
    split_lines,
    step_words,
    together_words,
    undecidable,
)
from flows.explanation.sentences.words import counted, known
from flows.text_table import WIDTH, table, wrap
from transforms.database.told_time import long_minutes
from transforms.database.told_time import minutes as told


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


def _ama(day: dict) -> list[str]:
    codes = [code for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]
    text = ["  AMA midpoint        each code alone on its credited minutes, never two codes pooled"]
    if not is_ama_known(day):
        return text + [line for one in ama_unknown(day) for line in wrap(one, 4)]
    for code in codes:
        text.append(f"    {code['procedure_code']}  {long_minutes(code['credited_seconds']):>11}   {ama_formula(code)}")
    return [*text, f"    together {counted(day['ama_units'], 'unit')}"]


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
