"""Holds two results of an audit against each other: everything that is published, but where the rows stood."""

from collections import Counter

#: Where a row stood in its file: the same row may have come in another.
PLACES = ("sources",)


def assert_same(ours, theirs, where: str) -> None:
    """Findings, units, rule counts and unjudged days of both are the same; `where` names the seed and the night."""
    for part, view in PARTS.items():
        mine, other = view(ours), view(theirs)
        assert {"too many": mine - other, "missing": other - mine} == {"too many": Counter(), "missing": Counter()}, (
            f"{part} differ\n{where}"
        )


def rows_of(rows: list[dict]) -> Counter:
    """The rows as countable tuples of (column, value), without the places."""
    return Counter(tuple((name, value) for name, value in sorted(row.items()) if name not in PLACES) for row in rows)


PARTS = {
    "findings": lambda result: rows_of(result.findings),
    "units": lambda result: rows_of(result.units),
    "rules": lambda result: rows_of(list(result.rules.values())),
    "unjudged days": lambda result: Counter(result.unjudged),
}


def outcome(result) -> tuple:
    """All that is compared, to tell whether a night has changed anything."""
    return tuple(view(result) for view in PARTS.values())
