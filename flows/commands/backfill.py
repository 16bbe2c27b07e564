"""`minutewise backfill`: a long history into a warehouse, month by month."""

from datetime import date

import click

from flows.commands.options import COMMON, EXTRACTS, OUT, WAREHOUSE, tell_outcome, with_options
from flows.option_types import DAY


@click.command(
    epilog="""\b
Example:
  minutewise backfill --extracts history/ --out out/ --warehouse clinic.duckdb --since 2024-01-01 --until 2026-10-31

\b
Exit codes as of `minutewise audit`; 0 also where months outside the dates asked are left and nothing is published."""
)
@with_options(
    EXTRACTS[0],
    OUT,
    WAREHOUSE,
    *EXTRACTS[1:],
    click.option("--since", type=DAY, required=True, help="First service date to compute."),
    click.option("--until", type=DAY, required=True, help="Last service date to compute."),
    *COMMON,
)
def backfill(since, until, as_of, watch, under_prefect, as_json, **options):
    """Take in a history and compute it month by month; a stopped backfill goes on where it was.

    Publishes one run when every service date is computed. The next audit also computes what a backfill left.
    """
    from flows.run.backfill import run_backfill
    from flows.settings import AuditSettings
    from flows.watch.watching import watched

    if under_prefect:
        raise click.UsageError("--prefect: run the deployment minutewise-backfill instead (docs/prefect.md)")
    if since > until:
        raise click.UsageError(f"--since {since} is after --until {until}; swap them")
    with watched(watch, options["out"]) as night:
        settings = AuditSettings(as_of=as_of or date.today(), **options)
        outcome = run_backfill(settings, since, until, lambda line: click.echo(f"minutewise: {line}", err=True))
        if outcome:
            night.ended(outcome)
    return tell_outcome(outcome, as_json) if outcome else 0
