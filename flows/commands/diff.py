"""`minutewise diff`: what became of the findings between two runs."""

import json

import click

from flows.option_types import FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise diff out/runs/2026-11-09-1f0c2a7b9d3e out/runs/2026-11-10-dc71a5dc602d
  minutewise diff 2026-11-09-1f0c2a7b9d3e 2026-11-10-dc71a5dc602d --out out

\b
Exit codes: 0 compared; 2 a run is not there, or its files cannot be read."""
)
@click.argument("run_a")
@click.argument("run_b")
@click.option("--out", type=FOLDER, help="The folder of the runs, where RUN_A or RUN_B is a run id.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def diff(run_a, run_b, out, as_json):
    """Show the findings that are new, reopened, resolved or changed in RUN_B against RUN_A, an earlier run.

    A run is its folder, or its id with --out. Prints finding ids, which are as private as patients' ids.
    """
    from flows.changes.differences import compare_runs, difference_json, difference_text

    difference = compare_runs(run_a, run_b, out)
    tell(json.dumps(difference_json(difference), indent=2) if as_json else difference_text(difference))
    return 0
