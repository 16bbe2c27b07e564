"""The minutes of blocks as a clock picture, and as a table of which block owns each stretch of the clock."""

from dataclasses import replace

from expectations.report.packet import Bar, Clock, Lane, Table
from flows.explanation.clock import CLASH, CREDITED, DOUBLE, REST, SHARED, clock, overlap_clusters
from flows.explanation.words import counted

_KINDS = {CREDITED: "credited", REST: "rest", DOUBLE: "double", SHARED: "shared", CLASH: "clash"}
#: Beside its owner, what another block is to a minute.
_BESIDE = {
    "rest": "at rest",
    "double": "double-counted",
    "shared": "credited too, for a rest given back",
    "clash": "credited too",
}
#: Who is credited on a minute owns it, first the block whose own minute it is.
_OWNING = ("credited", "shared", "clash")
#: Blocks that lie farther apart than this many minutes are drawn apart.
_MOST_MINUTES = 150
_TICKS = (5, 10, 15, 30, 60, 120, 240)
_MOST_TICKS = 13


def pictures(blocks: list[dict], labels: list[str]) -> list[Clock]:
    """One picture a stretch of the day: a lane a block, the owner of each minute, and the overlaps."""
    rows = [(block, label) for block, label in zip(blocks, labels, strict=True) if _has_clock(block)]
    return [_picture(cluster) for cluster in overlap_clusters(rows, _MOST_MINUTES)] if rows else []


def _has_clock(block: dict) -> bool:
    return block["start_minute"] is not None and block["end_minute"] > block["start_minute"]


def _picture(rows: list[tuple[dict, str]]) -> Clock:
    start = min(block["start_minute"] for block, _ in rows)
    end = max(block["end_minute"] for block, _ in rows)
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
    """The block's minutes, those of one kind in a row together; a block without cells holds none that count."""
    if not block.get("cells"):
        return (Bar(block["start_minute"], block["end_minute"], "uncounted"),)
    cells = enumerate(block["cells"], start=block["start_minute"])
    return _joined([Bar(minute, minute + 1, _KINDS[cell]) for minute, cell in cells])


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
    clocked = [block for block in blocks if block.get("cells")]
    found: list[tuple] = []
    for minute in range(
        min((block["start_minute"] for block in clocked), default=0),
        max((block["end_minute"] for block in clocked), default=0),
    ):
        kinds = {block["tag"]: _kind_at(block, minute) for block in clocked}
        owner = next((block for own in _OWNING for block in clocked if kinds[block["tag"]] == own), None)
        beside = tuple((tag, kind) for tag, kind in kinds.items() if kind and not (owner and tag == owner["tag"]))
        if owner is None and not beside:
            continue
        if found and found[-1][1] == minute and found[-1][2] is owner and found[-1][3] == beside:
            found[-1] = (found[-1][0], minute + 1, owner, beside)
        else:
            found.append((minute, minute + 1, owner, beside))
    return found


def _kind_at(block: dict, minute: int) -> str | None:
    inside = block["start_minute"] <= minute < block["end_minute"]
    return _KINDS[block["cells"][minute - block["start_minute"]]] if inside else None


def ownership(blocks: list[dict]) -> Table | None:
    """Which block owns each stretch of the clock, and what the others are there; None without any clock time.

    The minutes of the rows of one owner, and of those where it is credited too, add up to what it is credited.
    """
    rows = [
        (
            f"{clock(start)}-{clock(end)}",
            str(end - start),
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
    own = [block for block in blocks if block["credited_minutes"]]
    total = sum(block["credited_minutes"] for block in own)
    parts = " + ".join(f"{block['tag']} {block['credited_minutes']}" for block in own)
    return f"Credited: {parts} = {counted(total, 'minute')}." if own else "No minute is credited."
