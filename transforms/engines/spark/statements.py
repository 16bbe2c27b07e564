"""Statements on their way to Spark: their values written in, and small tables in types that Spark knows."""

import datetime
import decimal

import pyarrow as pa
from sqlglot import exp

#: What only DuckDB can be asked: its catalogue.
_CATALOGUE = ("information_schema", "duckdb_columns", "duckdb_tables")


def asks_catalogue(tree: exp.Expression) -> bool:
    """Whether a query is one about tables and columns."""
    named = {table.db for table in tree.find_all(exp.Table)}
    named |= {call.name for call in tree.find_all(exp.Anonymous)}
    return bool(named & set(_CATALOGUE))


def arrow_for_spark(table):
    """A table of pyarrow's with types that Spark knows: its text is not long, its times have no zone."""
    return table.cast(pa.schema([field.with_type(_known(field.type)) for field in table.schema]))


def _known(kind):
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def quoted(name: str) -> str:
    """`name` as a quoted name of Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def bound(tree: exp.Expression, parameters) -> exp.Expression:
    """The statement with its values written in, where DuckDB is given them beside the text."""
    if not parameters:
        return tree
    values = iter(parameters) if not isinstance(parameters, dict) else None
    holders = [node for node in tree.dfs() if isinstance(node, exp.Placeholder)]
    for holder in holders:
        value = parameters[holder.name] if values is None else next(values)
        holder.replace(_value(value))
    return tree


def _value(value) -> exp.Expression:
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | decimal.Decimal):
        return exp.Literal.number(str(value))
    if isinstance(value, list):
        return exp.Array(expressions=[_value(one) for one in value])
    if isinstance(value, datetime.date):
        return exp.cast(exp.Literal.string(value.isoformat()), "date")
    return exp.Literal.string(str(value))
