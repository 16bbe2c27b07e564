"""Runs one audit: the lock, the stages in order, and the exit code. The stages run here, or under Prefect."""

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.disk.lock import only_run
from flows.failures import told_without_values
from flows.run.run import Run
from flows.run.stages import IDENTIFY, STAGES, Stage, close_run, open_run, timed
from flows.settings import AuditSettings, severities_at_or_above
from transforms.errors import UsageProblem

#: How DuckDB's files begin, behind a checksum.
_MAGIC, _MAGIC_ENDS = b"DUCK", 12
#: Runs one stage of a run; Prefect puts a task around it.
Runner = Callable[[Stage, Run], None]


@dataclass(frozen=True)
class Outcome:
    """What came of an audit: its exit code, its manifest, and whether it had been published before."""

    exit_code: int
    manifest: dict
    folder: Path
    was_published_before: bool
    messages: tuple[str, ...] = ()


def run_audit(settings: AuditSettings, run_stage: Runner = timed) -> Outcome:
    """Audits and publishes; raises AuditError (with the exit code) where nothing could be published."""
    with holding(settings):
        run = open_run(settings)
        try:
            run_stage(IDENTIFY, run)
            for stage in () if run.found.was_published_before else STAGES:
                run_stage(stage, run)
        finally:
            close_run(run)
        folder = settings.out / "runs" / run.found.run_id
        return Outcome(
            exit_code(settings, folder, run.found.manifest),
            run.found.manifest,
            folder,
            run.found.was_published_before,
            tuple(run.found.messages),
        )


@contextmanager
def holding(settings: AuditSettings):
    """Nobody else in the output folder and the warehouse; what is made is the owner's alone, errors hold no values."""
    locks = [settings.out / ".lock"]
    if settings.warehouse:
        _require_database(settings.warehouse)
        locks.append(settings.warehouse.with_name(settings.warehouse.name + ".lock"))
    with _own_files_only(), told_without_values(), only_run(*locks):
        yield


def _require_database(path: Path) -> None:
    """Raises UsageProblem for a file that is no DuckDB file and never was a warehouse: nothing is laid beside it."""
    lock = path.with_name(path.name + ".lock")
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_ENDS)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise UsageProblem(f"--warehouse {path}: cannot be read ({problem.strerror}); check its rights") from None
    if head and not head.endswith(_MAGIC) and not lock.exists():
        raise UsageProblem(f"--warehouse {path}: was not made by an audit and would be replaced; choose another name")


@contextmanager
def _own_files_only():
    """Every file made meanwhile is its owner's alone, a warehouse and `current` too."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def exit_code(settings: AuditSettings, folder: Path, manifest: dict) -> int:
    """0, or 1 where a finding is as grave as --fail-on says, or a rule could not be run at all."""
    if any(rule["status"] == "error" for rule in manifest["rules"]):
        return 1
    grave = severities_at_or_above(settings.fail_on)
    if not any(manifest["findings_by_severity"].get(severity) for severity in grave):
        return 0
    # Which run came before stands in the manifest: the same audit again has to repeat its exit code.
    before = manifest.get("previous_run")
    if settings.fail_on_new and before:
        return 1 if _has_new(folder, settings.out / "runs" / before, grave) else 0
    return 1


def _has_new(folder: Path, previous: Path, grave: tuple[str, ...]) -> bool:
    """Whether a grave finding was not among the findings of the run before; all are new where that one is gone."""
    if not (previous / "findings.parquet").exists():
        return True
    import pyarrow.parquet as pq

    known = set(pq.read_table(previous / "findings.parquet", columns=["finding_id"])["finding_id"].to_pylist())
    now = pq.read_table(folder / "findings.parquet", columns=["finding_id", "severity"]).to_pylist()
    return any(row["severity"] in grave and row["finding_id"] not in known for row in now)
