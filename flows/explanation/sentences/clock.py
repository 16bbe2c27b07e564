"""The clock of a day: which time of its blocks is credited, at rest or double-counted, one character a minute.

How much time of each kind a block holds is the models' count. At which minute of a block a rest fell no note says: the
drawing lays the credited time onto the clock so that as little as can be stands on one another.
"""

from heapq import heappop, heappush
from itertools import pairwise

from transforms.database.told_time import clock

CREDITED, REST, DOUBLE, SHARED, CLASH, SESSION = "#", ".", "x", "+", "!", "~"
#: Of several kinds in one character of a drawing, the gravest shows.
_GRAVITY = (CLASH, DOUBLE, SHARED, CREDITED, SESSION, REST)
_SCALES = tuple(60 * minutes for minutes in (1, 2, 3, 5, 10, 15, 20, 30, 60))
#: More blocks than this are listed and not drawn: nobody could read the drawing.
MOST_DRAWN = 300
MEANING = {
    CREDITED: "credited",
    SESSION: "the session's clock, which another of its blocks holds",
    REST: "clock minute that holds no stated treatment (a rest)",
    DOUBLE: "double-counted: another block holds this minute already",
    SHARED: "credited: a rest of another block in the run is given back, or two disciplines treated together",
    CLASH: "credited here, while the clinician is credited with another patient",
}


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


def draw(blocks: list[dict], labels: list[str], width: int) -> list[str]:
    """The drawing, one row a block, as lines of at most `width` characters; clusters far apart are drawn apart."""
    rows = [(block, label) for block, label in zip(blocks, labels, strict=True) if block.get("marks")]
    if not rows:
        return []
    margin = max(len(label) for _, label in rows)
    room = max(20, width - margin - 3)
    lines, used = [], set()
    for cluster in overlap_clusters(rows, 60 * room):
        drawn, scale, marks = _draw_cluster(cluster, margin, room)
        lines += [*drawn, ""]
        used |= marks
        if scale > 60:
            lines += [f"(one character is {scale // 60} minutes; of several kinds within one the gravest shows)", ""]
    return [*lines, *(f"{mark}  {MEANING[mark]}" for mark in MEANING if mark in used)]


def overlap_clusters(rows: list[tuple], room: int) -> list[list[tuple]]:
    """Rows in drawings of at most `room` seconds; blocks joined by overlap stay together, whatever their length."""
    ordered = sorted(rows, key=lambda row: row[0]["start_second"])
    clusters: list[list[tuple]] = []
    end = start = None
    for row in ordered:
        block = row[0]
        fits = clusters and (max(end, block["end_second"]) - _origin(start, 60) <= room)
        if clusters and (block["start_second"] < end or fits):
            clusters[-1].append(row)
            end = max(end, block["end_second"])
        else:
            clusters.append([row])
            start, end = block["start_second"], block["end_second"]
    return clusters


def _origin(start: int, scale: int) -> int:
    """Where the axis begins: at a whole five characters."""
    return start - start % (5 * scale)


def _draw_cluster(rows: list[tuple], margin: int, room: int) -> tuple[list[str], int, set[str]]:
    start = min(block["start_second"] for block, _ in rows)
    end = max(block["end_second"] for block, _ in rows)
    scale = next((one for one in _SCALES if end - _origin(start, one) <= room * one), _SCALES[-1])
    origin = _origin(start, scale)
    length = -(-(end - origin) // scale)
    lines = [f"{'':{margin}}  {_hours(origin, length, scale)}", f"{'':{margin}}  {_ruler(length)}"]
    shown: set[str] = set()
    for block, label in rows:
        cells = _cells(block["marks"], origin, length, scale)
        shown |= set(cells) - {" "}
        lines.append(f"{label:{margin}}  {cells.rstrip()}")
    return lines, scale, shown


def _hours(origin: int, length: int, scale: int) -> str:
    """Clock times above every tenth character."""
    text = ""
    for place in range(0, length + 1, 10):
        text = f"{text:{place}}{clock(origin + place * scale)[:5]}"
    return text


def _ruler(length: int) -> str:
    return "".join("|" if place % 10 == 0 else "+" if place % 5 == 0 else "-" for place in range(length + 1))


def _cells(marks: list[list], origin: int, length: int, scale: int) -> str:
    """One character for each `scale` seconds: the gravest kind that lies there."""
    cells = [" "] * length
    for first, last, kind in marks:
        for place in range((first - origin) // scale, -(-(last - origin) // scale)):
            if cells[place] == " " or _GRAVITY.index(kind) < _GRAVITY.index(cells[place]):
                cells[place] = kind
    return "".join(cells)
