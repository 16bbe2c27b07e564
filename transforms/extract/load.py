"""Loads the files of a run into DuckDB: file_<n>, raw_<table>, and what was inferred, ignored and
filtered.

raw_<table> is a view of files that are read in place, and of the rows that a mapping made. cell_<table> is the same,
with cells as Parquet files hold them, where all files agree on types that need no reading as text.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from transforms.contract.cell_sql import FILE_TYPES
from transforms.contract.fields import TABLES, contract_fields
from transforms.database.quoting import name
from transforms.database.sql_values import row_values
from transforms.errors import InputRejected
from transforms.extract.csv import header as csv_header
from transforms.extract.csv import reader as csv_reader
from transforms.extract.inputs import InputFile, file_sha256
from transforms.extract.mapping.mapping import Mapping, TableMapping
from transforms.extract.mapping.sql import Plan, canonical_select, make_plan, read_counts
from transforms.extract.parquet import reader as parquet_reader
from transforms.under_way import under_way

TABLES_OF_A_LOAD = {
    "input_file": "file_number INTEGER, table_name VARCHAR, file_name VARCHAR, path VARCHAR, sha256 VARCHAR, "
    "format VARCHAR",
    "inference": "table_name VARCHAR, file_name VARCHAR, column_name VARCHAR, kind VARCHAR, taken_from VARCHAR, "
    "row_count BIGINT",
    "ignored_column": "file_number INTEGER, column_name VARCHAR",
    "filtered_count": "file_number INTEGER, rows_in_file BIGINT, rows_filtered BIGINT",
    "filter_count": "table_name VARCHAR, file_name VARCHAR, place VARCHAR, filter VARCHAR, row_count BIGINT",
}
#: So many files of a table are read in place; the rows of further ones are copied, as a view has its limits.
MOST_IN_PLACE = 64
PLACE = "CAST({number} AS INTEGER) AS file_number, source_line, CAST(0 AS INTEGER) AS piece"


@dataclass(frozen=True)
class InPlace:
    """One file that is read where it is: its number, by field its column, and by field the type of the cells that
    typed_<n> holds as they stand."""

    number: int
    columns: dict[str, str]
    types: dict[str, str]

    def select(self, table: str, is_typed: bool = False) -> str:
        """SQL of its rows as rows of raw_<table>, or of cell_<table>."""
        types = self.types if is_typed else {}
        cells = []
        for one in contract_fields(table):
            column = name(self.columns[one.field]) if one.field in self.columns else "NULL"
            cells.append(f"CAST({column} AS {types.get(one.field, 'VARCHAR')}) AS {name(one.field)}")
        place = PLACE.format(number=self.number)
        source = f"{'typed' if is_typed else 'file'}_{self.number}"
        return f"SELECT {place}, read_problem, problem_column, {', '.join(cells)} FROM {source}"


def load_extracts(
    connection: duckdb.DuckDBPyConnection, inputs: Sequence[InputFile], mapping: Mapping | None = None
) -> None:
    """Reads every file into file_<n> and raw_claims, raw_notes, raw_note_blocks, and fills input_file,
    inference, ignored_column, filtered_count and filter_count; replaces what an earlier load left.

    Raises InputRejected for a file that cannot be read as its table; bad rows are kept, marked by
    read_problem.
    """
    _make_tables(connection)
    in_place: dict[str, list[InPlace]] = {table: [] for table in TABLES}
    for one in inputs:
        row = (one.file_number, one.table_name, one.file_name, storable(one.path), one.sha256, one.format)
        with under_way(one.file_name):
            connection.execute(f"INSERT INTO input_file VALUES {row_values([row])}")
            _load_file(connection, one, mapping, in_place[one.table_name])
    for table, files in in_place.items():
        _make_views(connection, table, files)


def require_sound_files(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises InputRejected where a Parquet file was not the one that was announced while it was read in place."""
    files = connection.execute("SELECT path, sha256, file_name FROM input_file WHERE format = 'parquet'").fetchall()
    for path, sha256, file_name in files:
        if file_sha256(Path(path)) != sha256:
            raise _changed(file_name)


@contextmanager
def telling_of_files(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Tells an error of DuckDB as InputRejected where a Parquet file that is read in place is the reason: its text may
    quote the file's content."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as problem:
        raise _broken_parquet(connection) or problem from None


def _broken_parquet(connection: duckdb.DuckDBPyConnection) -> InputRejected | None:
    """What to raise for the first Parquet file whose rows cannot be read; None where all can."""
    files = connection.execute("SELECT file_number, file_name FROM input_file WHERE format = 'parquet'").fetchall()
    for number, file_name in files:
        try:
            connection.execute(f"SELECT max(hash(COLUMNS(*))) FROM file_{number}")
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            return parquet_reader.unreadable(file_name)
    return None


def _make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    _drop_earlier_files(connection)
    for table, columns in TABLES_OF_A_LOAD.items():
        connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    for table in TABLES:
        own = ", ".join(f"{name(one.field)} VARCHAR" for one in contract_fields(table))
        connection.execute(
            f"CREATE TABLE loaded_{table} (file_number INTEGER, source_line BIGINT, piece INTEGER, "
            f"read_problem VARCHAR, problem_column VARCHAR, {own})"
        )


def _drop_earlier_files(connection: duckdb.DuckDBPyConnection) -> None:
    earlier = connection.execute(
        "SELECT table_name, table_type FROM information_schema.tables "
        "WHERE table_schema = current_schema() "
        "AND regexp_full_match(table_name, '(file|typed)_[0-9]+|(loaded|raw|cell)_[a-z_]+')"
    ).fetchall()
    for table, kind in earlier:
        connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {name(table)}")


def _make_views(connection: duckdb.DuckDBPyConnection, table: str, files: list[InPlace]) -> None:
    """raw_<table>; and cell_<table> where every row of it is read in place and all its files have the same types."""
    raw = [f"SELECT * FROM loaded_{table}", *(file.select(table) for file in files)]
    connection.execute(f"CREATE VIEW raw_{table} AS {' UNION ALL '.join(raw)}")
    is_all = not connection.execute(f"SELECT count(*) FROM (FROM loaded_{table} LIMIT 1)").fetchone()[0]
    if is_all and files and files[0].types and all(file.types == files[0].types for file in files):
        cells = " UNION ALL ".join(file.select(table, is_typed=True) for file in files)
        connection.execute(f"CREATE VIEW cell_{table} AS {cells}")


def _load_file(
    connection: duckdb.DuckDBPyConnection,
    one: InputFile,
    mapping: Mapping | None,
    in_place: list[InPlace],
) -> None:
    table = f"file_{one.file_number}"
    try:
        read = _read_parquet if one.format == "parquet" else _read_csv
        columns, plan, types = read(connection, table, one, mapping)
        is_in_place = plan.is_direct and len(in_place) < MOST_IN_PLACE
        if is_in_place:
            own = {field: source.columns[0] for field, source in plan.sources.items()}
            in_place.append(InPlace(one.file_number, own, types))
        else:
            select = canonical_select(plan, one.table_name, table, one.file_number)
            connection.execute(f"INSERT INTO loaded_{one.table_name} {select}")
        _count(connection, table, one, plan)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        if one.format == "parquet":  # the view is read here for the first time; the error's text may quote a cell
            raise parquet_reader.unreadable(one.file_name) from None
        raise
    except OSError as problem:
        raise InputRejected(f"{one.file_name}: cannot be read ({problem.strerror}): check its rights") from None
    ignored = [(one.file_number, column) for column in columns if column not in plan.used]
    if ignored:
        connection.execute(f"INSERT INTO ignored_column VALUES {row_values(ignored)}")
    # A Parquet file in place is read later, and asked then (require_sound_files).
    if not (is_in_place and one.format == "parquet") and file_sha256(one.path) != one.sha256:
        raise _changed(one.file_name)


def _changed(file_name: str) -> InputRejected:
    return InputRejected(f"{file_name}: changed while it was read: run again when the delivery is complete")


def _read_csv(connection, table: str, one: InputFile, mapping: Mapping | None) -> tuple[tuple[str, ...], Plan, dict]:
    said = mapping.table(one.table_name) if mapping else TableMapping()
    shape = csv_header.read_shape(one.path, one.file_name, said.delimiter, said.encoding)
    plan = make_plan(one.table_name, one.file_name, shape.columns, mapping, shape.header_text)
    csv_reader.load_csv(connection, table, one.path, shape, set(plan.used), set(plan.free_text), set(plan.spared))
    return shape.columns, plan, {}


def _read_parquet(
    connection, table: str, one: InputFile, mapping: Mapping | None
) -> tuple[tuple[str, ...], Plan, dict[str, str]]:
    columns = parquet_reader.read_columns(connection, one.path, one.file_name)
    plan = make_plan(one.table_name, one.file_name, tuple(columns), mapping)
    used, free_text, spared = set(plan.used), set(plan.free_text), set(plan.spared)
    parquet_reader.make_view(connection, table, one.path, one.file_name, columns, used, free_text, spared)
    types = _standing_types(one.table_name, plan, columns) if plan.is_direct else {}
    if types:
        standing = {plan.sources[field].columns[0] for field in types}
        typed = f"typed_{one.file_number}"
        parquet_reader.make_typed_view(connection, typed, one.path, columns, used, free_text, spared, standing)
    return tuple(columns), plan, types


def _standing_types(table: str, plan: Plan, columns: dict[str, tuple[str, str]]) -> dict[str, str]:
    """By field, the type of its cells in a Parquet file, where they need not be read as text."""
    sources = [source.columns[0] for source in plan.sources.values()]
    types = {}
    for one in contract_fields(table):
        column = plan.sources[one.field].columns[0] if one.field in plan.sources else None
        kind = columns[column][1] if column else None
        if kind in FILE_TYPES.get(one.type, ()) and sources.count(column) == 1:
            types[one.field] = kind
    return types


def _count(connection: duckdb.DuckDBPyConnection, table: str, one: InputFile, plan: Plan) -> None:
    """Counts the file's rows, those filtered and by what, and what was taken from where."""
    counts = read_counts(plan, one.table_name, table, connection.execute)
    rows = (one.file_number, counts.rows_in_file, counts.rows_filtered)
    connection.execute(f"INSERT INTO filtered_count VALUES {row_values([rows])}")
    inferred = [*counts.inferred, *_numbered(connection, one, plan)]
    for table_name, found in (("filter_count", counts.filters), ("inference", inferred)):
        if found:
            named = [(one.table_name, one.file_name, *entry) for entry in found if entry[-1]]
            connection.execute(f"INSERT INTO {table_name} VALUES {row_values(named)}")


def _numbered(connection, one: InputFile, plan: Plan) -> list[tuple[str, str, str, int]]:
    """The derived keys of a file: (canonical column, kind, what it was derived from, rows after filters and
    splits)."""
    rows = (
        f"SELECT count(*) FROM loaded_{one.table_name} WHERE file_number = {one.file_number} AND read_problem IS NULL"
    )
    return [
        (
            column,
            "number",
            f"numbered within {', '.join(source.columns)}",
            connection.execute(rows).fetchone()[0],
        )
        for column, source in plan.sources.items()
        if source.kind == "number_within"
    ]


def storable(path) -> str:
    """A path as text that any database can hold."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
