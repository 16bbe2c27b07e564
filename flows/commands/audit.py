"""`minutewise audit`: load extracts, recompute, judge and publish."""

import json
from datetime import date

import click

from flows.commands.types import DAY, FILE, FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise audit --extracts extracts/ --out out/
  minutewise audit --extracts extracts/ --out out/ --reference our-payers/ --fail-on error --json
  minutewise audit --claims 'claims/*.parquet' --notes notes.csv --note-blocks blocks.csv --out out/

\b
Exit codes: 0 published; 1 published, and a rule failed at or above --fail-on; 2 usage or configuration;
3 input rejected, nothing published; 4 internal error; 75 another run holds the output folder."""
)
@click.option("--extracts", type=FOLDER, help="Folder with claims*, notes* and note_blocks* files (CSV, Parquet).")
@click.option("--out", type=FOLDER, required=True, help="Folder that holds the published runs.")
@click.option("--claims", metavar="PATH", help="One file or a glob, instead of the folder's claims files.")
@click.option("--notes", metavar="PATH", help="One file or a glob, instead of the folder's notes files.")
@click.option("--note-blocks", metavar="PATH", help="One file or a glob, instead of the folder's note_blocks files.")
@click.option("--mapping", type=FILE, help="TOML file that turns a foreign extract into ours (docs/mapping.md).")
@click.option("--since", type=DAY, help="First service date to judge; such a run does not move `current`.")
@click.option("--until", type=DAY, help="Last service date to judge; such a run does not move `current`.")
@click.option("--as-of", type=DAY, help="The date the audit is made for: its only clock.  [default: today]")
@click.option("--reference", type=FOLDER, help="Your own dated tables, laid over the shipped ones by key.")
@click.option("--crosswalk", type=FOLDER, help="patient.csv, provider.csv, payer.csv: the same ones in both systems.")
@click.option("--warehouse", type=FILE, help="Keep the DuckDB file of the run here, to query it afterwards.")
@click.option("--allow-low-match", is_flag=True, help="Go on although claims and notes hardly meet.")
@click.option(
    "--fail-on",
    type=click.Choice(["never", "error", "warning", "review"]),
    default="never",
    show_default=True,
    help="Exit 1 when there is a finding of this severity or a graver one.",
)
@click.option("--fail-on-new", is_flag=True, help="With --fail-on: only for findings the run before did not have.")
@click.option("--workbook-rows", type=int, default=20_000, show_default=True, help="Most findings in findings.xlsx.")
@click.option("--prefect", "under_prefect", is_flag=True, help="Run the same stages as a Prefect flow.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's manifest as one JSON document.")
def audit(under_prefect, as_json, as_of, **options):
    """Load extracts, recompute, judge and publish."""
    from flows.audit import run_audit
    from flows.progress import shown_stage
    from flows.settings import AuditSettings
    from flows.summary import text_summary

    settings = AuditSettings(as_of=as_of or date.today(), **options)
    if under_prefect:
        from flows.prefect_home import prepare_prefect

        prepare_prefect(settings.out)
        from flows.nightly import run_under_prefect

        outcome = run_under_prefect(settings)
    else:
        with shown_stage() as run_stage:
            outcome = run_audit(settings, run_stage)
    if outcome.was_published_before:
        click.echo(f"minutewise: this audit is published already: {outcome.folder}", err=True)
    if as_json:
        document = {**outcome.manifest, "folder": str(outcome.folder), "exit_code": outcome.exit_code}
        tell(json.dumps(document, indent=2, default=str))
    else:
        tell(text_summary(outcome.manifest, outcome.folder))
    broken = [rule["rule_id"] for rule in outcome.manifest["rules"] if rule["status"] == "error"]
    if broken:
        click.echo(
            f"minutewise: these rules could not be run, so nothing is said of them: {', '.join(broken)}", err=True
        )
    return outcome.exit_code
