"""How a clock line is laid out on paper or screen: what is drawn together, and where the ticks are."""

from collections.abc import Sequence

from expectations.report.parts import Lane


def clusters(lanes: Sequence[Lane], room: int) -> list[list[Lane]]:
    """Lanes in drawings of at most `room` seconds; blocks joined by overlap stay together, whatever their length."""
    found: list[list[Lane]] = []
    start = end = 0
    for lane in sorted(lanes, key=lambda lane: lane.bars[0].start):
        first, last = lane.bars[0].start, lane.bars[-1].end
        if found and (first < end or max(end, last) - (start - start % 300) <= room):
            found[-1].append(lane)
            end = max(end, last)
        else:
            found.append([lane])
            start, end = first, last
    return found


def ticks(start: int, end: int, steps: Sequence[int], most: int) -> list[int]:
    """The seconds of whole ticks around a stretch of the clock, at most `most` of the smallest of `steps` that fits."""
    step = next((step for step in steps if (end - start) // step < most), steps[-1])
    return list(range(start - start % step, end + -end % step + 1, step))
