"""Loads the dated reference tables of data/reference, with a user's own rows laid over them by key.

Each table is checked before it is used: known columns, a citation on every row, half-open periods that neither
overlap nor leave a gap for one key, and no row that would change nothing. A broken row stops the run and is named by
file, line and key.
"""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

from transforms.contract_sql import CODE
from transforms.errors import UsageProblem
from transforms.reference_effect import check_effects
from transforms.shipped import DATA
from transforms.sql_values import row_values
from transforms.under_way import under_way

REFERENCE = DATA / "reference"
FIRST_DATE = date(1990, 1, 1)  # no extract holds an earlier one
OPEN_END = date(9999, 12, 31)
#: One statement a row would take longer than all of a small audit.
ROWS_PER_INSERT = 200
PERIOD_COLUMNS = ("effective_from", "effective_to")
PROOF_COLUMNS = ("citation", "citation_url", "last_checked_on")
#: What a code can be on a date: billed by 15 minutes; once a day; by another length; nobody knows; out of therapy.
CODE_KINDS = ("timed_15", "untimed", "other_length", "unlisted", "other")
#: Every parameter of parameter.csv and its unit.
PARAMETER_UNITS = {
    "billing_lag_days": "days",
    "linked_file_check_days": "days",
    "minimum_match_share": "share",
    "minimum_measured_share": "share",
    "provider_day_minutes": "minutes",
}
#: Every guard of guard.csv and the unit of its limit; None where it has no limit. flows/guards.py is what they do.
GUARD_UNITS = {
    "quarantine_share": "share",
    "rows_below_usual": "times",
    "rows_above_usual": "times",
    "no_notes_for_claims": "claim days",
    "no_accepted_claims": None,
    "no_accepted_notes": None,
    "no_blocks_for_notes": "notes",
    "empty_delivery": "nights",
    "payer_never_seen": "claim lines",
    "reference_check_due": "days",
    "clock_went_back": None,
}


def _word(*allowed):
    def read(text):
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return read


def _whole(text):
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ValueError("must be a whole number from 0 to 999999")
    return int(text)


def _number(text):
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not value.is_finite() or not 0 <= value < 1_000_000:
        raise ValueError("must be a number from 0 to 999999")
    return value


def _flag(text):
    return _word("true", "false")(text.lower()) == "true"


def _day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date YYYY-MM-DD") from None


def _code(text):
    # Lines hold codes in capitals, so a row in small letters would change nothing.
    if not re.fullmatch(CODE, text) or text != text.upper():
        raise ValueError("is no code that a line can hold: five characters (97110, G0283), or a revenue code (0420)")
    return text


def _code_or_any(text):
    return text if text == "*" else _code(text)


def _payer(text):
    if text == "*":
        raise ValueError("names no payer; leave the cell empty for any payer")
    return _id(text)


def _id(text):
    """An id as extracts are compared by it: one form of each letter, however it was typed."""
    return unicodedata.normalize("NFC", text)


def _disciplines(text):
    if not re.fullmatch(r"(PT|OT|SLP)(;(PT|OT|SLP))*", text):
        raise ValueError("must be PT, OT or SLP; several with ; between them")
    return text


def _alias_problem(values: dict) -> tuple[str, str] | None:
    if values["procedure_code"] == "*" and values["relation"] != "documents_in_group":
        return "procedure_code", "must be one code: * stands with documents_in_group only"
    return None


def _parameter_problem(values: dict) -> tuple[str, str] | None:
    unit, value = PARAMETER_UNITS[values["name"]], values["value"]
    if values["unit"] not in (None, unit):
        return "unit", f"must be {unit}, or empty"
    if unit == "share" and value > 1:
        return "value", "is a share: must be a number from 0 to 1"
    if unit != "share" and value != int(value):
        return "value", f"must be a whole number of {unit}"
    return None


def _guard_problem(values: dict) -> tuple[str, str] | None:
    unit, limit = GUARD_UNITS[values["guard"]], values["limit"]
    if unit is None:
        return ("limit", "must be empty: this guard has no limit") if limit is not None else None
    if limit is None:
        return None if values["action"] == "off" else ("limit", f"is empty: must be a number ({unit})")
    if values["unit"] not in (None, unit):
        return "unit", f"must be {unit}, or empty"
    if unit == "share" and limit > 1:
        return "limit", "is a share: must be a number from 0 to 1"
    if unit == "times" and limit < 1:
        return "limit", "says how many times: must be a number from 1 up"
    return None


@dataclass(frozen=True)
class Column:
    """One value column: its DuckDB type, how its text is read, and what an empty cell means."""

    sql_type: str
    read: object = str
    required: bool = False
    default: object = None


@dataclass(frozen=True)
class Table:
    """One reference table: its key columns and value columns, and whether its rows are dated.

    `problem` looks at a row's values together and gives the column that is wrong and why, else None.
    """

    name: str
    key: dict[str, Column]
    values: dict[str, Column]
    is_dated: bool = True
    problem: Callable[[dict], tuple[str, str] | None] = lambda values: None

    @property
    def columns(self) -> dict[str, Column]:
        return {**self.key, **self.values}


_TEXT = Column("varchar", required=True)
_OPTIONAL_TEXT = Column("varchar")
_CODE = Column("varchar", _code, required=True)
_PAYER = Column("varchar", _payer)
TABLES = (
    Table(
        "procedure_code",
        {"procedure_code": _CODE, "payer_id": _PAYER},
        {
            "kind": Column("varchar", _word(*CODE_KINDS), required=True),
            "short_words": _OPTIONAL_TEXT,
            "disciplines": Column("varchar", _disciplines),
        },
    ),
    Table(
        "code_cap",
        {"procedure_code": _CODE, "payer_id": _PAYER},
        {
            "cap_units": Column("integer", _whole, required=True),
            "adjudication_indicator": Column("varchar", _word("1", "2", "3")),
        },
    ),
    Table(
        "payer_method",
        {"payer_id": Column("varchar", _id, required=True)},
        {
            "counting_method": Column("varchar", _word("cms_8_minute", "ama_midpoint", "either"), required=True),
            "follows_mue": Column("boolean", _flag, default=False),
            "timed_units_per_day_cap": Column("integer", _whole),
        },
    ),
    Table(
        "code_alias",
        {
            "procedure_code": Column("varchar", _code_or_any, required=True),
            "relation": Column("varchar", _word("counts_as", "documents", "documents_in_group"), required=True),
        },
        {"target_code": _CODE},
        problem=_alias_problem,
    ),
    Table(
        "parameter",
        {"name": Column("varchar", _word(*PARAMETER_UNITS), required=True)},
        {"value": Column("decimal(18, 6)", _number, required=True), "unit": _OPTIONAL_TEXT},
        problem=_parameter_problem,
    ),
    Table(
        "guard",
        {"guard": Column("varchar", _word(*GUARD_UNITS), required=True)},
        {
            "action": Column("varchar", _word("warn", "stop", "off"), required=True),
            "limit": Column("decimal(18, 6)", _number),
            "unit": _OPTIONAL_TEXT,
        },
        problem=_guard_problem,
    ),
    Table(
        "audit_rules",
        {"rule_id": _TEXT},
        {
            "title": _TEXT,
            "severity": Column("varchar", _word("error", "warning", "review"), required=True),
            "family": Column("varchar", _word("overbilling", "missed_revenue", "record"), required=True),
            "subject": _TEXT,
            "not_checked": _TEXT,
        },
        is_dated=False,
    ),
)


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
            days.update((name, _day(row.values["last_checked_on"])) for row in rows if row.start <= on < row.end)
    return dict(days)


def _read_both(table: Table, overlay: Path | None) -> tuple[list[Row], list[Row]]:
    """The shipped rows of a table and the user's own."""
    shipped = _read(REFERENCE / f"{table.name}.csv", table)
    own = overlay / f"{table.name}.csv" if overlay else None
    if not own or not own.exists():
        return shipped, []
    if not table.is_dated:
        raise UsageProblem(f"{own.name}: the rules themselves cannot be laid over; remove this file")
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
                f"--reference: {name} is no reference table; rename or remove it; known are {', '.join(sorted(known))}"
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
        raise UsageProblem(f"{file}, line 1: a column stands twice")
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
        _day(values["last_checked_on"])
    except ValueError as problem:
        fail("last_checked_on", str(problem))
    return Row(file, line, tuple(values[name] for name in table.key), values, start, end)


def _period(text: dict, table: Table, fail) -> tuple[date, date]:
    if not table.is_dated:
        return FIRST_DATE, OPEN_END
    bounds = []
    for name, default in zip(PERIOD_COLUMNS, (None, OPEN_END), strict=True):
        try:
            bounds.append(_day(text[name]) if text.get(name) else default)
        except ValueError as problem:
            fail(name, str(problem))
    if bounds[0] is None:
        fail("effective_from", "is empty")
    if bounds[1] <= bounds[0]:
        fail("effective_to", "is not after effective_from")
    if bounds[1] <= FIRST_DATE:
        fail("effective_to", f"is before every date that an extract may hold ({FIRST_DATE} is the first)")
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
    name = "ref_audit_rule" if table.name == "audit_rules" else f"ref_{table.name}"
    columns = {column: kind.sql_type for column, kind in table.columns.items()}
    columns |= dict.fromkeys(PROOF_COLUMNS, "varchar")
    if table.is_dated:
        columns |= {"effective_from": "date", "effective_to": "date", "reference_key": "varchar"}
    ordered = sorted(rows, key=lambda row: (tuple(str(part) for part in row.key), row.start))
    return InForce(name, columns, [_cells(table, row) for row in ordered])


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
