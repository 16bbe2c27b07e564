"""`minutewise rebuild`: the warehouse from scratch, of the rows that the current run published."""

import click

from flows.commands.options import COMMON, OUT, WAREHOUSE, run_and_tell, with_options


@click.command(
    epilog="""\b
Example:
  minutewise rebuild --out out/ --warehouse clinic.duckdb --reference our-payers/

\b
The exit codes are those of `minutewise audit`."""
)
@with_options(OUT, WAREHOUSE, *COMMON)
def rebuild(**options):
    """Build the warehouse again from the current run, recompute every date, and publish.

    Reads no extracts: a run's accepted rows and its manifest are all it needs. Where nothing else has changed, the
    result has to be the very run that is current.
    """
    return run_and_tell(is_rebuild=True, **options)
