"""The rows a run set aside, as people look for them: file, line, column, reason, the cell, and what to do.

Read from the published quarantine, or from the run's own tables before it is published.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transforms.contract.fields import REASONS, remedy
from transforms.extract.mapping.mapping import Mapping as ExtractMapping

#: Of the published columns, those that are told, in the order of the published file.
_TOLD = 'table_name, file_name, line_number, column_name, reason, "row"'
_IN_ORDER = "table_name, file_name, line_number, piece"
#: The reader's own name for the text of a row that could not be split into cells.
_UNREAD = "unread_text"
#: The rows of a run under way, under the published names.
RUN_ROWS = (
    'select table_name, file_name, source_line as line_number, piece, column_name, reason, row_json as "row" '
    "from quarantine"
)
#: Rows read from DuckDB at a time: a whole file may be set aside.
_AT_ONCE = 10_000


def mapped_columns(mapping: ExtractMapping | None) -> dict[str, dict[str, list[str]]]:
    """By table and column of the contract, the extract's own columns that a mapping makes it of, for the manifest."""
    named = {}
    for table, of_table in sorted((mapping.tables if mapping else {}).items()):
        columns = {column: list(source.columns) for column, source in of_table.columns.items() if source.columns}
        if columns:
            named[table] = columns
    return named


def set_aside_rows(con, rows: str, manifest: Mapping, condition: str = "true") -> Iterator[dict[str, Any]]:
    """Every row set aside that `rows` (SQL with the published columns) gives, in the published order."""
    found = con.execute(f"select {_TOLD} from ({rows}) where {condition} order by {_IN_ORDER}")
    while some := found.fetchmany(_AT_ONCE):
        yield from (_told(values, manifest) for values in some)


def most_telling_rows(con, rows: str, manifest: Mapping, limit: int, of_each_reason: int) -> list[dict[str, Any]]:
    """At most `limit` rows set aside, in the published order: the first `of_each_reason` of every table and reason, so
    that a file of unread dates crowds nothing else out, then the first of the others."""
    first = (
        f"select *, row_number() over (partition by table_name, reason order by {_IN_ORDER}) > {int(of_each_reason)} "
        f"as is_one_of_many from ({rows})"
    )
    some = f"select * from ({first}) order by is_one_of_many, {_IN_ORDER} limit {int(limit)}"
    return list(set_aside_rows(con, some, manifest))


def count_reasons(con, rows: str) -> list[tuple[str, str, int]]:
    """(table, reason, rows) of what is set aside, most rows first."""
    return con.execute(
        f"select table_name, reason, count(*) as row_count from ({rows}) group by all order by 3 desc, 1, 2"
    ).fetchall()


def _told(values: Sequence[Any], manifest: Mapping) -> dict[str, Any]:
    table, file, line, column, reason, row = values
    return {
        "table": table,
        "file": file,
        "line": line,
        "column": column,
        "reason": reason,
        "meaning": REASONS.get(reason, reason),
        "cell": _cell(row, column, (manifest.get("mapped_columns") or {}).get(table) or {}),
        "what_to_do": remedy(reason),
        "row": row,
    }


def _cell(row: str | None, column: str | None, mapped: Mapping[str, Sequence[str]]) -> str | None:
    """The cell of the extract that `column` was read from; of a row that could not be split, its text.

    `row` is the row as JSON under the extract's own names. None where no cell of the file stands behind the column.
    """
    try:
        cells = {str(name).strip().lower(): held for name, held in json.loads(row or "{}").items()}
    except (ValueError, AttributeError):
        return None
    if _UNREAD in cells:
        return cells[_UNREAD]
    wanted = mapped.get(column) or ([column] if column else [])
    held = [str(cells[name.lower()]) for name in wanted if cells.get(name.lower()) is not None]
    return "; ".join(held) if held else None
