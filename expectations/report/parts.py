"""What is said of a finding before anything is said of its form: typed parts that page, packets and terminal draw.

Every text may come from an extract and is hostile; whoever draws a part makes it inert.
"""

from dataclasses import dataclass
from typing import Union

#: What a minute on a clock line is, and how the legend names it; the order is the legend's.
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
#: The kinds of a minute that a block is credited.
CREDITED_KINDS = ("credited", "shared", "clash")


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
    """Rows under headers.

    right: headers of columns that stand to the right. source: the header of the column that says where a row comes
    from, which may be drawn below where a page is narrow. marked: row numbers from 0, and in `marks` what they are.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    source: str = ""
    marked: frozenset[int] = frozenset()
    marks: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Bar:
    """A stretch of one kind of minutes (of MINUTE_KINDS), from its start to before its end, in seconds of the day."""

    start: int
    end: int
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Lane:
    """One block on a clock line, called by its tag."""

    tag: str
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Owned:
    """A stretch of the clock in seconds, the tag of the block that owns it (None: nobody's), and the tags and kinds of
    minutes of the other blocks there."""

    start: int
    end: int
    owner: str | None
    beside: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ClockLine:
    """Blocks over the clock of a day, and whose each stretch of it is."""

    lanes: tuple[Lane, ...]
    owned: tuple[Owned, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of minutes on its lanes, in the order of the legend."""
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
    """Sections that stand side by side where there is room."""

    sections: tuple["Section", ...]


Part = Union[Paragraph, Pairs, Table, ClockLine, Form, Columns, "Section"]


@dataclass(frozen=True)
class Section:
    """Parts under a heading; with `is_aside` the finding does not rest on them, and only a packet shows them."""

    title: str
    parts: tuple[Part, ...]
    is_aside: bool = False


@dataclass(frozen=True)
class Explanation:
    """Everything that is shown of a finding: what it is about in `subject`, then sections, the one that settles it
    first."""

    finding_id: str
    severity: str
    title: str
    message: str
    subject: Pairs
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Packet:
    """A cover, and one section a finding; `running` stands on every page of the PDF."""

    title: str
    running: str
    cover: tuple[Part, ...]
    findings: tuple[Section, ...]
