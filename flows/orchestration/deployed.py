"""Backfill, verification and retention as Prefect flows, for the deployments beside the nightly one."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from prefect import State, flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import Field

from flows.orchestration.living_runs import living
from flows.orchestration.parts import audited, in_task, shown_beside, stated
from flows.orchestration.time_limit import HOUR, in_time
from flows.run.audit import Outcome, Runner
from flows.run.backfill import run_backfill
from flows.runs.retention import removed_text, retain
from flows.runs.verify import Checked, verify, verify_text
from flows.settings import AuditSettings
from flows.watch.events import warn
from transforms.errors import UsageProblem

#: A history of years, month by month; what is stopped goes on where it was.
BACKFILL_SECONDS = 24 * HOUR
VERIFY_SECONDS = 4 * HOUR
RETENTION_SECONDS = HOUR
#: So many problems are shown beside a run; the command line shows all.
MOST_ROWS = 200


def _backfill_name() -> str:
    asked = flow_run.parameters
    return f"backfill of {asked['since']} to {asked['until']}, as of {asked.get('as_of') or date.today()}"


@flow(name="minutewise-backfill", flow_run_name=_backfill_name, persist_result=False, timeout_seconds=BACKFILL_SECONDS)
def backfill_flow(
    out: Path,
    warehouse: Path,
    since: date,
    until: date,
    as_of: date | None = None,
    extracts: Path | None = None,
    claims: str | None = None,
    notes: str | None = None,
    note_blocks: str | None = None,
    mapping: Path | None = None,
    removed: tuple[str, ...] = (),
    reference: Path | None = None,
    crosswalk: Path | None = None,
    warehouse_key_file: Path | None = None,
    allow_low_match: bool = False,
    override_guard: tuple[str, ...] = (),
    fail_on: Literal["never", "error", "warning", "review"] = "never",
    fail_on_new: bool = False,
    workbook_rows: int = 20_000,
    group: str | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
    log_format: Literal["text", "json"] = "text",
    metrics_file: Path | None = None,
    digest_file: Path | None = None,
    notify_command: str | None = None,
    notify_block: str | None = None,
    notify_always: bool = False,
) -> State:
    """Takes in a history month by month as `minutewise backfill` does; ends as the audit flow does.

    Completed without a run where service dates outside since..until are left; the artifact names their months.
    """
    asked = dict(locals())
    # The settings know dates to judge, which a warehouse does not go with; these are dates to compute.
    del asked["since"], asked["until"]
    months: list[str] = []

    def tell(line: str) -> None:
        warn(line)
        months.append(line)
        _show_lines(months, "minutewise-months", "What the backfill has computed")

    def run(settings: AuditSettings, run_stage: Runner) -> Outcome | None:
        if since > until:
            raise UsageProblem(f"since {since} is after until {until}; swap them")
        return run_backfill(settings, since, until, tell, run_stage)

    return audited(asked, BACKFILL_SECONDS, run)


def _verify_name() -> str:
    asked = flow_run.parameters
    return f"verify {'every run' if asked.get('every_run') else asked.get('run_id') or 'the current run'}"


@flow(name="minutewise-verify", flow_run_name=_verify_name, persist_result=False, timeout_seconds=VERIFY_SECONDS)
def verify_flow(out: Path, run_id: str | None = None, every_run: bool = False) -> State:
    """Checks published runs as `minutewise verify` does; fails as Damaged where one is not what its manifest says."""

    def body() -> State:
        if run_id and every_run:
            raise UsageProblem("run_id and every_run: give one of them")
        with in_time(VERIFY_SECONDS), living(out, makes_folder=False):
            checked = in_task("verify", 3, lambda: verify(out, run_id, every_run))
        return _verified(checked)

    return stated(body)


def _verified(checked: list[Checked]) -> State:
    lines = [line.partition(": ") for line in verify_text(checked).splitlines()[:MOST_ROWS]]
    with shown_beside():
        create_table_artifact([{"run": name, "is": told} for name, _, told in lines], "minutewise-verify")
    broken = [run.run_id for run in checked if not run.is_sound]
    if not broken:
        return Completed(message=f"sound: {len(checked)} of {len(checked)} runs")
    said = f"not sound: {', '.join(broken[:5])}{', ...' if broken[5:] else ''} ({len(broken)} of {len(checked)} runs)"
    told = "restore it from a copy, or remove its folder below runs/ and audit again"
    return Failed(name="Damaged", message=f"{said}; {told}")


@flow(
    name="minutewise-retention",
    flow_run_name="retention of runs older than {older_than}",
    persist_result=False,
    timeout_seconds=RETENTION_SECONDS,
)
def retention_flow(
    out: Path,
    older_than: Annotated[int, Field(ge=0, le=99_999)] | date,
    keep: Annotated[int, Field(ge=0)] = 1,
    as_of: date | None = None,
    dry_run: bool = False,
) -> State:
    """Removes old runs for good as `minutewise retention` does: `older_than` is a number of days, or a date."""

    def body() -> State:
        before = older_than
        if isinstance(older_than, int):
            before = (as_of or date.today()) - timedelta(days=older_than)
        with in_time(RETENTION_SECONDS), living(out, makes_folder=False):
            removed = in_task("retention", 3, lambda: retain(out, before, keep, dry_run))
        lines = removed_text(removed).splitlines()
        alone = [f"{name!a}: no run by its name, left alone; look at it" for name in removed.left_alone]
        _show_lines([*lines, *alone], "minutewise-retention", "What was removed")
        return Completed(message=lines[-1])

    return stated(body)


def _show_lines(lines: list[str], key: str, description: str) -> None:
    if lines:
        with shown_beside():
            create_markdown_artifact("".join(f"- {line}\n" for line in lines[-MOST_ROWS:]), key, description)
