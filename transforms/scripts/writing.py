"""Writes the statements of a script in a database's own words: tables made, filled, made of a query."""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from transforms.dialects.carry import carried, qualified

#: `--dialect` and what its database is called; of these the scripts are run in our own tests, findings and all.
DATABASES = {
    "snowflake": "Snowflake",
    "bigquery": "BigQuery",
    "databricks": "Databricks",
    "postgres": "PostgreSQL",
    "duckdb": "DuckDB",
}
EXECUTED = ("postgres", "duckdb")
ROWS_PER_INSERT = 200


class Writer:
    """Statements for one database; with a schema every table is named with it."""

    def __init__(self, dialect: str, schema: str | None = None):
        self.dialect = dialect
        self.schema = schema

    def name(self, table: str) -> str:
        """The table's name as a statement has it."""
        return qualified(table, self.schema).sql(self.dialect)

    def statement(self, text: str) -> str:
        """One statement or query, given in DuckDB's words."""
        return f"{carried(text, self.dialect, self.schema)};\n"

    def kind(self, duckdb_type: str) -> str:
        """A column's type. In PostgreSQL texts are ordered and compared by their bytes, as in the other databases."""
        kind = exp.DataType.build(duckdb_type, dialect="duckdb").sql(self.dialect)
        is_text = duckdb_type.upper() == "VARCHAR"
        return f'{kind} COLLATE "C"' if is_text and self.dialect == "postgres" else kind

    def table(self, table: str, columns: dict[str, str], notes: dict[str, str] | None = None) -> str:
        """Makes an empty table anew: columns with their DuckDB types, each with its note behind it."""
        return f"{self._anew(table)} (\n{self._columns(columns, (), notes or {})});\n"

    def kept_table(self, table: str, columns: dict[str, str], needed: Iterable[str], notes: dict[str, str]) -> str:
        """Makes an empty table where it is not there yet; `needed` columns hold a value in every row."""
        columns_text = self._columns(columns, tuple(needed), notes)
        return f"CREATE TABLE IF NOT EXISTS {self.name(table)} (\n{columns_text});\n"

    def table_of(self, table: str, query: str) -> str:
        """Makes a table anew of a query in DuckDB's words; comments at its head stay there, word by word."""
        lines = query.strip().splitlines()
        count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
        head = "".join(f"{line}\n" for line in lines[:count])
        body = "\n".join(lines[count:])
        # In Snowflake who may read the table may still read it afterwards.
        grants = " COPY GRANTS" if self.dialect == "snowflake" else ""
        made = f"{head}{self._anew(table)}{grants} AS\n{self.statement(body)}"
        # A table just made has no statistics, and the next query would be planned blindly.
        return made + (f"ANALYZE {self.name(table)};\n" if self.dialect == "postgres" else "")

    def rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence]) -> str:
        """Fills a table with rows of Python values."""
        names = ", ".join(exp.to_identifier(column).sql(self.dialect) for column in columns)
        parts = [rows[start : start + ROWS_PER_INSERT] for start in range(0, len(rows), ROWS_PER_INSERT)]
        head = f"INSERT INTO {self.name(table)} ({names}) VALUES\n"
        return "".join(head + ",\n".join(self._row(row) for row in part) + ";\n" for part in parts)

    def _row(self, row: Sequence) -> str:
        return f"  ({', '.join(exp.convert(value).sql(self.dialect) for value in row)})"

    def _anew(self, table: str) -> str:
        """How a statement begins that makes a table whether or not it is there."""
        name = self.name(table)
        if self.dialect == "postgres":
            return f"DROP TABLE IF EXISTS {name};\nCREATE TABLE {name}"
        return f"CREATE OR REPLACE TABLE {name}"

    def _columns(self, columns: dict[str, str], needed: tuple[str, ...], notes: dict[str, str]) -> str:
        lines = []
        for number, (column, kind) in enumerate(columns.items(), start=1):
            line = f"  {exp.to_identifier(column).sql(self.dialect)} {self.kind(kind)}"
            line += " NOT NULL" if column in needed else ""
            line += "," if number < len(columns) else ""
            lines.append(line + (f" -- {notes[column]}" if notes.get(column) else "") + "\n")
        return "".join(lines)
