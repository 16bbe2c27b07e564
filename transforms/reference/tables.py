"""Loads the dated reference tables of data/reference, with a user's own rows laid over them by key.

Each table is checked before it is used: known columns, a citation on every row, half-open periods that neither
overlap nor leave a gap for one key, and no row that would change nothing. A broken row stops the run and is named by
file, line and key.
"""

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path

from transforms.database.sql_values import row_values
from transforms.dates import FIRST_DAY, OPEN_END
from transforms.errors import UsageProblem
from transforms.reference.definitions import PERIOD_COLUMNS, PROOF_COLUMNS, TABLES, Table, read_day, require_declared
from transforms.reference.effect import check_effects
from transforms.shipped import DATA
from transforms.under_way import under_way

REFERENCE = DATA / "reference"
_NAMES = frozenset(table.name for table in TABLES)
#: One statement a row would take longer than all of a small audit.
ROWS_PER_INSERT = 200


@dataclass(frozen=True)
class Row:
    """One reference row, with where it stands and the half-open period in which it is in force."""

    file: str
    line: int
    key: tuple
    values: dict
    start: date
    end: date


@dataclass(frozen=True)
class InForce:
    """One ref_ table as it is in force: its name, its columns with their DuckDB types, and its rows in order."""

    name: str
    columns: dict[str, str]
    rows: list[list]


def load_reference(con, overlay: Path | None = None) -> None:
    """Creates the tables ref_procedure_code, ref_code_cap, ... ; raises UsageProblem for a broken row."""
    for table in reference_in_force(overlay):
        with under_way(f"{table.name.removeprefix('ref_')}.csv"):
            _create(con, table)


def reference_in_force(overlay: Path | None = None) -> list[InForce]:
    """The shipped tables with the user's rows laid over them; raises UsageProblem for a broken row."""
    require_declared(
        (f"ref_{path.stem}" for path in REFERENCE.glob("*.csv") if path.stem not in _NAMES), "data/reference"
    )
    if overlay is not None:
        _check_overlay(overlay)
    rows = {table.name: lay_over(*_read_both(table, overlay)) for table in TABLES}
    check_effects(rows)
    return [_in_force(table, rows[table.name]) for table in TABLES]


def check_days(overlay: Path | None, on: date) -> dict[tuple[str, date], int]:
    """How many rows in force on a day were last checked when: rows by what a user calls their file, and that day."""
    days = Counter()
    for table in TABLES:
        shipped, own = _read_both(table, overlay)
        left = [row for row in lay_over(shipped, own) if row not in own]
        for whose, rows in (("the shipped", left), ("your", own)):
            name = f"{whose} {table.name}.csv"
            days.update((name, read_day(row.values["last_checked_on"])) for row in rows if row.start <= on < row.end)
    return dict(days)


def _read_both(table: Table, overlay: Path | None) -> tuple[list[Row], list[Row]]:
    """The shipped rows of a table and the user's own."""
    shipped = _read(REFERENCE / f"{table.name}.csv", table)
    own = overlay / f"{table.name}.csv" if overlay else None
    if not own or not own.exists():
        return shipped, []
    if not table.is_dated:
        raise UsageProblem(f"{own.name}: the rules themselves cannot be replaced; remove this file")
    return shipped, _read(own, table)


def lay_over(shipped: list[Row], own: list[Row]) -> list[Row]:
    """The shipped rows with a user's rows in force for their dates: what is left of a shipped period stays."""
    left = list(shipped)
    for row in own:
        pieces = []
        for base in left:
            if base.key != row.key or base.end <= row.start or row.end <= base.start:
                pieces.append(base)
                continue
            if base.start < row.start:
                pieces.append(replace(base, end=row.start))
            if row.end < base.end:
                pieces.append(replace(base, start=row.end))
        left = pieces
    return left + own


def _check_overlay(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageProblem(f"--reference {folder}: no such folder; name the one that holds your own dated tables")
    known = {f"{table.name}.csv" for table in TABLES}
    found = sorted(path.name for path in folder.glob("*.csv"))
    for name in found:
        if name not in known:
            raise UsageProblem(
                f"--reference: {name} is not a reference table; rename or remove it; "
                f"the tables are {', '.join(sorted(known))}"
            )
    if not found:
        raise UsageProblem(f"--reference {folder}: holds no reference table (*.csv)")


def _read(path: Path, table: Table) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path.name, reader.fieldnames or [], table)
            rows = [_row(path.name, reader.line_num, cells, table) for cells in reader]
    except (UnicodeDecodeError, csv.Error, OSError) as problem:
        raise UsageProblem(f"{path.name}: cannot be read as CSV in UTF-8 ({type(problem).__name__})") from None
    _check_periods(rows)
    return rows


def _check_header(file: str, header: list[str], table: Table) -> None:
    known = [*table.columns, *(PERIOD_COLUMNS if table.is_dated else ()), *PROOF_COLUMNS]
    if len(set(header)) != len(header):
        raise UsageProblem(f"{file}, line 1: a column appears twice")
    for name in header:
        if name not in known:
            # A file that is no table may hold anything in its first line: only what looks like a name is said.
            is_name = re.fullmatch(r"[A-Za-z0-9_]{1,40}", name or "")
            shown = repr(name) if is_name else f"number {header.index(name) + 1}"
            raise UsageProblem(f"{file}, line 1: unknown column {shown}; known are {', '.join(known)}")
    required = [name for name, column in table.columns.items() if column.required]
    required += ["citation", "last_checked_on"] + (["effective_from"] if table.is_dated else [])
    for name in required:
        if name not in header:
            raise UsageProblem(f"{file}, line 1: column {name} is missing")


def _row(file: str, line: int, cells: dict, table: Table) -> Row:
    def fail(column, why):
        key = "/".join(filter(None, ((cells.get(name) or "").strip() for name in table.key)))
        raise UsageProblem(f"{file}, line {line}, key {key or '(empty)'}, column {column}: {why}")

    if None in cells or None in cells.values():
        fail("(all)", "the row has not as many cells as the header")
    text = {name: value.strip() for name, value in cells.items()}
    values = {}
    for name, column in table.columns.items():
        if not text.get(name):
            if column.required:
                fail(name, "is empty")
            values[name] = column.default
            continue
        try:
            values[name] = column.read(text[name])
        except ValueError as problem:
            fail(name, str(problem))
    if problem := table.problem(values):
        fail(*problem)
    for name in ("citation", "last_checked_on"):
        if not text.get(name):
            fail(name, "is empty: every row says where it comes from and when that was last checked")
    values |= {name: text.get(name) or None for name in PROOF_COLUMNS}
    start, end = _period(text, table, fail)
    try:
        read_day(values["last_checked_on"])
    except ValueError as problem:
        fail("last_checked_on", str(problem))
    return Row(file, line, tuple(values[name] for name in table.key), values, start, end)


def _period(text: dict, table: Table, fail) -> tuple[date, date]:
    if not table.is_dated:
        return FIRST_DAY, OPEN_END
    bounds = []
    for name, default in zip(PERIOD_COLUMNS, (None, OPEN_END), strict=True):
        try:
            bounds.append(read_day(text[name]) if text.get(name) else default)
        except ValueError as problem:
            fail(name, str(problem))
    if bounds[0] is None:
        fail("effective_from", "is empty")
    if bounds[1] <= bounds[0]:
        fail("effective_to", "is not after effective_from")
    if bounds[1] <= FIRST_DAY:
        fail("effective_to", f"is before every date that an extract may hold ({FIRST_DAY} is the first)")
    return bounds[0], bounds[1]


def _check_periods(rows: list[Row]) -> None:
    ordered = sorted(rows, key=lambda row: (tuple(str(part) for part in row.key), row.start))
    for before, after in pairwise(ordered):
        if before.key != after.key:
            continue
        key = "/".join(str(part) for part in after.key if part)
        where = f"{after.file}, line {after.line}, key {key}"
        if after.start < before.end:
            raise UsageProblem(f"{where}: its period overlaps the one of line {before.line}")
        if after.start > before.end:
            raise UsageProblem(f"{where}: a gap of days lies between it and line {before.line}")


def _in_force(table: Table, rows: list[Row]) -> InForce:
    columns = {column: kind.sql_type for column, kind in table.columns.items()}
    columns |= dict.fromkeys(PROOF_COLUMNS, "varchar")
    if table.is_dated:
        columns |= {"effective_from": "date", "effective_to": "date", "reference_key": "varchar"}
    ordered = sorted(rows, key=lambda row: (tuple(str(part) for part in row.key), row.start))
    return InForce(table.table_name, columns, [_cells(table, row) for row in ordered])


def _create(con, table: InForce) -> None:
    columns = ", ".join(f'"{column}" {kind}' for column, kind in table.columns.items())
    con.execute(f"create or replace table {table.name} ({columns})")
    for few in _batched(table.rows, ROWS_PER_INSERT):
        con.execute(f"insert into {table.name} values {row_values(few)}")


def _cells(table: Table, row: Row) -> list:
    cells = list(row.values.values())
    if table.is_dated:
        key = "/".join(str(part) for part in row.key if part is not None)
        cells += [row.start, row.end, f"{table.name}:{key}@{row.start.isoformat()}"]
    return cells


def _batched(rows: list, size: int) -> list[list]:
    """The rows in lists of at most `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
