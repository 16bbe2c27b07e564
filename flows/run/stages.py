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
from dataclasses import dataclass

import duckdb

from flows.disk.rights import rights_for
from flows.dispositions.log import read_log
from flows.dispositions.table import load_decisions
from flows.failures import told_without_values
from flows.guards.check import check_guards, guard_lines, manifest_entries, stop_or_warn
from flows.guards.facts import guards_in_force, night_facts
from flows.identity import audit_digest, code_version, run_id
from flows.publishing.placing import recover
from flows.run.run import Asked, Run
from flows.run.spark import SparkRun
from flows.runs.earlier import earlier_manifests
from flows.runs.read import current_run, read_published
from flows.runs.unpublished import forget_unpublished, require_unpublished
from flows.settings import AuditSettings
from flows.warehouse.state import find_warehouse, last_run, put_in_place, restore
from transforms.accept.apply import apply_contract
from transforms.database.duckdb_file import database_share, open_database
from transforms.errors import AuditError, UsageProblem
from transforms.extract import find_inputs, load_extracts, load_mapping
from transforms.models.run import Match, judge_rows, measure_match, require_match, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference
from transforms.warehouse.night import attached, merged, moved_dates, recompute_night, why_all_dates
from transforms.warehouse.take_in import take_in

#: Where Great Expectations keeps its context below the output folder: not part of a run, so that history stays.
CONTEXT = "great_expectations"


def identify(run: Run) -> None:
    """Finds the input files and the run id; where that run is published already, the stages have nothing to do."""
    asked, found = run.asked, run.found
    settings = asked.settings
    mended = recover(settings.out, lambda: last_run(settings), asked.rights, settings.warehouse)
    found.messages += [mended] if mended else []
    found.previous_run = current_run(settings.out)
    current = read_published(settings.out, found.previous_run) if found.previous_run else None
    found.mapping = load_mapping(settings.mapping) if settings.mapping else None
    held = []
    if settings.warehouse:
        found.warehouse = find_warehouse(settings, found.previous_run)
        found.messages += found.warehouse.messages
        held = found.warehouse.held
    if not settings.is_rebuild:
        # A night may bring no claims: the warehouse has those of the nights before.
        found.files = (
            run.spark.find_inputs(found.mapping)
            if run.spark
            else find_inputs(settings.extracts, settings.explicit, found.mapping, not held, settings.tables)
        )
    if found.warehouse:
        if found.warehouse.restored_from or not held:
            require_unpublished(settings.out, found.files)
        found.files = found.warehouse.take(found.files, settings.removed)
    found.log = read_log(settings.out)
    removed = found.warehouse.removed if found.warehouse else []
    found.audit_digest = audit_digest(settings, found.files, held, removed, found.log.digest)
    _find_published(run, current)


def _find_published(run: Run, current: dict | None) -> None:
    """The same audit again is the current run; else the run of this id, where it is published beside it."""
    settings, found = run.asked.settings, run.found
    if settings.claims_only and current and not current.get("claims_only"):
        raise UsageProblem(
            f"--claims-only --out {settings.out}: holds runs with notes, beside which every finding about notes would "
            "count as resolved; give another --out"
        )
    is_same = bool(current) and current.get("audit_digest") == found.audit_digest
    if is_same and (found.warehouse is None or found.warehouse.is_sound):
        found.run_id, found.manifest = found.previous_run, current
    else:
        # What a night says of new and old findings rests on the run before it.
        before = found.previous_run if found.warehouse else None
        if is_same:
            before = current["previous_run"]
        found.run_id = run_id(settings.as_of, found.audit_digest, before)
        found.manifest = None if found.warehouse else read_published(settings.out, found.run_id)
    found.was_published_before = found.manifest is not None


def extract(run: Run) -> None:
    """Loads reference tables, crosswalk and the new extracts into a new DuckDB file."""
    asked, found = run.asked, run.found
    _remove_database(run)
    with open_database_of(run) as con:
        load_reference(con, asked.settings.reference)
        load_crosswalk(con, asked.settings.crosswalk)
        if run.spark:
            run.spark.extract(con, found.files, found.mapping)
        else:
            load_extracts(con, found.files, found.mapping)


def contract(run: Run) -> None:
    """Sorts every row read into accepted, quarantined or duplicate; the counts must reconcile."""
    asked, found = run.asked, run.found
    with open_database_of(run) as con:
        if found.warehouse:
            if found.warehouse.restored_from:
                restore(con, found.warehouse, asked.settings.key)
            with attached(con, found.warehouse.file, asked.settings.key):
                settle_all = bool(found.warehouse.why_all_dates)
                take_in(con, asked.settings.as_of, found.warehouse.removed, settle_all=settle_all)
        elif run.spark:
            run.spark.contract(con)
        else:
            asked.accepted.mkdir(mode=0o700, exist_ok=True)
            apply_contract(con, asked.settings.as_of, asked.accepted)
        names = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
        sums = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint)" for name in names)
        read = con.execute(f"select {sums} from load_count").fetchone()
        found.counts["contract"] = dict(zip(names, read, strict=True))


def recompute(run: Run) -> None:
    """Final lines and notes, how much of them meets, then minutes, units and findings."""
    settings, found = run.asked.settings, run.found
    with open_database_of(run) as con:
        if found.warehouse:
            with attached(con, found.warehouse.file, settings.key):
                why = found.warehouse.why_all_dates or why_all_dates(con, code_version())
                found.match = recompute_night(con, settings.judged, why, settings.allow_low_match)
            found.moved = moved_dates(con)
            dates = con.execute("select count(*) from touched_date").fetchone()[0]
        else:
            found.match = run.spark.recompute(con) if run.spark else _recompute_all(con, run)
            dates = con.execute("select count(distinct service_date) from date_count").fetchone()[0]
        findings = con.execute("select count(*) from finding").fetchone()[0]
        found.counts["recompute"] = {"service_dates": dates, "findings": findings}


def _recompute_all(con, run: Run) -> Match:
    settings = run.asked.settings
    stage_rows(con, settings.judged)
    match = measure_match(con, settings.judged)
    if settings.requires_match:
        require_match(con, match)
    judge_rows(con, settings.judged)
    return match


def guard(run: Run) -> None:
    """Stops a run that does not look like the nights before it, as guard.csv says."""
    found = run.found
    settings, held = run.asked.settings, found.warehouse.held if found.warehouse else []
    earlier = earlier_manifests(settings.out)
    with open_database_of(run) as con:
        facts = night_facts(
            con,
            settings.as_of,
            reference=settings.reference,
            is_incremental=found.warehouse is not None,
            has_history=bool(held),
            asked_for_rows=_asks_for_rows(run, earlier),
        )
        guards = guards_in_force(con, settings.as_of)
    results = check_guards(facts, earlier, guards, settings.override_guard)
    # Known before it stops, so that a stopped run can be told of.
    found.watched = manifest_entries(facts, earlier, results)
    if not settings.is_rebuild:
        stop_or_warn(results)
        found.messages += guard_lines(found.watched["guards"])


def _asks_for_rows(run: Run, earlier: list[dict]) -> bool:
    """Whether new rows should have come: not where files are taken back, nor where a rebuild or the end of a backfill
    publishes what the warehouse has taken in already."""
    settings, warehouse = run.asked.settings, run.found.warehouse
    if settings.is_rebuild or settings.removed:
        return False
    last = next((one for one in earlier if one.get("warehouse")), {"inputs": []})
    published = {entry.get("file_number") for entry in last["inputs"]}
    return warehouse is None or all(file["file_number"] in published for file in warehouse.held)


def judge(run: Run) -> None:
    """Great Expectations judges the tables and the findings; its verdict must agree with the findings' own."""
    run.found.verdict = judge_tables_of(run, run.found.run_id)


def judge_tables_of(run: Run, name: str):
    """The verdict over what stands in the run's own database, kept in the history under `name`."""
    # Imported here: Great Expectations takes seconds, and no other stage needs it.
    from expectations.judge import Limits, agree
    from expectations.judge import judge as judge_tables

    asked, found = run.asked, run.found
    # A clock that went back does not break rows that an earlier night accepted.
    latest = asked.settings.as_of
    if found.warehouse and found.warehouse.as_of:
        latest = max(latest, found.warehouse.as_of)
    context = asked.settings.out / CONTEXT
    _close_database(run)  # it reads the file by itself
    limits = Limits(asked.settings.threads, database_share(asked.settings.memory_limit), asked.work / "spill")
    verdict = judge_tables(asked.database, context, name, as_of=latest, key=asked.work_key, limits=limits)
    found.seconds_within["judge_import"] = verdict.import_seconds
    if asked.settings.group:
        asked.rights.apply(context)
        asked.rights.open_way(asked.settings.out, context / "any")
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

    asked, found = run.asked, run.found
    with open_database_of(run) as con:
        load_decisions(con, found.log, asked.settings.as_of)
        if not found.warehouse:
            found.manifest = publish_run(run, con)
            return
        path = found.warehouse.file_to_write
        with merged(con, path, asked.settings.key, found.run_id, asked.settings.as_of, code_version()) as commit:

            def commit_and_place() -> None:
                commit()
                put_in_place(con, found.warehouse)

            found.manifest = publish_run(run, con, commit_and_place)
        forget_unpublished(asked.settings.out)


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
    found = run.found
    started = time.monotonic()
    try:
        with told_without_values(f"stage {stage.name}"):
            stage.do(run)
    except AuditError as problem:
        if problem.exit_code == AuditError.exit_code and found.warehouse and found.warehouse.file:
            # A block that rotted is met when it is read, in whatever stage that is.
            raise AuditError(
                f"{problem}. If this happens every night, the warehouse may be damaged: `minutewise rebuild` "
                "recreates it from the published runs"
            ) from None
        raise
    found.seconds[stage.name] = round(time.monotonic() - started, 3)


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
    return Run(Asked(settings, work, rights_for(settings.group), work_key), spark=spark)


def close_run(run: Run) -> None:
    """Removes the working folder and what a warehouse that did not come about left aside."""
    found = run.found
    _close_database(run)
    if run.spark:
        run.spark.close()
    shutil.rmtree(run.asked.work, ignore_errors=True)
    if found.warehouse:
        found.warehouse.clear()


def _remove_database(run: Run) -> None:
    asked = run.asked
    _close_database(run)
    for path in (asked.database, asked.database.with_name(asked.database.name + ".wal")):
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
    asked, found = run.asked, run.found
    settings = asked.settings
    writes = [settings.out, *(found.warehouse.places if found.warehouse else ())]
    try:
        return open_database(
            asked.database,
            settings.threads,
            database_share(settings.memory_limit),
            reads=[file.path for file in found.files if file.is_local],
            writes=writes,
            temp_directory=asked.work / "spill",
            key=asked.work_key,
            is_thrown_away=found.warehouse is None,
        )
    except (OSError, duckdb.IOException):
        raise UsageProblem(f"{asked.database}: cannot be opened or written; choose another place") from None


def _close_database(run: Run) -> None:
    if run.connection:
        run.connection.close()
    run.connection = None
