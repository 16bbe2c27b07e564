"""What a mapping made of the extracts, by count: columns that it inferred or filled with a constant, rows that its
filters left out. Read from a run's manifest, so that every form of the report tells the same.

Values are the mapping's own constants, never a cell of an extract; a constant in a column of ids is not told.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from expectations.report import plain

#: A longer constant is cut.
LONGEST_VALUE = 100


def inferred_rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns that the cells of another column, a number or a constant stand in: dicts table, column, kind (column,
    number, constant), taken_from (in words), value (of a constant that may be told, else None), rows and files."""
    entries = (
        {
            "table": entry["table_name"],
            "column": entry["column_name"],
            "kind": entry.get("kind", "column"),
            "taken_from": _words(entry),
            "value": entry["taken_from"] if entry.get("kind") == "constant" else None,
            "file": entry["file_name"],
            "rows": entry["row_count"],
        }
        for entry in manifest.get("inferred", ())
    )
    return _over_files(entries)


def filtered_rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a mapping's filters left out: dicts table, file, place (of the filter in the mapping) and filter (in words),
    both None for files of earlier nights, and rows, each under the first filter that left it out."""
    named = [dict(entry) for entry in manifest.get("filtered", ())]
    is_told = "filtered" in manifest
    return named + [
        {
            "table": entry["table"],
            "file": entry["file"],
            "place": None,
            "filter": None,
            "rows": entry["rows_filtered"],
        }
        for entry in manifest.get("inputs", ())
        if entry.get("rows_filtered") and not (is_told and entry.get("is_new", True))
    ]


def filter_sums(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that the filters left out in the files which the run itself read, by filter: dicts table, place, filter,
    rows and files."""
    return _over_files(manifest.get("filtered", ()))


def mapped_lines(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What was inferred and filtered, over all files: (words, rows)."""
    return [(words, entry["rows"]) for words, entry in mapped_entries(manifest)]


def mapped_entries(manifest: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every entry of inferred_rows and filter_sums, each with its words."""
    inferred, filtered = inferred_rows(manifest), filter_sums(manifest)
    told = [(f"Inferred: {entry['table']}.{entry['column']} from {entry['taken_from']}", entry) for entry in inferred]
    return told + [(f"Filtered: left out by {entry['filter']}", entry) for entry in filtered]


def of_files(entry: Mapping[str, Any], with_files: bool) -> str:
    """The rows of an entry, and with files the one that they stand in, or how many they are."""
    rows, files = entry["rows"], entry["files"]
    count = f"{rows} row{'' if rows == 1 else 's'}"
    if not with_files:
        return count
    return f"{count} of {files[0]}" if len(files) == 1 else f"{count} of {len(files)} files"


def _words(entry: Mapping[str, Any]) -> str:
    if entry.get("kind") != "constant":
        return entry["taken_from"]
    if entry["taken_from"] is None:
        return "a constant of the mapping"
    value = plain(entry["taken_from"], LONGEST_VALUE)
    return f'the constant "{value}"' if value else "the mapping, which leaves it empty"


def _over_files(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries that differ in file and rows alone, as one with all rows and files."""
    sums: dict[tuple, dict[str, Any]] = {}
    for entry in entries:
        kind = {name: held for name, held in entry.items() if name not in ("file", "rows")}
        held = sums.setdefault(tuple(kind.values()), kind | {"rows": 0, "files": []})
        held["rows"] += entry["rows"]
        held["files"].append(entry["file"])
    return list(sums.values())
