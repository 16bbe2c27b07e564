"""The units of therapy days: both methods step by step, every lawful split, and the bill beside it."""

from expectations.report.parts import Columns, Paragraph, Part, Section, Table
from flows.explanation.compose.tables import paragraphs, table
from flows.explanation.sentences.reasons import billed_sum
from flows.explanation.sentences.units import (
    ama_formula,
    ama_unknown,
    cms_lines,
    is_ama_known,
    method_words,
    split_text,
    splits_sentence,
    step_words,
    together_words,
    undecidable,
)
from flows.explanation.sentences.words import counted, known
from transforms.database.time_text import cell

#: With more codes than this the steps of a count need the whole width.
_MOST_BESIDE = 2
_NAMES = {"cms_8_minute": "CMS 8-minute rule", "ama_midpoint": "AMA midpoint"}


def units(facts: dict) -> list[Part]:
    """Both counts of every therapy day that the finding is about, and the bill beside them."""
    discipline = facts["finding"]["discipline"]
    parts: list[Part] = []
    for day in (day for day in facts["days"] if discipline in (None, day["discipline"])):
        own = [*paragraphs([*_counted_with(facts, day), *day["why_supported"]]), *_day(day)]
        parts += [Section(f"Therapy day {day['discipline']}", tuple(own))] if len(facts["days"]) > 1 else own
    sums = facts["patient_day"]
    if discipline is None and sums and sums["joint_seconds"]:
        parts.append(Paragraph(together_words(facts)))
    return parts


def _counted_with(facts: dict, day: dict) -> list[str]:
    pairs = {
        (row["procedure_code"], row["counted_code"])
        for row in [*facts["lines"], *facts["blocks"]]
        if row["discipline"] == day["discipline"] and row["counted_code"] not in (None, row["procedure_code"])
    }
    return [f"{own} counts as {other}: one code for minutes, units and split." for own, other in sorted(pairs)]


def _day(day: dict) -> list[Part]:
    if not day["has_counting_note"]:
        return [Paragraph(f"No counting note: no unit rule judges this therapy day. Billed {billed_sum(day)}.")]
    if day["supported_seconds"] == 0 and not any(code["is_timed"] for code in day["codes"]):
        return [Paragraph("No timed minutes, and no timed code billed: 0 units under both methods.")]
    methods = [Section(_title(day, "cms_8_minute"), tuple(_cms(day)))]
    methods.append(Section(_title(day, "ama_midpoint"), tuple(_ama(day))))
    if day["counting_method"] == "ama_midpoint":
        methods.reverse()
    beside: list[Part] = [Columns(tuple(methods))] if len(_credited(day)) <= _MOST_BESIDE else list(methods)
    parts = [Paragraph(method_words(day)), *beside]
    return [*parts, Section("Billed beside lawful", tuple(_bill_beside(day)))] if day["has_billed_line"] else parts


def _title(day: dict, method: str) -> str:
    if day["counting_method"] == method:
        return f"{_NAMES[method]}: the payer's method"
    return f"{_NAMES[method]}: the other method" if day["counting_method"] in _NAMES else _NAMES[method]


def _credited(day: dict) -> list[dict]:
    return [code for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]


def _cms(day: dict) -> list[Part]:
    count = day["cms_8_minute"]
    parts: list[Part] = paragraphs((f"{line[:1].upper()}{line[1:]}." for line in cms_lines(day)), "formula")
    if not day["is_decidable"]:
        return [*parts, Paragraph(undecidable(day))]
    if not count["steps"]:
        return parts
    return [*parts, _steps(day, count["steps"]), *_splits(count)]


def _steps(day: dict, steps: list[dict]) -> Table:
    """The units one by one as the models give them, with the minutes that each code has left unpaid."""
    codes = list(steps[0]["left"])
    start = {code["procedure_code"]: code["credited_seconds"] for code in day["codes"]}
    rows = [["", "", *(cell(start.get(code)) for code in codes), "minutes credited; each unit pays for 15"]]
    for step in steps:
        rows.append([step["unit"], step["code"], *(cell(step["left"][code]) for code in codes), step_words(step)])
    caption = "Each unit goes to the code with the most unused minutes, which are shown under each code."
    return table("|".join(["unit", "goes to", *codes, "because"]), rows, "|".join(["unit", *codes]), caption=caption)


def _splits(count: dict) -> list[Part]:
    """The one lawful split in a sentence; of several what they differ in, and one row a split."""
    sentence = Paragraph(splits_sentence(count), "formula")
    if count["split_count"] == 1 or not count["splits"]:
        return [sentence]
    rows = [[number, split_text(split)] for number, split in enumerate(count["splits"], start=1)]
    return [sentence, table("no.|lawful split", rows, "no.")]


def _ama(day: dict) -> list[Part]:
    if not is_ama_known(day):
        return paragraphs(ama_unknown(day))
    rows = [[code["procedure_code"], cell(code["credited_seconds"]), ama_formula(code)] for code in _credited(day)]
    together = Paragraph(f"Each code alone, never two pooled: together {counted(day['ama_units'], 'unit')}.", "formula")
    return [*([table("code|minutes|units", rows, "minutes")] if rows else []), together]


def _bill_beside(day: dict) -> list[Part]:
    rows, marked = [], []
    for code in (code for code in day["codes"] if code["is_timed"]):
        lawful = code["expected_units"]
        above = "" if lawful is None else max(0, code["billed_units"] - lawful) or ""
        marked += [len(rows)] if above else []
        rows.append([code["procedure_code"], cell(code["credited_seconds"]), code["billed_units"], lawful, above])
    if not rows:
        return [Paragraph("No timed code is billed or documented.")]
    billed, lawful = day["billed_timed_units"], day["supported_units"]
    over = "" if lawful is None else max(0, billed - lawful) or ""
    rows.append(["the day", known(day["supported_seconds"]), billed, lawful, over])
    if any(code["expected_units"] is not None for code in day["codes"]):
        closing = "Lawful: by code, the lawful split nearest to the bill; by day, the most units supported."
    elif lawful is not None:
        closing = "Lawful: the most units supported; the split over codes is not judged."
    else:
        closing = "Neither the units of the day nor their split is judged."
    right = "minutes|billed|lawful|too many"
    shown = table(f"code|{right}", rows, right, marked, marks="billed above the lawful split" if marked else "")
    return [shown, Paragraph(closing, "quiet")]
