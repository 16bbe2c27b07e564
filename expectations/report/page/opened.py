"""What opens below a finding: its derivation as parts of sentences, tables and a clock line, trimmed for the page.

A part is [heading, items]; an item is a sentence, ["table", caption, headings, rows] or a clock line (page_clock.py).
The browser draws them and computes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from expectations.report.page.clock import clock_line
from expectations.report.page.single_rules import clinician, covered, nearest, provider, twins
from expectations.report.page.tables import block_table, table
from expectations.report.page.units import caps, dollars, units
from expectations.report.values import in_force, row_ranges, safe
from transforms.database.told_time import minutes as told

_STANDINGS = {
    "bills": "yes",
    "gone": "gone",
    "void": "no: a void",
    "out_of_scope": "no: out of scope",
    "no_units": "no: 0 units",
    "not_listed": "no: a code that is not listed",
    "no_final_bill": "no: no final bill",
    "denied": "no: denied",
    "secondary_payer": "no: secondary payer",
}
Part = tuple[str, Callable[[Mapping[str, Any]], list]]


def opened(derivation: Mapping[str, Any]) -> list:
    """The parts of one derivation (as `minutewise explain --json` gives it), as JSON can hold them."""
    rule_id = derivation["finding"]["rule_id"]
    parts = [("The rule", _rule(derivation))]
    parts += [(title, part(derivation)) for title, part in _PARTS.get(rule_id, _WHOLE)]
    parts.append(("What it rests on", _foot(derivation)))
    return [safe([title, items]) for title, items in parts if items]


def _rule(facts: Mapping[str, Any]) -> list:
    rule = facts["rule"]
    return [f"Violated when {rule.get('violated_when') or rule.get('title') or rule['rule_id']}.", *facts["because"]]


def _bill(facts: Mapping[str, Any]) -> list:
    lines = facts["lines"]
    if not lines:
        return ["The extracts hold no claim line of this patient on this date."]
    billers = len({line["billing_provider_id"] for line in lines}) > 1
    headings = ["", "claim", "line", "code", "units", "modifiers", "payer", "clinician", "billed by", "discipline"]
    headings += ["counts", "row"]
    rows = [
        [
            "this" if line["is_subject"] else "",
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            line["modifiers"],
            line["payer_id"],
            line["rendering_provider_id"],
            (line["billing_provider_id"] or "unknown") if billers else "",
            line["discipline"],
            _standing(line),
            line["source"],
        ]
        for line in lines
    ]
    return [table("Claim lines of the date; “this” marks what the finding is about", headings, rows)]


def _standing(line: Mapping[str, Any]) -> str:
    said = _STANDINGS.get(line["standing"], line["standing"])
    return f"{said}: see {line['named_by']}" if line["standing"] == "gone" and line["named_by"] else said


def _notes(facts: Mapping[str, Any]) -> list:
    notes = facts.get("notes") or []
    if not notes:
        return ["The extracts hold no note of this patient on this date, not even a draft."]
    headings = ["note", "version", "discipline", "clinician", "status", "stands as", "blocks", "T", "TT", "W", "C"]
    headings += ["supported", "sure", "row"]
    names = ("note_id", "note_version", "discipline", "clinician_id", "status")
    rows = [
        [
            *(note[name] for name in names),
            (note["standing"] or "").replace("_", " "),
            note["block_count"],
            told(note["total_timed_seconds"]),
            told(note["total_treatment_seconds"]),
            told(note["written_seconds"]),
            told(note["note_credited_seconds"]),
            _supported(note),
            told(note["sure_seconds"]),
            note["source"],
        ]
        for note in notes
    ]
    caption = (
        "Minutes: T the note's stated total of timed minutes, TT its total treatment time, W written in its timed "
        "one-on-one blocks, C credited of W over the note"
    )
    return [table(caption, headings, rows), *(f"{note['note_id']}: {note['why']}." for note in notes if note["why"])]


def _supported(note: Mapping[str, Any]) -> Any:
    """The note's supported time; that it is not known is no 0."""
    if note["standing"] != "counting":
        return None
    return "not known" if note["supported_seconds"] is None else told(note["supported_seconds"])


def _minutes(facts: Mapping[str, Any]) -> list:
    blocks = facts.get("blocks") or []
    if not blocks:
        return ["No counting note of the date has a block."]
    several = len({block["discipline"] for block in blocks}) > 1
    labels = [f"{b['tag']} {b['procedure_code']}" + (f" {b['discipline']}" if several else "") for b in blocks]
    drawn = clock_line(blocks, labels)
    return [*([drawn] if drawn else []), block_table(blocks)]


def _foot(facts: Mapping[str, Any]) -> list:
    rule, finding, row = facts["rule"], facts["finding"], facts["reference_row"]
    cited = [finding["citation"] or rule.get("citation"), rule.get("citation_url")]
    said = [f"Citation: {' '.join(part for part in cited if part)}"]
    if row:
        said.append(f"Reference row: {row['reference_key']}, {in_force(row)}: {row['citation']}")
    said.append(f"Not checked: {rule.get('not_checked') or 'nothing named'}.")
    if finding["sources"]:
        said.append(f"Rows: {row_ranges(finding['sources'].split(';'))}")
    again = facts["recomputed"]
    if not again["is_same"]:
        said.append(f"Counted again, the finding is not the same: {', '.join(again['differs'])}.")
    return said


_BILL, _NOTES, _MINUTES = ("What was billed", _bill), ("The notes", _notes), ("The minutes", _minutes)
_UNITS, _CAPS, _DOLLARS = ("The units", units), ("The caps in force", caps), ("The dollars", dollars)
_COVERED, _NEAREST = ("The dates that both extracts cover", covered), ("The patient's nearest other dates", nearest)
_WHOLE = (_MINUTES, _UNITS, _BILL, _CAPS, _DOLLARS, _NOTES)
_ABOUT_NOTE = (_NOTES, _MINUTES, _BILL, _UNITS)
_ABOUT_CAP = (_BILL, _CAPS, _DOLLARS, _NOTES, _MINUTES, _UNITS)
#: What is shown for a rule, the part that settles it first; a rule not named here shows the whole.
_PARTS: dict[str, tuple[Part, ...]] = {
    "billed_code_not_documented": (_BILL, _MINUTES, _NOTES, _UNITS, _DOLLARS),
    "billed_day_not_documented": (_BILL, _NOTES, _COVERED, _NEAREST, _DOLLARS),
    "documented_code_not_billed": (_BILL, _MINUTES, _NOTES, _COVERED, _NEAREST),
    "timed_minutes_not_documented": (_NOTES, _MINUTES, _BILL, _UNITS),
    "cotreatment_billed_by_both": (_BILL, _MINUTES, _NOTES, _UNITS, _DOLLARS),
    "day_billed_to_several_payers": (_BILL, _NOTES, _MINUTES, _UNITS),
    "billed_on_unsigned_note": (_BILL, _NOTES, _DOLLARS),
    "billed_note_marked_not_billable": (_BILL, _NOTES, _DOLLARS),
    "documented_day_not_billed": (_MINUTES, _UNITS, _BILL, _NOTES, _COVERED, _NEAREST),
    "minutes_counted_twice": (_MINUTES, _NOTES, _BILL, _UNITS),
    "therapist_in_two_places": (("The clinician's clock", clinician), _BILL, _NOTES, _MINUTES),
    "block_minutes_exceed_note_total": _ABOUT_NOTE,
    "note_total_exceeds_blocks": _ABOUT_NOTE,
    "stated_minutes_exceed_clock": (_MINUTES, _NOTES, _BILL, _UNITS),
    "units_exceed_day_cap": _ABOUT_CAP,
    "timed_units_exceed_payer_day_cap": _ABOUT_CAP,
    "untimed_code_multiple_units": (_BILL, _CAPS, _DOLLARS, _NOTES),
    "timed_code_split_across_lines": (_BILL, _NOTES),
    "claim_line_duplicated": (_BILL, ("Billed before", twins), _NOTES, _MINUTES, _UNITS, _DOLLARS),
    "provider_day_impossible": (("The clinician's day", provider),),
}
