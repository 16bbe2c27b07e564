"""What the engines promise without a JVM: what is refused, how SQL is carried to Spark, and that Spark stays away."""

import os
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
import sqlglot
from sqlglot.errors import UnsupportedError

from flows.run.spark import SparkRun, master_of
from flows.settings import AuditSettings
from transforms.contract.cell_sql import BETWEEN_CODES, MINUTES_IN_PROSE, WHOLE_PART
from transforms.dialects.carry import carried
from transforms.dialects.spark import java_regex
from transforms.engines import EngineFault
from transforms.engines.spark.faults import told_in_one_line
from transforms.engines.spark.session import is_connect, java_version, require_spark
from transforms.errors import AuditError, UsageProblem

ROOT = Path(__file__).resolve().parents[1]


def settings(**more) -> AuditSettings:
    return AuditSettings(out=Path("out"), as_of=date(2026, 11, 10), **({"extracts": Path("extracts")} | more))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"engine": "spark", "warehouse": Path("w.duckdb")}, "--warehouse"),
        ({"spark_master": "local[2]"}, "--spark-master needs --engine spark"),
        ({"spark_conf": ("spark.driver.memory=1g",)}, "--spark-conf needs --engine spark"),
        ({"spark_output": "s3a://lake/out"}, "--spark-output needs --engine spark"),
        ({"claims": "table:clinic.claims"}, "--claims table:clinic.claims: can be read with --engine spark only"),
        ({"note_blocks": "s3a://lake/blocks"}, "--note-blocks s3a://lake/blocks: can be read"),
        ({"engine": "spark", "spark_conf": ("spark.driver.memory",)}, "KEY=VALUE"),
        ({"engine": "spark", "spark_conf": ("driver.memory=1g",)}, "KEY=VALUE"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(options, told):
    with pytest.raises(UsageProblem) as problem:
        settings(**options)
    assert told in str(problem.value)


def test_csv_is_refused_on_spark_before_a_session_is_opened(tmp_path):
    (tmp_path / "claims.csv").write_text("claim_id\n")
    run = SparkRun(settings(engine="spark", extracts=tmp_path), tmp_path)
    with pytest.raises(UsageProblem, match=r"claims.csv: is CSV, and --engine spark reads Parquet only"):
        run.find_inputs(None)
    assert run._session is None


def test_spark_runs_on_this_machine_unless_told_otherwise():
    assert master_of(settings(engine="spark")) == "local[*]"
    assert master_of(settings(engine="spark", threads=2)) == "local[2]"
    assert master_of(settings(engine="spark", threads=2, spark_master="yarn")) == "yarn"
    assert is_connect("sc://host:15002") and not is_connect("spark://host:7077")


def test_without_java_the_user_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java_version() is None
    with pytest.raises(UsageProblem, match=r"Java runtime, version 17 or newer|needs pyspark"):
        require_spark("local[2]")


def test_an_audit_on_duckdb_never_imports_spark(tmp_path):
    """pyspark and py4j are made to fail on import: an installation without the extra must not notice."""
    code = "import sys; sys.modules['pyspark'] = sys.modules['py4j'] = None\nfrom flows.cli import main\nmain()"
    for arguments in (["doctor"], ["audit", "--help"], ["audit", "--extracts", "data/samples", "--reference",
                      "data/samples/reference", "--as-of", "2026-11-10", "--out", str(tmp_path / "out")]):  # fmt: skip
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
    code = (
        "import sys, flows.run.audit, flows.run.stages, flows.commands.backends.doctor; "
        "print('pyspark' in sys.modules, 'py4j' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).split() == ["False", "False"]


@pytest.mark.parametrize(
    ("duckdb_text", "spark_words"),
    [
        ("select a // b as x from t", "a DIV b"),
        ("select regexp_full_match(a, 'x$') as x from t", r"RLIKE '\\A(?:x\\z)\\z'"),
        ("select regexp_matches(a, 'x', 'i') as x from t", "'(?iu)x'"),
        ("select a[1] as x, b[-1] as y from t", "RIGHT((b), 1)"),
        ("select row(a, b) as x from t", "STRUCT(a, b)"),
        ("select * exclude (a) replace (b + 1 as b) from t", "* EXCEPT (a, b), b + 1 AS b"),
        ("select unnest(generate_series(1, n)) as x from t", "CASE WHEN (1) <= (n)"),
        ("select json_object('a', b) as x from t", "'ignoreNullFields', 'false'"),
        ("select cast(a as date) - b as x from t", "DATEDIFF(CAST(a AS DATE), b)"),
        ("select epoch_us(a) as x from t", "UNIX_MICROS"),
        ("select cast(a as integer) as x from t", "CAST(ROUND(a) AS INT)"),
        ("select cast(a // b as bigint) as x from t", "CAST(a DIV b AS BIGINT)"),
        ("select d + try_cast(left(c, 15) as time) as x from t", "AS TIMESTAMP_NTZ"),
    ],
)
def test_what_the_engines_say_differently_is_carried_over(duckdb_text, spark_words):
    text = carried(duckdb_text, "spark")
    assert "".join(spark_words.lower().split()) in "".join(text.lower().split())
    assert sqlglot.parse_one(text, read="spark")


@pytest.mark.parametrize(
    "text",
    [
        "select regexp_replace(a, 'x', '') as y from t",  # the first match only
        "select a[3] as x from t",
        "select regexp_matches(a, b) as x from t",
    ],
)
def test_what_cannot_be_carried_over_raises(text):
    with pytest.raises(UnsupportedError):
        carried(text, "spark")


def test_a_pattern_means_to_java_what_it_means_to_duckdb():
    assert java_regex(WHOLE_PART) == r"^[+-]?0*([0-9]{1,9})(\.|\z)"
    assert java_regex(BETWEEN_CODES) == r"[\t\n\f\r \x{a0};,:/|>^*-]"
    assert r"\b" not in java_regex(MINUTES_IN_PROSE) and "(?<![0-9A-Za-z_])" in java_regex(MINUTES_IN_PROSE)


class _Refused(Exception):
    """As pyspark raises it."""

    def getCondition(self):
        return "DIVIDE_BY_ZERO"


_Refused.__module__ = "pyspark.errors"


class _Gone(Exception):
    """As py4j raises it."""


_Gone.__module__ = "py4j.protocol"


def test_a_failure_of_spark_is_one_line_without_a_value():
    with pytest.raises(AuditError) as refused, told_in_one_line("create table finding as select 'Jane Roe'"):
        raise _Refused("[DIVIDE_BY_ZERO] Jane Roe\n\tat org.apache.spark")
    assert str(refused.value) == "Spark refuses create table finding: DIVIDE_BY_ZERO"
    assert not isinstance(refused.value, EngineFault)
    with pytest.raises(EngineFault) as gone, told_in_one_line("finding"):
        raise _Gone("java.lang.OutOfMemoryError: Jane Roe\n\tat org.apache.spark")
    assert "OutOfMemory" in str(gone.value) and "Jane" not in str(gone.value) and "\n" not in str(gone.value)
    with pytest.raises(ZeroDivisionError), told_in_one_line("finding"):
        raise ZeroDivisionError("a fault of our own stays what it is")


def test_doctor_says_whether_spark_is_there(monkeypatch, tmp_path):
    from flows.commands.backends.doctor import examine

    monkeypatch.setenv("JAVA_HOME", os.fspath(tmp_path))
    assert "Java" in examine()["spark"] or "not installed" in examine()["spark"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("split = 'array'", "claims.procedure_code: split cannot be read with --engine spark"),
        ("values = { a = '97110' }", None),
    ],
)
def test_what_spark_cannot_do_of_a_mapping_is_refused(tmp_path, said, told):
    from transforms.engines.spark.load import require_carried
    from transforms.extract import load_mapping
    from transforms.extract.mapping.sql import make_plan

    path = tmp_path / "ours.toml"
    path.write_text(f"[claims.columns.procedure_code]\nfrom = 'codes'\n{said}\n")
    columns = ("claim_id", "line_number", "patient_id", "payer_id", "service_date", "codes", "billed_units")
    plan = make_plan("claims", "claims.parquet", columns, load_mapping(path))
    if told is None:
        require_carried(plan, "claims", "ours.toml")
    else:
        with pytest.raises(UsageProblem, match=told):
            require_carried(plan, "claims", "ours.toml")


def test_the_lock_of_spark_is_pinned_hashed_and_what_the_extra_asks_for():
    from flows.supply_chain.lock_file import locked_packages

    locked = {one.name: one for one in locked_packages(ROOT / "requirements-spark.lock")}
    assert locked.keys() == {"pyspark", "py4j"} and all(one.hashes and one.version for one in locked.values())
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["spark"]
    assert extra == [f"pyspark=={locked['pyspark'].version}"]
    assert not {"pyspark", "py4j"} & {one.name for one in locked_packages()}, "400 MB that nobody else needs"
