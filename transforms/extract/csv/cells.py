"""Single cells of a CSV file: those that cannot be kept as they stand."""

import re
from collections.abc import Collection, Sequence

from transforms.contract.fields import LONGEST_CELL_BYTES, LONGEST_FREE_TEXT_BYTES

LONGEST_UNREAD_TEXT = 100_000  # characters kept of a row that could not be read
# Lone surrogates stand for bytes that are not UTF-8.
SUSPECT = re.compile("[\x00-\x1f\x7f\udc80-\udcff]")
SUSPECT_BUT_TAB = re.compile("[\x00-\x08\x0a-\x1f\x7f\udc80-\udcff]")
NOT_UTF8 = re.compile("[\udc80-\udcff]")
#: What stands for a cell that cannot be read, where that is for the contract to judge: no text holds it.
UNREADABLE = "\0"
CONTROL = re.compile("[\x00-\x1f\x7f]")
CONTROL_IN_FREE_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Judge:
    """Finds the cells that cannot be kept as they stand."""

    def __init__(
        self, columns: tuple[str, ...], used: set[str], free_text: set[str], spared: Collection[str] = frozenset()
    ):
        self._columns = [(name, name in used, name in free_text, name in spared) for name in columns]

    def judged(self, cells: list[str], ends: Sequence[int] = ()) -> tuple[list[str], str | None, str | None]:
        """The cells, those that cannot be read blanked; the first problem and its column. A cell of a spared column
        makes no problem, and becomes UNREADABLE. `ends` are the places of bare cells that end with a quote which none
        of theirs opens: in prose it is an inch, elsewhere the end of another row's cell."""
        problem, column, kept = None, None, []
        for place, (cell, (own_name, is_used, is_free, is_spared)) in enumerate(zip(cells, self._columns, strict=True)):
            found = cell_problem(cell, is_used, is_free)
            if found and is_spared:
                found, cell = None, UNREADABLE
            if place in ends and is_used and not is_free:
                found = found or "unbalanced_quote"
            if found:
                cell = ""
                if problem is None:
                    problem, column = found, own_name
            elif NOT_UTF8.search(cell):  # in a column that nobody reads
                cell = as_bytes(cell).decode("utf-8", "replace")
            kept.append(cell)
        return kept, problem, column


def cell_problem(cell: str, is_used: bool, is_free_text: bool) -> str | None:
    """Why a cell cannot be read: not_utf8, control_character, cell_too_long, or None."""
    longest = LONGEST_CELL_BYTES if is_used and not is_free_text else LONGEST_FREE_TEXT_BYTES
    if len(cell) * 4 > longest and len(as_bytes(cell)) > longest:
        return "cell_too_long"
    if not is_used:
        return None
    if NOT_UTF8.search(cell):
        return "not_utf8"
    # A tab or line break that only pads a cell is trimmed away with the blanks.
    if is_free_text and CONTROL_IN_FREE_TEXT.search(cell):
        return "control_character"
    if not is_free_text and CONTROL.search(cell.strip(" \t\r\n")):
        return "control_character"
    return None


def unread_text(raw: str) -> str:
    return as_bytes(raw[:LONGEST_UNREAD_TEXT]).decode("utf-8", "backslashreplace")


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
