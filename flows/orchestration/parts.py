"""What the Prefect flows share: tasks around what they do, the states they end in, and the watch over an audit.

Tasks take and return nothing, states hold messages of ours only, and no result is kept: whoever may see the schedule
may read all that Prefect writes down.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from datetime import date
from typing import TypeVar

from prefect import State, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows.disk.transient import passing_fault
from flows.failures import internal_error
from flows.orchestration.living_runs import living
from flows.orchestration.time_limit import TIMED_OUT, Stopped, in_time
from flows.run.audit import Outcome, Runner
from flows.run.run import Run
from flows.run.stages import Stage, timed
from flows.settings import AuditSettings
from flows.summary.told import markdown_summary, rule_rows
from flows.watch.events import json_stderr, tell_failure
from flows.watch.options import WatchOptions
from flows.watch.progress import shown_stage
from flows.watch.watching import told_failure, watched
from transforms.errors import AuditError, UsageProblem

LOG = logging.getLogger(__name__)
T = TypeVar("T")
#: Seconds before the first retry; each further one waits twice as long, and each is drawn around that.
RETRY_SECONDS = "MINUTEWISE_RETRY_SECONDS"
JITTER = 0.5
#: True where the command line watches the audit itself, and the flow is not to tell everything a second time.
IS_WATCHED: ContextVar[bool] = ContextVar("is_watched", default=False)


def in_task(name: str, retries: int, do: Callable[[], T]) -> T:
    """Gives what `do` gives, done in a task run of this name; raises what it raised, tried again where that may pass.

    Prefect is told that it was done, never what came of it.
    """
    seconds, came_to = retry_seconds(), []

    @task(
        name=name,
        task_run_name=name,
        retries=retries,
        retry_delay_seconds=[seconds * 2**attempt for attempt in range(retries)],
        retry_jitter_factor=JITTER,
        retry_condition_fn=_may_pass,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def run_task() -> State | None:
        try:
            came_to.append(do())
        except Exception as problem:
            return failed(problem)

    state = run_task(return_state=True)
    if not state.is_completed():
        raise state.result(raise_on_failure=False)
    return came_to[-1]


def run_as_task(stage: Stage, run: Run) -> None:
    """Runs one stage as a task run of its name; raises what the stage raised."""
    in_task(stage.name, stage.retries, lambda: timed(stage, run))


def _may_pass(ran, _task_run, state: State) -> bool:
    """Asked only while retries are left: bad input and bad options are not tried again."""
    fault = passing_fault(state.result(raise_on_failure=False))
    if fault:
        LOG.warning("%s: %s; trying again", ran.name, fault)
    return fault is not None


def retry_seconds() -> float:
    """Seconds before the first retry; raises UsageProblem where the environment gives no number."""
    asked = os.environ.get(RETRY_SECONDS, "10")
    try:
        seconds = float(asked)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise UsageProblem(f"{RETRY_SECONDS}={asked}: not a number of seconds, 0 to 3600; correct it")
    return seconds


def audited(asked: dict, seconds: int, run: Callable[[AuditSettings, Runner], Outcome | None]) -> State:
    """Runs an audit of the parameters `asked`, watched as on the command line; gives the state that the flow ends in.

    `run` gives None where nothing was to be published. `seconds` is the flow's limit.
    """
    options = {field.name: asked.pop(field.name) for field in fields(WatchOptions)}
    asked["as_of"] = asked["as_of"] or date.today()

    def body() -> State:
        with _watching(options, asked["out"]) as (run_stage, ended):
            with in_time(seconds):
                settings = AuditSettings(**asked)
                with living(settings.out):
                    outcome = run(settings, run_stage)
            if outcome:
                ended(outcome)
        return _ended(outcome, asked["fail_on"])

    with json_stderr(["--log-format", options["log_format"]]):
        return stated(body)


def stated(body: Callable[[], State]) -> State:
    """The state that the body of a flow gives, or a failed one of one line.

    An exception that leaves a flow would be written to disk, text and all, whatever persist_result says.
    """
    try:
        return body()
    except Exception as problem:
        if not IS_WATCHED.get():
            exit_code, message = told_failure(problem)
            tell_failure(message, exit_code)
        return failed(problem)


@contextmanager
def _watching(options: dict, out) -> Iterator[tuple[Runner, Callable[[Outcome], None]]]:
    """Gives the runner of stages, and what to call with the outcome."""
    if IS_WATCHED.get():
        yield run_as_task, lambda _outcome: None
        return
    with watched(WatchOptions(**options), out) as night, shown_stage(run_as_task) as run_stage:
        yield night.around(run_stage), night.ended


def failed(problem: Exception) -> State:
    """A state that says what everybody may read: the text of a stranger's exception may quote a row."""
    said = str(problem) if isinstance(problem, AuditError) else internal_error(problem)
    return Failed(name=TIMED_OUT if isinstance(problem, Stopped) else "Failed", message=said, data=problem)


def _ended(outcome: Outcome | None, fail_on: str) -> State:
    if outcome is None:
        return Completed(message="nothing is published yet: service dates outside of the dates asked are left")
    _show(outcome)
    said = f"{outcome.manifest['run_id']} is published"
    if outcome.exit_code == 0:
        return Completed(message=said, data=outcome)
    broken = [rule["rule_id"] for rule in outcome.manifest["rules"] if rule["status"] == "error"]
    why = f"rules that could not be run: {', '.join(broken)}" if broken else f"findings at or above {fail_on}"
    return Failed(name="Findings", message=f"{said}; {why}", data=outcome)


def _show(outcome: Outcome) -> None:
    """Two artifacts beside the run, counts and dollars only, and what a person should be told of the night."""
    warnings = "".join(f"\n- {message}" for message in outcome.messages)
    text = markdown_summary(outcome.manifest) + (f"\n{warnings}\n" if warnings else "")
    with shown_beside():
        create_markdown_artifact(text, "minutewise-summary", "What the audit found")
        create_table_artifact(rule_rows(outcome.manifest), "minutewise-rules", "The verdict of every rule")


@contextmanager
def shown_beside() -> Iterator[None]:
    """What is done does not fail because Prefect would not take an artifact of it."""
    try:
        yield
    except Exception as problem:
        LOG.warning("done, but Prefect did not take the artifacts (%s)", type(problem).__name__)
