"""The evidence packet as sections of paragraphs, tables and clock pictures, before anything is said of its form.

Every text may come from an extract and is hostile; packet_html.py and packet_pdf.py make it inert when they write it.
"""

from dataclasses import dataclass
from typing import Union

#: What a minute of a bar is, and how the legend names it; the order is the legend's.
MINUTE_KINDS = {
    "credited": "credited",
    "shared": "credited: a rest of another block is given back, or two disciplines treated together",
    "clash": "credited here, while the clinician is credited with another patient",
    "double": "double-counted: another block holds this minute already",
    "rest": "clock minute without stated treatment (a rest)",
    "session": "the session's clock, which another of its blocks holds",
    "uncounted": "no minutes of this block count",
    "owner": "the block that owns the minute",
    "overlap": "two or more blocks claim the minute",
}


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; `kind`: plain, lead (what matters most), severity, steps, formula, quiet or warning."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Pairs:
    """Names with their values; `columns` pairs stand on a line."""

    rows: tuple[tuple[str, str], ...]
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """Rows under headers; `right`: headers of columns that stand to the right; `marked`: row numbers from 0."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    marked: frozenset[int] = frozenset()
    caption: str = ""


@dataclass(frozen=True)
class Bar:
    """A stretch of minutes of one kind (of MINUTE_KINDS), from its start to before its end, in minutes of the day."""

    start: int
    end: int
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Lane:
    """One row of a clock picture."""

    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Clock:
    """Lanes over one stretch of the day; `ticks` are minutes with the time that is written at them."""

    start: int
    end: int
    ticks: tuple[tuple[int, str], ...]
    lanes: tuple[Lane, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of minutes that are drawn, in the order of the legend."""
        drawn = {bar.kind for lane in self.lanes for bar in lane.bars}
        return tuple(kind for kind in MINUTE_KINDS if kind in drawn)


@dataclass(frozen=True)
class Form:
    """What the reviewer fills in: boxes to tick, named fields, and empty lines under a heading."""

    boxes: tuple[str, ...]
    fields: tuple[str, ...]
    lines_for: str
    lines: int


@dataclass(frozen=True)
class Columns:
    """Sections side by side."""

    sections: tuple["Section", ...]


Part = Union[Paragraph, Pairs, Table, Clock, Form, Columns, "Section"]


@dataclass(frozen=True)
class Section:
    """Parts under a heading."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Packet:
    """A cover, and one section a finding; `running` stands on every page of the PDF."""

    title: str
    running: str
    cover: tuple[Part, ...]
    findings: tuple[Section, ...]
