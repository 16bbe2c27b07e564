"""Tables and lists of an explanation: cells as text, columns that say nothing left out."""

from collections.abc import Iterable, Sequence
from typing import Any

from expectations.report.parts import Pairs, Paragraph, Table


def shown(value: Any) -> str:
    """A cell: nothing for None."""
    return "" if value is None else str(value)


def table(headers: str, rows: Sequence[Sequence[Any]], right: str = "", marked: Iterable[int] = (), **more) -> Table:
    """A table of the headers (joined by |) with the columns named in `right` to the right.

    Columns that are empty in every row are left out; `more` are further fields of Table.
    """
    names = headers.split("|")
    cells = [[shown(value) for value in row] for row in rows]
    kept = [place for place in range(len(names)) if any(row[place] for row in cells)]
    kept_rows = tuple(tuple(row[place] for place in kept) for row in cells)
    return Table(
        tuple(names[place] for place in kept), kept_rows, frozenset(right.split("|")), marked=frozenset(marked), **more
    )


def reasons(rows: Iterable[tuple[str, str | None]]) -> list[Pairs]:
    """Names with a sentence each, those of the same sentence together; nothing where there are none."""
    named: dict[str, list[str]] = {}
    for name, reason in rows:
        if reason:
            named.setdefault(f"{reason}.", []).append(name)
    return [Pairs(tuple((", ".join(names), reason) for reason, names in named.items()))] if named else []


def paragraphs(texts: Iterable[str], kind: str = "plain") -> list[Paragraph]:
    """One paragraph a text."""
    return [Paragraph(text, kind) for text in texts]
