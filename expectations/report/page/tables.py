"""The tables of a derivation on the page: ["table", caption, headings, rows]."""

from collections.abc import Mapping
from typing import Any

from expectations.report.page.clock import span
from transforms.database.told_time import minutes as told


def table(caption: str, headings: list[str], rows: list[list]) -> list:
    """The item of a table; columns that are empty in every row are left out, and no rows make no table."""
    kept = [place for place in range(len(headings)) if any(row[place] not in (None, "") for row in rows)]
    picked = [["" if row[place] is None else row[place] for place in kept] for row in rows]
    return ["table", caption, [headings[place] for place in kept], picked] if rows else []


def block_table(blocks: list[Mapping[str, Any]], with_patient: bool = False) -> list:
    """One row a block: clock, stated, written, worth, credited and double-counted minutes, and why."""
    headings = ["", "patient", "note", "block", "code", "discipline", "clock", "minutes", "stated", "worth"]
    headings += ["credited", "double", "why", "row"]
    several = len({block["discipline"] for block in blocks}) > 1
    rows = [
        [
            block["tag"],
            block["patient_id"] if with_patient else "",
            block["note_id"],
            block["block_number"],
            block["procedure_code"],
            block["discipline"] if several else "",
            span(block),
            told(block["clock_seconds"]),
            "not given" if block["is_unmeasured"] else told(block["stated_seconds"]),
            told(block["worth_seconds"]),
            told(block["credited_seconds"]),
            told(block["double_counted_seconds"]),
            block.get("why"),
            block["source"],
        ]
        for block in blocks
    ]
    return table("Blocks and how each comes to its minutes", headings, rows)
