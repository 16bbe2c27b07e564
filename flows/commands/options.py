"""The options that the commands which audit share, and how such a command runs and tells what came of it."""

import json
from datetime import date

import click

from flows.option_types import DAY, FILE, FOLDER, tell
from flows.watch.options import watch_options

OUT = click.option("--out", type=FOLDER, required=True, help="Folder that holds the published runs.")
WAREHOUSE = click.option(
    "--warehouse",
    type=FILE,
    help="DuckDB file that keeps the history: a run reads new files only and recomputes the dates they touch.",
)
EXTRACTS = (
    click.option("--extracts", type=FOLDER, help="Folder with claims*, notes* and note_blocks* files (CSV, Parquet)."),
    click.option("--claims", metavar="PATH", help="One file or a glob, instead of the folder's claims files."),
    click.option("--notes", metavar="PATH", help="One file or a glob, instead of the folder's notes files."),
    click.option(
        "--note-blocks", metavar="PATH", help="One file or a glob, instead of the folder's note_blocks files."
    ),
    click.option("--mapping", type=FILE, help="TOML file that turns a foreign extract into ours (docs/mapping.md)."),
    click.option(
        "--removed",
        multiple=True,
        metavar="NAME",
        help="A file that the warehouse has read, to be taken back with all its rows; may be given several times.",
    ),
)
CLAIMS_ONLY = click.option(
    "--claims-only", is_flag=True, help="Read no notes, and judge by the rules that need none (docs/claims-only.md)."
)
DATES = (
    click.option("--since", type=DAY, help="First service date to judge; such a run does not move `current`."),
    click.option("--until", type=DAY, help="Last service date to judge; such a run does not move `current`."),
)
ENGINE = (
    click.option(
        "--engine",
        type=click.Choice(["duckdb", "spark"]),
        default="duckdb",
        show_default=True,
        help="What loads and recomputes; Spark needs an extra and Java (docs/spark.md).",
    ),
    click.option(
        "--spark-master", metavar="URL", help="local[4], spark://host:7077, yarn, sc://host:15002.  [default: local[*]]"
    ),
    click.option(
        "--spark-conf",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of Spark, such as spark.driver.memory=4g; may be given several times.",
    ),
    click.option(
        "--spark-output",
        metavar="URI",
        help="Where Spark writes findings and units by month.  [default: into the run's folder]",
    ),
)
COMMON = (
    click.option("--as-of", type=DAY, help="The date the audit is made for: its only clock.  [default: today]"),
    click.option("--reference", type=FOLDER, help="Your own dated tables; their rows replace ours by key."),
    click.option(
        "--crosswalk", type=FOLDER, help="patient.csv, provider.csv, payer.csv: the same ones in both systems."
    ),
    click.option(
        "--warehouse-key-file", type=FILE, help="File with the key of an encrypted warehouse, readable by you alone."
    ),
    click.option("--allow-low-match", is_flag=True, help="Continue although few claims and notes match."),
    click.option(
        "--override-guard",
        multiple=True,
        metavar="NAME",
        help="Publish although this guard stops the run (docs/guards.md); may be given several times.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["never", "error", "warning", "review"]),
        default="never",
        show_default=True,
        help="Exit 1 when there is a finding of this severity or a graver one.",
    ),
    click.option("--fail-on-new", is_flag=True, help="With --fail-on: only for findings the run before did not have."),
    click.option(
        "--workbook-rows", type=int, default=20_000, show_default=True, help="Most findings in findings.xlsx."
    ),
    click.option("--group", metavar="NAME", help="Let this group read the published runs (0640, 0750)."),
    click.option("--threads", type=int, help="Most threads to work with.  [default: all]"),
    click.option("--memory-limit", metavar="SIZE", help="Most memory to work in, such as 4GB.  [default: 80%]"),
    click.option("--prefect", "under_prefect", is_flag=True, help="Run the same stages as a Prefect flow."),
    click.option("--json", "as_json", is_flag=True, help="Print the run's manifest as one JSON document."),
)


def with_options(*options):
    """Gives a command these options, in this order, and those of watching it."""

    def decorate(command):
        command = watch_options(command)
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def run_and_tell(*, watch, as_of, under_prefect, as_json, **options) -> int:
    """Runs an audit with these options, tells its outcome, and gives the exit code."""
    from flows.run.audit import run_audit
    from flows.settings import AuditSettings
    from flows.watch.watching import watched

    with watched(watch, options["out"]) as night:
        settings = AuditSettings(as_of=as_of or date.today(), **options)
        if under_prefect:
            outcome = _under_prefect(settings)
        else:
            from flows.watch.progress import shown_stage

            with shown_stage() as run_stage:
                outcome = run_audit(settings, night.around(run_stage))
        night.ended(outcome)
    return tell_outcome(outcome, as_json)


def tell_outcome(outcome, as_json: bool) -> int:
    """Prints what came of an audit, its messages on stderr, and gives its exit code."""
    from flows.summary.told import text_summary

    for message in outcome.messages:
        click.echo(f"minutewise: {message}", err=True)
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


def _under_prefect(settings):
    from flows.watch.prefect_home import prepare_prefect

    prepare_prefect(settings.out)
    from flows.orchestration.nightly import run_under_prefect

    return run_under_prefect(settings)
