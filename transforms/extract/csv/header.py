"""The header row of a CSV file: its columns, or why the file cannot be read as a table at all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from transforms.contract.cell_sql import BLANKS
from transforms.errors import InputRejected
from transforms.extract.csv.cells import NOT_UTF8
from transforms.extract.csv.encoding import UTF_8, as_utf8
from transforms.extract.csv.lines import Line, Lines
from transforms.extract.csv.records import QUOTED, Cells, MalformedQuote

LONGEST_HEADER_LINES = 20
FEWEST_COLUMNS = 3  # no table has fewer that are required
WITHIN = "the header holds a carriage return (CR) outside quotes"
MOST_COLUMNS = 2_000  # an extract of every segment of a wide claim has some 800; each costs memory in every row
LOOKS_WIDE = 'looks like UTF-16: save it as UTF-8, or say encoding = "utf-16" in a mapping'
FOREIGN_STARTS = (
    (b"PAR1", "is Parquet inside: name it .parquet"),
    (b"PK\x03\x04", "is a workbook or a zip archive inside: save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "is an old workbook inside: save it as CSV UTF-8"),
    (b"\x1f\x8b", "is packed by gzip: unpack it"),
    (b"\x28\xb5\x2f\xfd", "is packed by zstd: unpack it"),
    (b"BZh", "is packed by bzip2: unpack it"),
    (b"\xff\xfe", LOOKS_WIDE),
    (b"\xfe\xff", LOOKS_WIDE),
)


@dataclass(frozen=True)
class CsvShape:
    """What the header says: the columns as named in file_<n>, the header's raw text, how cells are set apart, the
    file's name as people know it, and its encoding."""

    columns: tuple[str, ...]
    header_cells: tuple[str, ...]
    header_text: str
    delimiter: str
    file_name: str = ""
    encoding: str = UTF_8


def read_shape(path: Path, file_name: str, delimiter: str, encoding: str = UTF_8) -> CsvShape:
    """The header of a CSV file; raises InputRejected when the file has none that can be read."""
    try:
        with path.open("rb") as handle:
            if encoding != "utf-16":
                _refuse_foreign(handle.peek(4096)[:4096], file_name)
            text = _header_text(Lines(as_utf8(handle, file_name, encoding)), file_name, delimiter)
    except OSError as problem:
        raise InputRejected(f"{file_name}: cannot be read ({problem.strerror}): check its rights") from None
    cells = Cells([])
    for number, line in enumerate(text.split("\n")):
        if number:
            cells.pending.append("\n")
        cells.add(line, delimiter)
    trimmed = _without_blank_tail(cells.cells)
    return CsvShape(column_names(trimmed, file_name), tuple(trimmed), text, delimiter, file_name, encoding)


def column_names(header: list[str], file_name: str) -> tuple[str, ...]:
    """The columns' names in file_<n>: the header's, trimmed; raises InputRejected where two are the same, or there
    are more than MOST_COLUMNS."""
    if len(header) > MOST_COLUMNS:
        raise InputRejected(
            f"{file_name}: header: has {len(header)} columns: export those that are needed, {MOST_COLUMNS} at most"
        )
    first_place: dict[str, int] = {}
    names = []
    reserved = {"source_line", "read_problem", "problem_column", "unread_text", "file_row_number"}
    for place, cell in enumerate(header, 1):
        shown = cell or f"unnamed_{place}"
        if shown.lower() in reserved:
            shown += "_in_file"
        if shown.lower() in first_place:
            if looks_like_data(header):
                raise InputRejected(f"{file_name}: its first line looks like data: a header row is needed")
            earlier = first_place[shown.lower()]
            raise InputRejected(
                f"{file_name}: header: columns {earlier} and {place} have the same name: rename or remove one"
            )
        first_place[shown.lower()] = place
        names.append(shown)
    return tuple(names)


def looks_like_data(header: Iterable[str]) -> bool:
    """Whether a first line holds numbers or dates, as no header row does."""
    return any(re.fullmatch(r"[0-9][0-9.:/-]*", cell) for cell in header)


def _refuse_foreign(start: bytes, file_name: str) -> None:
    for magic, advice in FOREIGN_STARTS:
        if start.startswith(magic):
            raise InputRejected(f"{file_name}: {advice}")
    if start.count(b"\x00") > len(start) // 8:
        raise InputRejected(
            f"{file_name}: is full of NUL bytes, as UTF-16 without its mark: save it as UTF-8, or "
            'say encoding = "utf-16" in a mapping'
        )


def _header_text(lines: Lines, file_name: str, delimiter: str) -> str:
    """The raw text of the header record, lines joined by line feeds, blank lines before it kept as empty
    lines."""
    text: list[str] = []
    cells = Cells([])
    while (line := lines.next()) is not None:
        if not text and not line.text.strip(BLANKS):
            continue
        if text:
            cells.pending.append("\n")
        _read_header_line(cells, line, file_name, delimiter)
        text.append(line.text if text else line.text.removeprefix("\ufeff"))
        if cells.pending is None or len(text) >= LONGEST_HEADER_LINES:
            break
    if not text:
        raise InputRejected(f"{file_name}: is empty: a header row with the column names is needed")
    if cells.pending is not None:
        raise InputRejected(f"{file_name}: header: a quote is opened and not closed: correct the header row")
    _refuse_title(lines, line, cells.cells, file_name, delimiter)
    _refuse_mixed_ends(lines, line, "\n".join(text), len(_without_blank_tail(cells.cells)), file_name, delimiter)
    return "\n".join(text)


def _refuse_title(lines: Lines, first: Line, cells: list[str], file_name: str, delimiter: str) -> None:
    """Raises InputRejected where the first line is one lone cell, and a line below it names columns: reports have their
    title there."""
    if sum(1 for cell in cells if cell.strip(BLANKS)) > 1 or any(
        mark in first.text for mark in ";\t|".replace(delimiter, "")
    ):
        return
    for distance in range(LONGEST_HEADER_LINES):
        line = lines.peek(distance)
        if line is None:
            return
        if sum(1 for cell in line.text.split(delimiter) if cell.strip(BLANKS)) >= FEWEST_COLUMNS:
            raise InputRejected(
                f"{file_name}: line {first.number}: is a title, not a header: remove what is above the row of "
                f"column names, which seems to be line {line.number}"
            )


def _refuse_mixed_ends(lines: Lines, last: Line, text: str, width: int, file_name: str, delimiter: str) -> None:
    """Raises InputRejected where the header's line ends elsewhere than the file's other lines do: a row would be lost
    in it, or a part of it would be a row. `last` is the header's last line."""
    if "\r" in QUOTED.sub("", text.rstrip(BLANKS)):
        raise mixed_ends(file_name, last.number, WITHIN)
    following = lines.peek(0)
    if following is None or (last.end, following.end) != ("\n", "\r\n") or not following.text.strip(BLANKS):
        return
    if following.text.count(delimiter) < width - 1 and '"' not in following.text:
        raise mixed_ends(file_name, last.number, "the header ends in a line feed (LF), the line after it in CR LF")


def mixed_ends(file_name: str, line_number: int, found: str) -> InputRejected:
    """What to raise where a file's lines end in two ways, so that rows would be lost."""
    return InputRejected(
        f"{file_name}: line {line_number}: {found}: rows would be lost where lines end in two ways; take it out, or "
        "save the file again with one kind of line end"
    )


def _read_header_line(cells: Cells, line: Line, file_name: str, delimiter: str) -> None:
    if line.is_cut:
        raise InputRejected(f"{file_name}: line {line.number}: is longer than any header: are its line ends missing?")
    if NOT_UTF8.search(line.text):
        raise InputRejected(
            f"{file_name}: line {line.number}: the header is not UTF-8 text: save the file as UTF-8 (in a "
            'spreadsheet: CSV UTF-8), or name its encoding in a mapping: encoding = "cp1252"'
        )
    if "\x00" in line.text:
        raise InputRejected(f"{file_name}: line {line.number}: NUL bytes in the header: save the file as UTF-8 text")
    try:
        cells.add(line.text.removeprefix("\ufeff") if not cells.cells else line.text, delimiter)
    except MalformedQuote:
        if "\r" in line.text:
            raise mixed_ends(file_name, line.number, WITHIN) from None
        raise InputRejected(
            f"{file_name}: line {line.number}: the header's quotes do not close: correct them"
        ) from None


def _without_blank_tail(cells: list[str]) -> list[str]:
    trimmed = [cell.strip(BLANKS) for cell in cells]
    while len(trimmed) > 1 and not trimmed[-1]:
        trimmed.pop()
    return trimmed
