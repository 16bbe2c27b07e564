"""The rows of a finding's day as parts of a packet: what was billed, the notes, the minutes."""

from expectations.report.packet.parts import Paragraph, Part, Table
from flows.evidence.clock import owned_sum, ownership, pictures
from flows.explanation.terminal import day as told


def said(lines: list[str]) -> str:
    """Wrapped lines of an explanation as one running text."""
    return " ".join(line.strip() for line in lines if line.strip())


def shown(value) -> str:
    """A cell: nothing for None."""
    return "" if value is None else str(value)


def table(headers: str, rows: list[list], right: str = "", marked: frozenset[int] = frozenset(), caption: str = ""):
    """A Table of the headers (joined by |), columns that are empty in every row left out."""
    names = headers.split("|")
    cells = [[shown(value) for value in row] for row in rows]
    kept = [place for place in range(len(names)) if any(row[place] for row in cells)]
    kept_rows = tuple(tuple(row[place] for place in kept) for row in cells)
    return Table(
        tuple(names[place] for place in kept), kept_rows, frozenset(right.split("|")), frozenset(marked), caption
    )


def bill(facts: dict) -> list[Part]:
    """Every claim line of the patient and date with file and line, those that the finding is about marked."""
    lines = facts["lines"]
    if not lines:
        return [Paragraph(said(told.bill(facts)))]
    rows = [
        [
            line["source"],
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            (line["modifiers"] or "").replace(";", " "),
            line["payer_id"],
            line["rendering_provider_id"],
            line["billing_provider_id"],
            line["discipline"],
            told.standing_words(line),
        ]
        for line in lines
    ]
    marked = frozenset(number for number, line in enumerate(lines) if line["is_subject"])
    headers = "file and line|claim|line|code|units|modifiers|payer|rendered by|billed by|disc.|counts"
    parts: list[Part] = [table(headers, rows, "line|units", marked)]
    sentences = ["Marked rows are those that the finding is about."] if marked else []
    sentences += told.settled_words(lines)
    return parts + ([Paragraph(said(sentences), "quiet")] if sentences else [])


def notes(facts: dict) -> list[Part]:
    """Every version of the notes of the date with file and line, and how each comes to the minutes it supports."""
    versions = facts["notes"]
    if not versions:
        return [Paragraph(said(told.notes(facts)))]
    rows = [
        [
            note["source"],
            note["note_id"],
            note["note_version"],
            note["discipline"],
            note["clinician_id"],
            note["status"] or "no status",
            note["standing"].replace("_", " "),
            note["block_count"],
            *told.note_times(note),
        ]
        for note in versions
    ]
    headers = "file and line|note|version|disc.|clinician|status|stands as|blocks|T|TT|W|C|supported|sure"
    parts: list[Part] = [table(headers, rows, "version|blocks|T|TT|W|C|supported|sure")]
    reckoned = [[note["note_id"], f"{note['why']}."] for note in versions if note["why"]]
    if reckoned:
        caption = (
            "T: the note's total of timed minutes. TT: its total treatment time. W: written in its timed one-on-one "
            "blocks. C: credited of W over the note."
        )
        parts.append(table("note|how it comes to its minutes", reckoned, caption=caption))
    return parts


def minutes(facts: dict) -> list[Part]:
    """The clock of the day, a lane a block, with each minute's owner; then the blocks and how each is credited."""
    blocks = facts["blocks"]
    if not blocks:
        return [Paragraph(said(told.minutes(facts)))]
    parts: list[Part] = [*pictures(blocks, told.block_labels(blocks)), block_rows(blocks)]
    owners = ownership(blocks)
    parts += [owners] if owners else []
    parts.append(Paragraph(owned_sum(blocks), "formula"))
    reasons: dict[str, list[str]] = {}
    for block in blocks:
        reasons.setdefault(block["why"], []).append(block["tag"])
    rows = [[", ".join(tags), f"{why}."] for why, tags in reasons.items()]
    return [*parts, table("block|how it comes to its credited minutes", rows)]


def block_rows(blocks: list[dict], with_patient: bool = False) -> Table:
    """One row a block with file and line: clock, stated, written, worth, credited and double-counted minutes."""
    rows = [
        [
            block["tag"],
            block["source"],
            block["patient_id"] if with_patient else "",
            block["note_id"],
            block["block_number"],
            block["procedure_code"],
            block["discipline"],
            (block["delivery"] or "").replace("_", " "),
            told.span(block),
            *told.block_times(block),
        ]
        for block in blocks
    ]
    right = "no.|holds|stated|written|worth|credited|double"
    headers = f"|file and line|patient|note|no.|code|disc.|delivery|clock|{right.removeprefix('no.|')}"
    return table(headers, rows, right)
