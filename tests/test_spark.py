"""Spark beside DuckDB: the same SQL on the same Parquet gives the same rows in every table, from the contract on.

The cases are laid together, for each audit on Spark costs a minute where DuckDB takes a second.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests import spark_rows
from tests.test_cases import CASES, GROUPS, are_matched, findings_of
from transforms.accept.apply import apply_contract
from transforms.contract.fields import TABLES
from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.engines.spark.session import has_pyspark, java_version
from transforms.extract import find_inputs, load_extracts
from transforms.models.load import STAGES, load_models
from transforms.models.run import Setting, judge_rows, measure_match, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference

AS_OF = date(2026, 11, 20)
ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
#: For a few rows one task is enough, and statistics cost more than they save.
SMALL = ("spark.sql.adaptive.enabled=false", "spark.sql.shuffle.partitions=1")
#: And they are sooner read by an interpreter than by compiled code. The audit of the samples compiles.
INTERPRETED = (
    *SMALL,
    "spark.sql.codegen.wholeStage=false",
    "spark.sql.codegen.factoryMode=NO_CODEGEN",
    "spark.driver.memory=2g",
)
needs_spark = pytest.mark.skipif(
    not (has_pyspark() and java_version()), reason="pyspark or a Java runtime is missing: make setup-spark"
)
#: The largest group of cases that may share an audit, and all others.
SHARED = Counter(GROUPS.values()).most_common(1)[0][0]


@pytest.fixture(scope="module", autouse=True)
def quick_start():
    """Java compiles once and lightly: each of these statements runs once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """One Spark for all tests of this file."""
    from transforms.engines.spark.session import close_session, open_session

    opened = open_session("local[2]", tmp_path_factory.mktemp("spark"), INTERPRETED)
    yield opened
    close_session(opened)


def on_both(session, folder: Path, as_of: date = AS_OF) -> tuple:
    """The audit of a folder's extracts and reference on DuckDB and on Spark: the two engines, filled."""
    from transforms.engines.spark.engine import SparkEngine
    from transforms.engines.spark.handover import give
    from transforms.engines.spark.load import load_on_spark

    inputs = find_inputs(folder / "extracts")
    con = open_database()
    load_reference(con, folder / "reference")
    load_crosswalk(con, None)
    spark = SparkEngine(session, f"{folder.name}_{os.getpid()}".replace("-", "_"))
    give(con, spark)
    load_extracts(con, inputs)
    load_on_spark(spark, inputs)
    for engine in (con, spark):
        apply_contract(engine, as_of)
        stage_rows(engine, Setting(as_of))
        judge_rows(engine, Setting(as_of))
    assert measure_match(con, Setting(as_of)) == measure_match(spark, Setting(as_of))
    return con, spark


@pytest.fixture(scope="module")
def cases_on_both(session, tmp_path_factory):
    """The cases that share an audit, on both engines."""
    folder = tmp_path_factory.mktemp("cases")
    spark_rows.write_cases({prefix: case for prefix, case in CASES.items() if GROUPS[prefix] == SHARED}, folder)
    engines = on_both(session, folder)
    yield engines
    for engine in engines:
        engine.close()


@pytest.fixture(scope="module")
def odd_on_both(session, tmp_path_factory):
    """All other cases laid together, and rows with odd cells, on both engines."""
    folder = tmp_path_factory.mktemp("odd")
    spark_rows.write_odd({prefix: case for prefix, case in CASES.items() if GROUPS[prefix] != SHARED}, folder)
    engines = on_both(session, folder)
    yield engines
    for engine in engines:
        engine.close()


def differing(con, spark) -> list[str]:
    """What differs between the tables of DuckDB and Spark: every table that either of them holds, as sorted rows."""
    models = {model.name for stage in STAGES for model in load_models(stage)}
    held = con.execute(
        "select table_schema, table_name, table_type from information_schema.tables where "
        "not regexp_matches(table_name, '^(ref|crosswalk|loaded|read)_') order by all"
    ).fetchall()
    # Of the rows read, those that are sound: what a broken row's other cells come to is said nowhere.
    models |= {f"row_{table}" for table in TABLES}
    schemas = {"LOCAL TEMPORARY": "temp"}
    held = [(schemas.get(kind, schema), table) for schema, table, kind in held if kind != "VIEW" or table in models]
    assert models <= {table for _, table in held}
    con.execute("set search_path = 'part,main'")
    problems = []
    for schema, table in held:
        columns = list(spark.columns(table, schema))
        listed = ", ".join(f'"{column}"' for column in columns)
        ours = Counter(map(repr, con.execute(f"select {listed} from {schema}.{table}").fetchall()))
        frame = spark.frame(table, schema).select([f"`{column}`" for column in columns])
        theirs = Counter(repr(tuple(row)) for row in frame.collect())
        if ours != theirs:
            only = [list(left.elements())[:3] for left in (ours - theirs, theirs - ours)]
            problems.append(f"{schema}.{table}: only DuckDB {only[0]}, only Spark {only[1]}")
    return problems


@needs_spark
def test_every_table_of_the_cases_is_the_same_on_both_engines(cases_on_both):
    con, spark = cases_on_both
    assert differing(con, spark) == []


@needs_spark
def test_spark_finds_in_each_case_what_the_case_says(cases_on_both):
    _, spark = cases_on_both
    rows = rows_as_dicts(spark, "select * from finding")
    by_case = {prefix: [] for prefix in CASES}
    for row in rows:
        subject = row["patient_id"] or row["provider_id"]
        if subject.startswith("case"):
            by_case[subject.split("-")[0] + "-"].append(row)
    wrong = []
    for prefix, case in CASES.items():
        if GROUPS[prefix] == SHARED:
            own = findings_of(_Found(by_case[prefix]), prefix)
            own = [row for row in own if row["rule_id"] == case["rule_id"]]
            if not are_matched(case["findings"], own):
                wrong.append((case["rule_id"], case["name"]))
    assert wrong == []
    assert {row["rule_id"] for row in rows} == {model.name for model in load_models("findings")}


class _Found:
    """The findings of one case, as an audit's result has them."""

    def __init__(self, findings):
        self.findings = findings


@needs_spark
def test_every_table_of_odd_cells_is_the_same_on_both_engines(odd_on_both):
    con, spark = odd_on_both
    reasons = dict(con.execute("select reason, count(*) from quarantine group by reason").fetchall())
    assert len(reasons) > 15, reasons
    assert differing(con, spark) == []


@needs_spark
def test_a_quarantined_row_is_told_as_the_same_json(odd_on_both):
    con, spark = odd_on_both
    query = "select file_name, source_line, row_json from quarantine where row_json is not null order by all"
    rows = con.execute(query).fetchall()
    assert rows == spark.execute(query).fetchall()
    assert any("\\u001F" in row[2] for row in rows) and all(json.loads(row[2]) for row in rows)


@needs_spark
def test_a_catalogues_table_and_files_under_a_uri_hold_the_rows_of_the_file(session, tmp_path):
    from transforms.engines.spark.sources import find_sources, source_frame

    typed = spark_rows.typed_rows()["claims"]
    (tmp_path / "lake").mkdir()
    for part in range(2):
        pq.write_table(typed, tmp_path / "lake" / f"part-{part}.parquet")
    session.sql("create database if not exists clinic")
    session.read.parquet(f"{tmp_path}/lake/part-0.parquet").write.saveAsTable("clinic.claims")
    files = find_sources(session, "claims", f"file://{tmp_path}/lake", 1)
    (table,) = find_sources(session, "claims", "table:clinic.claims", 3)
    assert [(one.file_number, one.file_name) for one in files] == [(1, "part-0.parquet"), (2, "part-1.parquet")]
    assert files[0].sha256 == files[1].sha256 == table.sha256 != "", "the same rows have the same digest"
    for one in (files[0], table):
        frame, cells, kinds = source_frame(session, one)
        rows = frame.selectExpr(*cells).collect()
        assert sorted(row["source_line"] for row in rows) == list(range(1, typed.num_rows + 1))
        assert kinds["charge_usd"] == "DECIMAL(12,2)" and {row["charge_usd"] for row in rows} == {"120.50"}
    session.sql("drop database clinic cascade")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The published runs of the sample audit by DuckDB and by Spark, from the same Parquet; and what Spark's said."""
    folder = tmp_path_factory.mktemp("published")
    extracts = folder / "extracts"
    extracts.mkdir()
    for path in SAMPLES.glob("*.csv"):
        if path.name != "ledger.csv":
            (extracts / path.name).write_bytes(path.read_bytes())
    spark_rows.as_parquet(extracts)
    runs, told = {}, {}
    confs = [word for conf in SMALL for word in ("--spark-conf", conf)]
    for engine, more in (("duckdb", ()), ("spark", ("--spark-master", "local[2]", *confs))):
        out = folder / engine
        told[engine] = subprocess.run(
            [sys.executable, "-c", "from flows.cli import main; main()", "audit", "--extracts", extracts, "--out", out,
             "--reference", SAMPLES / "reference", "--as-of", "2026-11-10", "--engine", engine, *more],
            capture_output=True, text=True, timeout=900, cwd=ROOT,
        )  # fmt: skip
        assert told[engine].returncode == 0, told[engine].stderr
        runs[engine] = out / "runs" / (out / "current").read_text().strip()
    return runs, told["spark"], extracts


@needs_spark
def test_both_engines_publish_the_same_bytes(published):
    runs, _, _ = published
    for name in ("findings.parquet", "findings.csv", "units.parquet", "rules.parquet", "quarantine.parquet"):
        assert (runs["duckdb"] / name).read_bytes() == (runs["spark"] / name).read_bytes(), name
    for path in sorted((runs["duckdb"] / "accepted").glob("*.parquet")):
        assert path.read_bytes() == (runs["spark"] / "accepted" / path.name).read_bytes(), path.name


@needs_spark
def test_spark_writes_findings_and_units_by_month(published):
    runs, _, _ = published
    for folder, name in (("findings_by_month", "findings"), ("units_by_month", "units")):
        months = sorted(path.name for path in (runs["spark"] / folder).iterdir())
        whole = duckdb.sql(f"from '{runs['duckdb']}/{name}.parquet'")
        dates = [day for (day,) in whole.project("service_date").fetchall()]
        assert months == sorted({f"month={day:%Y-%m}" for day in dates})
        by_month = duckdb.sql(f"from read_parquet('{runs['spark']}/{folder}/*/*.parquet', hive_partitioning = false)")
        shared = ", ".join(f'"{column}"' for column in by_month.columns if column in whole.columns)
        rows = Counter(map(repr, by_month.project(shared).fetchall()))
        assert rows == Counter(map(repr, whole.project(shared).fetchall())) and len(rows) > 0


@needs_spark
def test_an_audit_on_spark_is_quiet_and_leaves_private_files_only(published):
    runs, told, _ = published
    assert "WARN" not in told.stderr and "log4j" not in told.stderr and "Exception" not in told.stderr
    out = runs["spark"].parents[1]
    assert not (out / ".work").exists()
    for path in runs["spark"].rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@needs_spark
def test_a_file_that_spark_cannot_read_is_told_in_one_line(session, tmp_path):
    from transforms.engines.spark.faults import told_in_one_line
    from transforms.errors import AuditError

    with pytest.raises(AuditError) as told, told_in_one_line("claims"):
        session.sql("select cast('Jane Roe' as int)").collect()
    assert "CAST_INVALID_INPUT" in str(told.value)
    assert "Jane" not in str(told.value) and "\n" not in str(told.value)


@needs_spark
@pytest.mark.parametrize("statement", ["delete from held", "update held set n = 2", "alter table held rename to kept"])
def test_what_spark_cannot_do_to_a_table_is_refused_and_not_done_to_its_shape_alone(session, statement):
    from transforms.engines.spark.engine import SparkEngine

    spark = SparkEngine(session, f"refusing_{os.getpid()}")
    spark.execute("create table held as select 1 as n")
    with pytest.raises(NotImplementedError):
        spark.execute(statement)
    assert spark.execute("select n from held").fetchall() == [(1,)]
    spark.session.sql(f"drop database {spark.database} cascade")
