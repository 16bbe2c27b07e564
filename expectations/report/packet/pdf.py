"""A packet as PDF: typst compiles one template offline, and is given the packet as data, never as markup."""

import json
import re
from pathlib import Path
from typing import Any

import typst

from expectations.report import plain
from expectations.report.packet.layout import Picture, laid_out
from expectations.report.parts import (
    MINUTE_KINDS,
    Columns,
    Form,
    Packet,
    Pairs,
    Paragraph,
    Part,
    Section,
    Table,
)

LONGEST_TEXT = 4_000
_TEMPLATE = Path(__file__).parents[1] / "templates" / "packet.typ"
#: A word longer than this gets places at which a line may break, so that no cell runs over its neighbour; the shorter,
#: the more columns a table has.
_LONGEST_WORD, _LONGEST_IN_WIDE, _WIDE = 14, 6, 9
_BREAK = "\N{ZERO WIDTH SPACE}"
#: What the fonts that typst brings along cannot draw: named, as other unseen signs are.
_NOT_DRAWN = re.compile(
    "[^\\x20-\\x7e\u00a0-\u024f\u0370-\u03ff\u0400-\u045f\u2010-\u2027\u2030-\u205e\u20ac\u2190-\u2193\u2260-\u2265\ufffd]"
)


def packet_pdf(packet: Packet) -> bytes:
    """The packet as a PDF of US letter pages: the same packet gives the same bytes, whatever clock and fonts."""
    packet = laid_out(packet)
    data = {
        "title": _text(packet.title),
        "running": _text(packet.running),
        "cover": [_part(part) for part in packet.cover],
        "findings": [_part(finding) for finding in packet.findings],
        "meaning": MINUTE_KINDS,
    }
    compiler = typst.Compiler(
        _TEMPLATE.read_bytes(),
        font_paths=typst.Fonts(include_system_fonts=False),
        sys_inputs={"packet": json.dumps(data)},
    )
    return compiler.compile(format="pdf")


def _part(part: Part | Picture) -> dict[str, Any]:
    """A part as JSON for the template, its kind under `is`; every text made inert."""
    return {"is": type(part).__name__.lower(), **_FORMS[type(part)](part)}


def _paragraph(part: Paragraph) -> dict:
    return {"kind": part.kind, "text": _text(part.text)}


def _pairs(part: Pairs) -> dict:
    return {"rows": [[_text(name), _text(value)] for name, value in part.rows], "columns": part.columns}


def _table(part: Table) -> dict:
    longest = _LONGEST_IN_WIDE if len(part.headers) > _WIDE else _LONGEST_WORD
    return {
        "caption": _text(part.caption),
        "headers": [_text(name) for name in part.headers],
        "right": [name in part.right for name in part.headers],
        "rows": [[_text(value, longest) for value in row] for row in part.rows],
        "marked": sorted(part.marked),
    }


def _picture(part: Picture) -> dict:
    def place(second: int) -> float:
        return (second - part.start) / (part.end - part.start)

    lanes = [
        {
            "label": _text(lane.label),
            "bars": [
                {"from": place(bar.start), "to": place(bar.end), "kind": bar.kind, "text": _text(bar.text)}
                for bar in lane.bars
            ],
        }
        for lane in part.lanes
    ]
    ticks = [{"at": place(second), "text": text} for second, text in part.ticks]
    return {"ticks": ticks, "lanes": lanes, "kinds": list(part.kinds)}


def _form(part: Form) -> dict:
    return {"boxes": part.boxes, "fields": part.fields, "lines_for": part.lines_for, "lines": part.lines}


def _columns(part: Columns) -> dict:
    return {"sections": [_part(section) for section in part.sections]}


def _section(part: Section) -> dict:
    return {"title": _text(part.title), "parts": [_part(one) for one in part.parts]}


_FORMS = {
    Paragraph: _paragraph,
    Pairs: _pairs,
    Table: _table,
    Picture: _picture,
    Form: _form,
    Columns: _columns,
    Section: _section,
}


def _text(value: Any, longest: int = _LONGEST_WORD) -> str:
    """The value as text that can only be read, in signs that the PDF's fonts hold, with places to break a line."""
    shown = _NOT_DRAWN.sub(lambda found: f"<U+{ord(found[0]):04X}>", plain(value, LONGEST_TEXT))
    return " ".join(_breakable(word, longest) if len(word) > longest else word for word in shown.split(" "))


def _breakable(word: str, longest: int) -> str:
    return _BREAK.join(re.findall(f"[^-_./:;,]{{1,{longest}}}[-_./:;,]?|[-_./:;,]", word))
