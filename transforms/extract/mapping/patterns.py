"""Patterns (regular expressions) of a mapping. DuckDB matches them by RE2: in time that grows with the cell alone,
whatever the pattern, for RE2 never goes back."""

import re

import duckdb

from transforms.database.quoting import text

LONGEST_PATTERN = 1_000
_WHY = re.compile(r"Invalid Input Error: (.*)", re.S)


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern cannot be used, and what to do; None where it can."""
    if not pattern:
        return "is empty: a pattern is needed, such as '^0+'"
    if len(pattern) > LONGEST_PATTERN:
        return f"is longer than {LONGEST_PATTERN} characters: write several shorter patterns"
    with duckdb.connect() as con:
        try:
            con.execute(f"SELECT regexp_matches('', {text(pattern)})")
        except duckdb.Error as problem:
            why = _WHY.search(str(problem).split("\n")[0])
            told = f" ({why.group(1)})" if why else ""
            return f"{pattern!r} cannot be used as a pattern{told}: see docs/mapping.md for what a pattern may hold"
    return None
