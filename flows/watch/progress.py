"""Shows on stderr which stage is under way: as events where stderr is JSON, as a spinner where it is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows.run.run import Run
from flows.run.stages import Stage, timed
from flows.runs.manifest_facts import new_inputs
from flows.watch.events import JsonLines, json_log

DOING = {
    "identify": "finding the extracts",
    "extract": "reading the extracts",
    "contract": "holding every row against the contract",
    "recompute": "recomputing minutes and units",
    "guard": "holding the night against the earlier ones",
    "judge": "Great Expectations is judging",
    "publish": "publishing",
}
Runner = Callable[[Stage, Run], None]


@contextmanager
def shown_stage(run_stage: Runner = timed) -> Iterator[Runner]:
    """Gives a runner that shows each stage around `run_stage`; `run_stage` itself where nobody looks."""
    if log := json_log():
        yield _told(log, run_stage)
    elif sys.stderr.isatty():
        with _spinner(run_stage) as shown:
            yield shown
    else:
        yield run_stage


@contextmanager
def _spinner(run_stage: Runner) -> Iterator[Runner]:
    """A spinner, and the seconds that each stage took."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status:

        def shown(stage: Stage, run: Run) -> None:
            status.update(f"{DOING.get(stage.name, stage.name)} ...")
            run_stage(stage, run)
            console.print(f"[dim]{stage.name:<10} {run.found.seconds[stage.name]:7.1f} s[/dim]")

        yield shown


def _told(log: JsonLines, run_stage: Runner) -> Runner:
    """Tells when a stage starts and ends; where it fails, `log.stage` still names it when the failure is told."""

    def told(stage: Stage, run: Run) -> None:
        log.run_id, log.stage = run.found.run_id or None, stage.name
        log.tell("stage_started")
        run_stage(stage, run)
        log.run_id = run.found.run_id or None
        log.tell("stage_finished", counts=stage_counts(stage, run), seconds=run.found.seconds[stage.name])
        log.stage = None

    return told


def stage_counts(stage: Stage, run: Run) -> dict[str, int]:
    """What a stage counted: what it left in `run.found.counts`, and what stands on the run anyway."""
    found = run.found
    counts = dict(getattr(run, "counts", {}).get(stage.name, {}))
    if stage.name == "identify":
        counts.setdefault("files", len(found.files))
    elif stage.name == "recompute" and found.match:
        names = ("claim_days", "claim_days_with_note", "notes", "notes_with_claim")
        counts = {name: getattr(found.match, name) for name in names} | counts
    elif stage.name == "publish" and found.manifest:
        counts = published_counts(found.manifest) | counts
    return counts


def published_counts(manifest: dict) -> dict[str, int]:
    """Rows read and what became of them, and the findings, over all files and rules of a published run."""
    outcomes = ("read", "accepted", "quarantined", "duplicate")
    rows = {f"rows_{name}": sum(entry[f"rows_{name}"] for entry in new_inputs(manifest)) for name in outcomes}
    rules = manifest["rules"]
    return rows | {
        "findings": sum(rule["violations"] for rule in rules),
        "unjudged": sum(rule["unjudged"] for rule in rules),
        "rules_failed": sum(rule["status"] == "failed" for rule in rules),
        "rules_in_error": sum(rule["status"] == "error" for rule in rules),
    }
