"""Carries the SQL models over to other engines' SQL: one text, written for DuckDB, translated by sqlglot.

What a model says stays the model's; here stand only the places where the engines mean different things by the same
words. A construct that cannot be carried over raises, it is never passed on as it is.
"""

import sqlglot
from sqlglot import exp

from transforms.dialects.spark import for_spark
from transforms.dialects.warehouses import REWRITES as WAREHOUSE_REWRITES

#: What is done to the parsed query before it is written in the words of a dialect.
REWRITES = {**WAREHOUSE_REWRITES, "spark": (for_spark,)}


def carried(text: str, dialect: str, schema: str | None = None) -> str:
    """The DuckDB query `text` as one query of `dialect` (a sqlglot name: spark, postgres, snowflake, ...).

    With `schema` (a name, or names joined by points) its tables are named with it. Raises
    sqlglot.errors.UnsupportedError for what that dialect has no words for.
    """
    tree = sqlglot.parse_one(text, read="duckdb")
    if schema:
        _qualify(tree, schema)
    return carried_tree(tree, dialect)


def carried_tree(tree: exp.Expression, dialect: str) -> str:
    """The same of a parsed DuckDB query, which is changed on the way."""
    for rewrite in REWRITES.get(dialect, ()):
        tree = rewrite(tree)
    return tree.sql(dialect=dialect, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE)


def qualified(table: str, schema: str | None) -> exp.Table:
    """A table with the names of its schema before it; a name that is no plain word is quoted."""
    names = [*(schema.split(".") if schema else ()), table]
    parts = [exp.to_identifier(name) for name in names]
    return exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))


def _qualify(tree: exp.Expression, schema: str) -> None:
    """Names the tables of a query with their schema; its CTEs keep their names."""
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if table.name not in own:
            whole = qualified(table.name, schema)
            table.set("db", whole.args.get("db"))
            table.set("catalog", whole.args.get("catalog"))
