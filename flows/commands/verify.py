"""`minutewise verify`: a published run checked against its manifest."""

import json

import click

from flows.option_types import FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise verify out
  minutewise verify out 2026-11-10-0123456789ab
  minutewise verify out --all --json

\b
Exit codes: 0 sound; 2 there is no such run; 3 a run does not hold what its manifest says."""
)
@click.argument("out", type=FOLDER)
@click.argument("run_id", required=False)
@click.option("--all", "every_run", is_flag=True, help="Check every run, not only the current one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(out, run_id, every_run, as_json):
    """Check every file, hash and count of a published run (default: the current one) against its manifest.

    Reads only. A run that was changed on purpose, manifest and all, cannot be told from a sound one.
    """
    from flows.runs.verify import verify as check
    from flows.runs.verify import verify_json, verify_text

    if run_id and every_run:
        raise click.UsageError("give a RUN_ID or --all, not both")
    checked = check(out, run_id, every_run)
    tell(json.dumps(verify_json(checked), indent=2) if as_json else verify_text(checked))
    broken = [run.run_id for run in checked if not run.is_sound]
    if broken:
        told = "restore it from a copy, or remove its folder below runs/ and audit again"
        click.echo(f"minutewise: {len(broken)} of {len(checked)} runs not sound: {', '.join(broken)}; {told}", err=True)
        return 3
    return 0
