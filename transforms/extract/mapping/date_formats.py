"""Formats of dates and clock times in a mapping, such as %m/%d/%Y or %I:%M %p: what they hold, and SQL that
reads them."""

import re

from transforms.database.quoting import text

DIRECTIVE = re.compile(r"%(-?[A-Za-z%])")
KNOWN = set("aAbBdHIjmMpSfyY%") | {"-d", "-m", "-H", "-I", "-M", "-S", "-y", "-j"}
#: The digits of a numeric directive: at most, and all of them where another's digits stand beside, for 2026105 could
#: be two dates. A year has all of its digits in any case: DuckDB would take 26 for the year 26.
DIGITS = {"d": 2, "H": 2, "I": 2, "j": 3, "m": 2, "M": 2, "S": 2, "y": 2, "Y": 4}
YEARS = ("y", "Y")


def format_problem(pattern: str, field_type: str) -> str | None:
    """Why `pattern` cannot be used for a field of that contract type, or None."""
    if field_type not in ("date", "clock", "timestamp"):
        return "is for dates and clock times only, and this column is neither"
    if "%" in DIRECTIVE.sub("", pattern) or not {found.group(1) for found in DIRECTIVE.finditer(pattern)} <= KNOWN:
        return "is not a known format: see docs/mapping.md for the directives"
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
        fits = f"CASE WHEN regexp_full_match({cell}, {text(_shape(pattern))}) THEN {cell} END"
        read.append(f"strftime(try_strptime({fits}, {text(pattern)}), {text(written)})")
    return f"coalesce({', '.join(read)}, {cell})"


def _shape(pattern: str) -> str:
    """A regular expression of the cells that have the digits which the format asks for, in its places."""
    # Text, directive, text, directive, ..., text.
    texts, directives = DIRECTIVE.split(pattern)[::2], DIRECTIVE.split(pattern)[1::2]
    held = [DIGITS.get(directive.removeprefix("-")) for directive in directives]
    shape = _literal(texts[0])
    for place, (directive, digits) in enumerate(zip(directives, held, strict=True)):
        is_after = place > 0 and held[place - 1] and not texts[place]
        is_before = place + 1 < len(held) and held[place + 1] and not texts[place + 1]
        least = digits if is_after or is_before or directive.removeprefix("-") in YEARS else 1
        shape += f"[0-9]{{{least},{digits}}}" if digits else "%" if directive == "%" else ".+"
        shape += _literal(texts[place + 1])
    return shape


def _literal(part: str) -> str:
    """The text between two directives; where it has blanks, any number of them may stand."""
    return r"\s*".join(map(re.escape, re.split(r"\s+", part)))


def _directives(pattern: str) -> set[str]:
    return {found.group(1).removeprefix("-") for found in DIRECTIVE.finditer(pattern)}
