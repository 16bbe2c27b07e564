"""`minutewise explain`: the derivation of one finding, or of a patient's date."""

import json

import click

from flows.option_types import DAY, FOLDER, tell


@click.command(
    epilog="\b\nExamples:\n  minutewise explain out 4f1c2a   (the first characters of a finding_id are enough)\n"
    "  minutewise explain out P-1001 2026-10-05"
)
@click.argument("out", type=FOLDER)
@click.argument("wanted", metavar="FINDING_ID|PATIENT_ID")
@click.argument("day", type=DAY, metavar="[DATE]", required=False)
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def explain(out, wanted, day, run_id, as_json):
    """Show the whole derivation of one finding, minute by minute.

    With a patient and a date, all that the run holds of that date, and why it is left unjudged where it is.
    """
    from flows.explanation.derive.one import derive
    from flows.explanation.derive.patient_day import derive_day
    from flows.explanation.derive.rebuild import telling_damage
    from flows.explanation.terminal.text import day_text, explain_text

    told = day_text if day else explain_text
    with telling_damage(out, run_id):
        derivation = derive_day(out, wanted, day, run_id) if day else derive(out, wanted, run_id)
        text = json.dumps(derivation, indent=2, default=str) if as_json else told(derivation)
    tell(text)
    return 0
