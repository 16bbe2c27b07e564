"""A clock line in characters, one for each minute or for several."""

from collections.abc import Sequence

from expectations.report.clock import clusters
from expectations.report.parts import MINUTE_KINDS, ClockLine, Lane
from transforms.database.time_text import clock

#: The sign of each kind of minutes. Of several kinds in one character the gravest shows, which stands first here.
SIGNS = {
    "clash": "!", "double": "x", "shared": "+", "credited": "#", "session": "~", "rest": ".", "uncounted": "-",
}  # fmt: skip
_GRAVITY = "".join(SIGNS.values())
_SCALES = tuple(60 * minutes for minutes in (1, 2, 3, 5, 10, 15, 20, 30, 60))


def draw(line: ClockLine, width: int) -> list[str]:
    """The line, one row a lane, in at most `width` characters; lanes far apart are drawn apart."""
    margin = max(len(lane.label) for lane in line.lanes)
    room = max(20, width - margin - 3)
    text = []
    for cluster in clusters(line.lanes, 60 * room):
        drawn, scale = _draw_cluster(cluster, margin, room)
        text += [*drawn, ""]
        if scale > 60:
            text += [f"(one character is {scale // 60} minutes; of several kinds within one the gravest shows)", ""]
    return [*text, *(f"{SIGNS[kind]}  {MINUTE_KINDS[kind]}" for kind in line.kinds)]


def _origin(start: int, scale: int) -> int:
    """Where the axis begins: at a whole five characters."""
    return start - start % (5 * scale)


def _draw_cluster(lanes: Sequence[Lane], margin: int, room: int) -> tuple[list[str], int]:
    start = min(lane.bars[0].start for lane in lanes)
    end = max(lane.bars[-1].end for lane in lanes)
    scale = next((one for one in _SCALES if end - _origin(start, one) <= room * one), _SCALES[-1])
    origin = _origin(start, scale)
    length = -(-(end - origin) // scale)
    text = [f"{'':{margin}}  {_hours(origin, length, scale)}", f"{'':{margin}}  {_ruler(length)}"]
    return text + [f"{lane.label:{margin}}  {_cells(lane, origin, length, scale)}".rstrip() for lane in lanes], scale


def _hours(origin: int, length: int, scale: int) -> str:
    """Clock times above every tenth character."""
    text = ""
    for place in range(0, length + 1, 10):
        text = f"{text:{place}}{clock(origin + place * scale)[:5]}"
    return text


def _ruler(length: int) -> str:
    return "".join("|" if place % 10 == 0 else "+" if place % 5 == 0 else "-" for place in range(length + 1))


def _cells(lane: Lane, origin: int, length: int, scale: int) -> str:
    """One character for each `scale` seconds: the gravest kind that lies there."""
    cells = [" "] * length
    for bar in lane.bars:
        sign = SIGNS[bar.kind]
        for place in range((bar.start - origin) // scale, -(-(bar.end - origin) // scale)):
            if cells[place] == " " or _GRAVITY.index(sign) < _GRAVITY.index(cells[place]):
                cells[place] = sign
    return "".join(cells)
