"""Units by both counting methods (the rule book, section 4): handed out one at a time."""

from functools import cache


def count(minutes):
    """Units of so many minutes under the 8-minute rule: while 8 minutes are left, one more pays for 15."""
    units = 0
    while minutes >= 8:
        units += 1
        minutes -= 15
    return units


def ama_split(minutes_by_code):
    """The one AMA split: each code alone, codes without a unit left out."""
    counted = {code: count(minutes) for code, minutes in minutes_by_code.items()}
    return {code: units for code, units in counted.items() if units}


def cms_splits(units, minutes_by_code):
    """Every lawful split of `units` over the codes, as dicts without zeros, in a fixed order."""
    names = tuple(sorted(minutes_by_code))
    found = _handed_out(units, tuple(minutes_by_code[name] for name in names))
    return [{name: n for name, n in zip(names, split, strict=True) if n} for split in sorted(found, reverse=True)]


@cache
def _handed_out(units, unpaid):
    """All ways to hand out `units` one at a time, each to a code with the most minutes not yet paid for."""
    if units == 0:
        return frozenset([(0,) * len(unpaid)])
    found = set()
    for place, minutes in enumerate(unpaid):
        if minutes == max(unpaid):
            rest = (*unpaid[:place], minutes - 15, *unpaid[place + 1 :])
            for split in _handed_out(units - 1, rest):
                found.add((*split[:place], split[place] + 1, *split[place + 1 :]))
    return frozenset(found)


def nearest(splits, billed_by_code):
    """The split that covers most of what was billed; of equals the one that favours the lower codes."""
    names = sorted({code for split in splits for code in split})

    def merit(split):
        covered = sum(min(n, billed_by_code.get(code, 0)) for code, n in split.items())
        return covered, tuple(split.get(name, 0) for name in names)

    return max(splits, key=merit)
