"""Units by both counting methods (the rule book, section 4): handed out one at a time. Time is in seconds."""

from functools import cache

QUARTER, MINUTE = 15 * 60, 60


def cms(seconds):
    """Units of a day's time under the 8-minute rule: while 8 whole minutes are left, one more pays for 15."""
    minutes, units = seconds // MINUTE, 0
    while minutes >= 8:
        units += 1
        minutes -= 15
    return units


def ama(seconds):
    """Units of one code alone: one more is attained while more than 7.5 minutes are left."""
    units = 0
    while 2 * seconds > QUARTER:
        units += 1
        seconds -= QUARTER
    return units


def ama_split(seconds_by_code):
    """The one AMA split: each code alone, codes without a unit left out."""
    return {code: ama(seconds) for code, seconds in seconds_by_code.items() if ama(seconds)}


def at_least(seconds_by_code):
    """Units of each code alone in whole minutes: what too few is said below."""
    return sum(cms(seconds) for seconds in seconds_by_code.values())


def pooled_most(seconds, codes):
    """The most units that so many codes can make of pooled time: each can gain almost half a unit."""
    return (seconds + 449 * codes) // QUARTER


def cms_splits(units, seconds_by_code):
    """Every lawful split of `units` over the codes, as dicts without zeros, in a fixed order."""
    names = tuple(sorted(seconds_by_code))
    found = _handed_out(units, tuple(seconds_by_code[name] for name in names))
    return [{name: n for name, n in zip(names, split, strict=True) if n} for split in sorted(found, reverse=True)]


@cache
def _handed_out(units, unpaid):
    """All ways to hand out `units` one at a time, each to a code less than a minute below the most time that is
    not yet paid for."""
    if units == 0:
        return frozenset([(0,) * len(unpaid)])
    found = set()
    for place, seconds in enumerate(unpaid):
        if seconds > max(unpaid) - MINUTE:
            rest = (*unpaid[:place], seconds - QUARTER, *unpaid[place + 1 :])
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
