"""Loads Parquet files into Spark: file_<n>, raw_<table>, and what was inferred, ignored and filtered, as load.py does.

The footers of files on this machine are read and judged by DuckDB, as for itself; the rows are read by Spark alone.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from transforms.contract.fields import TABLES, contract_fields
from transforms.database.quoting import name
from transforms.engines.spark.cells import parquet_frame
from transforms.engines.spark.engine import SparkEngine
from transforms.engines.spark.sources import source_frame
from transforms.errors import InputRejected, UsageProblem
from transforms.extract.inputs import InputFile, file_sha256
from transforms.extract.load import storable
from transforms.extract.mapping.mapping import Condition, Mapping
from transforms.extract.mapping.sql import Plan, canonical_select, make_plan, read_counts
from transforms.extract.parquet import reader as parquet_reader

_TEXT, _WHOLE, _LONG = pa.string(), pa.int32(), pa.int64()
_INPUT_TEXTS = ("table_name", "file_name", "path", "sha256", "format")
_INPUT_FILE = [("file_number", _WHOLE), *((one, _TEXT) for one in _INPUT_TEXTS)]
_INFERENCE_TEXTS = ("table_name", "file_name", "column_name", "kind", "taken_from")
_INFERENCE = [*((one, _TEXT) for one in _INFERENCE_TEXTS), ("row_count", _LONG)]
_IGNORED = [("file_number", _WHOLE), ("column_name", _TEXT)]
_FILTERED = [("file_number", _WHOLE), ("rows_in_file", _LONG), ("rows_filtered", _LONG)]
_FILTER = [*((one, _TEXT) for one in ("table_name", "file_name", "place", "filter")), ("row_count", _LONG)]


def load_on_spark(engine: SparkEngine, inputs: Sequence[InputFile], mapping: Mapping | None = None) -> None:
    """Makes of the files what load_extracts makes in DuckDB; the raw tables are views, read where they are needed.

    Raises InputRejected for a file that cannot be read as its table.
    """
    plans = {}
    inferred, ignored, filtered, by_filter = [], [], [], []
    for one in inputs:
        columns, plan = _name_file(engine, one, mapping)
        plans[one.file_number] = plan
        ignored += [(one.file_number, column) for column in columns if column not in plan.used]
        counts = read_counts(plan, one.table_name, f"file_{one.file_number}", engine.execute)
        filtered.append((one.file_number, counts.rows_in_file, counts.rows_filtered))
        inferred += [(one.table_name, one.file_name, *entry) for entry in counts.inferred]
        by_filter += [(one.table_name, one.file_name, *entry) for entry in counts.filters]
        if one.is_local and file_sha256(one.path) != one.sha256:
            raise InputRejected(f"{one.file_name}: changed while it was read: run again when the delivery is complete")
    for table in TABLES:
        _name_rows(engine, table, [one for one in inputs if one.table_name == table], plans)
    files = [
        (one.file_number, one.table_name, one.file_name, storable(one.path), one.sha256, one.format) for one in inputs
    ]
    for table, columns, rows in (
        ("input_file", _INPUT_FILE, files),
        ("inference", _INFERENCE, inferred),
        ("ignored_column", _IGNORED, ignored),
        ("filtered_count", _FILTERED, filtered),
        ("filter_count", _FILTER, by_filter),
    ):
        engine.make_table(table, _table(columns, rows))


def _table(columns: list[tuple], rows: list[tuple]) -> pa.Table:
    schema = pa.schema(columns)
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.table([pa.array(column, field.type) for column, field in zip(cells, schema, strict=True)], schema=schema)


def _name_file(engine: SparkEngine, one: InputFile, mapping: Mapping | None) -> tuple[tuple[str, ...], Plan]:
    """Makes the view file_<n>: each row with its line and its problem, each cell as text."""
    if one.is_local:
        with duckdb.connect() as footers:
            columns = parquet_reader.read_columns(footers, one.path, one.file_name)
            frame, cells = parquet_frame(engine.session, footers, one, columns)
        kinds = {shown: kind for shown, (_, kind) in columns.items()}
    else:
        frame, cells, kinds = source_frame(engine.session, one)
    plan = make_plan(one.table_name, one.file_name, tuple(kinds), mapping)
    if mapping:
        require_carried(plan, one.table_name, mapping.file_name)
    cells_table = f"cells_{one.file_number}"
    engine.make_view(cells_table, frame.selectExpr(*cells), _shape(kinds))
    rows = f"SELECT * FROM {cells_table}"
    select = parquet_reader.view_select(
        one.file_name, rows, kinds, set(plan.used), set(plan.free_text), set(plan.spared)
    )
    engine.execute(f"CREATE VIEW file_{one.file_number} AS {select}")
    return tuple(kinds), plan


def require_carried(plan: Plan, table_name: str, mapping_name: str) -> None:
    """Raises UsageProblem where the mapping asks for what Spark reads otherwise than DuckDB."""
    for column, source in plan.sources.items():
        for word, is_asked in (
            ("split", source.is_split),
            ("a date format", bool(source.date_formats)),
            ("a pattern", bool(source.replaced) or _has_pattern(source.where)),
        ):
            if is_asked:
                raise _not_carried(f"{mapping_name}: {table_name}.{column}", word)
    if _has_pattern(plan.where):
        raise _not_carried(f"{mapping_name}: {table_name}.where", "a pattern")


def _has_pattern(conditions: Sequence[Condition]) -> bool:
    return any(one.matches is not None or one.matches_not is not None for one in conditions)


def _not_carried(place: str, word: str) -> UsageProblem:
    return UsageProblem(
        f"{place}: {word} cannot be read with --engine spark: write the extract so beforehand, or leave --engine out"
    )


def _shape(kinds: dict[str, str]) -> str:
    return ", ".join(["source_line BIGINT", *(f"{name(shown)} VARCHAR" for shown in kinds)])


def _name_rows(engine: SparkEngine, table: str, inputs: list[InputFile], plans: dict[int, Plan]) -> None:
    """Makes the view raw_<table> over all files of the table; without a file it is an empty table."""
    own = ", ".join(f"{name(field.field)} VARCHAR" for field in contract_fields(table))
    place = "file_number INTEGER, source_line BIGINT, piece INTEGER, read_problem VARCHAR, problem_column VARCHAR"
    if not inputs:
        engine.execute(f"CREATE OR REPLACE TABLE raw_{table} ({place}, {own})")
        return
    selects = [
        canonical_select(plans[one.file_number], table, f"file_{one.file_number}", one.file_number, is_ordered=False)
        for one in inputs
    ]
    engine.execute(f"CREATE OR REPLACE VIEW raw_{table} AS {' UNION ALL '.join(f'({text})' for text in selects)}")
