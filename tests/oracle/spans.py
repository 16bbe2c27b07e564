"""Stretches of clock time as (start, end) in seconds, end excluded; touching stretches share nothing."""


def union(spans):
    """The same time as disjoint stretches in order."""
    found = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def length(spans):
    """Seconds that the stretches cover, each once."""
    return sum(end - start for start, end in union(spans))


def shared(some, others):
    """Seconds that both cover."""
    return length(some) + length(others) - length([*some, *others])


def overlap(one, other):
    """True where two stretches share a second."""
    return max(one[0], other[0]) < min(one[1], other[1])
