"""DuckDB's types in Spark's words."""

_PLAIN = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "HUGEINT": "decimal(38,0)",
    "UTINYINT": "smallint",
    "USMALLINT": "int",
    "UINTEGER": "bigint",
    "UBIGINT": "decimal(20,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP_S": "timestamp_ntz",
    "TIMESTAMP_MS": "timestamp_ntz",
    "BLOB": "binary",
    '"NULL"': "int",
}


def spark_type(kind: str) -> str:
    """Spark's name of a DuckDB type; KeyError for one that has none."""
    if kind.startswith("DECIMAL") and not kind.endswith("[]"):
        return kind.lower()
    if kind.startswith("ENUM"):
        return "string"
    if kind.endswith("[]"):
        return f"array<{spark_type(kind.removesuffix('[]'))}>"
    return _PLAIN[kind]
