"""The audit as a Prefect flow: a task a stage, over the same list that the command line runs.

Parameters are paths and dates, never data. Nothing is persisted: tasks return nothing, and logs hold counts only.
"""

from datetime import date
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows.audit import Outcome, run_audit
from flows.settings import AuditSettings
from flows.stages import STAGES, Run, Stage, timed
from flows.summary import markdown_summary, rule_rows
from transforms.errors import AuditError


def _is_transient(_task, _run, state) -> bool:
    """A fault of the machine (a share that is away, a file in use) may pass; bad input and bad options do not."""
    try:
        state.result()
    except AuditError:
        return False
    except OSError:
        return True
    except Exception:
        return False
    return False


def _as_task(stage: Stage):
    return task(
        timed,
        name=stage.name,
        retries=stage.retries,
        retry_delay_seconds=10,
        retry_jitter_factor=0.5,
        retry_condition_fn=_is_transient,
        cache_policy=NO_CACHE,
        persist_result=False,
    )


_TASKS = {stage.name: _as_task(stage) for stage in STAGES}


def _run_as_task(stage: Stage, run: Run) -> None:
    _TASKS[stage.name](stage, run)


def _flow_run_name() -> str:
    asked = flow_run.parameters
    period = f"{asked.get('since') or 'first date'} to {asked.get('until') or 'last date'}"
    return f"audit as of {asked.get('as_of') or date.today()}, {period}"


@flow(
    name="minutewise-audit",
    flow_run_name=_flow_run_name,
    persist_result=False,
    validate_parameters=False,
    timeout_seconds=6 * 3600,
)
def audit_flow(
    out: str,
    extracts: str | None = None,
    as_of: str | None = None,
    since: str | None = None,
    until: str | None = None,
    claims: str | None = None,
    notes: str | None = None,
    note_blocks: str | None = None,
    mapping: str | None = None,
    reference: str | None = None,
    crosswalk: str | None = None,
    warehouse: str | None = None,
    allow_low_match: bool = False,
    fail_on: str = "never",
    fail_on_new: bool = False,
    workbook_rows: int = 20_000,
) -> None:
    """Audits and publishes as `minutewise audit` does; raises AuditError where nothing could be published.

    The run's outcome is what is published; the flow returns nothing, so that Prefect has nothing to keep.
    """
    settings = AuditSettings(
        out=Path(out),
        as_of=date.fromisoformat(as_of) if as_of else date.today(),
        extracts=_path(extracts),
        since=_day(since),
        until=_day(until),
        claims=claims,
        notes=notes,
        note_blocks=note_blocks,
        mapping=_path(mapping),
        reference=_path(reference),
        crosswalk=_path(crosswalk),
        warehouse=_path(warehouse),
        allow_low_match=allow_low_match,
        fail_on=fail_on,
        fail_on_new=fail_on_new,
        workbook_rows=workbook_rows,
    )
    outcome = run_audit(settings, _run_as_task)
    _OUTCOMES.append(outcome)
    create_markdown_artifact(key="minutewise-summary", markdown=markdown_summary(outcome.manifest))
    create_table_artifact(key="minutewise-rules", table=rule_rows(outcome.manifest))


#: Outcomes of the flow runs of this process, for the command line: Prefect itself is given no result to keep.
_OUTCOMES: list[Outcome] = []


def run_under_prefect(settings: AuditSettings) -> Outcome:
    """Runs the flow in this process, on the server that PREFECT_API_URL names or on a temporary one."""
    parameters = {
        name: str(value) if isinstance(value, Path) else value.isoformat() if isinstance(value, date) else value
        for name, value in vars(settings).items()
    }
    _OUTCOMES.clear()
    audit_flow(**parameters)
    return _OUTCOMES.pop()


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
