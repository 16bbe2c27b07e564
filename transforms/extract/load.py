"""Loads the files of a run into DuckDB: file_<n>, raw_<table>, and what was inferred, ignored and
filtered."""

from collections.abc import Sequence

import duckdb

from transforms.contract_fields import TABLES, contract_fields
from transforms.contract_sql import name
from transforms.errors import InputRejected
from transforms.extract import csv_header, csv_reader, parquet_reader
from transforms.extract.inputs import InputFile, file_sha256
from transforms.extract.mapping import Mapping
from transforms.extract.mapping_sql import Plan, canonical_select, counts_select, make_plan
from transforms.sql_values import row_values

TABLES_OF_A_LOAD = {
    "input_file": "file_number INTEGER, table_name VARCHAR, file_name VARCHAR, path VARCHAR, sha256 VARCHAR, "
    "format VARCHAR",
    "inference": "table_name VARCHAR, file_name VARCHAR, column_name VARCHAR, taken_from VARCHAR, row_count BIGINT",
    "ignored_column": "file_number INTEGER, column_name VARCHAR",
    "filtered_count": "file_number INTEGER, rows_in_file BIGINT, rows_filtered BIGINT",
}


def load_extracts(
    connection: duckdb.DuckDBPyConnection, inputs: Sequence[InputFile], mapping: Mapping | None = None
) -> None:
    """Reads every file into file_<n> and raw_claims, raw_notes, raw_note_blocks, and fills input_file,
    inference, ignored_column and filtered_count; replaces what an earlier load left.

    Raises InputRejected for a file that cannot be read as its table; bad rows are kept, marked by
    read_problem.
    """
    _make_tables(connection)
    for one in inputs:
        row = (one.file_number, one.table_name, one.file_name, _storable(one.path), one.sha256, one.format)
        connection.execute(f"INSERT INTO input_file VALUES {row_values([row])}")
        _load_file(connection, one, mapping)


def _make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    _drop_earlier_files(connection)
    for table, columns in TABLES_OF_A_LOAD.items():
        connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    for table in TABLES:
        own = ", ".join(f"{name(one.field)} VARCHAR" for one in contract_fields(table))
        connection.execute(
            f"CREATE OR REPLACE TABLE raw_{table} (file_number INTEGER, source_line BIGINT, piece INTEGER, "
            f"read_problem VARCHAR, problem_column VARCHAR, {own})"
        )


def _drop_earlier_files(connection: duckdb.DuckDBPyConnection) -> None:
    earlier = connection.execute(
        "SELECT table_name, table_type FROM information_schema.tables "
        "WHERE table_schema = current_schema() AND regexp_full_match(table_name, 'file_[0-9]+')"
    ).fetchall()
    for table, kind in earlier:
        connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {name(table)}")


def _load_file(connection: duckdb.DuckDBPyConnection, one: InputFile, mapping: Mapping | None) -> None:
    table = f"file_{one.file_number}"
    try:
        read = _read_parquet if one.format == "parquet" else _read_csv
        columns, plan = read(connection, table, one, mapping)
        _fill_raw(connection, table, one, plan)
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
    if file_sha256(one.path) != one.sha256:
        raise InputRejected(f"{one.file_name}: changed while it was read: run again when the delivery is complete")


def _read_csv(connection, table: str, one: InputFile, mapping: Mapping | None) -> tuple[tuple[str, ...], Plan]:
    delimiter = mapping.table(one.table_name).delimiter if mapping else ","
    shape = csv_header.read_shape(one.path, one.file_name, delimiter)
    plan = make_plan(one.table_name, one.file_name, shape.columns, mapping, shape.header_text)
    csv_reader.load_csv(connection, table, one.path, shape, set(plan.used), set(plan.free_text))
    return shape.columns, plan


def _read_parquet(connection, table: str, one: InputFile, mapping: Mapping | None) -> tuple[tuple[str, ...], Plan]:
    columns = parquet_reader.read_columns(connection, one.path, one.file_name)
    plan = make_plan(one.table_name, one.file_name, tuple(columns), mapping)
    parquet_reader.make_view(connection, table, one.path, one.file_name, columns, set(plan.used), set(plan.free_text))
    return tuple(columns), plan


def _fill_raw(connection, table: str, one: InputFile, plan: Plan) -> None:
    select = canonical_select(plan, one.table_name, table, one.file_number)
    connection.execute(f"INSERT INTO raw_{one.table_name} {select}")
    counts_sql, meanings = counts_select(plan, table)
    in_file, filtered, *row_counts = connection.execute(counts_sql).fetchone()
    connection.execute(f"INSERT INTO filtered_count VALUES {row_values([(one.file_number, in_file, filtered)])}")
    counted = [(*meaning, row_count) for meaning, row_count in zip(meanings, row_counts, strict=True)]
    counted += _numbered(connection, one, plan)
    inferred = [(one.table_name, one.file_name, *count) for count in counted if count[-1]]
    if inferred:
        connection.execute(f"INSERT INTO inference VALUES {row_values(inferred)}")


def _numbered(connection, one: InputFile, plan: Plan) -> list[tuple[str, str, int]]:
    """The derived keys of a file: (canonical column, what it was derived from, rows after filters and
    splits)."""
    rows = f"SELECT count(*) FROM raw_{one.table_name} WHERE file_number = {one.file_number} AND read_problem IS NULL"
    return [
        (
            column,
            f"numbered within {', '.join(source.columns)}",
            connection.execute(rows).fetchone()[0],
        )
        for column, source in plan.sources.items()
        if source.kind == "number_within"
    ]


def _storable(path) -> str:
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
