"""The scripts of `minutewise sql` beside an audit of the same rows: what goes in, what comes out."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from transforms.accept.apply import apply_contract
from transforms.database.duckdb_file import open_database
from transforms.extract import find_inputs, load_extracts
from transforms.models.run import Setting, judge_rows, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference
from transforms.scripts.tables import input_tables

#: Tables whose every row and column must be what an audit makes.
COMPARED = (
    "finding", "unit_published", "rule_result", "date_count", "code_count", "stage_count", "rule_count", "rule_error",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The extracts of one audit, and what it is asked."""

    extracts: Path
    as_of: date
    reference: Path | None = None
    crosswalk: Path | None = None
    since: date | None = None
    until: date | None = None

    @property
    def setting(self) -> Setting:
        bounds = {name: day for name, day in (("since", self.since), ("until", self.until)) if day}
        return Setting(self.as_of, **bounds)


@contextmanager
def audited(asked: Asked) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of an audit that has run, its accepted rows and its findings in it."""
    with open_database() as con:
        load_reference(con, asked.reference)
        load_crosswalk(con, asked.crosswalk)
        load_extracts(con, find_inputs(asked.extracts, {}, None), None)
        apply_contract(con, asked.as_of)
        stage_rows(con, asked.setting)
        judge_rows(con, asked.setting)
        yield con


def columns_of(con, table: str) -> list[str]:
    """The names of a table's columns."""
    return [row[0] for row in con.execute(f"describe {table}").fetchall()]


def input_queries() -> dict[str, tuple[list[str], str]]:
    """Input table -> its columns, and the query that gives them in an audit's database."""
    named = {table.name: list(table.types) for table in input_tables()}
    return {name: (columns, f"select {', '.join(columns)} from {name}") for name, columns in named.items()}


def rows_as_text(con, table: str, columns: list[str]) -> list[tuple[str | None, ...]]:
    """All rows of a table, sorted, values as PostgreSQL writes them."""
    rows = con.execute(f"select {', '.join(columns)} from {table}").fetchall()
    return sorted((tuple(map(_text, row)) for row in rows), key=repr)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@contextmanager
def duckdb_database() -> Iterator["PlainDuckDB"]:
    """A plain DuckDB, as a user has one."""
    with duckdb.connect() as con:
        yield PlainDuckDB(con)


class PlainDuckDB:
    """DuckDB with nothing of ours set: takes scripts and gives rows as a Server does."""

    def __init__(self, con):
        self.con = con

    def run(self, text: str) -> None:
        self.con.execute(text)

    def fill(self, table: str, columns: list[str], file: Path) -> None:
        """Copies a CSV file with a header into a table."""
        self.con.execute(f"copy {table} ({', '.join(columns)}) from '{file}' (format csv, header, nullstr '')")

    def rows(self, query: str) -> list[tuple[str | None, ...]]:
        return [tuple(map(_text, row)) for row in self.con.execute(query).fetchall()]


def fill(database, con, folder: Path, schema: str | None = None) -> None:
    """Copies an audit's accepted rows into the tables that a user fills."""
    for table, (columns, query) in input_queries().items():
        file = folder / f"{table}.csv"
        con.execute(f"copy ({query}) to '{file}' (format csv, header)")
        database.fill(f"{schema}.{table}" if schema else table, columns, file)


def differing(database, con, schema: str | None = None) -> dict[str, list]:
    """Table -> the first rows of it that the scripts and the audit do not have in common; empty where all agree."""
    found = {}
    for table in COMPARED:
        columns = columns_of(con, table)
        ours = rows_as_text(con, table, columns)
        place = f"{schema}.{table}" if schema else table
        theirs = sorted(database.rows(f"select {', '.join(columns)} from {place}"), key=repr)
        if ours != theirs:
            only_ours, only_theirs = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
            found[table] = [columns, list(only_ours)[:2], list(only_theirs)[:2]]
    return found
