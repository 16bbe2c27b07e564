"""What opens below a finding: the sections of its explanation as JSON. The browser draws them and computes nothing.

A section is [heading, items]. An item is a sentence, ["pairs", rows], ["section", heading, items],
["table", caption, headings, rows, numbers of the columns to the right, numbers of the marked rows, what they are] or
["clock", lanes, owners, legend]: a lane is [label, runs], a run [first second, second after the last, kind]; owners are
runs with the tags of the blocks that the time is credited to; the legend is [kind, words].
"""

from collections.abc import Callable
from typing import Any

from expectations.report.parts import (
    CREDITED_KINDS,
    MINUTE_KINDS,
    ClockLine,
    Columns,
    Explanation,
    Pairs,
    Paragraph,
    Part,
    Section,
    Table,
)
from expectations.report.values import safe


def opened(explanation: Explanation) -> list:
    """The sections of one explanation that its finding rests on, as JSON can hold them."""
    shown = (section for section in explanation.sections if not section.is_aside)
    return [safe([section.title, _items(section.parts)]) for section in shown]


def _items(parts: tuple[Part, ...]) -> list:
    return [item for part in parts for item in _FORMS[type(part)](part)]


def _table(part: Table) -> list:
    right = [place for place, name in enumerate(part.headers) if name in part.right]
    marked = sorted(part.marked) if part.marks else []
    return [["table", part.caption, part.headers, part.rows, right, marked, part.marks]]


def _clock(part: ClockLine) -> list:
    lanes = [[lane.label, [[bar.start, bar.end, bar.kind] for bar in lane.bars]] for lane in part.lanes]
    return [["clock", lanes, _owners(part), [[kind, MINUTE_KINDS[kind]] for kind in part.kinds]]]


def _owners(part: ClockLine) -> list[list]:
    """The stretches of the clock that blocks are credited, as [first, after the last, tags joined by +]."""
    runs: list[list] = []
    for one in part.owned:
        credited = [one.owner, *(tag for tag, kind in one.beside if kind in CREDITED_KINDS)] if one.owner else []
        tags = "+".join(credited)
        if tags and runs and runs[-1][1:] == [one.start, tags]:
            runs[-1][1] = one.end
        elif tags:
            runs.append([one.start, one.end, tags])
    return runs


_FORMS: dict[type, Callable[[Any], list]] = {
    Paragraph: lambda part: [part.text],
    Pairs: lambda part: [["pairs", part.rows]],
    Table: _table,
    ClockLine: _clock,
    Columns: lambda part: _items(part.sections),
    Section: lambda part: [["section", part.title, _items(part.parts)]],
}
