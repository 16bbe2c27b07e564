"""One audit under way, in two halves: what was asked, which stays as it is, and what its stages have found."""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from flows.disk.rights import Rights
from flows.dispositions.log import Log
from flows.run.spark import SparkRun
from flows.settings import AuditSettings
from flows.warehouse.state import WarehouseState
from transforms.extract import InputFile, Mapping
from transforms.models.run import Match


@dataclass(frozen=True)
class Asked:
    """What a run was asked, and where it works."""

    settings: AuditSettings
    #: The private folder of its working files, removed when the run ends.
    work: Path
    #: Who may read what it publishes.
    rights: Rights
    #: The key of the run's own DuckDB file where the warehouse has one, so that nothing lies on the disk in clear text.
    work_key: str | None = field(default=None, repr=False)

    @property
    def database(self) -> Path:
        """The run's own DuckDB file."""
        return self.work / "audit.duckdb"

    @property
    def accepted(self) -> Path:
        """Where the contract writes accepted rows in the form in which they are published; a warehouse and Spark keep
        their own."""
        return self.work / "accepted"


@dataclass
class Found:
    """What the stages have found so far: each leaves here what later stages and the manifest need."""

    run_id: str = ""
    audit_digest: str = ""
    previous_run: str | None = None
    mapping: Mapping | None = None
    #: The extracts to read; of a warehouse's night only the new ones.
    files: list[InputFile] = field(default_factory=list)
    #: Decisions on findings, as the log was when the run began.
    log: Log = field(default_factory=Log)
    match: Match | None = None
    #: Great Expectations' verdict (expectations.judge.Verdict).
    verdict: object = None
    #: Seconds by stage.
    seconds: dict[str, float] = field(default_factory=dict)
    #: The part of a stage's seconds that hardly depends on the number of rows: judge_import, publish_workbook.
    seconds_within: dict[str, float] = field(default_factory=dict)
    #: Counts by stage.
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    #: Lines for stderr: what was repaired, which guards warn.
    messages: list[str] = field(default_factory=list)
    manifest: dict | None = None
    was_published_before: bool = False
    #: With --warehouse: what it holds, and how many dates the night moved, by cause.
    warehouse: WarehouseState | None = None
    moved: dict[str, int] = field(default_factory=dict)
    #: What the guards measured and said, as the manifest has it.
    watched: dict = field(default_factory=dict)


@dataclass
class Run:
    """One audit under way: what was asked, what was found, and what is open."""

    asked: Asked
    found: Found = field(default_factory=Found)
    #: With --engine spark: what the heavy stages run on.
    spark: SparkRun | None = None
    #: The run's own DuckDB file while it is open.
    connection: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)
