"""Python's values as SQL literals, for the statements that an audit makes before Great Expectations is needed.

Binding a parameter makes DuckDB import pandas, and so does any Arrow array made from Python's values: that takes longer
than reading a small extract. tests/test_start.py holds that these stages do without.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from transforms.database.quoting import text

Value = None | bool | int | Decimal | date | str


def literal(value: Value) -> str:
    """The value as a SQL literal, of the type that DuckDB gives it as a parameter."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    # A statement ends at a NUL, wherever it stands.
    return f"({' || chr(0) || '.join(text(part) for part in value.split(chr(0)))})"


def row_values(rows: Iterable[Sequence[Value]]) -> str:
    """Rows as a VALUES list takes them: (1, 'a'), (2, 'b')."""
    return ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
