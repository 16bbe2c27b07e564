"""Plain text for a terminal: tables in columns, wrapped sentences, and values that can only be read."""

import textwrap

WIDTH = 100
#: A cell with a longer word is cut in a table, and says so; JSON holds it whole.
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
    is_long = len(text) > WIDTH or any(len(word) > longest for word in text.split(" "))
    return f"{text[: longest - 7]}... cut" if is_long else text


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
