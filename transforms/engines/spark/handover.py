"""Hands tables between Spark and the run's DuckDB file, and writes findings and units as Parquet by month."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow.parquet as pq

from transforms.database.quoting import name, text
from transforms.engines.spark.engine import SparkEngine
from transforms.engines.spark.faults import told_in_one_line

#: What only the engine itself needs: rows as they were read, and the reference tables that DuckDB gave it.
_KEPT_BACK = ("raw_", "read_", "row_", "fallen_", "past_", "ref_", "crosswalk_", "broken_row")
#: Rows that are brought to this machine at once where Spark's files cannot be seen from here.
ROWS_AT_ONCE = 500_000
#: Published by month, and the order of the rows within one.
BY_MONTH = {
    "findings_by_month": ("finding", ("rule_id", "service_date", "patient_id", "finding_id")),
    "units_by_month": ("unit_published", ("patient_id", "service_date", "discipline", "procedure_code")),
}


def give(con, engine: SparkEngine) -> None:
    """Gives Spark the reference and crosswalk tables of the run's DuckDB file."""
    found = con.execute(
        "select table_name from information_schema.tables where table_schema = current_schema() "
        "and (starts_with(table_name, 'ref_') or starts_with(table_name, 'crosswalk_')) order by table_name"
    ).fetchall()
    for (table,) in found:
        engine.make_table(table, con.execute(f"select * from {table}").to_arrow_table())


def hand_over(engine: SparkEngine, con, folder: Path, tables: Sequence[str] = ()) -> None:
    """Makes of Spark's tables (all that later stages read, or those named) tables of the same names and types in the
    DuckDB file.

    Spark's files are read where they can be seen from here; else they are brought into `folder` piece by piece.
    """
    for table, rows in engine.given.items():
        if not table.startswith(_KEPT_BACK):
            con.register("given", rows)
            con.execute(f"create or replace table {table} as select * from given")
            con.unregister("given")
    for table in tables or engine.tables():
        if table.startswith(_KEPT_BACK):
            continue
        kinds = engine.columns(table)
        cells = ", ".join(f"cast({name(column)} as {kind}) as {name(column)}" for column, kind in kinds.items())
        with told_in_one_line(table):
            files = _files(engine.frame(table), folder / table)
        source = f"read_parquet([{', '.join(text(str(path)) for path in files)}])"
        if files:
            con.execute(f"create or replace table {table} as select {cells} from {source}")
        else:
            shape = ", ".join(f"{name(column)} {kind}" for column, kind in kinds.items())
            con.execute(f"create or replace table {table} ({shape})")
        shutil.rmtree(folder / table, ignore_errors=True)


def _files(frame, folder: Path) -> list[Path]:
    """The Parquet files of a table on this machine."""
    places = [urlsplit(place) for place in frame.inputFiles()]
    files = [Path(unquote(place.path)) for place in places if place.scheme in ("", "file")]
    if len(files) == len(places) and all(file.is_file() for file in files):
        return files
    return _brought(frame, folder)


def _brought(frame, folder: Path) -> list[Path]:
    """The rows of a table in files of `folder`, ROWS_AT_ONCE by about, so that no table must fit into memory."""
    from pyspark.sql import functions as f

    folder.mkdir(parents=True, mode=0o700)
    pieces = frame.count() // ROWS_AT_ONCE + 1
    piece = f.pmod(f.xxhash64(*[f.col(f"`{column}`") for column in frame.columns]), f.lit(pieces))
    for number in range(pieces):
        rows = frame.where(piece == number) if pieces > 1 else frame
        pq.write_table(rows.toArrow(), folder / f"{number}.parquet")
    return sorted(folder.iterdir())


def write_by_month(engine: SparkEngine, place: str) -> None:
    """Spark writes findings and units below `place`, a path or URI, as Parquet in one folder a month."""
    for folder, (table, order) in BY_MONTH.items():
        with told_in_one_line(folder):
            frame = engine.frame(table)
            frame = frame.selectExpr("*", "date_format(service_date, 'yyyy-MM') as month")
            rows = frame.repartition("month").sortWithinPartitions("month", *order)
            rows.write.mode("overwrite").partitionBy("month").parquet(f"{place.rstrip('/')}/{folder}")


def named_plainly(folder: Path) -> None:
    """Gives the files below `folder` names that are the same from run to run, and removes Spark's own marks."""
    for own in [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("part-")]:
        own.unlink()
    for month in {path.parent for path in folder.rglob("*.parquet")}:
        for number, path in enumerate(sorted(month.glob("part-*.parquet"))):
            path.rename(month / f"{number}.parquet")
