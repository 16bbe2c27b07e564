"""Clock lines on paper: pictures with ticks and lanes, and beside each the table of who owns which minute."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from expectations.report.clock import clusters, ticks
from expectations.report.parts import MINUTE_KINDS, Bar, ClockLine, Columns, Lane, Owned, Packet, Part, Section, Table
from transforms.database.time_text import clock, mins

#: Blocks that lie farther apart than this are drawn apart.
_MOST_SECONDS = 150 * 60
_STEPS = tuple(60 * minutes for minutes in (5, 10, 15, 30, 60, 120, 240))
_MOST_TICKS = 13
#: Beside its owner, what another block is to a minute.
_BESIDE = {
    "rest": "at rest",
    "session": "of the same session's clock",
    "double": "double-counted",
    "shared": "credited too: a rest given back, or treated together",
    "clash": "credited too",
    "credited": "credited too",
}
_CAPTION = (
    "Which block owns each minute. No note says when within a block a rest was taken, so it is placed where it changes "
    "least; only the sums matter."
)


@dataclass(frozen=True)
class Picture:
    """Lanes over one stretch of the day, in seconds; `ticks` are seconds with the time that is written at them."""

    start: int
    end: int
    ticks: tuple[tuple[int, str], ...]
    lanes: tuple[Lane, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of minutes that are drawn, in the order of the legend."""
        drawn = {bar.kind for lane in self.lanes for bar in lane.bars}
        return tuple(kind for kind in MINUTE_KINDS if kind in drawn)


def laid_out(packet: Packet) -> Packet:
    """The packet with every clock line as pictures and its table of owners."""
    findings = tuple(_section(finding) for finding in packet.findings)
    return replace(packet, cover=_parts(packet.cover), findings=findings)


def _parts(parts: Sequence[Part]) -> tuple:
    found: list = []
    for part in parts:
        if isinstance(part, ClockLine):
            found += [*_pictures(part), owners(part)]
        elif isinstance(part, Section):
            found.append(_section(part))
        elif isinstance(part, Columns):
            found.append(Columns(tuple(map(_section, part.sections))))
        else:
            found.append(part)
    return tuple(found)


def _section(section: Section) -> Section:
    return replace(section, parts=_parts(section.parts))


def _pictures(line: ClockLine) -> list[Picture]:
    """One picture a stretch of the day: a lane a block, the owner of each minute, and the overlaps."""
    return [_picture(lanes, line.owned) for lanes in clusters(line.lanes, _MOST_SECONDS)]


def _picture(lanes: Sequence[Lane], owned: Sequence[Owned]) -> Picture:
    tags = {lane.tag for lane in lanes}
    here = [one for one in owned if one.owner in tags]
    places = ticks(
        min(lane.bars[0].start for lane in lanes), max(lane.bars[-1].end for lane in lanes), _STEPS, _MOST_TICKS
    )
    owner = _joined([Bar(one.start, one.end, "owner", one.owner or "") for one in here])
    overlap = _joined([Bar(one.start, one.end, "overlap") for one in here if one.beside])
    beside = [Lane("", name, bars) for name, bars in (("owner", owner), ("overlap", overlap)) if bars]
    return Picture(places[0], places[-1], tuple((place, clock(place)) for place in places), (*lanes, *beside))


def _joined(bars: list[Bar]) -> tuple[Bar, ...]:
    """Bars that touch and are alike as one."""
    joined: list[Bar] = []
    for bar in bars:
        last = joined[-1] if joined else None
        if last and (last.end, last.text) == (bar.start, bar.text):
            joined[-1] = replace(last, end=bar.end)
        else:
            joined.append(bar)
    return tuple(joined)


def owners(line: ClockLine) -> Table:
    """Which block owns each stretch of the clock, and what the others are there.

    The minutes of the rows of one owner, and of those where it is credited too, add up to what it is credited.
    """
    labels = {lane.tag: lane.label for lane in line.lanes}
    rows = tuple(
        (
            f"{clock(one.start)}-{clock(one.end)}",
            str(mins(one.end - one.start)),
            labels[one.owner] if one.owner else "nobody",
            "; ".join(f"{tag} {_BESIDE[kind]}" for tag, kind in one.beside),
        )
        for one in line.owned
    )
    return Table(("clock", "minutes", "owner", "beside it"), rows, frozenset({"minutes"}), caption=_CAPTION)
