"""Carries the SQL models over to other engines' SQL: one text, written for DuckDB, translated by sqlglot.

What a model says stays the model's; here stand only the places where the engines mean different things by the same
words. A construct that cannot be carried over raises, it is never passed on as it is.
"""

import sqlglot
from sqlglot import exp

from transforms.dialects_spark import for_spark

#: What is done to the parsed query before it is written in the words of a dialect.
REWRITES = {"spark": (for_spark,)}


def carried(text: str, dialect: str) -> str:
    """The DuckDB query `text` as one query of `dialect` (a sqlglot name: spark, postgres, snowflake, ...).

    Raises sqlglot.errors.UnsupportedError for what that dialect has no words for.
    """
    return carried_tree(sqlglot.parse_one(text, read="duckdb"), dialect)


def carried_tree(tree: exp.Expression, dialect: str) -> str:
    """The same of a parsed DuckDB query, which is changed on the way."""
    for rewrite in REWRITES.get(dialect, ()):
        tree = rewrite(tree)
    return tree.sql(dialect=dialect, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
