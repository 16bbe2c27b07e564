"""Runs one audit: the lock, the stages in order, and the exit code. The stages run here, or under Prefect."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.lock import only_run
from flows.publish import current_run
from flows.settings import AuditSettings, severities_at_or_above
from flows.stages import STAGES, Run, Stage, close_run, identify, open_run, timed

#: Runs one stage of a run; Prefect puts a task around it.
Runner = Callable[[Stage, Run], None]


@dataclass(frozen=True)
class Outcome:
    """What came of an audit: its exit code, its manifest, and whether it had been published before."""

    exit_code: int
    manifest: dict
    folder: Path
    was_published_before: bool


def run_audit(settings: AuditSettings, run_stage: Runner = timed) -> Outcome:
    """Audits and publishes; raises AuditError (with the exit code) where nothing could be published."""
    locks = [settings.out / ".lock"]
    if settings.warehouse:
        locks.append(settings.warehouse.with_name(settings.warehouse.name + ".lock"))
    with only_run(*locks):
        run = open_run(settings)
        previous = current_run(settings.out)
        try:
            identify(run)
            if not run.was_published_before:
                for stage in STAGES:
                    run_stage(stage, run)
        finally:
            close_run(run)
    folder = settings.out / "runs" / run.run_id
    return Outcome(exit_code(settings, folder, run.manifest, previous), run.manifest, folder, run.was_published_before)


def exit_code(settings: AuditSettings, folder: Path, manifest: dict, previous: str | None) -> int:
    """0, or 1 where a finding is as grave as --fail-on says, or a rule could not be run at all."""
    if any(rule["status"] == "error" for rule in manifest["rules"]):
        return 1
    grave = severities_at_or_above(settings.fail_on)
    if not any(manifest["findings_by_severity"].get(severity) for severity in grave):
        return 0
    if settings.fail_on_new and previous and previous != manifest["run_id"]:
        return 1 if _has_new(folder, settings.out / "runs" / previous, grave) else 0
    return 1


def _has_new(folder: Path, previous: Path, grave: tuple[str, ...]) -> bool:
    """Whether a grave finding was not among the findings of the run before."""
    query = (
        "select count(*) from read_parquet(?) as now where now.severity in (select unnest(?)) "
        "and now.finding_id not in (select finding_id from read_parquet(?))"
    )
    files = [str(folder / "findings.parquet"), list(grave), str(previous / "findings.parquet")]
    with duckdb.connect() as con:
        return con.execute(query, files).fetchone()[0] > 0
