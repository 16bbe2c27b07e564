"""The clock of a day: which minutes of its blocks are credited, at rest or double-counted, one character a minute.

How many minutes a block holds of each kind is the models' count. At which minute of a block a rest fell no note says:
the drawing lays the credited minutes onto the clock so that as few as can be stand on one another.
"""

CREDITED, REST, DOUBLE, SHARED, CLASH = "#", ".", "x", "+", "!"
#: Of several kinds in one character of a scaled drawing, the gravest shows.
_GRAVITY = (CLASH, DOUBLE, SHARED, CREDITED, REST)
_SCALES = (1, 2, 3, 5, 10, 15, 20, 30, 60)
MEANING = {
    CREDITED: "credited",
    REST: "clock minute that holds no stated treatment (a rest)",
    DOUBLE: "double-counted: another block holds this minute already",
    SHARED: "credited: a rest of another block in the run is given back",
    CLASH: "credited here, while the clinician is credited with another patient",
}


def clock(minute: int) -> str:
    """A minute of the day as HH:MM, those past midnight with +1."""
    days, rest = divmod(minute, 1440)
    return f"{rest // 60:02}:{rest % 60:02}" + (f"+{days}" if days else "")


def lay_out(blocks: list[dict], surplus: str) -> None:
    """Gives every clocked block its `cells`: one character for each minute from its start to its end.

    Credited minutes are laid on free clock minutes, the block that ends first going first; those that find none are
    marked `surplus` (SHARED for a patient's blocks, CLASH for a clinician's).
    """
    clocked = [block for block in blocks if block.get("clock_minutes")]
    wanted = {id(block): block["credited_minutes"] for block in clocked}
    taken: dict[int, dict] = {}
    for minute in sorted({minute for block in clocked for minute in _minutes(block)}):
        here = [block for block in clocked if minute in _minutes(block) and wanted[id(block)]]
        if here:
            first = min(here, key=lambda block: (block["end_minute"], block["start_minute"]))
            wanted[id(first)] -= 1
            taken[minute] = first
    for block in clocked:
        block["cells"] = _cells(block, taken, wanted[id(block)], surplus)


def _minutes(block: dict) -> range:
    return range(block["start_minute"], block["end_minute"])


def _cells(block: dict, taken: dict[int, dict], homeless: int, surplus: str) -> str:
    """The block's minutes: its own first, then what found no free minute, what is double-counted, and rests."""
    own = [minute for minute in _minutes(block) if taken.get(minute) is block]
    others = [minute for minute in _minutes(block) if minute in taken and taken[minute] is not block]
    free = [minute for minute in _minutes(block) if minute not in taken]
    kinds = [surplus] * homeless + [DOUBLE] * block["double_counted_minutes"]
    marks = dict.fromkeys(own, CREDITED) | dict(zip(others + free, kinds, strict=False))
    return "".join(marks.get(minute, REST) for minute in _minutes(block))


def draw(blocks: list[dict], labels: list[str], width: int) -> list[str]:
    """The drawing, one row a block, as lines of at most `width` characters; clusters far apart are drawn apart."""
    rows = [(block, label) for block, label in zip(blocks, labels, strict=True) if block.get("cells")]
    if not rows:
        return []
    margin = max(len(label) for _, label in rows)
    room = max(20, width - margin - 3)
    lines, used = [], set()
    for cluster in overlap_clusters(rows, room):
        drawn, scale, marks = _draw_cluster(cluster, margin, room)
        lines += [*drawn, ""]
        used |= marks
        if scale > 1:
            lines += [f"(one character is {scale} minutes; of several kinds within one the gravest shows)", ""]
    return [*lines, *(f"{mark}  {MEANING[mark]}" for mark in MEANING if mark in used)]


def overlap_clusters(rows: list[tuple], room: int) -> list[list[tuple]]:
    """Rows in drawings of at most `room` minutes; blocks joined by overlap stay together, whatever their length."""
    ordered = sorted(rows, key=lambda row: row[0]["start_minute"])
    clusters: list[list[tuple]] = []
    end = start = None
    for row in ordered:
        block = row[0]
        fits = clusters and (max(end, block["end_minute"]) - _origin(start, 1) <= room)
        if clusters and (block["start_minute"] < end or fits):
            clusters[-1].append(row)
            end = max(end, block["end_minute"])
        else:
            clusters.append([row])
            start, end = block["start_minute"], block["end_minute"]
    return clusters


def _origin(start: int, scale: int) -> int:
    """Where the axis begins: at a whole five characters."""
    return start - start % (5 * scale)


def _draw_cluster(rows: list[tuple], margin: int, room: int) -> tuple[list[str], int, set[str]]:
    start = min(block["start_minute"] for block, _ in rows)
    end = max(block["end_minute"] for block, _ in rows)
    scale = next((one for one in _SCALES if end - _origin(start, one) <= room * one), _SCALES[-1])
    origin = _origin(start, scale)
    length = -(-(end - origin) // scale)
    lines = [f"{'':{margin}}  {_hours(origin, length, scale)}", f"{'':{margin}}  {_ruler(length)}"]
    marks: set[str] = set()
    for block, label in rows:
        cells = _scaled(" " * (block["start_minute"] - origin) + block["cells"], scale)
        marks |= set(cells) - {" "}
        lines.append(f"{label:{margin}}  {cells}")
    return lines, scale, marks


def _hours(origin: int, length: int, scale: int) -> str:
    """Clock times above every tenth character."""
    text = ""
    for place in range(0, length + 1, 10):
        text = f"{text:{place}}{clock(origin + place * scale)[:5]}"
    return text


def _ruler(length: int) -> str:
    return "".join("|" if place % 10 == 0 else "+" if place % 5 == 0 else "-" for place in range(length + 1))


def _scaled(cells: str, scale: int) -> str:
    groups = (cells[place : place + scale] for place in range(0, len(cells), scale))
    return "".join(next((mark for mark in _GRAVITY if mark in group), " ") for group in groups)
