"""Shows Great Expectations the tables of an encrypted DuckDB file without telling it the key.

The key cannot go into a connection string, which GX writes down. A database in memory that has a name is one for the
whole process: here the file is attached to it, read-only, with views of its tables, and GX opens it by that name. No
row is copied, none is written down.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from transforms.database.duckdb_file import harden
from transforms.database.encryption import attach_encrypted
from transforms.database.quoting import name

#: The URL under which SQLAlchemy opens DuckDB; `database` of the arguments takes the place of its own.
URL = "duckdb:///:memory:"


@contextmanager
def unlocked(database: Path, key: str, threads: int | None = None, memory_limit: str | None = None) -> Iterator[dict]:
    """While the block lasts, the connect arguments under which SQLAlchemy finds the file's tables, as views.

    Raises UsageProblem where the key does not open the file.
    """
    arguments = {"database": f":memory:judged-{secrets.token_hex(8)}"}
    # Opened by SQLAlchemy too: DuckDB shares a database only between connections that are set up alike.
    engine = create_engine(URL, connect_args=dict(arguments))
    held = engine.raw_connection()
    try:
        con = held.driver_connection
        # Not locked: each connection that Great Expectations opens turns its own progress bar off.
        shut = {"reads": [], "writes": [database], "temp_directory": "", "with_encryption": True, "is_locked": False}
        harden(con, threads, memory_limit, **shut)
        attach_encrypted(con, database, key, "judged", read_only=True)
        tables = "select table_name from duckdb_tables() where database_name = 'judged' and schema_name = 'main'"
        for (table,) in con.execute(tables).fetchall():
            con.execute(f"create view memory.main.{name(table)} as select * from judged.main.{name(table)}")
        yield arguments
    finally:
        held.invalidate()
        engine.dispose()
