"""How much a Parquet file may unfold to: a few kilobytes can declare a billion rows, or gigabytes of text."""

from pathlib import Path

import duckdb

from transforms.database.duckdb_file import glob_free
from transforms.database.quoting import text
from transforms.errors import InputRejected

#: A row of claims or notes takes bytes, not a tenth of one, however well it is packed: only rows that are all alike
#: take less. A million of these takes 1.3 GB to read; without this limit a file of 65 kB could ask for any memory.
MOST_ROWS_PER_BYTE = 10
SMALL_ROWS = 1_000_000  # what any machine that audits can read, whatever the rows are
#: Text is packed to a tenth, rarely to a hundredth.
MOST_TIMES_UNPACKED = 1_000
SMALL_BYTES = 1_000_000_000  # what any machine that audits can hold


def refuse_bomb(connection: duckdb.DuckDBPyConnection, path: Path, file_name: str) -> None:
    """Raises InputRejected where the file's footer declares more rows or bytes than its size can honestly hold."""
    file = text(glob_free(path))
    (rows,) = connection.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({file})").fetchone()
    (unpacked,) = connection.execute(f"SELECT sum(total_uncompressed_size) FROM parquet_metadata({file})").fetchone()
    size = path.stat().st_size
    if not 0 <= (rows or 0) <= max(SMALL_ROWS, size * MOST_ROWS_PER_BYTE):
        raise InputRejected(
            f"{file_name}: declares {rows:,} rows in {size:,} bytes, as only rows that are all alike can: more than "
            f"{SMALL_ROWS:,} rows need a tenth of a byte each; export it again without the repeats"
        )
    if not 0 <= (unpacked or 0) <= max(SMALL_BYTES, size * MOST_TIMES_UNPACKED):
        raise InputRejected(f"{file_name}: declares {unpacked} bytes packed into {size}: export it again")
