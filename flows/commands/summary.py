"""`minutewise summary`: what a run came to, in counts; with --shareable as it may leave the house."""

import json

import click

from flows.option_types import FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise summary out
  minutewise summary out --json
  minutewise summary out --shareable > for-the-board.txt

\b
Exit codes: 0 printed; 2 there is no such run, or it cannot be read."""
)
@click.argument("out", type=FOLDER)
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (docs/sharing.md).")
@click.option(
    "--shareable", is_flag=True, help="Withhold what rests on fewer than 11 patients, or would let such be worked out."
)
def summary(out, run_id, as_json, shareable):
    """Print what a published run came to (default: the current one): counts and dollars, nobody's id.

    With --shareable it may be handed on: the reading of the CMS cell size policy is in docs/sharing.md.
    """
    from flows.summary.read import read_summary, shareable_summary, summary_text
    from flows.summary.shareable.text import shareable_text

    if shareable:
        document = shareable_summary(out, run_id)
        tell(json.dumps(document, indent=2) if as_json else shareable_text(document))
    elif as_json:
        tell(json.dumps(read_summary(out, run_id), indent=2))
    else:
        tell(summary_text(out, run_id))
    return 0
