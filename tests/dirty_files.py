"""Extracts that go wrong on their way: the samples' rows, and everything that exports and hands do to them.

A `Delivery` holds the rows of the three tables and remembers which of them were touched, so that a test can say who
has to be unharmed. Damage is drawn as plain numbers (kind, table, three picks), so that any draw is a delivery.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

TABLES = ("claims", "notes", "note_blocks")
#: What stands in cells that hold no value, the wrong value, or more than a value.
NASTY = (
    "",
    " ",
    "NULL",
    "N/A",
    "-1",
    "0",
    "2.5",
    "1e9",
    "9" * 30,
    "2026-02-30",
    "10/05/2026",
    "1899-12-31",
    "2999-01-01",
    "25:00",
    "08:15 AM",
    "23:59",
    "=1+1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "'; drop table finding; --",
    "{batch} $1 ? %s {0}",
    "<script>alert(1)</script>",
    "\x00",
    "a\x00b",
    "a\tb",
    "a\nb",
    "é\u202e\ufeff\u200b",
    "١٢",
    "x" * 100_001,
    "x" * 250,
    "97112.0",
    " 97112 ",
    "97112-GP",
    "true",
    "{97110,97112}",
    '["97110"]',
    "MJ",
    "draft",
    "void",
    "7",
    "8",
)


@dataclass
class Row:
    """One record: its cells, what was done to its bytes, and which row of the samples it was (None: a new one)."""

    cells: list[str]
    origin: int | None
    damage: list[Callable[[bytes], bytes]] = field(default_factory=list)
    is_touched: bool = False


@dataclass
class Table:
    """One file: header, records, and how it is written down."""

    header: list[str]
    rows: list[Row]
    newline: str = "\n"
    is_quoted: bool = False
    start: bytes = b""
    has_last_newline: bool = True
    whole: list[Callable[[bytes], bytes]] = field(default_factory=list)

    def written(self) -> bytes:
        end = self.newline.encode()
        lines = [self._line(self.header)]
        for row in self.rows:
            line = self._line(row.cells)
            for damage in row.damage:
                line = damage(line)
            lines.append(line)
        content = self.start + end.join(lines) + (end if self.has_last_newline else b"")
        if self.newline == "\r":  # no file has both kinds of ends
            content = content.replace(b"\n", b"\r")
        for change in self.whole:
            content = change(content)
        return content

    def _line(self, cells: list[str]) -> bytes:
        quoted = (
            f'"{cell.replace(chr(34), chr(34) * 2)}"' if self.is_quoted or set(cell) & set(',"\r\n') else cell
            for cell in cells
        )
        return ",".join(quoted).encode()


class Delivery:
    """The three tables on their way, and who was harmed."""

    def __init__(self, source: Path, patients: int):
        self.tables = {table: _read(source / f"{table}.csv") for table in TABLES}
        kept = sorted({row.cells[self.place("notes", "patient_id")] for row in self.tables["notes"].rows})
        self._keep(set(kept[:: max(1, len(kept) // patients)]))
        self.patient_of = {table: self._patients(table) for table in TABLES}
        self.originals = {
            table: [dict(zip(held.header, row.cells, strict=True)) for row in held.rows]
            for table, held in self.tables.items()
        }

    def place(self, table: str, column: str) -> int:
        return self.tables[table].header.index(column)

    def _keep(self, patients: set[str]) -> None:
        notes = self.tables["notes"]
        own, note_id = self.place("notes", "patient_id"), self.place("notes", "note_id")
        note_ids = {row.cells[note_id] for row in notes.rows if row.cells[own] in patients}
        for table, column, kept in (
            ("claims", "patient_id", patients),
            ("notes", "patient_id", patients),
            ("note_blocks", "note_id", note_ids),
        ):
            place, held = self.place(table, column), self.tables[table]
            held.rows = [row for row in held.rows if row.cells[place] in kept]
            for number, row in enumerate(held.rows):
                row.origin = number

    def _patients(self, table: str) -> list[str]:
        """The patient of every row of a table, by its origin."""
        if table != "note_blocks":
            place = self.place(table, "patient_id")
            return [row.cells[place] for row in self.tables[table].rows]
        own, note_id = self.place("notes", "patient_id"), self.place("notes", "note_id")
        of_note = {row.cells[note_id]: row.cells[own] for row in self.tables["notes"].rows}
        place = self.place(table, "note_id")
        return [of_note[row.cells[place]] for row in self.tables[table].rows]

    def touched_rows(self) -> set[tuple[str, int]]:
        """(table, origin) of every row that was changed or lost."""
        touched = set()
        for table, held in self.tables.items():
            whole = {row.origin for row in held.rows if row.origin is not None and not row.is_touched}
            touched |= {(table, number) for number in range(len(self.originals[table])) if number not in whole}
            touched |= {(table, row.origin) for row in held.rows if row.is_touched and row.origin is not None}
        return touched

    def touched_patients(self) -> set[str]:
        return {self.patient_of[table][origin] for table, origin in self.touched_rows()}

    def write(self, folder: Path) -> Path:
        for table, held in self.tables.items():
            (folder / f"{table}.csv").write_bytes(held.written())
        return folder


def _read(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return Table(header, [Row(cells, number) for number, cells in enumerate(rows)])


# Damage to rows: every function takes the table, the row and three picks, and marks what it touches.


def _replace_cell(held: Table, row: Row, first: int, second: int, third: int) -> None:
    row.cells[first % len(row.cells)] = NASTY[second % len(NASTY)]
    row.is_touched = True


def _swap_cells(held: Table, row: Row, first: int, second: int, third: int) -> None:
    one, other = first % len(row.cells), second % len(row.cells)
    row.cells[one], row.cells[other] = row.cells[other], row.cells[one]
    row.is_touched = True


def _raw(change: Callable[[bytes, int, int], bytes]):
    def damage(held: Table, row: Row, first: int, second: int, third: int) -> None:
        row.damage.append(lambda line: change(line, first % (len(line) + 1), second))
        row.is_touched = True

    return damage


def _put(what: bytes):
    return _raw(lambda line, place, _: line[:place] + what + line[place:])


def _flip(line: bytes, place: int, other: int) -> bytes:
    return line[:place] + bytes([other % 256]) + line[place + 1 :]


def _changed_copy(held: Table, row: Row, first: int, second: int, third: int) -> None:
    copy = Row(list(row.cells), row.origin, is_touched=True)
    _replace_cell(held, copy, first, second, third)
    row.is_touched = True
    held.rows.insert(third % (len(held.rows) + 1), copy)


def _lost(held: Table, row: Row, first: int, second: int, third: int) -> None:
    held.rows.remove(row)


# Rows that harm nobody: they repeat what is known, or say nothing.


def _exact_copy(held: Table, row: Row, first: int, second: int, third: int) -> None:
    if not row.is_touched:
        held.rows.insert(third % (len(held.rows) + 1), Row(list(row.cells), row.origin))


def _blank(held: Table) -> list[str]:
    return [""] * len(held.header)


def _new_row(cells_of: Callable[[Table], list[str]], raw: bytes | None = None):
    def insert(held: Table, row: Row, first: int, second: int, third: int) -> None:
        damage = [] if raw is None else [lambda line: raw]
        held.rows.insert(third % (len(held.rows) + 1), Row(cells_of(held), None, damage))

    return insert


ROW_DAMAGE = (
    _replace_cell,
    _swap_cells,
    _put(b'"'),
    _put(b'"'),
    _put(b'",'),
    _put(b","),
    _put(b"\xff\xfe"),
    _put("ü".encode("latin-1")),
    _put(b"\x00"),
    _put(b"\n"),
    _raw(lambda line, place, _: line[:place]),
    _raw(lambda line, place, _: line[place:]),
    _raw(lambda line, place, _: line.replace(b",", b";")),
    _raw(lambda line, place, _: line.replace(b",", b"\t")),
    _raw(lambda line, place, _: line + b"," * (1 + place % 5)),
    _raw(_flip),
    _changed_copy,
    _lost,
)
HARMLESS_ROWS = (
    _exact_copy,
    _new_row(lambda held: list(held.header)),
    _new_row(_blank, b""),
    _new_row(_blank, b"  \t "),
    _new_row(_blank, b"," * 3),
    _new_row(_blank, b"Total: 17 rows"),
    _new_row(_blank),
    _new_row(_blank, b"\xef\xbb\xbf"),
    _new_row(_blank, b'"'),
    _new_row(_blank, b"\x1a"),
)


# How a file is written down, without harm to any row.


def _shuffled(held: Table, pick: int) -> None:
    order = list(range(len(held.header)))
    Random(pick).shuffle(order)
    held.header[:] = [held.header[place] for place in order]
    for row in held.rows:
        row.cells = [row.cells[place] for place in order]


def _unknown_column(held: Table, pick: int) -> None:
    place = pick % (len(held.header) + 1)
    held.header.insert(place, f"colour of door {len(held.header)}")
    for row in held.rows:
        row.cells.insert(place, NASTY[pick % len(NASTY)])


def _restyled_header(held: Table, pick: int) -> None:
    held.header[:] = [f" {name.upper()} " if (pick >> place) % 2 else name for place, name in enumerate(held.header)]


def _padded_cells(held: Table, pick: int) -> None:
    for row in held.rows:
        row.cells = [f" {cell}\u00a0" for cell in row.cells]


def _sorted_otherwise(held: Table, pick: int) -> None:
    Random(pick).shuffle(held.rows)


def _style(**attributes):
    def restyle(held: Table, pick: int) -> None:
        for name, value in attributes.items():
            setattr(held, name, value)

    return restyle


STYLES = (
    _style(newline="\r\n"),
    _style(newline="\r"),
    _style(is_quoted=True),
    _style(start=b"\xef\xbb\xbf"),
    _style(start=b"\n \n"),
    _style(has_last_newline=False),
    _style(newline="\n\n"),
    _shuffled,
    _unknown_column,
    _restyled_header,
    _padded_cells,
    _sorted_otherwise,
)


# What happens to a file as a whole: afterwards nobody is known to be unharmed.


def _recoded(encoding: str):
    return lambda content, pick: content.decode("utf-8", "replace").encode(encoding, "replace")


def _without_column(content: bytes, pick: int) -> bytes:
    lines = content.split(b"\n")
    place = pick % (lines[0].count(b",") + 1)
    return b"\n".join(b",".join(line.split(b",")[:place] + line.split(b",")[place + 1 :]) for line in lines)


WHOLE_DAMAGE = (
    lambda content, pick: content[: pick % (len(content) + 1)],
    lambda content, pick: content[: pick % (len(content.split(b"\n")[0]) + 1)],
    lambda content, pick: content[pick % (len(content) + 1) :],
    lambda content, pick: content.partition(b"\n")[2],
    lambda content, pick: b"",
    lambda content, pick: content[: pick % (len(content) + 1)] + b'"' + content[pick % (len(content) + 1) :],
    lambda content, pick: content[: pick % (len(content) + 1)] + b"\x00" * 5000 + content[pick % (len(content) + 1) :],
    lambda content, pick: content.replace(b",", b";"),
    lambda content, pick: content.replace(b",", b"\t"),
    lambda content, pick: content.replace(b",", b"|"),
    lambda content, pick: content.replace(b",", b",,"),
    lambda content, pick: content.replace(b"\n", b""),
    lambda content, pick: content.replace(b"\n", b"\n\r"),
    lambda content, pick: content + content,
    lambda content, pick: content.replace(b"_id", b" id", 1 + pick % 5),
    lambda content, pick: content.replace(b"service_date", b"patient_id", 1),
    lambda content, pick: content.replace(b"2026-10-", b"10/2026/"),
    lambda content, pick: b"\x1f\x8b" + content,
    lambda content, pick: b"PAR1" + content + b"PAR1",
    _without_column,
    _without_column,
    _recoded("utf-16"),
    _recoded("utf-16-le"),
    _recoded("utf-32"),
    _recoded("cp037"),
    _recoded("utf-7"),
)
