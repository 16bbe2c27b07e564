"""The cells of a Parquet file as Spark reads them, written as the text that DuckDB would write."""

from transforms.database.duckdb_file import glob_free
from transforms.database.quoting import text
from transforms.engines.spark.statements import quoted
from transforms.engines.spark.types import spark_type
from transforms.errors import InputRejected
from transforms.extract.parquet.reader import FIRST_INEXACT

#: Columns that Spark has no type for are read as the whole numbers that they are stored as.
_STORED = {"TIME": {"INT64": "bigint", "INT32": "int"}, "TIMESTAMP_NS": {"INT64": "bigint"}}
_MICROSECONDS = {"INT64": 1, "INT32": 1000}


def parquet_frame(session, footers, one, columns: dict[str, tuple[str, str]]):
    """The rows of a Parquet file on this machine as a Spark frame; and Spark's expressions of a row's line, as
    source_line, and of each column's text.

    `columns` are those of parquet_reader.read_columns, `footers` a DuckDB connection. Raises InputRejected for a
    column that Spark cannot read.
    """
    stored = dict(
        footers.execute(
            f"select name, type from parquet_schema({text(glob_free(one.path))}) where type <> ''"
        ).fetchall()
    )
    schema, cells = [], ["_metadata.row_index + 1 as source_line"]
    for shown, (own, kind) in columns.items():
        physical = stored.get(own, "")
        schema.append(f"{quoted(own)} {_read_as(one.file_name, shown, kind, physical)}")
        cells.append(f"{cell_text(quoted(own), kind, physical)} as {quoted(shown)}")
    return session.read.schema(", ".join(schema)).parquet(_escaped(one.path)), cells


def _read_as(file_name: str, shown: str, kind: str, physical: str) -> str:
    if physical == "INT96":
        return "timestamp"
    try:
        return _STORED[kind][physical] if kind in _STORED else spark_type(kind)
    except KeyError:
        where = f"{file_name}: column {shown!r}"
        raise InputRejected(
            f"{where} has the type {kind.split('(')[0]}, which Spark cannot read: export it as text"
        ) from None


def cell_text(column: str, kind: str, physical: str = "") -> str:
    """The Spark expression of a cell's text, as DuckDB would write a value of its type `kind`."""
    if kind in ("DOUBLE", "FLOAT"):
        return _number_text(column, kind)
    if kind.startswith("DECIMAL") and not kind.endswith("[]"):
        return rf"regexp_replace(cast({column} as string), r'\.0+\z', '')"
    if kind == "TIME":
        instant = f"timestamp_micros({column} * {_MICROSECONDS[physical]})"
        return f"date_format({instant}, 'HH:mm:ss')"
    if kind == "TIMESTAMP_NS":
        column, kind = f"cast(timestamp_micros({column} div 1000) as timestamp_ntz)", "TIMESTAMP"
    if kind.endswith("[]"):
        return f"array_join(cast({column} as array<string>), ';')"
    if kind.startswith(("DATE", "TIMESTAMP")):
        # No plus before years beyond 9999, no fraction of a second: as parquet_reader has it.
        return rf"regexp_replace(cast({column} as string), r'\A\+|\.[0-9]+\z', '')"
    return f"cast({column} as string)"


def _number_text(column: str, kind: str) -> str:
    """A float as the shortest decimal that is this number; from FIRST_INEXACT up, and below 1e-4, with an exponent."""
    java = f"cast({column} as string)"  # 1.5, 1.5E7, 1.0E-5
    digits = rf"regexp_replace(substring_index({java}, 'E', 1), r'\.0\z', '')"
    exponent = f"cast(substring_index({java}, 'E', -1) as int)"
    plain = rf"regexp_replace(cast(cast({java} as decimal(38, 20)) as string), r'0+\z', '')"
    sign = f"case when {exponent} < 0 then '-' else '+' end"
    size = f"cast(abs({exponent}) as string)"
    short = f"concat({digits}, 'e', {sign}, lpad({size}, greatest(2, length({size})), '0'))"
    return f"""case when isnan({column}) then null
        when {column} = double('infinity') then 'inf' when {column} = double('-infinity') then '-inf'
        when {column} = rint({column}) and abs({column}) < {FIRST_INEXACT[kind]}
            then cast(cast({column} as bigint) as string)
        when {column} = rint({column}) then format_string('%.16e', cast({column} as double))
        when {java} not like '%E%' then {java}
        when {exponent} between -4 and 15 then regexp_replace({plain}, r'\\.\\z', '.0')
        else {short} end"""


def _escaped(path) -> str:
    """A path with the characters escaped that Hadoop would take for a glob."""
    return "file://" + "".join(f"\\{letter}" if letter in "[]*?{}\\" else letter for letter in str(path))
