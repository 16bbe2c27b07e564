"""Formats of dates and clock times in a mapping, such as %m/%d/%Y or %I:%M %p: what they hold, and SQL that
reads them."""

import re

from transforms.contract_sql import text

DIRECTIVE = re.compile(r"%(-?[A-Za-z%])")
KNOWN = set("aAbBdHIjmMpSfyY%") | {"-d", "-m", "-H", "-I", "-M", "-S", "-y", "-j"}


def format_problem(pattern: str, field_type: str) -> str | None:
    """Why `pattern` cannot be used for a field of that contract type, or None."""
    if field_type not in ("date", "clock", "timestamp"):
        return "is for dates and clock times only, and this column is neither"
    if "%" in DIRECTIVE.sub("", pattern) or not {found.group(1) for found in DIRECTIVE.finditer(pattern)} <= KNOWN:
        return "is no known format: see docs/mapping.md for the directives"
    if not holds_day(pattern) and field_type != "clock":
        return "names no whole day: year, month and day are needed"
    if not holds_day(pattern) and not {"H", "I"} & _directives(pattern):
        return "names neither a whole day nor an hour"
    if "I" in _directives(pattern) and "p" not in _directives(pattern):
        return "has a 12-hour clock (%I) without %p, which leaves morning or afternoon open"
    return None


def holds_day(pattern: str) -> bool:
    """Whether the format names a whole day."""
    held = _directives(pattern)
    return bool(held & {"Y", "y"}) and ("j" in held or ("d" in held and bool(held & {"m", "b", "B"})))


def read_sql(cell: str, patterns: tuple[str, ...], field_type: str) -> str:
    """SQL: the cell rewritten as the contract wants it by the first format it follows, else as it stands."""
    read = []
    for pattern in patterns:
        clock = "%Y-%m-%d %H:%M:%S" if holds_day(pattern) else "%H:%M:%S"
        written = "%Y-%m-%d" if field_type == "date" else clock
        read.append(f"strftime(try_strptime({cell}, {text(pattern)}), {text(written)})")
    return f"coalesce({', '.join(read)}, {cell})"


def _directives(pattern: str) -> set[str]:
    return {found.group(1).removeprefix("-") for found in DIRECTIVE.finditer(pattern)}
