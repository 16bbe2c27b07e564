"""Every lawful split of a number of units over codes, for a day that is told in full (rule book s. 4)."""

from collections.abc import Iterator
from itertools import combinations
from math import comb

UNIT_SECONDS = 900

#: A code less than a minute below the most is equal to it (rule book s. 4).
EQUAL_BELOW = 60


def unit_slots(seconds: dict[str, int]) -> list[tuple[str, int]]:
    """Every unit that a code with these credited seconds could be given, with the seconds not yet paid for when those
    before it have paid 900 each; equal to another one it may be paid a little beyond its time (unit_split.sql)."""
    return [
        (code, credited - UNIT_SECONDS * number)
        for code, credited in seconds.items()
        for number in range((credited + UNIT_SECONDS + EQUAL_BELOW - 1) // UNIT_SECONDS)
    ]


def lawful_splits(slots: list[tuple[str, int]], units: int) -> Iterator[dict[str, int]]:
    """Every lawful way to give `units` units to the (code, unpaid seconds) slots, the plainest first.

    Units go one at a time to the code with the most seconds not yet paid for, and one less than a minute below the
    most is equal to it. So a split is lawful that leaves nothing unpaid a minute or more above what it pays.
    """
    slots = _ordered(slots)
    if units == len(slots):
        yield _split(slots)
    for first, near in reversed(list(enumerate(_near(slots, units)))):
        for chosen in combinations(near, units - first):
            yield _split([*slots[:first], *chosen])


def count_splits(slots: list[tuple[str, int]], units: int) -> int:
    """How many lawful_splits there are."""
    counts = [comb(len(near), units - first) for first, near in enumerate(_near(_ordered(slots), units))]
    return sum(counts) + (units == len(slots))


def _ordered(slots: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(slots, key=lambda slot: (-slot[1], slot[0]))


def _near(ordered: list[tuple[str, int]], units: int) -> list[list[tuple[str, int]]]:
    """For each slot that may be the first left unpaid, the slots behind it that may be paid all the same."""
    return [
        [slot for slot in ordered[first + 1 :] if slot[1] > ordered[first][1] - EQUAL_BELOW]
        for first in range(min(units + 1, len(ordered)))
    ]


def _split(slots: list[tuple[str, int]]) -> dict[str, int]:
    split: dict[str, int] = {}
    for code, _ in slots:
        split[code] = split.get(code, 0) + 1
    return most_first(split)


def most_first(split: dict[str, int]) -> dict[str, int]:
    """Units by code, the code with most units first."""
    return dict(sorted(split.items(), key=lambda item: (-item[1], item[0])))
