"""The clock line of blocks: what each minute of a block is, and which block owns it; and the table of the blocks."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from expectations.report.parts import CREDITED_KINDS, Bar, ClockLine, Lane, Owned, Paragraph, Part, Table
from flows.explanation.compose.tables import table
from flows.explanation.derive.clock import CLASH, CREDITED, DOUBLE, MOST_DRAWN, REST, SESSION, SHARED
from transforms.database.time_text import cell, clock, long_minutes, mins

_KINDS = {CREDITED: "credited", REST: "rest", DOUBLE: "double", SHARED: "shared", CLASH: "clash", SESSION: "session"}
_TIMES = "holds|stated|written|worth|credited|double"


def clock_line(blocks: Sequence[dict], labels: Sequence[str]) -> list[Part]:
    """The clock line of the blocks that have a clock; nothing where none is laid out, a sentence where they are
    too many to be drawn."""
    drawn = [(block, label) for block, label in zip(blocks, labels, strict=True) if block["clock_seconds"]]
    if len(drawn) > MOST_DRAWN:
        return [Paragraph(f"More than {MOST_DRAWN} blocks have clock times: they are listed, and not drawn.", "quiet")]
    if not any(block.get("marks") for block, _ in drawn):
        return []
    lanes = tuple(Lane(block["tag"], label, _bars(block)) for block, label in drawn)
    return [ClockLine(lanes, _owned(lanes))]


def _bars(block: dict) -> tuple[Bar, ...]:
    """The block's time by its kinds; a block without marks holds none that counts."""
    if not block.get("marks"):
        return (Bar(block["start_second"], block["end_second"], "uncounted"),)
    return tuple(Bar(first, last, _KINDS[mark]) for first, last, mark in block["marks"])


def _owned(lanes: Sequence[Lane]) -> tuple[Owned, ...]:
    """Every stretch of the clock on which a block holds time that counts."""
    counted = [lane for lane in lanes if lane.bars[0].kind != "uncounted"]
    moments = sorted({moment for lane in counted for bar in lane.bars for moment in (bar.start, bar.end)})
    found: list[Owned] = []
    for first, last in pairwise(moments):
        kinds = {lane.tag: kind for lane in counted if (kind := _kind_at(lane, first))}
        owner = next((tag for own in CREDITED_KINDS for tag, kind in kinds.items() if kind == own), None)
        beside = tuple((tag, kind) for tag, kind in kinds.items() if tag != owner)
        if not kinds:
            continue
        if found and (found[-1].end, found[-1].owner, found[-1].beside) == (first, owner, beside):
            found[-1] = replace(found[-1], end=last)
        else:
            found.append(Owned(first, last, owner, beside))
    return tuple(found)


def _kind_at(lane: Lane, second: int) -> str | None:
    return next((bar.kind for bar in lane.bars if bar.start <= second < bar.end), None)


def block_table(blocks: Sequence[dict], with_patient: bool = False) -> Table:
    """One row a block with file and line: clock, and what it holds, states, writes, is worth and is credited."""
    several = len({block["discipline"] for block in blocks}) > 1
    rows = [
        [
            block["tag"],
            block["patient_id"] if with_patient else "",
            block["note_id"],
            block["block_number"],
            block["procedure_code"],
            block["discipline"] if several else "",
            "" if block["delivery"] == "one_on_one" else (block["delivery"] or "").replace("_", " "),
            span(block),
            cell(block["clock_seconds"]),
            "not given" if block["is_unmeasured"] else cell(block["stated_seconds"]),
            *(cell(block[f"{name}_seconds"]) for name in ("written", "worth", "credited", "double_counted")),
            block["source"],
        ]
        for block in blocks
    ]
    headers = f"|patient|note|block|code|discipline|delivery|clock|{_TIMES}|file and line"
    return table(headers, rows, f"block|{_TIMES}", source="file and line")


def span(block: dict) -> str:
    """The clock times of a block, or nothing."""
    start, end = block["start_second"], block["end_second"]
    return "" if start is None or end is None else f"{clock(start)}-{clock(end)}"


def owned_sum(blocks: Sequence[dict]) -> Paragraph:
    """The credited minutes of the blocks added up: A 24 + B 23 = 47 minutes."""
    own = [block for block in blocks if block["credited_seconds"]]
    parts = " + ".join(f"{block['tag']} {mins(block['credited_seconds'])}" for block in own)
    total = long_minutes(sum(block["credited_seconds"] for block in own))
    return Paragraph(f"Credited: {parts} = {total}." if own else "No minute is credited.", "formula")
