"""How values are written on the page: one form for money, shares and text, and JSON that cannot end its script."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from expectations.report import plain
from transforms.dates import OPEN_END

LONGEST_CELL = 500
#: What could end a script element or a line of it; inside JSON all of them can only stand in strings.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def money(value: Any) -> str:
    """US dollars as $2,160.00: always cents, more places only where the amount has them; nothing for None."""
    if value is None:
        return ""
    amount = Decimal(str(value))
    if not amount.is_finite():
        return ""
    cents = amount.quantize(Decimal("0.01")) if amount == round(amount, 2) else amount.normalize()
    return f"{'-' if amount < 0 else ''}${abs(cents):,f}"


def share(value: Any) -> str:
    """A share of 0 to 1 in percent, cut and never rounded up: 99.96% is not 100%, and something is not 0%."""
    if value is None:
        return "not known"
    tenths = int(Decimal(str(value)) * 1000)
    return "under 0.1%" if not tenths and value else f"{tenths // 10}.{tenths % 10}%"


def shown(value: Any) -> Any:
    """Every value that the template prints passes here before it is escaped."""
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return told(value)


def told(value: Any, longest: int = LONGEST_CELL) -> str:
    """The value as text that can only be read, cut to `longest` characters."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value.isoformat() if isinstance(value, date) else str(value)
    # Most texts hold nothing unseen, and a page has a hundred thousand of them.
    return text if len(text) <= longest and text.isprintable() else plain(text, longest)


def safe(value: Any) -> Any:
    """A nested value as JSON can hold it: texts made readable, whole numbers kept, what is not a number left out."""
    if isinstance(value, list | tuple):
        return [safe(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return told(value)


def json_text(value: Any) -> str:
    """The value as JSON for a script element: no character in it can end the element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 unit, 2 units."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def row_ranges(sources: Iterable[str]) -> str:
    """file:line of many rows, those of one file together: claims.csv:3, 7-9; notes.csv:2."""
    files: dict[str, set[int]] = {}
    for source in sources:
        name, _, line = source.rpartition(":")
        if not (line.isascii() and line.isdigit()):
            return "; ".join(sources)
        files.setdefault(name, set()).add(int(line))
    return "; ".join(f"{name}:{_ranges(sorted(lines))}" for name, lines in files.items())


def _ranges(lines: list[int]) -> str:
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)


def in_force(row: Mapping[str, Any]) -> str:
    """When a dated reference row is in force; the day it ends on is not in it."""
    until = "" if str(row["effective_to"]).startswith(str(OPEN_END)) else f" to before {row['effective_to']}"
    return f"in force from {row['effective_from']}{until}"
