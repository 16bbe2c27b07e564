"""The stages of an audit, in order: one list, run as it stands by the command line and task by task by Prefect.

A stage takes the run, opens the run's DuckDB file itself and closes it again, and leaves what later stages need in that
file or, where it is counts, on the run.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from flows.failures import told_without_values
from flows.identity import run_id
from flows.publish import current_run, publish_run, read_published
from flows.settings import AuditSettings
from transforms.contract import apply_contract
from transforms.crosswalk import load_crosswalk
from transforms.engine import open_database
from transforms.errors import AuditError, Busy, UsageProblem
from transforms.extract import InputFile, Mapping, find_inputs, load_extracts, load_mapping
from transforms.recompute import Match, judge_rows, require_match, stage_rows
from transforms.reference import load_reference

#: Where Great Expectations keeps its context below the output folder: not part of a run, so that history stays.
CONTEXT = "great_expectations"


@dataclass
class Run:
    """One audit under way: what was asked, where its working files are, and the counts that stages leave."""

    settings: AuditSettings
    work: Path
    run_id: str = ""
    previous_run: str | None = None
    mapping: Mapping | None = None
    files: list[InputFile] = field(default_factory=list)
    match: Match | None = None
    verdict: object = None
    seconds: dict[str, float] = field(default_factory=dict)
    manifest: dict | None = None
    was_published_before: bool = False

    @property
    def database(self) -> Path:
        """The run's DuckDB file; beside a warehouse, so that the last one stays until this one is whole."""
        kept = self.settings.warehouse
        return kept.with_name(f".{kept.name}.partial") if kept else self.work / "audit.duckdb"


def identify(run: Run) -> None:
    """Finds the input files and the run id; where that run is published already, the stages have nothing to do."""
    settings = run.settings
    if settings.warehouse:
        _require_own_database(settings.warehouse)
    run.previous_run = current_run(settings.out)
    run.mapping = load_mapping(settings.mapping) if settings.mapping else None
    run.files = find_inputs(settings.extracts, settings.explicit, run.mapping)
    run.run_id = run_id(settings, run.files)
    run.manifest = read_published(settings.out, run.run_id)
    run.was_published_before = run.manifest is not None


def extract(run: Run) -> None:
    """Loads reference tables, crosswalk and extracts into a new DuckDB file."""
    _remove_database(run)
    with _database(run) as con:
        load_reference(con, run.settings.reference)
        load_crosswalk(con, run.settings.crosswalk)
        load_extracts(con, run.files, run.mapping)


def contract(run: Run) -> None:
    """Sorts every row read into accepted, quarantined or duplicate; the counts must reconcile."""
    with _database(run) as con:
        apply_contract(con, run.settings.as_of)


def recompute(run: Run) -> None:
    """Final lines and notes, how much of them meets, then minutes, units and findings."""
    with _database(run) as con:
        run.match = stage_rows(con, run.settings.judged)
        if not run.settings.allow_low_match:
            require_match(run.match)
        judge_rows(con, run.settings.judged)


def judge(run: Run) -> None:
    """Great Expectations judges the tables and the findings; its verdict must agree with the findings' own."""
    # Imported here: Great Expectations takes seconds, and no other stage needs it.
    from expectations.judge import agree
    from expectations.judge import judge as judge_tables

    run.verdict = judge_tables(run.database, run.settings.out / CONTEXT, run.run_id, as_of=run.settings.as_of)
    if not run.verdict.contract_ok:
        raise AuditError(
            "Great Expectations found accepted rows that break the contract, so nothing is published: "
            + "; ".join(run.verdict.contract_failures)
        )
    with _database(run) as con:
        statuses = dict(con.execute("select rule_id, status from rule_result").fetchall())
    agree(run.verdict, statuses)


def publish(run: Run) -> None:
    """Writes the run folder aside, makes it durable, renames it, and swaps `current` last."""
    with _database(run) as con:
        run.manifest = publish_run(run, con)


@dataclass(frozen=True)
class Stage:
    """One stage: its name, what it does, and how often a transient fault may be met before it is given up."""

    name: str
    do: Callable[[Run], None]
    retries: int = 0


#: Comes before the list: it says whether there is anything to run. It is the first to read the extracts.
IDENTIFY = Stage("identify", identify, retries=3)
STAGES = (
    Stage("extract", extract, retries=3),
    Stage("contract", contract),
    Stage("recompute", recompute),
    Stage("judge", judge),
    Stage("publish", publish),
)


#: What a warehouse is made by: all that reads the extracts and recomputes, nothing that publishes.
WAREHOUSE_STAGES = STAGES[:3]


def timed(stage: Stage, run: Run) -> None:
    """Runs one stage and notes the seconds it took; an unforeseen error becomes AuditError without its text."""
    started = time.monotonic()
    with told_without_values():
        stage.do(run)
    run.seconds[stage.name] = round(time.monotonic() - started, 3)


def open_run(settings: AuditSettings) -> Run:
    """A run with a private working folder below the output folder, cleared of what a killed run left there."""
    work = settings.out / ".work"
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, mode=0o700)
    except OSError as problem:
        raise UsageProblem(f"--out {settings.out}: cannot be written ({problem.strerror})") from None
    for folder in (settings.out / "runs", settings.out / CONTEXT):
        if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            raise UsageProblem(f"{folder}: cannot be written; check its rights, or give another --out")
    return Run(settings, work)


def close_run(run: Run) -> None:
    """Removes the working folder and what is left of the run's DuckDB file."""
    shutil.rmtree(run.work, ignore_errors=True)
    _remove_database(run)


def keep_warehouse(run: Run) -> None:
    """Puts the run's DuckDB file where --warehouse says, in the place of the one before."""
    kept = run.settings.warehouse
    if not kept:
        return
    try:
        kept.with_name(kept.name + ".wal").unlink(missing_ok=True)
        run.database.rename(kept)
    except OSError as problem:
        raise UsageProblem(f"--warehouse {kept}: cannot be written ({problem.strerror})") from None


def _remove_database(run: Run) -> None:
    for path in (run.database, run.database.with_name(run.database.name + ".wal")):
        path.unlink(missing_ok=True)


def _require_own_database(path: Path) -> None:
    """Raises UsageProblem for a file that no audit made, Busy for one in use: a warehouse is replaced as a whole."""
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    except duckdb.Error as problem:
        if "lock" in str(problem):
            raise Busy(f"--warehouse {path}: another program has it open; close it there") from None
        tables = {"what is no DuckDB file"}
    if tables and "ref_audit_rule" not in tables:
        raise UsageProblem(f"--warehouse {path}: was not made by an audit and would be replaced; choose another name")


def _database(run: Run):
    try:
        run.database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open_database(run.database)
    except (OSError, duckdb.IOException):
        raise UsageProblem(f"{run.database}: cannot be opened or written; choose another place") from None
