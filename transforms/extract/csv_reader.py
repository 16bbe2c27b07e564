"""Reads one CSV file exactly into file_<n>: every record once, bad ones marked with what is wrong."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow.lib import StringBuilder

from transforms.contract_sql import BLANKS, name
from transforms.errors import InputRejected
from transforms.extract.csv_cells import (
    LONGEST_CELL_BYTES,
    SUSPECT,
    SUSPECT_BUT_TAB,
    Judge,
    unread_text,
)
from transforms.extract.csv_header import CsvShape
from transforms.extract.csv_lines import Lines
from transforms.extract.csv_plain import plain_pattern, plain_table
from transforms.extract.csv_records import read_record

BATCH_CELLS = 1_000_000
BATCH_CHARACTERS = 32_000_000
MOST_LOOKS_IN_VAIN = 20_000_000  # minutes; a file of broken quotes could ask for days
FIXED = ("source_line", "read_problem", "problem_column", "unread_text")


def load_csv(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    shape: CsvShape,
    used: set[str],
    free_text: set[str],
) -> None:
    """Makes `table` of every record below the header: source_line, read_problem, problem_column, unread_text,
    then the file's columns as text (empty: null). Raises InputRejected for a file of nothing but open quotes.

    `used` are the columns (names as in shape.columns) that the audit reads: only they can make a row bad;
    `free_text`, of them, may hold line breaks and tabs, and up to 1 MB.
    """
    own = ", ".join(f"{name(column)} VARCHAR" for column in shape.columns)
    connection.execute(
        f"CREATE TABLE {name(table)} (source_line BIGINT, read_problem VARCHAR, problem_column VARCHAR, "
        f"unread_text VARCHAR, {own})"
    )
    cells = ", ".join(f"nullif({name(f'c{place}')}, '')" for place in range(len(shape.columns)))
    with path.open("rb", buffering=0) as handle:
        for batch in _batches(Lines(handle), shape, Judge(shape.columns, used, free_text)):
            # As a bare stream: a table would bring in pyarrow.dataset, and that pandas.
            connection.register("csv_batch", batch.__arrow_c_stream__())
            connection.execute(f"INSERT INTO {name(table)} SELECT {', '.join(FIXED)}, {cells} FROM csv_batch")
            connection.unregister("csv_batch")


def _batches(lines: Lines, shape: CsvShape, judge: Judge) -> Iterator[pa.Table]:
    """The records in batches of limited size, as columns source_line, ..., c0, c1, ..."""
    width = len(shape.columns)
    header = [cell.lower() for cell in shape.header_cells]
    plain = plain_pattern(width, shape.delimiter)
    rows: list[list] = []
    characters = 0
    _skip_header(lines, shape)
    while True:
        taken = lines.take_plain(plain)
        if taken:
            table = plain_table(taken[1], width, shape.delimiter, header)
            if table is None:
                lines.give_back(taken[1])
            else:
                yield _numbered(table, taken[0])
                continue
        row, size = _next_row(lines, shape, judge, header)
        if lines.looked_in_vain > MOST_LOOKS_IN_VAIN:
            raise InputRejected(
                f"{shape.file_name}: too many quotes open and do not close: export it again, quotes in a cell doubled"
            )
        if row is not None:
            rows.append(row)
            characters += size
        is_end = row is None and size == 0
        if rows and (is_end or len(rows) * (width + 4) >= BATCH_CELLS or characters >= BATCH_CHARACTERS):
            yield _table(rows)
            rows, characters = [], 0
        if is_end:
            return


def _next_row(lines: Lines, shape: CsvShape, judge: Judge, header: list[str]) -> tuple[list | None, int]:
    """The next record as [source line, problem, problem column, unread text, cells...], and its characters;
    no row and 1 for a blank line, no row and 0 at the end of the file."""
    line = lines.next()
    if line is None:
        return None, 0
    if not line.text.strip(BLANKS):
        return None, 1
    cells, problem, raw = read_record(lines, line, len(header), shape.delimiter)
    column = None
    if cells is not None:
        if cells[0].strip(BLANKS).lower() == header[0] and _trimmed_lower(cells) == header:
            cells, problem = None, "repeated_header"
        elif _is_suspect(raw, shape.delimiter):
            cells, problem, column = judge.judged(cells)
    if problem is None:
        return [line.number, None, None, None, *cells], len(raw)
    return [line.number, problem, column, unread_text(raw), *(cells or [""] * len(header))], len(raw)


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


def _numbered(table: pa.Table, first_line: int) -> pa.Table:
    """A table of plain cells with the line numbers and the absent problems before them."""
    nothing = pa.nulls(table.num_rows, pa.string())
    numbers = pa.arange(first_line, first_line + table.num_rows)
    return pa.Table.from_arrays([numbers, nothing, nothing, nothing, *table.columns], [*FIXED, *table.column_names])


def _skip_header(lines: Lines, shape: CsvShape) -> None:
    while not lines.next().text.strip(BLANKS):
        pass
    for _ in range(shape.header_text.count("\n")):
        lines.next()


def _trimmed_lower(cells: list[str]) -> list[str]:
    return [cell.strip(BLANKS).lower() for cell in cells]
