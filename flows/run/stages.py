"""The stages of an audit, in order: one list, run as it stands by the command line and task by task by Prefect.

A stage takes the run, works in the run's DuckDB file, and leaves what later stages need in that file or, where it is
counts, on the run.
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from flows.disk.rights import Rights, rights_for
from flows.dispositions.log import Log, read_log
from flows.dispositions.table import load_decisions
from flows.failures import told_without_values
from flows.guards.check import check_guards, guard_lines, manifest_entries, stop_or_warn
from flows.guards.facts import guards_in_force, night_facts
from flows.identity import audit_digest, code_version, run_id
from flows.publishing.placing import recover
from flows.run.spark import SparkRun
from flows.runs.earlier import earlier_manifests
from flows.runs.read import current_run, read_published
from flows.runs.unpublished import forget_unpublished, require_unpublished
from flows.settings import AuditSettings
from flows.warehouse.kept import Kept, find_kept, last_run, put_in_place, restore
from transforms.accept.apply import apply_contract
from transforms.database.duckdb_file import database_share, open_database
from transforms.errors import AuditError, UsageProblem
from transforms.extract import InputFile, Mapping, find_inputs, load_extracts, load_mapping
from transforms.models.run import Match, judge_rows, measure_match, require_match, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference
from transforms.warehouse import take_in as history
from transforms.warehouse.night import attached, merged, moved_dates, recompute_night, why_all_dates

#: Where Great Expectations keeps its context below the output folder: not part of a run, so that history stays.
CONTEXT = "great_expectations"


@dataclass
class Run:
    """One audit under way: what was asked, where its working files are, and the counts that stages leave."""

    settings: AuditSettings
    work: Path
    rights: Rights
    run_id: str = ""
    audit_digest: str = ""
    previous_run: str | None = None
    mapping: Mapping | None = None
    files: list[InputFile] = field(default_factory=list)
    #: What people decided of findings, as the log stood when the run began.
    log: Log = field(default_factory=Log)
    match: Match | None = None
    verdict: object = None
    seconds: dict[str, float] = field(default_factory=dict)
    #: Of a stage's seconds, those that another number of rows hardly changes: judge_import, publish_workbook.
    seconds_within: dict[str, float] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    #: What is said on stderr: what was mended, which guards warn.
    messages: list[str] = field(default_factory=list)
    manifest: dict | None = None
    was_published_before: bool = False
    #: With --warehouse: what it holds, and what the night moved.
    kept: Kept | None = None
    moved: dict[str, int] = field(default_factory=dict)
    watched: dict = field(default_factory=dict)
    #: Of the run's own DuckDB file, where the warehouse has one: so nothing of it lies in clear on the disk.
    work_key: str | None = field(default=None, repr=False)
    #: The run's own DuckDB file while it is open.
    connection: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)
    #: With --engine spark: what the heavy stages run on.
    spark: SparkRun | None = None

    @property
    def database(self) -> Path:
        """The run's own DuckDB file."""
        return self.work / "audit.duckdb"

    @property
    def accepted(self) -> Path:
        """Where the contract writes the accepted rows as they are published, where neither a warehouse nor Spark keeps
        them."""
        return self.work / "accepted"


def identify(run: Run) -> None:
    """Finds the input files and the run id; where that run is published already, the stages have nothing to do."""
    settings = run.settings
    mended = recover(settings.out, lambda: last_run(settings), run.rights, settings.warehouse)
    run.messages += [mended] if mended else []
    run.previous_run = current_run(settings.out)
    current = read_published(settings.out, run.previous_run) if run.previous_run else None
    run.mapping = load_mapping(settings.mapping) if settings.mapping else None
    held = []
    if settings.warehouse:
        run.kept = find_kept(settings, run.previous_run)
        run.messages += run.kept.messages
        held = run.kept.held
    if not settings.is_rebuild:
        # A night may bring no claims: the warehouse has those of the nights before.
        run.files = (
            run.spark.find_inputs(run.mapping)
            if run.spark
            else find_inputs(settings.extracts, settings.explicit, run.mapping, not held, settings.tables)
        )
    if run.kept:
        if run.kept.restored_from or not held:
            require_unpublished(settings.out, run.files)
        run.files = run.kept.take(run.files, settings.removed)
    run.log = read_log(settings.out)
    removed = run.kept.removed if run.kept else []
    run.audit_digest = audit_digest(settings, run.files, held, removed, run.log.digest)
    _find_published(run, current)


def _find_published(run: Run, current: dict | None) -> None:
    """The same audit again is the current run; else the run of this id, where it is published beside it."""
    settings = run.settings
    if settings.claims_only and current and not current.get("claims_only"):
        raise UsageProblem(
            f"--claims-only --out {settings.out}: holds runs with notes, beside which every finding about notes would "
            "count as resolved; give another --out"
        )
    is_same = bool(current) and current.get("audit_digest") == run.audit_digest
    if is_same and (run.kept is None or run.kept.is_sound):
        run.run_id, run.manifest = run.previous_run, current
    else:
        # What a night says of new and old findings rests on the run before it.
        before = run.previous_run if run.kept else None
        if is_same:
            before = current["previous_run"]
        run.run_id = run_id(settings.as_of, run.audit_digest, before)
        run.manifest = None if run.kept else read_published(settings.out, run.run_id)
    run.was_published_before = run.manifest is not None


def extract(run: Run) -> None:
    """Loads reference tables, crosswalk and the new extracts into a new DuckDB file."""
    _remove_database(run)
    with open_database_of(run) as con:
        load_reference(con, run.settings.reference)
        load_crosswalk(con, run.settings.crosswalk)
        if run.spark:
            run.spark.extract(con, run.files, run.mapping)
        else:
            load_extracts(con, run.files, run.mapping)


def contract(run: Run) -> None:
    """Sorts every row read into accepted, quarantined or duplicate; the counts must reconcile."""
    with open_database_of(run) as con:
        if run.kept:
            if run.kept.restored_from:
                restore(con, run.kept, run.settings.key)
            with attached(con, run.kept.file, run.settings.key):
                history.take_in(con, run.settings.as_of, run.kept.removed, settle_all=bool(run.kept.all_dates_because))
        elif run.spark:
            run.spark.contract(con)
        else:
            run.accepted.mkdir(mode=0o700, exist_ok=True)
            apply_contract(con, run.settings.as_of, run.accepted)
        names = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
        sums = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint)" for name in names)
        read = con.execute(f"select {sums} from load_count").fetchone()
        run.counts["contract"] = dict(zip(names, read, strict=True))


def recompute(run: Run) -> None:
    """Final lines and notes, how much of them meets, then minutes, units and findings."""
    setting = run.settings.judged
    with open_database_of(run) as con:
        if run.kept:
            with attached(con, run.kept.file, run.settings.key):
                because = run.kept.all_dates_because or why_all_dates(con, code_version())
                run.match = recompute_night(con, setting, because, run.settings.allow_low_match)
            run.moved = moved_dates(con)
            dates = con.execute("select count(*) from touched_date").fetchone()[0]
        else:
            run.match = run.spark.recompute(con) if run.spark else _recompute_all(con, run)
            dates = con.execute("select count(distinct service_date) from date_count").fetchone()[0]
        findings = con.execute("select count(*) from finding").fetchone()[0]
        run.counts["recompute"] = {"service_dates": dates, "findings": findings}


def _recompute_all(con, run: Run) -> Match:
    setting = run.settings.judged
    stage_rows(con, setting)
    match = measure_match(con, setting)
    if run.settings.requires_match:
        require_match(con, match)
    judge_rows(con, setting)
    return match


def guard(run: Run) -> None:
    """Stops a run that does not look like the nights before it, as guard.csv says."""
    settings, held = run.settings, run.kept.held if run.kept else []
    earlier = earlier_manifests(settings.out)
    with open_database_of(run) as con:
        facts = night_facts(
            con,
            settings.as_of,
            reference=settings.reference,
            is_incremental=run.kept is not None,
            has_history=bool(held),
            asked_for_rows=_asks_for_rows(run, earlier),
        )
        guards = guards_in_force(con, settings.as_of)
    results = check_guards(facts, earlier, guards, settings.override_guard)
    # Known before it stops, so that a stopped run can be told of.
    run.watched = manifest_entries(facts, earlier, results)
    if not settings.is_rebuild:
        stop_or_warn(results)
        run.messages += guard_lines(run.watched["guards"])


def _asks_for_rows(run: Run, earlier: list[dict]) -> bool:
    """Whether new rows should have come: not where files are taken back, nor where a rebuild or the end of a backfill
    publishes what the warehouse has taken in already."""
    if run.settings.is_rebuild or run.settings.removed:
        return False
    last = next((one for one in earlier if one.get("warehouse")), {"inputs": []})
    published = {entry.get("file_number") for entry in last["inputs"]}
    return run.kept is None or all(file["file_number"] in published for file in run.kept.held)


def judge(run: Run) -> None:
    """Great Expectations judges the tables and the findings; its verdict must agree with the findings' own."""
    run.verdict = judge_tables_of(run, run.run_id)


def judge_tables_of(run: Run, name: str):
    """The verdict over what stands in the run's own database, kept in the history under `name`."""
    # Imported here: Great Expectations takes seconds, and no other stage needs it.
    from expectations.judge import Limits, agree
    from expectations.judge import judge as judge_tables

    # A clock that went back does not break rows that an earlier night accepted.
    latest = max([run.settings.as_of, *([run.kept.as_of] if run.kept and run.kept.as_of else [])])
    context = run.settings.out / CONTEXT
    _close_database(run)  # it reads the file by itself
    limits = Limits(run.settings.threads, database_share(run.settings.memory_limit), run.work / "spill")
    verdict = judge_tables(run.database, context, name, as_of=latest, key=run.work_key, limits=limits)
    run.seconds_within["judge_import"] = verdict.import_seconds
    if run.settings.group:
        run.rights.apply(context)
        run.rights.open_way(run.settings.out, context / "any")
    if not verdict.contract_ok:
        raise AuditError(
            "Great Expectations found accepted rows that break the contract, so nothing is published: "
            + "; ".join(verdict.contract_failures)
        )
    with open_database_of(run) as con:
        statuses = dict(con.execute("select rule_id, status from rule_result").fetchall())
    agree(verdict, statuses)
    return verdict


def publish(run: Run) -> None:
    """Writes the run folder aside, makes it durable, renames it, commits the warehouse, and swaps `current` last."""
    # Imported here: the libraries of the page and the workbook are needed by no other stage.
    from flows.publishing.write import publish_run

    with open_database_of(run) as con:
        load_decisions(con, run.log, run.settings.as_of)
        if not run.kept:
            run.manifest = publish_run(run, con)
            return
        path = run.kept.file_to_write
        with merged(con, path, run.settings.key, run.run_id, run.settings.as_of, code_version()) as commit:

            def commit_and_place() -> None:
                commit()
                put_in_place(con, run.kept)

            run.manifest = publish_run(run, con, commit_and_place)
        forget_unpublished(run.settings.out)


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
    Stage("guard", guard),
    Stage("judge", judge),
    Stage("publish", publish),
)


def timed(stage: Stage, run: Run) -> None:
    """Runs one stage and notes the seconds it took; an unforeseen error becomes AuditError without its text."""
    started = time.monotonic()
    try:
        with told_without_values(f"stage {stage.name}"):
            stage.do(run)
    except AuditError as problem:
        if problem.exit_code == AuditError.exit_code and run.kept and run.kept.file:
            # A block that rotted is met when it is read, in whatever stage that is.
            raise AuditError(
                f"{problem}. Where it comes again every night, the warehouse may be damaged: `minutewise rebuild` "
                "makes it anew from the published runs"
            ) from None
        raise
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
    work_key = secrets.token_hex(32) if settings.key else None
    spark = SparkRun(settings, work) if settings.engine == "spark" else None
    return Run(settings, work, rights_for(settings.group), work_key=work_key, spark=spark)


def close_run(run: Run) -> None:
    """Removes the working folder and what a warehouse that did not come about left aside."""
    _close_database(run)
    if run.spark:
        run.spark.close()
    shutil.rmtree(run.work, ignore_errors=True)
    if run.kept:
        run.kept.clear()


def _remove_database(run: Run) -> None:
    _close_database(run)
    for path in (run.database, run.database.with_name(run.database.name + ".wal")):
        path.unlink(missing_ok=True)


@contextmanager
def open_database_of(run: Run):
    """The run's own DuckDB file, open; nothing but the run's files can be reached from it. It stays open for the next
    stage, unless something went wrong."""
    run.connection = run.connection or _open_database(run)
    try:
        yield run.connection
    except BaseException:
        # A query that Python was interrupted in goes on in DuckDB, and closing would wait for its end.
        run.connection.interrupt()
        _close_database(run)
        raise


def _open_database(run: Run):
    settings = run.settings
    writes = [settings.out, *(run.kept.places if run.kept else ())]
    try:
        return open_database(
            run.database,
            settings.threads,
            database_share(settings.memory_limit),
            reads=[file.path for file in run.files if file.is_local],
            writes=writes,
            temp_directory=run.work / "spill",
            key=run.work_key,
            is_thrown_away=run.kept is None,
        )
    except (OSError, duckdb.IOException):
        raise UsageProblem(f"{run.database}: cannot be opened or written; choose another place") from None


def _close_database(run: Run) -> None:
    if run.connection:
        run.connection.close()
    run.connection = None
