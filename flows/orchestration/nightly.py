"""The audit as a Prefect flow: a task a stage, over the same list that the command line runs.

Parameters are paths, dates and switches, never data.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Literal

from prefect import State, flow
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL

from flows.orchestration.living_runs import host_of
from flows.orchestration.parts import IS_WATCHED, audited, retry_seconds
from flows.orchestration.time_limit import HOUR
from flows.run.audit import Outcome, run_audit
from flows.settings import AuditSettings
from transforms.errors import AuditError, UsageProblem

#: A night takes minutes; the first load of years belongs to the backfill.
AUDIT_SECONDS = 4 * HOUR


def _flow_run_name() -> str:
    asked = flow_run.parameters
    since, until = asked.get("since"), asked.get("until")
    period = f"{since or 'first date'} to {until or 'last date'}" if since or until else "all dates"
    return f"audit of {period}, as of {asked.get('as_of') or date.today()}"


@flow(name="minutewise-audit", flow_run_name=_flow_run_name, persist_result=False, timeout_seconds=AUDIT_SECONDS)
def audit_flow(
    out: Path,
    as_of: date | None = None,
    extracts: Path | None = None,
    claims: str | None = None,
    notes: str | None = None,
    note_blocks: str | None = None,
    mapping: Path | None = None,
    removed: tuple[str, ...] = (),
    since: date | None = None,
    until: date | None = None,
    reference: Path | None = None,
    crosswalk: Path | None = None,
    warehouse: Path | None = None,
    warehouse_key_file: Path | None = None,
    is_rebuild: bool = False,
    claims_only: bool = False,
    allow_low_match: bool = False,
    override_guard: tuple[str, ...] = (),
    fail_on: Literal["never", "error", "warning", "review"] = "never",
    fail_on_new: bool = False,
    workbook_rows: int = 20_000,
    group: str | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
    engine: Literal["duckdb", "spark"] = "duckdb",
    spark_master: str | None = None,
    spark_conf: tuple[str, ...] = (),
    spark_output: str | None = None,
    log_format: Literal["text", "json"] = "text",
    metrics_file: Path | None = None,
    digest_file: Path | None = None,
    notify_command: str | None = None,
    notify_block: str | None = None,
    notify_always: bool = False,
) -> State:
    """Audits and publishes as `minutewise audit` does, with the same options under the same names.

    Ends Completed, or failed with one line that says why: named Failed where nothing was published, Findings where the
    audit is published and would exit 1, TimedOut where its time was up. The state's data, in this process only, is the
    Outcome or the exception.
    """
    return audited(dict(locals()), AUDIT_SECONDS, run_audit)


def run_under_prefect(settings: AuditSettings) -> Outcome:
    """Runs the flow in this process, on the server that PREFECT_API_URL names or on a temporary one.

    The caller watches the run. Raises what the audit itself would raise, UsageProblem where the server named does not
    answer, and AuditError where Prefect fails on the way.
    """
    retry_seconds()
    with _ending_in_order(), _watched_by_the_caller():
        _reach_server()
        # By field: the object also keeps the warehouse's key once it has been read.
        asked = {field.name: getattr(settings, field.name) for field in fields(settings)}
        try:
            came_to = audit_flow(**asked, return_state=True).result(raise_on_failure=False)
        except Exception as problem:
            raise AuditError(
                f"Prefect failed on the way ({type(problem).__name__}); the same command without --prefect says "
                "whether the audit was published"
            ) from None
    if isinstance(came_to, Exception):
        raise came_to
    return came_to


@contextmanager
def _watched_by_the_caller() -> Iterator[None]:
    token = IS_WATCHED.set(True)
    try:
        yield
    finally:
        IS_WATCHED.reset(token)


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
        raise UsageProblem(
            f"PREFECT_API_URL: no Prefect server answers at {host_of(address)}; start it, correct the address, "
            "or unset it to use a temporary server"
        )
    raise AuditError(
        f"Prefect's temporary server did not start ({type(problem).__name__}); try again, name a running one "
        "with PREFECT_API_URL, or leave --prefect out"
    )
