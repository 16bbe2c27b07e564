"""CSV lines into records of cells, so that one broken quote never costs a neighbouring row.

A record that spans lines is taken only when its quotes balance, it has as many cells as the header, and none
of its further lines reads as a record of its own. Otherwise its first physical line alone is a bad row, and
reading goes on with the next line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from transforms.contract.cell_sql import BLANKS
from transforms.extract.csv.lines import Line, Lines

LONGEST_RECORD_BYTES = 2_000_000
QUOTED = re.compile('"[^"]*"')
REST_OF_QUOTED = re.compile(r'[^"]*(?:""[^"]*)*')


class MalformedQuote(Exception):
    """Text follows a closing quote."""


@dataclass
class Cells:
    """The cells read so far; `pending` holds the parts of a quoted cell that is still open, else None. `ends` are the
    places of bare cells that end with a quote which none of theirs opens."""

    cells: list[str]
    pending: list[str] | None = None
    has_stray_quote: bool = False
    ends: list[int] = field(default_factory=list)

    def add(self, line: str, delimiter: str) -> None:
        """Reads one line on; raises MalformedQuote."""
        position = 0
        while True:
            if self.pending is not None:
                rest = REST_OF_QUOTED.match(line, position)
                self.pending.append(rest.group().replace('""', '"'))
                position = rest.end()
                if position == len(line):
                    return
                position = self._close(line, position + 1, delimiter)
                if position < 0:
                    return
            elif line.startswith('"', position):
                self.pending = []
                position += 1
            else:
                end = line.find(delimiter, position)
                cell = line[position:] if end < 0 else line[position:end]
                # A quote inside a bare cell, as in 5" step, is text.
                if '"' in cell:
                    self.has_stray_quote = True
                    if cell.rstrip(BLANKS).endswith('"') and cell.count('"') % 2:
                        self.ends.append(len(self.cells))
                self.cells.append(cell)
                if end < 0:
                    return
                position = end + 1

    def _close(self, line: str, position: int, delimiter: str) -> int:
        """Ends the open cell; the place of the next one, or -1 at the end of the line."""
        while position < len(line) and line[position] == " " and delimiter != " ":
            position += 1
        if position < len(line) and line[position] != delimiter:
            raise MalformedQuote
        self.cells.append("".join(self.pending))
        self.pending = None
        return position + 1 if position < len(line) else -1


@dataclass(frozen=True)
class Record:
    """One record. Without a problem it has as many cells as the header; with one, those before what is wrong with it.
    `ends` are the places of cells that end with a quote which none of theirs opens."""

    cells: list[str]
    problem: str | None
    raw: str
    ends: Sequence[int] = ()


def read_record(lines: Lines, first: Line, width: int, delimiter: str) -> Record:
    """The record that starts on `first`; takes the further lines of an accepted one from `lines`."""
    if first.is_cut:
        return Record([], "cell_too_long", first.text)
    if '"' not in first.text:
        return Record(*_fitted(first.text.split(delimiter), width), first.text)
    record = Cells([])
    try:
        record.add(first.text, delimiter)
    except MalformedQuote:
        return Record(record.cells, "unbalanced_quote", first.text)
    if record.pending is None:
        return Record(*_fitted(record.cells, width), first.text, record.ends)
    before_quote = list(record.cells)
    raw = _read_on(lines, first, record, width, delimiter)
    if raw is None:
        return Record(before_quote, "unbalanced_quote", first.text)
    return Record(_fitted(record.cells, width)[0], None, raw, record.ends)


def hides_record(text: str, width: int, delimiter: str) -> bool:
    """Whether a line end of another kind stands within the line, outside quotes, and as many cells as a record has
    behind it."""
    _, *behind = re.split("[\r\n]", QUOTED.sub("", text))
    return width > 2 and any(part.count(delimiter) >= width - 1 for part in behind)


def _read_on(lines: Lines, first: Line, record: Cells, width: int, delimiter: str) -> str | None:
    """Reads a record that is open at the end of its first line to its end; its raw text, or None when it is
    none."""
    raw = [first.text]
    size, taken, end = len(first.text), 0, first.end
    open_column = len(record.cells)
    while record.pending is not None:
        line = lines.peek(taken)
        if line is None or line.is_cut or size + len(line.text) > LONGEST_RECORD_BYTES:
            return None
        if _is_record_itself(line.text, width, delimiter, open_column):
            return None
        record.pending.append(end)
        try:
            record.add(line.text, delimiter)
        except MalformedQuote:
            return None
        if _fitted([*record.cells, ""] if record.pending is not None else record.cells, width)[1] == "too_many_cells":
            return None
        raw += [end, line.text]
        size, taken, end = size + len(line.text) + len(end), taken + 1, line.end
    if _fitted(record.cells, width)[1]:
        return None
    lines.skip(taken)
    return "".join(raw)


def _is_record_itself(text: str, width: int, delimiter: str, open_column: int) -> bool:
    if width < 3 or text.count(delimiter) < width - 1:
        return False
    alone = Cells([])
    try:
        alone.add(text, delimiter)
    except MalformedQuote:
        return False
    if alone.pending is not None or _fitted(alone.cells, width)[1]:
        return False
    # The last line of a record whose first cell is open has as many cells as a record in any case: it closes
    # with a quote in a bare cell, and says nothing.
    return not (alone.has_stray_quote and open_column == 0)


def _fitted(cells: list[str], width: int) -> tuple[list[str], str | None]:
    """At most `width` cells, and the problem of their number; blank ones too many are none."""
    if len(cells) < width:
        return cells, "too_few_cells"
    problem = "too_many_cells" if any(cell.strip() for cell in cells[width:]) else None
    return cells[:width], problem
