"""What holds for every test."""

from transforms.database.duckdb_file import SETTINGS

# Tests run side by side, one to a core, and their few rows are sooner read by one thread. A test that names a number of
# threads has that number; processes of their own have DuckDB's.
SETTINGS.setdefault("threads", 1)
