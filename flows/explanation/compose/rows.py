"""The rows of a finding's day: what was billed, the notes and the minutes."""

from expectations.report.parts import Paragraph, Part
from flows.explanation.compose.clock import block_table, clock_line, owned_sum
from flows.explanation.compose.tables import paragraphs, reasons, table
from flows.explanation.sentences.words import NOT_KNOWN
from transforms.database.time_text import cell

_STANDINGS = {
    "bills": "yes",
    "void": "no: a void",
    "gone": "gone",
    "out_of_scope": "no: out of scope",
    "no_units": "no: 0 units",
    "not_listed": "no: not listed",
    "no_final_bill": "no: no final bill",
    "denied": "no: denied",
    "secondary_payer": "no: 2nd payer",
}
_TIMES = "T|TT|W|C|supported|sure"


def bill(facts: dict) -> list[Part]:
    """Every claim line of the patient and date, those that the finding is about marked."""
    lines = facts["lines"]
    if not lines:
        return [Paragraph("The extracts hold no claim line of this patient on this date.")]
    several = len({line["billing_provider_id"] for line in lines}) > 1
    rows = [
        [
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            (line["modifiers"] or "").replace(";", " "),
            line["payer_id"],
            line["rendering_provider_id"],
            (line["billing_provider_id"] or "unknown") if several else "",
            line["discipline"],
            _standing(line),
            line["source"],
        ]
        for line in lines
    ]
    headers = "claim|line|code|units|modifiers|payer|rendered by|billed by|discipline|counts|file and line"
    marked = [number for number, line in enumerate(lines) if line["is_subject"]]
    more = {"marked": marked, "marks": "what the finding is about", "source": "file and line"}
    return [table(headers, rows, "line|units", **more), *paragraphs(_settled(lines), "quiet")]


def _standing(line: dict) -> str:
    """Whether the line counts, as staging decided, and what took its place."""
    if line["standing"] == "gone" and line["named_by"]:
        return f"gone: see {line['named_by']}"
    return _STANDINGS[line["standing"]]


def _settled(lines: list[dict]) -> list[str]:
    """How the discipline of each line was settled."""
    ways: dict[str, list[str]] = {}
    for line in lines:
        if line["discipline_source"]:
            name = f"{line['claim_id']} line {line['line_number']}"
            ways.setdefault(line["discipline_source"], []).append(name)
    said = (way if len(ways) == 1 else f"{way} ({', '.join(named)})" for way, named in ways.items())
    return ["Discipline settled by: " + "; ".join(said) + "."] if ways else []


def notes(facts: dict) -> list[Part]:
    """Every version of the notes of the date, and how each counting one comes to the minutes it supports."""
    versions = facts["notes"]
    if not versions:
        return [Paragraph("The extracts hold no note of this patient on this date, not even a draft.")]
    several = len({note["discipline"] for note in versions}) > 1
    rows = [
        [
            note["note_id"],
            note["note_version"],
            note["discipline"] if several else "",
            note["clinician_id"],
            note["status"] or "no status",
            note["standing"].replace("_", " "),
            note["block_count"],
            *_times(note),
            note["source"],
        ]
        for note in versions
    ]
    caption = (
        "T: the note's total of timed minutes. TT: its total treatment time. W: written in its timed one-on-one "
        "blocks. C: credited of W over the note."
    )
    headers = f"note|version|discipline|clinician|status|counts as|blocks|{_TIMES}|file and line"
    right = f"version|blocks|{_TIMES}"
    shown = table(headers, rows, right, source="file and line", caption=caption)
    return [shown, *reasons((note["note_id"], note["why"]) for note in versions)]


def _times(note: dict) -> list:
    """T, TT, W, C, supported and sure time of a note; of a counting note without them, that it is not known."""
    supported, counts = note["supported_seconds"], note["standing"] == "counting"
    written, credited = (note["written_seconds"], note["note_credited_seconds"]) if note["has_blocks"] else (None, None)
    return [
        *map(cell, (note["total_timed_seconds"], note["total_treatment_seconds"], written, credited)),
        NOT_KNOWN if counts and supported is None else cell(supported),
        cell(note["sure_seconds"]),
    ]


def minutes(facts: dict) -> list[Part]:
    """The clock of the day, one lane a block, and how each block comes to its minutes."""
    blocks = facts["blocks"]
    if not blocks:
        return [Paragraph("No counting note of the date has a block.")]
    several = len({block["discipline"] for block in blocks}) > 1
    labels = [f"{b['tag']} {b['procedure_code']}" + (f" {b['discipline']}" if several else "") for b in blocks]
    drawn = clock_line(blocks, labels)
    return [*drawn, block_table(blocks), owned_sum(blocks), *reasons((b["tag"], b["why"]) for b in blocks)]
