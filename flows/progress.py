"""Shows on stderr which stage is under way, where stderr is a terminal."""

import sys
from contextlib import contextmanager

from flows.stages import Run, Stage, timed

DOING = {
    "identify": "finding the extracts",
    "extract": "reading the extracts",
    "contract": "holding every row against the contract",
    "recompute": "recomputing minutes and units",
    "judge": "Great Expectations is judging",
    "publish": "publishing",
}


@contextmanager
def shown_stage():
    """Gives a runner of stages that shows a spinner and the seconds taken; a plain one where nobody looks."""
    if not sys.stderr.isatty():
        yield timed
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status:

        def run_stage(stage: Stage, run: Run) -> None:
            status.update(f"{DOING[stage.name]} ...")
            timed(stage, run)
            console.print(f"[dim]{stage.name:<10} {run.seconds[stage.name]:7.1f} s[/dim]")

        yield run_stage
