"""`minutewise dispose`: what people decided of findings, taken back."""

import json
from datetime import date

import click

from flows.option_types import DAY, FILE, FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise dispose out --from findings.xlsx
  minutewise dispose out --from decisions.csv --by "J. Doe" --on 2026-11-10

\b
Exit codes: 0 done; 2 usage, or a damaged log; 3 the file cannot be taken, and nothing of it was; 75 an audit holds
the output folder."""
)
@click.argument("out", type=FOLDER)
@click.option("--from", "source", type=FILE, required=True, help="A findings.xlsx, or a CSV with the same columns.")
@click.option("--by", metavar="NAME", help="Who decided, for rows that do not say.")
@click.option("--on", type=DAY, help="When it was decided, for rows that do not say.  [default: --as-of]")
@click.option("--run", "run_id", metavar="RUN_ID", help="The run whose findings were decided of.  [default: current]")
@click.option("--as-of", type=DAY, help="The day of recording.  [default: today]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def dispose(out, source, by, on, run_id, as_of, as_json):
    """Record what people decided of findings: accepted, disputed, corrected claim sent, false alarm, waived.

    Adds to OUT/dispositions.csv; the next audit shows each decision beside its finding. Nothing is taken out of the
    counts. A finding whose evidence changed since, or whose waiver has passed, is open again (docs/dispositions.md).
    """
    from flows.dispositions.record import DecisionsRejected, recorded_json, recorded_text
    from flows.dispositions.record import dispose as record

    try:
        recorded = record(out, source, by=by, on=on, as_of=as_of or date.today(), run_id=run_id)
    except DecisionsRejected as rejected:
        for line in rejected.lines:
            click.echo(f"minutewise: {line}", err=True)
        raise
    tell(json.dumps(recorded_json(recorded), indent=2) if as_json else recorded_text(recorded))
    return 0
