"""`minutewise quarantine`: every row that a run set aside, and what to do about it."""

import click

from flows.option_types import FILE, FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise quarantine out
  minutewise quarantine out --csv set-aside.csv
  minutewise quarantine out/runs/2026-11-10-0123456789ab

\b
Exit codes: 0 printed; 2 there is no such run, its files cannot be read, or the CSV cannot be written there."""
)
@click.argument("out", type=FOLDER)
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option("--csv", "to", type=FILE, help="Write every row, whole, as CSV; only such a file is ever replaced.")
def quarantine(out, run_id, to):
    """List the rows set aside: file, line, column, reason, the cell, and what to do about it.

    OUT is the folder of the runs, or one run's folder. What is printed holds cells of patients' rows. After mending,
    export again and audit again.
    """
    from flows.set_aside.text import set_aside_text, write_csv

    if to:
        tell(str(write_csv(out, run_id, to)))
    else:
        tell(set_aside_text(out, run_id))
    return 0
