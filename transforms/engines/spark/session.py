"""Opens a Spark session as a run needs it: quiet, private, on this machine's loopback where it is local."""

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from transforms.engines.spark.faults import told_in_one_line
from transforms.errors import UsageProblem

#: What every session of ours is told, wherever it runs: the engine's answers rest on these.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    # Java never compiles a longer method, and the contract's expressions would make one: a third of the time was that.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
_LOG = Path(__file__).with_name("log4j2.properties")
LEAST_JAVA = 17
#: pyspark's own loggers, which write a failed query with its values on stderr.
_TALKERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")


def java_version() -> str | None:
    """The version of the Java runtime that Spark would start; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not program:
        return None
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "([^"]+)"', told)
    return found.group(1) if found else None


def has_pyspark() -> bool:
    """Whether the extra is installed, without importing it."""
    return find_spec("pyspark") is not None


def require_spark(master: str) -> None:
    """Raises UsageProblem where Spark cannot be started, saying what is missing."""
    if not has_pyspark():
        raise UsageProblem("--engine spark needs pyspark: run make setup-spark in a checkout (docs/spark.md)")
    if is_connect(master):
        return
    version = java_version()
    if version is None or int(version.split(".")[0]) < LEAST_JAVA:
        raise UsageProblem(
            f"--engine spark needs a Java runtime, version {LEAST_JAVA} or newer (found: {version or 'none'}): install "
            "one, or name it with JAVA_HOME"
        )


def is_connect(master: str) -> bool:
    """Whether the address is a Spark Connect server's."""
    return master.startswith("sc://")


def open_session(master: str, work: Path, conf: Sequence[str] = ()):
    """A Spark session at `master`; a local one keeps its files in `work`, on the loopback.

    `conf` are KEY=VALUE as for spark-submit. Raises UsageProblem where Spark cannot be started or reached.
    """
    require_spark(master)
    for logger in _TALKERS:
        logging.getLogger(logger).disabled = True
    asked = dict(pair.split("=", 1) for pair in conf)
    with told_in_one_line(f"the start at {master}"):
        session = _connected(master, asked) if is_connect(master) else _started(master, work, asked)
        for key, value in MEANING.items():
            session.conf.set(key, value)
    return session


def _connected(master: str, asked: dict[str, str]):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.remote(master)
    for key, value in asked.items():
        builder = builder.config(key, value)
    return builder.create()


def _started(master: str, work: Path, asked: dict[str, str]):
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    own = _settings(work) | (_local(work) if master.startswith("local") else {})
    conf = SparkConf().setMaster(master).setAppName("minutewise")
    for key, value in (own | asked).items():
        conf.set(key, value)
    # Java's own words on stderr would be told beside ours, and may hold a value.
    gateway = launch_gateway(conf, {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    return SparkSession(SparkContext(conf=conf, gateway=gateway))


def _settings(work: Path) -> dict[str, str]:
    return {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.hadoop.fs.permissions.umask-mode": "077",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_LOG.as_uri()}",
        "spark.sql.catalogImplementation": "in-memory",
    }


def _local(work: Path) -> dict[str, str]:
    return {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(work / "spark-local"),
        "spark.sql.warehouse.dir": (work / "spark-tables").as_uri(),
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.parquet.compression.codec": "lz4_raw",
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        # What one task holds of a file that it writes or reads: long prose must not fill a small memory.
        "spark.hadoop.parquet.block.size": str(16 * 1024**2),
        "spark.sql.parquet.columnarReaderBatchSize": "512",
        # Spark takes a file for as large as it is compressed, and ours are dictionaries: a table of 10 MB, which it
        # would hand to every task whole, can fill its memory.
        "spark.sql.autoBroadcastJoinThreshold": "1m",
    }


def close_session(session, engine=None) -> None:
    """Drops the engine's tables, ends the session, and Java where we started it; also where Spark is gone already."""
    with suppress(Exception):
        if engine:
            engine.close()
    gateway = getattr(getattr(session, "_sc", None), "_gateway", None)
    with suppress(Exception):
        session.stop()
    if gateway:
        _end_java(gateway)


def _end_java(gateway) -> None:
    from pyspark import SparkContext

    SparkContext._gateway = SparkContext._jvm = None
    with suppress(Exception):
        gateway.shutdown()
        gateway.proc.stdin.close()  # Java ends when nobody can speak to it
        gateway.proc.wait(timeout=20)
