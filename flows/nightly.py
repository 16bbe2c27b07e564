"""The audit as a Prefect flow: a task a stage, over the same list that the command line runs.

Parameters are paths, dates and switches, never data. Tasks take and return nothing, states hold messages of
ours only, and no result is kept: whoever may see the schedule may read all that Prefect writes down.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from prefect import State, flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed

from flows.audit import Outcome, run_audit
from flows.settings import AuditSettings
from flows.stages import Run, Stage, timed
from flows.summary import markdown_summary, rule_rows
from flows.transient import passing_fault
from transforms.errors import AuditError, UsageProblem

LOG = logging.getLogger(__name__)
#: Seconds before the first retry of a stage; each further one waits twice as long.
RETRY_SECONDS = "MINUTEWISE_RETRY_SECONDS"


def _flow_run_name() -> str:
    asked = flow_run.parameters
    since, until = asked.get("since"), asked.get("until")
    period = f"{since or 'first date'} to {until or 'last date'}" if since or until else "all dates"
    return f"audit of {period}, as of {asked.get('as_of') or date.today()}"


@flow(name="minutewise-audit", flow_run_name=_flow_run_name, persist_result=False)
def audit_flow(
    out: Path,
    as_of: date | None = None,
    extracts: Path | None = None,
    claims: str | None = None,
    notes: str | None = None,
    note_blocks: str | None = None,
    mapping: Path | None = None,
    since: date | None = None,
    until: date | None = None,
    reference: Path | None = None,
    crosswalk: Path | None = None,
    warehouse: Path | None = None,
    allow_low_match: bool = False,
    fail_on: Literal["never", "error", "warning", "review"] = "never",
    fail_on_new: bool = False,
    workbook_rows: int = 20_000,
) -> State:
    """Audits and publishes as `minutewise audit` does, with the same options under the same names.

    Ends Completed, or failed with one line that says why: named Failed where nothing was published, and
    Findings where the audit is published and would exit 1. The state's data, in this process only, is the
    Outcome or the exception.
    """
    asked = dict(locals())
    try:
        # An exception that leaves a flow is written to disk, text and all, whatever persist_result says.
        outcome = run_audit(AuditSettings(**asked | {"as_of": as_of or date.today()}), _run_as_task)
    except Exception as problem:
        return _failed(problem)
    _show(outcome.manifest)
    return _ended(outcome, fail_on)


def run_under_prefect(settings: AuditSettings) -> Outcome:
    """Runs the flow in this process, on the server that PREFECT_API_URL names or on a temporary one.

    Raises what the audit itself would raise, UsageProblem where the server named does not answer, and
    AuditError where Prefect fails on the way.
    """
    _retry_seconds()
    with _ending_in_order():
        _reach_server()
        try:
            came_to = audit_flow(**vars(settings), return_state=True).result(raise_on_failure=False)
        except Exception as problem:
            raise AuditError(
                f"Prefect failed on the way ({type(problem).__name__}); the same command without --prefect says "
                "whether the audit was published"
            ) from None
    if isinstance(came_to, Exception):
        raise came_to
    return came_to


def _run_as_task(stage: Stage, run: Run) -> None:
    """Runs one stage as a task run of its name; raises what the stage raised."""
    seconds = _retry_seconds()

    @task(
        name=stage.name,
        task_run_name=stage.name,
        retries=stage.retries,
        retry_delay_seconds=[seconds * 2**attempt for attempt in range(stage.retries)],
        retry_condition_fn=_may_pass,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def run_stage() -> State | None:
        try:
            timed(stage, run)
        except Exception as problem:
            return _failed(problem)

    state = run_stage(return_state=True)
    if not state.is_completed():
        raise state.result(raise_on_failure=False)


def _may_pass(ran, _task_run, state: State) -> bool:
    """Asked only while retries are left: bad input and bad options are not tried again."""
    fault = passing_fault(state.result(raise_on_failure=False))
    if fault:
        LOG.warning("%s: %s; trying again", ran.name, fault)
    return fault is not None


def _failed(problem: Exception) -> State:
    """A state that says what everybody may read: the text of a stranger's exception may quote a row."""
    is_ours = isinstance(problem, AuditError)
    said = str(problem) if is_ours else f"internal error ({type(problem).__name__})"
    return Failed(message=said, data=problem)


def _ended(outcome: Outcome, fail_on: str) -> State:
    said = f"{outcome.manifest['run_id']} is published"
    if outcome.exit_code == 0:
        return Completed(message=said, data=outcome)
    broken = [rule["rule_id"] for rule in outcome.manifest["rules"] if rule["status"] == "error"]
    why = f"rules that could not be run: {', '.join(broken)}" if broken else f"findings at or above {fail_on}"
    return Failed(name="Findings", message=f"{said}; {why}", data=outcome)


def _show(manifest: dict) -> None:
    """Two artifacts beside the run, counts and dollars only; a published audit does not fail for them."""
    try:
        create_markdown_artifact(markdown_summary(manifest), "minutewise-summary", "What the audit found")
        create_table_artifact(rule_rows(manifest), "minutewise-rules", "The verdict of every rule")
    except Exception as problem:
        LOG.warning("published, but Prefect did not take the artifacts (%s)", type(problem).__name__)


def _retry_seconds() -> float:
    asked = os.environ.get(RETRY_SECONDS, "10")
    try:
        seconds = float(asked)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise UsageProblem(f"{RETRY_SECONDS}={asked}: not a number of seconds, 0 to 3600; correct it")
    return seconds


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Takes SIGTERM as an exit: by default it ends Python at once, and leaves the temporary server running."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _reach_server() -> None:
    """Starts the temporary server, or makes sure that the one named answers, before anything is read."""
    address = PREFECT_API_URL.value()
    try:
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
    except Exception as failure:
        problem = failure
    if problem is None:
        return
    if address:
        # Host and port only: an address may hold a password.
        place = urlsplit(address).netloc.rpartition("@")[2]
        raise UsageProblem(
            f"PREFECT_API_URL: no Prefect server answers at {place}; start it, correct the address, "
            "or unset it to use a temporary server"
        )
    raise AuditError(
        f"Prefect's temporary server did not start ({type(problem).__name__}); try again, name a running one "
        "with PREFECT_API_URL, or leave --prefect out"
    )
