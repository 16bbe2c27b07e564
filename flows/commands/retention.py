"""`minutewise retention`: old runs removed for good."""

import json
import re
from datetime import date, timedelta

import click

from flows.option_types import DAY, FOLDER, tell


class Age(click.ParamType):
    """A number of days before the as-of date, or a date."""

    name = "DAYS|YYYY-MM-DD"

    def convert(self, value, param, ctx):
        if isinstance(value, int | date):
            return value
        return int(value) if re.fullmatch("[0-9]{1,5}", value) else DAY.convert(value, param, ctx)


@click.command(
    epilog="""\b
Examples:
  minutewise retention out --older-than 400 --keep 5 --dry-run
  minutewise retention out --older-than 2026-01-01

\b
Exit codes: 0 done; 2 usage, or the folder cannot be written; 75 an audit holds the output folder."""
)
@click.argument("out", type=FOLDER)
@click.option("--older-than", type=Age(), required=True, help="Remove runs whose as-of date is older than this.")
@click.option("--keep", type=click.IntRange(0), default=1, show_default=True, help="Always keep the latest runs.")
@click.option("--as-of", type=DAY, help="The date that DAYS are counted back from.  [default: today]")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def retention(out, older_than, keep, as_of, dry_run, as_json):
    """Remove old runs for good, and Great Expectations' results of them.

    The current run always stays. What is removed is written to OUT/retention.jsonl first. A monthly file that a kept
    run has too stays on the disk with that run. The warehouse is not touched: its history stays. Data Docs list
    removed runs until the next audit builds their index again.
    """
    from flows.runs.retention import removed_json, removed_text, retain

    removed = retain(out, _before(older_than, as_of or date.today()), keep, dry_run)
    tell(json.dumps(removed_json(removed), indent=2) if as_json else removed_text(removed))
    if removed.left_alone:
        names = ", ".join(ascii(name) for name in removed.left_alone)
        click.echo(f"minutewise: {out / 'runs'}: no runs by their names, left alone: {names}; look at them", err=True)
    return 0


def _before(older_than: int | date, as_of: date) -> date:
    if isinstance(older_than, date):
        return older_than
    try:
        return as_of - timedelta(days=older_than)
    except OverflowError:
        raise click.UsageError(f"--older-than {older_than}: so long ago there was no date") from None
