"""Reads one CSV file exactly into file_<n>: every record once, bad ones marked with what is wrong."""

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow.lib import StringBuilder

from transforms.contract.cell_sql import BLANKS
from transforms.database.quoting import name
from transforms.errors import InputRejected
from transforms.extract.csv.cells import (
    LONGEST_CELL_BYTES,
    SUSPECT,
    SUSPECT_BUT_TAB,
    Judge,
    unread_text,
)
from transforms.extract.csv.encoding import as_utf8
from transforms.extract.csv.header import CsvShape, mixed_ends
from transforms.extract.csv.lines import BLOCK_BYTES, Lines
from transforms.extract.csv.plain import plain_pattern, plain_table
from transforms.extract.csv.records import hides_record, read_record

BATCH_CELLS = 1_000_000
BATCH_CHARACTERS = 32_000_000
LONGEST_LEGIBLE = 1_000  # characters of a cell that is kept of a broken row
MOST_LOOKS_IN_VAIN = 20_000_000  # minutes; a file of broken quotes could ask for days
HIDING = ("too_many_cells", "cell_too_long")  # what is wrong with a line that holds several rows
FIXED = ("source_line", "read_problem", "problem_column", "unread_text")


def load_csv(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    shape: CsvShape,
    used: set[str],
    free_text: set[str],
    spared: set[str],
) -> None:
    """Makes `table` of every record below the header: source_line, read_problem, problem_column, unread_text,
    then the file's columns as text (empty: null). Raises InputRejected for a file of nothing but open quotes, and for a
    line that hides a row behind a line end of another kind.

    `used` are the columns (names as in shape.columns) that the audit reads: only they can make a row bad;
    `free_text`, of them, may hold line breaks and tabs, and up to 1 MB; a cell of those `spared` that cannot be read is
    UNREADABLE, and its row stands.
    """
    own = ", ".join(f"{name(column)} VARCHAR" for column in shape.columns)
    connection.execute(
        f"CREATE TABLE {name(table)} (source_line BIGINT, read_problem VARCHAR, problem_column VARCHAR, "
        f"unread_text VARCHAR, {own})"
    )
    cells = ", ".join(f"nullif({name(f'c{place}')}, '')" for place in range(len(shape.columns)))
    with path.open("rb", buffering=0) as handle:
        lines = Lines(as_utf8(handle, shape.file_name, shape.encoding))
        batches = _Batches(lines, shape, Judge(shape.columns, used, free_text, spared))
        # As a bare stream: a table would bring in pyarrow.dataset, and that pandas. DuckDB takes the batches one by
        # one while it works on those before.
        connection.register("csv_batch", batches.reader().__arrow_c_stream__())
        try:
            connection.execute(f"INSERT INTO {name(table)} SELECT {', '.join(FIXED)}, {cells} FROM csv_batch")
        except duckdb.Error:
            raise batches.problem or sys.exception() from None
        finally:
            connection.unregister("csv_batch")


class _Batches:
    """The records of a file in batches of limited size, as columns source_line, ..., c0, c1, ...; `problem` is what
    went wrong in reading them, which DuckDB would tell in words of its own."""

    def __init__(self, lines: Lines, shape: CsvShape, judge: Judge):
        self._lines, self._shape, self._judge = lines, shape, judge
        self._header = [cell.lower() for cell in shape.header_cells]
        self._width = len(shape.columns)
        self.problem: Exception | None = None

    def reader(self) -> pa.RecordBatchReader:
        columns = [*FIXED[1:], *(f"c{place}" for place in range(self._width))]
        schema = pa.schema([(FIXED[0], pa.int64()), *((column, pa.string()) for column in columns)])
        return pa.RecordBatchReader.from_batches(schema, self._told())

    def _told(self) -> Iterator[pa.RecordBatch]:
        try:
            _skip_header(self._lines, self._shape)
            for table in self._tables():
                yield from table.combine_chunks().to_batches()
        except Exception as problem:
            self.problem = problem
            raise

    def _tables(self) -> Iterator[pa.Table]:
        """Runs of plain lines together, as many as make a block, and the records between them one by one."""
        plain = plain_pattern(self._width, self._shape.delimiter)
        runs: list[tuple[int, bytes]] = []
        run_bytes = 0
        rows = _Rows(self._width)
        is_end = False
        while not is_end:
            taken = self._lines.take_plain(plain)
            if taken:
                runs.append(taken)
                run_bytes += len(taken[1])
            else:
                is_end = self._take_row(self._lines, rows)
            if runs and (is_end or run_bytes >= BLOCK_BYTES):
                yield from self._plain(runs)
                runs, run_bytes = [], 0
            if rows.are_many or (rows.rows and is_end):
                yield rows.taken()

    def _take_row(self, lines: Lines, rows: "_Rows") -> bool:
        """Adds the next record to `rows`; True at the end of the file."""
        row, size = _next_row(lines, self._shape, self._judge, self._header)
        if lines.looked_in_vain > MOST_LOOKS_IN_VAIN:
            raise InputRejected(
                f"{self._shape.file_name}: too many quotes open and do not close: export it again, quotes in a cell "
                "doubled"
            )
        if row is not None:
            rows.add(row, size)
        return row is None and size == 0

    def _plain(self, runs: list[tuple[int, bytes]]) -> Iterator[pa.Table]:
        """Runs of plain lines, each with the number of its first line; where one of them has something to judge after
        all, each run by itself, and that one line by line."""
        table = plain_table(b"".join(block for _, block in runs), self._width, self._shape.delimiter, self._header)
        if table is not None:
            yield _numbered(table, runs)
        elif len(runs) > 1:
            for run in runs:
                yield from self._plain([run])
        else:
            number, block = runs[0]
            lines, rows, is_end = Lines(io.BytesIO(block), number - 1), _Rows(self._width), False
            while not is_end:
                is_end = self._take_row(lines, rows)
                if rows.are_many or (rows.rows and is_end):
                    yield rows.taken()


class _Rows:
    """Records read one by one, until they make a batch."""

    def __init__(self, width: int):
        self._cells = width + len(FIXED)
        self._characters = 0
        self.rows: list[list] = []

    def add(self, row: list, characters: int) -> None:
        self.rows.append(row)
        self._characters += characters

    @property
    def are_many(self) -> bool:
        return len(self.rows) * self._cells >= BATCH_CELLS or self._characters >= BATCH_CHARACTERS

    def taken(self) -> pa.Table:
        """Their table; none are left."""
        table = _table(self.rows)
        self.rows, self._characters = [], 0
        return table


def _next_row(lines: Lines, shape: CsvShape, judge: Judge, header: list[str]) -> tuple[list | None, int]:
    """The next record as [source line, problem, problem column, unread text, cells...], and its characters;
    no row and 1 for a blank line, no row and 0 at the end of the file."""
    line = lines.next()
    if line is None:
        return None, 0
    if not line.text.strip(BLANKS):
        return None, 1
    record = read_record(lines, line, len(header), shape.delimiter)
    cells, problem, raw, column = record.cells, record.problem, record.raw, None
    if problem in HIDING and hides_record(raw, len(header), shape.delimiter):
        raise mixed_ends(shape.file_name, line.number, "another row follows a line end within the line")
    if problem is None:
        if cells[0].strip(BLANKS).lower() == header[0] and _trimmed_lower(cells) == header:
            cells, problem = [], "repeated_header"
        elif record.ends or _is_suspect(raw, shape.delimiter):
            cells, problem, column = judge.judged(cells, record.ends)
    if problem is None:
        return [line.number, None, None, None, *cells], len(raw)
    return [line.number, problem, column, unread_text(raw), *_legible(cells, len(header))], len(raw)


def _legible(cells: list[str], width: int) -> list[str]:
    """Of a broken row, the cells that say whom and which day it touches; what is no plain text of an id's length is
    left out."""
    read = [cell if len(cell) <= LONGEST_LEGIBLE and cell.isprintable() else "" for cell in cells]
    return read + [""] * (width - len(read))


def _is_suspect(raw: str, delimiter: str) -> bool:
    """Whether a cell of the record may have to be judged."""
    if len(raw) * 4 > LONGEST_CELL_BYTES:
        return True
    if delimiter == "\t":
        return bool(SUSPECT_BUT_TAB.search(raw)) or '"' in raw
    return bool(SUSPECT.search(raw))


def _table(rows: list[list]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    arrays = [_texts(map(str, columns[0])).cast(pa.int64()), *map(_texts, columns[1:])]
    return pa.Table.from_arrays(arrays, [*FIXED, *(f"c{place}" for place in range(len(columns) - len(FIXED)))])


def _texts(values: Iterable[str | None]) -> pa.StringArray:
    """The texts as Arrow holds them; pa.array would import pandas, to ask whether they are a series of it."""
    builder = StringBuilder()
    builder.append_values(values)
    return builder.finish()


def _numbered(table: pa.Table, runs: list[tuple[int, bytes]]) -> pa.Table:
    """A table of the plain cells of `runs`, with the line numbers and the absent problems before them."""
    nothing = pa.nulls(table.num_rows, pa.string())
    numbers = pa.chunked_array([pa.arange(first, first + block.count(b"\n")) for first, block in runs])
    return pa.Table.from_arrays([numbers, nothing, nothing, nothing, *table.columns], [*FIXED, *table.column_names])


def _skip_header(lines: Lines, shape: CsvShape) -> None:
    while not lines.next().text.strip(BLANKS):
        pass
    for _ in range(shape.header_text.count("\n")):
        lines.next()


def _trimmed_lower(cells: list[str]) -> list[str]:
    return [cell.strip(BLANKS).lower() for cell in cells]
