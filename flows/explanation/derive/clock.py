"""The clock of a day: at which seconds of each block its credited, resting and double-counted time is drawn.

How much time of each kind a block holds is the models' count. No note says at which minute of a block a rest fell:
credited time is laid onto the clock so that as little of it as possible overlaps.
"""

from heapq import heappop, heappush
from itertools import pairwise

CREDITED, REST, DOUBLE, SHARED, CLASH, SESSION = "#", ".", "x", "+", "!", "~"
#: More blocks than this are listed and not drawn: nobody could read the drawing.
MOST_DRAWN = 300


def lay_out(blocks: list[dict], surplus: str) -> None:
    """Gives every clocked block its `marks`: [start, end, kind] in seconds, from its start to its end.

    Credited time is laid on free clock time, the block that ends first going first; what finds none is marked
    `surplus` (SHARED for a patient's blocks, CLASH for a clinician's). More than MOST_DRAWN blocks get no marks.
    """
    clocked = [block for block in blocks if block.get("clock_seconds")]
    if len(clocked) > MOST_DRAWN:
        return
    taken, homeless = _taken(clocked)
    for place, block in enumerate(clocked):
        block["marks"] = _marks(block, place, taken, homeless[place], surplus)


def _taken(clocked: list[dict]) -> tuple[list[tuple[int, int, int]], list[int]]:
    """(stretches of the clock with the block whose credited time lies there, what of each block's found no room)."""
    wanted = [block["credited_seconds"] for block in clocked]
    moments = sorted({block[end] for block in clocked for end in ("start_second", "end_second")})
    starting: dict[int, list[int]] = {}
    for place, block in enumerate(clocked):
        starting.setdefault(block["start_second"], []).append(place)
    running: list[tuple[int, int, int]] = []
    taken = []
    for now, until in pairwise(moments):
        for place in starting.get(now, ()):
            heappush(running, (clocked[place]["end_second"], clocked[place]["start_second"], place))
        while now < until and running:
            end, _, place = running[0]
            if end <= now or not wanted[place]:
                heappop(running)
                continue
            held = min(wanted[place], until - now)
            taken.append((now, now + held, place))
            wanted[place] -= held
            now += held
    return taken, wanted


def _marks(block: dict, own_place: int, taken: list[tuple[int, int, int]], homeless: int, surplus: str) -> list[list]:
    """The block's time: its own first, then what found no room, what is double-counted, and rests."""
    start, end = block["start_second"], block["end_second"]
    marks, others, free, now = [], [], [], start
    for first, last, place in taken:
        first, last = max(first, start), min(last, end)
        if first < last:
            free += [(now, first)] if now < first else []
            if place == own_place:
                marks.append([first, last, CREDITED])
            else:
                others.append((first, last))
            now = last
    free += [(now, end)] if now < end else []
    waiting = [[homeless, surplus], [block["double_counted_seconds"], DOUBLE]]
    rest = SESSION if block.get("has_session_clock") else REST
    for first, last in others + free:
        for part in waiting:
            held = min(part[0], last - first)
            marks += [[first, first + held, part[1]]] if held else []
            part[0] -= held
            first += held
        marks += [[first, last, rest]] if first < last else []
    return _joined(sorted(marks))


def _joined(marks: list[list]) -> list[list]:
    joined: list[list] = []
    for first, last, kind in marks:
        if joined and joined[-1][1] == first and joined[-1][2] == kind:
            joined[-1][1] = last
        else:
            joined.append([first, last, kind])
    return joined
