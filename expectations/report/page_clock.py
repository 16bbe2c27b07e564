"""The clock line of a derivation: which minutes each block holds, and whose each minute is."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

#: The marks of a derivation's cells, one a minute (its `cells`), that own their minute.
_OWNS = "#+!"
#: The mark of minutes that no count looks at: untimed codes, and time that is not one-on-one.
UNCOUNTED = "-"


def clock(minute: int) -> str:
    """A minute of the day as HH:MM, those past midnight with +1."""
    days, rest = divmod(minute, 1440)
    return f"{rest // 60:02}:{rest % 60:02}" + (f"+{days}" if days else "")


def span(block: Mapping[str, Any]) -> str:
    """The clock times of a block, or nothing."""
    if block["start_minute"] is None:
        return ""
    return f"{clock(block['start_minute'])}-{clock(block['end_minute'])}"


def clock_line(blocks: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list:
    """The drawing's item: ["clock", rows, owners], or an empty list where no block has clock times.

    rows: [label, runs]; a run is [first minute, minute after the last, mark of `cells`]. owners: runs whose mark is
    the tags of the blocks that the minutes are credited to.
    """
    drawn = [(block, label) for block, label in zip(blocks, labels, strict=True) if span(block)]
    if not drawn:
        return []
    owner: dict[int, str] = {}
    rows = []
    for block, label in drawn:
        start, end = block["start_minute"], block["end_minute"]
        marks = dict(zip(range(start, end), block.get("cells") or UNCOUNTED * (end - start), strict=False))
        rows.append([label, _runs(marks)])
        for minute in (minute for minute, mark in marks.items() if mark in _OWNS):
            owner[minute] = f"{owner[minute]}+{block['tag']}" if minute in owner else block["tag"]
    return ["clock", rows, _runs(owner)]


def _runs(marks: Mapping[int, str]) -> list[list]:
    """Neighbouring minutes of one mark as [first, after the last, mark]."""
    runs = []
    minutes = sorted(marks)
    places = {minute: place for place, minute in enumerate(minutes)}
    for (mark, _), group in groupby(minutes, key=lambda minute: (marks[minute], minute - places[minute])):
        own = list(group)
        runs.append([own[0], own[-1] + 1, mark])
    return runs
