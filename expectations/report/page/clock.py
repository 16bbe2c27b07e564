"""The clock line of a derivation: which time each block holds, and whose each stretch of the clock is."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from transforms.database.told_time import clock

#: The kinds of a derivation's `marks` that own their time.
_OWNS = "#+!"
#: The mark of time that no count looks at: untimed codes, and time that is not one-on-one.
UNCOUNTED = "-"


def span(block: Mapping[str, Any]) -> str:
    """The clock times of a block, or nothing."""
    if block["start_second"] is None:
        return ""
    return f"{clock(block['start_second'])}-{clock(block['end_second'])}"


def clock_line(blocks: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list:
    """The drawing's item: ["clock", rows, owners], or an empty list where no block is drawn.

    rows: [label, runs]; a run is [first second, second after the last, kind of `marks`]. owners: runs whose mark is
    the tags of the blocks that the time is credited to.
    """
    drawn = [(block, label) for block, label in zip(blocks, labels, strict=True) if span(block)]
    if not any(block.get("marks") for block, _ in drawn):
        return []
    rows = []
    for block, label in drawn:
        rows.append([label, block.get("marks") or [[block["start_second"], block["end_second"], UNCOUNTED]]])
    return ["clock", rows, _owners([block for block, _ in drawn])]


def _owners(blocks: Sequence[Mapping[str, Any]]) -> list[list]:
    """The stretches of the clock that blocks own, as [first, after the last, tags joined by +]."""
    owned = [(*mark[:2], block["tag"]) for block in blocks for mark in block.get("marks") or () if mark[2] in _OWNS]
    moments = sorted({moment for first, last, _ in owned for moment in (first, last)})
    runs: list[list] = []
    for first, last in pairwise(moments):
        tags = "+".join(tag for start, end, tag in owned if start <= first and last <= end)
        if tags and runs and runs[-1][1:] == [first, tags]:
            runs[-1][1] = last
        elif tags:
            runs.append([first, last, tags])
    return runs
