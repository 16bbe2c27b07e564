"""Plain text for a terminal: tables in columns, wrapped sentences, and values that can only be read."""

import textwrap

WIDTH = 100
#: A cell longer than this is cut in a table, and says so; JSON holds it whole.
LONGEST_CELL = 40


def inert(value):
    """The value with every text in it made safe to print: control, format and other unseen characters are named."""
    if isinstance(value, dict):
        return {inert(name): inert(one) for name, one in value.items()}
    if isinstance(value, list):
        return [inert(one) for one in value]
    if isinstance(value, str) and not value.isprintable():
        return "".join(sign if sign.isprintable() else f"<U+{ord(sign):04X}>" for sign in value)
    return value


def table(
    headers: list[str], rows: list[list], right: str = "", indent: int = 2, longest: int = LONGEST_CELL
) -> list[str]:
    """Rows under their headers; columns named in `right` (space-joined) stand to the right, empty ones are left out."""
    cells = [[_cell(value, longest) for value in row] for row in rows]
    shown = [place for place in range(len(headers)) if any(row[place] for row in cells)]
    widths = {place: max(len(headers[place]), *(len(row[place]) for row in cells)) for place in shown}
    to_right = set(right.split())

    def line(texts):
        parts = (
            texts[place].rjust(widths[place]) if headers[place] in to_right else texts[place].ljust(widths[place])
            for place in shown
        )
        return (" " * indent + "  ".join(parts)).rstrip()

    return [line(headers), *map(line, cells)] if rows else []


def _cell(value, longest: int) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= longest else f"{text[: longest - 7]}... cut"


def row_ranges(sources: list[str]) -> str:
    """file:line of many rows, those of one file together: claims.csv:3, 7-9; notes.csv:2."""
    files: dict[str, list[int]] = {}
    for source in sources:
        name, _, line = source.rpartition(":")
        if not line.isdigit():
            return "; ".join(sources)
        files.setdefault(name, []).append(int(line))
    return "; ".join(f"{name}:{_ranges(sorted(set(lines)))}" for name, lines in files.items())


def _ranges(lines: list[int]) -> str:
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)


def wrap(text: str, indent: int = 2, hanging: int | None = None) -> list[str]:
    """A sentence as lines of at most WIDTH characters; what has no blank to break at is left whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hanging is None else hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


def in_force(row: dict) -> str:
    """When a dated reference row is in force; the day it ends on is not in it."""
    until = "" if str(row["effective_to"]).startswith("9999") else f" to before {row['effective_to']}"
    return f"in force from {row['effective_from']}{until}"


def dollars(amount) -> str:
    """An amount given as text, with cents; with all its places where it has more."""
    whole, _, part = str(amount).partition(".")
    part = part.rstrip("0").ljust(2, "0")
    return f"${int(whole):,}.{part}"
