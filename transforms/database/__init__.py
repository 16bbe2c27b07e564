"""DuckDB: opening it, encryption, full disks, quoting and values."""
