"""The minutes of blocks as a clock picture, and as a table of which block owns each stretch of the clock."""

from dataclasses import replace
from itertools import pairwise

from expectations.report.packet.parts import Bar, Clock, Lane, Table
from flows.explanation.sentences.clock import CLASH, CREDITED, DOUBLE, REST, SESSION, SHARED, overlap_clusters
from transforms.database.told_time import clock, long_minutes
from transforms.database.told_time import minutes as told

_KINDS = {CREDITED: "credited", REST: "rest", DOUBLE: "double", SHARED: "shared", CLASH: "clash", SESSION: "session"}
#: Beside its owner, what another block is to a minute.
_BESIDE = {
    "rest": "at rest",
    "session": "of the same session's clock",
    "double": "double-counted",
    "shared": "credited too: a rest given back, or treated together",
    "clash": "credited too",
}
#: Who is credited on a minute owns it, first the block whose own minute it is.
_OWNING = ("credited", "shared", "clash")
#: Blocks that lie farther apart than this are drawn apart.
_MOST_SECONDS = 150 * 60
_TICKS = tuple(60 * minutes for minutes in (5, 10, 15, 30, 60, 120, 240))
_MOST_TICKS = 13


def pictures(blocks: list[dict], labels: list[str]) -> list[Clock]:
    """One picture a stretch of the day: a lane a block, the owner of each minute, and the overlaps."""
    rows = [(block, label) for block, label in zip(blocks, labels, strict=True) if _has_clock(block)]
    return [_picture(cluster) for cluster in overlap_clusters(rows, _MOST_SECONDS)] if rows else []


def _has_clock(block: dict) -> bool:
    return block["start_second"] is not None and block["end_second"] > block["start_second"]


def _picture(rows: list[tuple[dict, str]]) -> Clock:
    start = min(block["start_second"] for block, _ in rows)
    end = max(block["end_second"] for block, _ in rows)
    step = next((step for step in _TICKS if (end - start) // step < _MOST_TICKS), _TICKS[-1])
    first, last = start - start % step, end + -end % step
    lanes = [Lane(label, _bars(block)) for block, label in rows]
    stretches = _stretches([block for block, _ in rows])
    owned = _joined([Bar(one, other, "owner", owner["tag"]) for one, other, owner, _ in stretches if owner])
    overlaps = _joined([Bar(one, other, "overlap") for one, other, owner, beside in stretches if owner and beside])
    lanes += [Lane("owner", owned)] if owned else []
    lanes += [Lane("overlap", overlaps)] if overlaps else []
    return Clock(first, last, tuple((tick, clock(tick)) for tick in range(first, last + 1, step)), tuple(lanes))


def _bars(block: dict) -> tuple[Bar, ...]:
    """The block's time by its kinds; a block without marks holds none that counts."""
    if not block.get("marks"):
        return (Bar(block["start_second"], block["end_second"], "uncounted"),)
    return tuple(Bar(first, last, _KINDS[mark]) for first, last, mark in block["marks"])


def _joined(bars: list[Bar]) -> tuple[Bar, ...]:
    """Bars that touch and are alike as one."""
    joined: list[Bar] = []
    for bar in bars:
        last = joined[-1] if joined else None
        if last and (last.end, last.kind, last.text) == (bar.start, bar.kind, bar.text):
            joined[-1] = replace(last, end=bar.end)
        else:
            joined.append(bar)
    return tuple(joined)


def _stretches(blocks: list[dict]) -> list[tuple[int, int, dict | None, tuple[tuple[str, str], ...]]]:
    """Stretches of the clock with their owner (None: nobody's) and the other blocks there, each with what it is."""
    clocked = [block for block in blocks if block.get("marks")]
    moments = sorted({moment for block in clocked for mark in block["marks"] for moment in mark[:2]})
    found: list[tuple] = []
    for first, last in pairwise(moments):
        kinds = {block["tag"]: _kind_at(block, first) for block in clocked}
        owner = next((block for own in _OWNING for block in clocked if kinds[block["tag"]] == own), None)
        beside = tuple((tag, kind) for tag, kind in kinds.items() if kind and not (owner and tag == owner["tag"]))
        if owner is None and not beside:
            continue
        if found and found[-1][1] == first and found[-1][2] is owner and found[-1][3] == beside:
            found[-1] = (found[-1][0], last, owner, beside)
        else:
            found.append((first, last, owner, beside))
    return found


def _kind_at(block: dict, second: int) -> str | None:
    return next((_KINDS[mark] for first, last, mark in block["marks"] if first <= second < last), None)


def ownership(blocks: list[dict]) -> Table | None:
    """Which block owns each stretch of the clock, and what the others are there; None without any clock time.

    The minutes of the rows of one owner, and of those where it is credited too, add up to what it is credited.
    """
    rows = [
        (
            f"{clock(start)}-{clock(end)}",
            str(told(end - start)),
            f"{owner['tag']} {owner['procedure_code']}" if owner else "nobody",
            "; ".join(f"{tag} {_BESIDE[kind]}" for tag, kind in beside),
        )
        for start, end, owner, beside in _stretches(blocks)
    ]
    if not rows:
        return None
    caption = "Which block owns each minute. At which minute of a block a rest fell no note says: it is laid where it "
    caption += "disturbs least; the sums are what counts."
    return Table(("clock", "minutes", "owner", "beside it"), tuple(rows), frozenset({"minutes"}), caption=caption)


def owned_sum(blocks: list[dict]) -> str:
    """The credited minutes of the blocks added up: A 24 + B 23 = 47 minutes."""
    own = [block for block in blocks if block["credited_seconds"]]
    total = sum(block["credited_seconds"] for block in own)
    parts = " + ".join(f"{block['tag']} {told(block['credited_seconds'])}" for block in own)
    return f"Credited: {parts} = {long_minutes(total)}." if own else "No minute is credited."
