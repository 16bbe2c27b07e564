"""Carries the SQL models over to other engines' SQL: one text, written for DuckDB, translated by sqlglot.

What a model says stays the model's; here stand only the places where the engines mean different things by the same
words. A construct that cannot be carried over raises, it is never passed on as it is.
"""

import sqlglot


def carried(text: str, dialect: str) -> str:
    """The DuckDB query `text` as one query of `dialect` (a sqlglot name: spark, postgres, snowflake, ...).

    Raises sqlglot.errors.UnsupportedError for what that dialect has no words for.
    """
    tree = sqlglot.parse_one(text, read="duckdb")
    return tree.sql(dialect=dialect, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
