"""What only Spark can reach: Parquet under a URI (s3a://, hdfs://, ...), and the tables of a catalogue."""

import hashlib

from transforms.engines.spark.cells import cell_text
from transforms.engines.spark.faults import told_in_one_line
from transforms.engines.spark.statements import quoted
from transforms.errors import InputRejected, UsageProblem
from transforms.extract.csv.header import column_names
from transforms.extract.inputs import InputFile

TABLE = "table:"
#: Each file is named by itself in what is found, so there may not be ever so many.
MOST_FILES = 500
_DUCKDB_TYPES = {
    "string": "VARCHAR", "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER",
    "bigint": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "date": "DATE", "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE", "binary": "BLOB",
}  # fmt: skip


def is_remote(pattern: str | None) -> bool:
    """Whether a path given for a table is a URI, or names a catalogue's table."""
    return pattern is not None and (pattern.startswith(TABLE) or "://" in pattern)


def find_sources(session, table_name: str, pattern: str, first_number: int) -> list[InputFile]:
    """The files under a URI, by name, or a catalogue's table as one; each with a digest of its rows.

    Raises UsageProblem where there is nothing, or too many files.
    """
    if pattern.startswith(TABLE):
        named = pattern.removeprefix(TABLE)
        with told_in_one_line(f"the table {named}"):
            return [InputFile(first_number, table_name, named, named, _digest(session.table(named)), "table")]
    with told_in_one_line(f"the files of {table_name}"):
        paths = sorted(session.read.parquet(pattern).inputFiles())
        if not 0 < len(paths) <= MOST_FILES:
            raise UsageProblem(
                f"{pattern}: holds {len(paths)} Parquet files; from 1 to {MOST_FILES} can be read: write fewer and "
                "larger ones"
            )
        names = _short_names(paths)
        return [
            InputFile(number, table_name, shown, path, _digest(session.read.parquet(path)), "uri")
            for number, (shown, path) in enumerate(zip(names, paths, strict=True), first_number)
        ]


def _short_names(paths: list[str]) -> list[str]:
    """The last part of each path, or as much of its end as tells them apart."""
    parts = [path.split("/") for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-count:]) for part in parts]
        if len(set(names)) == len(names):
            break
    return names


def _digest(frame) -> str:
    """A digest of a source's columns and of its rows in any order: the same rows are the same source."""
    from pyspark.sql import functions as f

    hashed = f.xxhash64(*[f.col(f"`{column}`") for column in frame.columns]).cast("decimal(38,0)")
    counted = frame.agg(f.count(f.lit(1)), f.sum(hashed)).first()
    return hashlib.sha256(f"{frame.dtypes}/{counted[0]}/{counted[1]}".encode()).hexdigest()


def source_frame(session, one: InputFile):
    """The rows of a source as a Spark frame; Spark's expressions of a row's line, as source_line, and of each column's
    text; and the DuckDB type of each column by the name that it is shown under.

    A file's line is its row's place in the file. A table has no order: its rows are numbered by all their columns.
    """
    frame = session.read.parquet(one.path) if one.format == "uri" else session.table(one.path)
    shown = column_names([column.strip() for column in frame.columns], one.file_name)
    kinds = {name: _duckdb_type(one, name, kind) for name, (_, kind) in zip(shown, frame.dtypes, strict=True)}
    own = [quoted(column) for column in frame.columns]
    line = "_metadata.row_index + 1" if one.format == "uri" else f"row_number() over (order by {', '.join(own)})"
    cells = [f"cast({line} as bigint) as source_line"]
    cells += [
        f"{cell_text(column, kind)} as {quoted(name)}" for column, (name, kind) in zip(own, kinds.items(), strict=True)
    ]
    return frame, cells, kinds


def _duckdb_type(one: InputFile, column: str, kind: str) -> str:
    if kind.startswith("decimal"):
        return kind.upper()
    if kind.startswith("array<") and not kind.startswith("array<array"):
        return f"{_duckdb_type(one, column, kind[6:-1])}[]"
    if kind.startswith(("struct", "map", "array", "variant")):
        return "STRUCT"
    try:
        return _DUCKDB_TYPES[kind]
    except KeyError:
        raise InputRejected(f"{one.file_name}: column {column!r} has the type {kind}: export it as text") from None
