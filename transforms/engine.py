"""Opens DuckDB as every run needs it: quiet, local, the same on every machine."""

from pathlib import Path

import duckdb

SETTINGS = {
    "enable_progress_bar": False,  # it would draw on stdout, which is data
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "preserve_insertion_order": True,
    "TimeZone": "UTC",  # no result may depend on the machine's zone
}


def open_database(path: Path | None = None, threads: int | None = None, memory_limit: str | None = None):
    """A DuckDB connection to the file `path`, or in memory; raises duckdb.Error when the file cannot be opened."""
    connection = duckdb.connect(str(path) if path else ":memory:")
    for name, value in SETTINGS.items():
        # A build without ICU has no TimeZone setting, and then no zone can matter either.
        if name == "TimeZone" and not _has_setting(connection, name):
            continue
        connection.execute(f"set {name} = '{value}'")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    if memory_limit:
        connection.execute("set memory_limit = '{}'".format(memory_limit.replace("'", "")))
    return connection


def _has_setting(connection, name: str) -> bool:
    row = connection.execute("select count(*) from duckdb_settings() where lower(name) = lower(?)", [name])
    return row.fetchone()[0] > 0


def rows_as_dicts(connection, query: str, parameters=None) -> list[dict]:
    """The rows of a query as dicts, in the query's order."""
    cursor = connection.execute(query, parameters or [])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
