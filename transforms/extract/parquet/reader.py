"""Reads one Parquet file through DuckDB: a view file_<n> whose columns are text that the contract can
parse."""

from pathlib import Path

import duckdb

from transforms.database.quoting import name, text
from transforms.errors import InputRejected
from transforms.extract.csv.cells import LONGEST_CELL_BYTES, LONGEST_FREE_TEXT_BYTES
from transforms.extract.csv.header import column_names
from transforms.extract.parquet.limits import refuse_bomb

CONTROL = r"[\x00-\x1F\x7F]"
CONTROL_IN_FREE_TEXT = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
ROW_NUMBER = "file_row_number"  # DuckDB's own column of a row's place
#: From here on a floating-point number stands for several whole numbers, this one and the next among them.
FIRST_INEXACT = {"DOUBLE": 2**53, "FLOAT": 2**24}
WIDEST_DECIMAL = 38  # digits; DuckDB reads what is wider as a number of its own making
TOO_WIDE = "WIDE_DECIMAL"  # what such a column is called here


def read_columns(connection: duckdb.DuckDBPyConnection, path: Path, file_name: str) -> dict[str, tuple[str, str]]:
    """The columns of a Parquet file: name in file_<n> -> (name DuckDB reads it under, DuckDB type, or TOO_WIDE).

    Raises InputRejected when the file is not Parquet, two columns have one name, or one has DuckDB's own.
    """
    _refuse_other_formats(path, file_name)
    try:
        refuse_bomb(connection, path, file_name)
        schema = connection.execute(
            f"SELECT name, num_children, coalesce(precision, 0) FROM parquet_schema({text(_glob_free(path))})"
        ).fetchall()
        top = _top_columns(schema)
        header = [own_name.strip() for own_name, _ in top]
        if ROW_NUMBER in map(str.lower, header):
            raise InputRejected(
                f"{file_name}: has a column {ROW_NUMBER}, which is what DuckDB calls a row's place in its file: export "
                "it again without that column, or under another name"
            )
        described = connection.execute(f"DESCRIBE SELECT * FROM {_scan(path)}").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:  # its text may quote the file's content
        raise unreadable(file_name) from None
    # DuckDB renames the second of two columns that differ by case alone: only the schema knows the true
    # names.
    columns = [
        (own, TOO_WIDE if digits > WIDEST_DECIMAL else kind)
        for (own, kind, *_), (_, digits) in zip(described, top, strict=False)
    ]
    return dict(zip(column_names(header, file_name), columns, strict=True))


def make_view(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    path: Path,
    file_name: str,
    columns: dict[str, tuple[str, str]],
    used: set[str],
    free_text: set[str],
    spared: set[str],
) -> None:
    """Makes `view` over the file: source_line (row number from 1), read_problem, problem_column, unread_text
    (always null: every cell can be told apart), then the columns as text.

    Raises InputRejected when a used column holds structures, bytes or instants, which have no one text.
    """
    cells = {shown: _as_text(name(own), kind) for shown, (own, kind) in columns.items()}
    kinds = {shown: kind for shown, (_, kind) in columns.items()}
    listed = ", ".join(f"{cell} AS {name(shown)}" for shown, cell in cells.items())
    rows = f"SELECT {ROW_NUMBER} + 1 AS source_line, {listed} FROM {_scan(path)}"
    connection.execute(f"CREATE VIEW {name(view)} AS {view_select(file_name, rows, kinds, used, free_text, spared)}")


def view_select(
    file_name: str, rows: str, kinds: dict[str, str], used: set[str], free_text: set[str], spared: set[str]
) -> str:
    """The query of make_view over `rows`: source_line, and each cell as text; `kinds` are the DuckDB types that the
    cells were made of. Cells of the columns `spared` are judged by the contract alone.

    Raises InputRejected when a used column holds structures, bytes or instants, which have no one text.
    """
    for column in sorted(used):
        _refuse_type(file_name, column, kinds[column])
    problem, problem_column = _problems(kinds, used - spared, free_text)
    return (
        f"SELECT source_line, {problem} AS read_problem, "
        f"{problem_column} AS problem_column, CAST(NULL AS VARCHAR) AS unread_text, "
        f"{', '.join(map(name, kinds))} FROM ({rows})"
    )


def make_typed_view(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    path: Path,
    columns: dict[str, tuple[str, str]],
    used: set[str],
    free_text: set[str],
    spared: set[str],
    standing: set[str],
) -> None:
    """Makes `view` as make_view does, over the used columns alone, with the columns `standing` in their own types."""
    cells = ", ".join(
        f"{name(own) if shown in standing else _as_text(name(own), kind)} AS {name(shown)}"
        for shown, (own, kind) in columns.items()
        if shown in used
    )
    kinds = {shown: kind for shown, (_, kind) in columns.items()}
    problem, problem_column = _problems(kinds, used - spared, free_text)
    connection.execute(
        f"CREATE VIEW {name(view)} AS SELECT *, {problem} AS read_problem, {problem_column} AS problem_column FROM "
        f"(SELECT {ROW_NUMBER} + 1 AS source_line, {cells} FROM {_scan(path)})"
    )


def unreadable(file_name: str) -> InputRejected:
    """What to raise when DuckDB cannot read the file."""
    return InputRejected(f"{file_name}: cannot be read as Parquet: it is broken or cut off; export it again")


def _problems(kinds: dict[str, str], used: set[str], free_text: set[str]) -> tuple[str, str]:
    """Two SQL expressions: the first problem of the row's used text cells, and its column."""
    branches, quick = [], []
    texts = [shown for shown, kind in kinds.items() if shown in used and _holds_text(kind)]
    if not texts:
        return "CAST(NULL AS VARCHAR)", "CAST(NULL AS VARCHAR)"
    for shown in texts:
        cell, is_free = name(shown), shown in free_text
        longest = LONGEST_FREE_TEXT_BYTES if is_free else LONGEST_CELL_BYTES
        judged = cell if is_free else f"trim({cell}, {text(' ' + chr(9) + chr(10) + chr(13))})"
        pattern = CONTROL_IN_FREE_TEXT if is_free else CONTROL
        branches.append((f"strlen({cell}) > {longest}", "cell_too_long", shown))
        branches.append((f"regexp_matches({judged}, {text(pattern)})", "control_character", shown))
    # Nearly every row is sound, and one look at its cells together shows it.
    for pattern, longest, cells in (
        (CONTROL, LONGEST_CELL_BYTES, [name(shown) for shown in texts if shown not in free_text]),
        (CONTROL_IN_FREE_TEXT, LONGEST_FREE_TEXT_BYTES, [name(shown) for shown in texts if shown in free_text]),
    ):
        if cells:
            joined = f"concat_ws(' ', {', '.join(cells)})"
            quick.append(f"strlen({joined}) <= {longest} AND NOT regexp_matches({joined}, {text(pattern)})")
    sound = f"WHEN {' AND '.join(quick)} THEN NULL"
    problem = " ".join(f"WHEN {test} THEN {text(code)}" for test, code, _ in branches)
    column = " ".join(f"WHEN {test} THEN {text(shown)}" for test, _, shown in branches)
    return f"CASE {sound} {problem} END", f"CASE {sound} {column} END"


def _as_text(column: str, kind: str) -> str:
    """The SQL expression of a cell's text."""
    if kind == TOO_WIDE:  # of a column that nobody reads
        return "CAST(NULL AS VARCHAR)"
    if kind in FIRST_INEXACT:
        # pandas keeps whole numbers with gaps as DOUBLE, and a gap as NaN. What is rounded shows by its exponent
        # (ROUNDED in contract_sql): an id is none then.
        digits = f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
        return f"""CASE WHEN isnan({column}) THEN NULL
            WHEN isinf({column}) OR {column} <> trunc({column}) THEN CAST({column} AS VARCHAR)
            WHEN abs({column}) < {FIRST_INEXACT[kind]} THEN {digits}
            ELSE printf('%.16e', CAST({column} AS DOUBLE)) END"""
    if kind.startswith("DECIMAL") and not kind.endswith(")[]"):
        return rf"regexp_replace(CAST({column} AS VARCHAR), '\.0+$', '')"
    if kind.startswith("TIME") and "ZONE" not in kind and not kind.endswith("[]"):
        return rf"regexp_replace(CAST({column} AS VARCHAR), '\.[0-9]+$', '')"
    if kind.endswith("[]"):
        return f"array_to_string(CAST({column} AS VARCHAR[]), ';')"
    return f"CAST({column} AS VARCHAR)"


def _refuse_type(file_name: str, column: str, kind: str) -> None:
    where = f"{file_name}: column {column!r}"
    if "WITH TIME ZONE" in kind:
        raise InputRejected(f"{where} holds instants in a time zone: export local times without one")
    if kind == TOO_WIDE:
        raise InputRejected(
            f"{where} holds decimals of more than {WIDEST_DECIMAL} digits, which cannot be read exactly: export it as "
            "text, or as decimals of at most that many digits"
        )
    inner = kind.removesuffix("[]")
    if inner == "BLOB":
        raise InputRejected(f"{where} holds bytes: export it as text")
    if inner.startswith(("STRUCT", "MAP", "UNION", "VARIANT", "GEOMETRY")) or inner.endswith("]"):
        raise InputRejected(f"{where} holds nested values: export it as text, or as a list of plain values")


def _holds_text(kind: str) -> bool:
    return kind == "VARCHAR" or kind.startswith("ENUM") or kind.endswith("[]")


def _refuse_other_formats(path: Path, file_name: str) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputRejected(f"{file_name}: its path is not UTF-8: rename it") from None
    try:
        with path.open("rb") as handle:
            start = handle.read(4)
            size = handle.seek(0, 2)
            handle.seek(max(0, size - 4))
            end = handle.read(4)
    except OSError as problem:
        raise InputRejected(f"{file_name}: cannot be read ({problem.strerror}): check its rights") from None
    if not size:
        raise InputRejected(f"{file_name}: is empty: export it again")
    if b"PARE" in (start, end):
        raise InputRejected(f"{file_name}: is encrypted Parquet: export it without encryption")
    if start != b"PAR1":
        raise InputRejected(f"{file_name}: is not Parquet inside: export it again, or name it .csv if it is CSV")
    if end != b"PAR1":
        raise InputRejected(f"{file_name}: is cut off: its Parquet footer is missing; export or copy it again")


def _top_columns(schema: list[tuple[str, int | None, int]]) -> list[tuple[str, int]]:
    """The outermost columns of a schema given in depth-first order, its root first: each with its name and the most
    digits that a decimal in it may have."""
    columns, position = [], 1
    while position < len(schema):
        own_name, digits = schema[position][0], 0
        open_nodes = 1
        while open_nodes:  # passes over the column and all below it
            digits = max(digits, schema[position][2])
            open_nodes += (schema[position][1] or 0) - 1
            position += 1
        columns.append((own_name, digits))
    return columns


def _scan(path: Path) -> str:
    return f"read_parquet({text(_glob_free(path))}, {ROW_NUMBER} = true, hive_partitioning = false)"


def _glob_free(path: Path) -> str:
    """The path with the characters escaped that DuckDB would take for a glob."""
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in str(path))
