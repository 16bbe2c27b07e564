"""Chooses the published run that a command is about: the one named, or the current one."""

from pathlib import Path

from flows.runs.names import MANIFEST
from flows.runs.read import current_run
from transforms.errors import UsageProblem

#: So many runs are named in a message.
_MOST_NAMED = 5


def published_runs(out: Path) -> list[str]:
    """The ids of the published runs, the last first; a run under way is hidden, and one without a manifest is none."""
    runs = (path.parent.name for path in (out / "runs").glob(f"*/{MANIFEST}"))
    return sorted((name for name in runs if not name.startswith(".")), reverse=True)


def choose_run(out: Path, run_id: str | None = None) -> Path:
    """The folder of the run `run_id`, or of the current one; raises UsageProblem, which names those that are there."""
    runs = published_runs(out)
    if not runs:
        raise UsageProblem(f"{out}: no run is published there; run `minutewise audit --out {out}` first")
    chosen = run_id or current_run(out)
    if chosen is None:
        raise UsageProblem(f"{out}: no run over all dates is published there yet; choose one with --run: {few(runs)}")
    if chosen not in runs:
        named = "no such run" if run_id else "the run that `current` names is not there"
        raise UsageProblem(f"{out}: {named}; choose one with --run: {few(runs)}")
    return out / "runs" / chosen


def few(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
