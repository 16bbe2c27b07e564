"""Runs DuckDB's SQL on Apache Spark: each statement is carried over by sqlglot, each table is a Parquet table of Spark.

An empty DuckDB database beside it holds the *shapes*: every statement that makes a table runs there too, on no rows. So
the types of every table are DuckDB's, questions about tables and columns are answered there, and a statement that
DuckDB would refuse is refused.
"""

from dataclasses import dataclass

import duckdb
import sqlglot
from sqlglot import exp

from transforms.dialects.carry import carried_tree
from transforms.engines.spark.faults import told_in_one_line
from transforms.engines.spark.statements import arrow_for_spark, asks_catalogue, bound, quoted
from transforms.engines.spark.types import spark_type


@dataclass
class SparkRows:
    """The rows of a query, brought to this machine."""

    description: list[tuple]
    _rows: list[tuple]

    def fetchall(self) -> list[tuple]:
        """The rows that were not fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> tuple | None:
        """The next row; None where there is none."""
        return self._rows.pop(0) if self._rows else None


class SparkEngine:
    """One run's tables on Spark, in a database of their own that is dropped at the end.

    Tables are named as in DuckDB; `part.x` and `main.x` are two tables, and temporary ones stand before both. Raises
    AuditError for a statement that Spark refuses, EngineFault where Spark itself fails; neither quotes a value.
    """

    def __init__(self, session, database: str):
        self.session = session
        self.database = database
        self.shapes = duckdb.connect()
        self.shapes.execute("set TimeZone = 'UTC'")
        self._places: dict[tuple[str, str], str] = {}
        self._search_path = ["main"]
        self._count = 0
        #: The small tables that were made here, as they were given.
        self.given = {}
        self._sql(f"create database {database}")

    def execute(self, text: str, parameters=None) -> SparkRows:
        """Runs the statements in `text`; gives the rows of the last one."""
        rows = SparkRows([], [])
        if parameters:
            text = text.replace("?::", "? ::")  # one word to sqlglot
        for tree in sqlglot.parse(text, read="duckdb"):
            if tree is not None:
                rows = self._run(bound(tree, parameters))
        return rows

    def close(self) -> None:
        """Drops all that the run made on Spark, and ends the session that it worked in."""
        self._sql(f"drop database if exists {self.database} cascade")
        self.shapes.close()

    def make_view(self, name: str, frame, shape: str) -> None:
        """Names rows that Spark can read; `shape` are the columns as DuckDB types them."""
        self.shapes.execute(f'create or replace table main."{name}" ({shape})')
        self._make_view("main", name, frame)

    def make_table(self, name: str, table) -> None:
        """Names a small table of pyarrow's `table`, whose types are DuckDB's; Spark takes it along in each query."""
        self.shapes.register("given", table)
        self.shapes.execute(f'create or replace table main."{name}" as select * from given limit 0')
        self.shapes.unregister("given")
        with told_in_one_line(name):
            self._make_view("main", name, self._frame_of(name, table))
        self.given[name] = table

    def _frame_of(self, name: str, table):
        if table.num_rows:
            return self.session.createDataFrame(arrow_for_spark(table))
        # Spark Connect takes no table without a row.
        nothing = (
            f"cast(null as {spark_type(kind)}) as {quoted(column)}" for column, kind in self.columns(name).items()
        )
        return self.session.sql(f"select {', '.join(nothing)} where false")

    def tables(self) -> list[str]:
        """The names of the tables that Spark holds, by name; those given, views and those of single passes aside."""
        tables = {name: place for (schema, name), place in self._places.items() if schema == "main"}
        return sorted(name for name, place in tables.items() if "." in place)

    def frame(self, name: str, schema: str = "main"):
        """A table as Spark's own DataFrame."""
        return self.session.table(self._places[schema, name])

    def columns(self, name: str, schema: str = "main") -> dict[str, str]:
        """The columns of a table, each with its type in DuckDB."""
        return {row[0]: row[1] for row in self.shapes.execute(f'describe {schema}."{name}"').fetchall()}

    def _run(self, tree: exp.Expression) -> SparkRows:
        if isinstance(tree, exp.Set):
            self._search_path = tree.find(exp.EQ).expression.name.split(",")
        if isinstance(tree, exp.Create):
            self._create(tree)
        elif isinstance(tree, exp.Insert):
            self._insert(tree)
        elif isinstance(tree, exp.Drop):
            self._drop(tree)
        elif isinstance(tree, exp.Query) and not asks_catalogue(tree):
            return self._select(tree)
        elif isinstance(tree, exp.Delete | exp.Update | exp.Alter):
            raise NotImplementedError("Spark's Parquet tables are made and dropped, not changed")
        else:
            found = self.shapes.execute(tree.sql("duckdb"))
            return SparkRows(found.description, found.fetchall())
        return SparkRows([], [])

    def _select(self, tree: exp.Expression) -> SparkRows:
        with told_in_one_line("a query"):
            frame = self.session.sql(self._carried(tree))
            return SparkRows([(column,) for column in frame.columns], [tuple(row) for row in frame.collect()])

    def _create(self, tree: exp.Create) -> None:
        self.shapes.execute(tree.sql("duckdb"))
        if tree.kind == "SCHEMA":
            return
        target = tree.find(exp.Table)
        schema, name = "temp" if _is_temporary(tree) else target.db or "main", target.name
        if tree.expression is None:
            if not (tree.args.get("exists") and (schema, name) in self._places):
                self._keep_empty(schema, name)
        elif tree.args.get("exists") and (schema, name) in self._places:
            return
        else:
            with told_in_one_line(name):
                frame = self.session.sql(self._carried(tree.expression))
                if tree.kind == "VIEW":
                    self._make_view(schema, name, frame)
                else:
                    self._keep(schema, name, self._typed(schema, name, frame))

    def _insert(self, tree: exp.Insert) -> None:
        target = tree.find(exp.Table)
        schema = self._schema_of(target)
        listed = [column.name for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
        with told_in_one_line(target.name):
            frame = self._rows(tree.expression)
            columns = self.columns(target.name, schema)
            if tree.args.get("by_name"):
                listed = frame.columns
            given = dict(zip(listed or columns, frame.columns, strict=True))
            values = {column: quoted(given[column]) if column in given else "null" for column in columns}
            cells = [
                f"cast({values[column]} as {spark_type(kind)}) as {quoted(column)}" for column, kind in columns.items()
            ]
            frame.selectExpr(*cells).write.insertInto(self._places[schema, target.name])

    def _rows(self, query: exp.Expression):
        """The rows of a query; those of one that reads no table are DuckDB's to make: they are values given."""
        if query.find(exp.Table):
            return self.session.sql(self._carried(query))
        return self.session.createDataFrame(arrow_for_spark(self.shapes.execute(query.sql("duckdb")).to_arrow_table()))

    def _schema_of(self, table: exp.Table) -> str:
        """Where a table without a schema stands: as in DuckDB, temporary ones come first."""
        found = (schema for schema in ("temp", *self._search_path) if (schema, table.name) in self._places)
        return table.db or next(found, "main")

    def _drop(self, tree: exp.Drop) -> None:
        self.shapes.execute(tree.sql("duckdb"))
        for table in tree.find_all(exp.Table):
            self._forget(self._schema_of(table), table.name)

    def _typed(self, schema: str, name: str, frame):
        """The rows with DuckDB's types."""
        kinds = self.columns(name, schema)
        held = {column.lower(): column for column in frame.columns}
        cells = [
            f"cast({quoted(held[column.lower()])} as {spark_type(kind)}) as {quoted(column)}"
            for column, kind in kinds.items()
        ]
        return frame.selectExpr(*cells)

    def _keep(self, schema: str, name: str, frame) -> None:
        """Writes the rows as a table; only then is an earlier one of the name dropped, for the rows may be its own."""
        place = self._place(schema, name)
        frame.write.format("parquet").saveAsTable(place)
        self._forget(schema, name)
        self._places[schema, name] = place

    def _keep_empty(self, schema: str, name: str) -> None:
        place = self._place(schema, name)
        self._sql(f"create table {place} ({self._schema(schema, name)}) using parquet")
        self._forget(schema, name)
        self._places[schema, name] = place

    def _make_view(self, schema: str, name: str, frame) -> None:
        place = self._place(schema, name).replace(".", "_")
        frame.createOrReplaceTempView(place)
        self._forget(schema, name)
        self._places[schema, name] = place

    def _place(self, schema: str, name: str) -> str:
        self._count += 1
        return f"{self.database}.{schema}_{name}_{self._count}"

    def _forget(self, schema: str, name: str) -> None:
        place = self._places.pop((schema, name), None)
        if place and "." not in place:
            self.session.catalog.dropTempView(place)
        elif place:
            self._sql(f"drop table if exists {place}")

    def _schema(self, schema: str, name: str) -> str:
        kinds = self.columns(name, schema).items()
        return ", ".join(f"{quoted(column)} {spark_type(kind)}" for column, kind in kinds)

    def _carried(self, tree: exp.Expression) -> str:
        """The query in Spark's words, its tables by the names that they have there."""
        tree = tree.copy()
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table.name in own and not table.db:
                continue
            alias = table.alias or table.name
            place = exp.to_table(self._found(table), dialect="spark")
            table.replace(exp.alias_(place, alias, table=True))
        return carried_tree(tree, "spark")

    def _found(self, table: exp.Table) -> str:
        return self._places[self._schema_of(table), table.name]

    def _sql(self, text: str) -> None:
        with told_in_one_line(text):
            self.session.sql(text)


def _is_temporary(tree: exp.Create) -> bool:
    properties = tree.args.get("properties")
    return properties is not None and properties.find(exp.TemporaryProperty) is not None
