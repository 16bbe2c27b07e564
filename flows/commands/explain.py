"""`minutewise explain`: the derivation of one finding."""

import json

import click

from flows.commands.types import FOLDER, tell


@click.command(
    epilog="\b\nExample:\n  minutewise explain out 4f1c2a   (the first characters of a finding_id are enough)"
)
@click.argument("out", type=FOLDER)
@click.argument("finding_id")
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def explain(out, finding_id, run_id, as_json):
    """Show the whole derivation of one finding, minute by minute."""
    from flows.explanation.derive import derive
    from flows.explanation.text import explain_text

    derivation = derive(out, finding_id, run_id)
    tell(json.dumps(derivation, indent=2, default=str) if as_json else explain_text(derivation))
    return 0
