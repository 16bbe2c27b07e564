"""The command line. Heavy libraries are imported where a command needs them, so that --help answers at once."""

import json
import os
import re
import sys
from datetime import date
from pathlib import Path

import click

from flows.failures import TRACEBACK, internal_error
from transforms.errors import AuditError


class Place(click.Path):
    """A path that is not empty: an empty one would mean the folder that the user happens to be in."""

    def convert(self, value, param, ctx):
        if not str(value).strip():
            self.fail("is empty; give a path", param, ctx)
        return super().convert(value, param, ctx)


_FOLDER = Place(path_type=Path, file_okay=False)
_FILE = Place(path_type=Path, dir_okay=False)


class Day(click.ParamType):
    """A date YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value, param, ctx):
        if isinstance(value, date):
            return value
        try:
            if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.fail(f"{value!r} is not a date; write it as YYYY-MM-DD, say 2026-10-31", param, ctx)


DAY = Day()


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="""\b
Examples:
  minutewise audit --extracts data/samples --reference data/samples/reference --as-of 2026-11-10 --out out
  minutewise units 97112=24 97110=23""",
)
@click.version_option(package_name="minutewise")
@click.pass_context
def cli(context):
    """Audits outpatient therapy claims against therapy notes.

    Recomputes the 15-minute units that each day's notes support, and reports what does not hold, with its proof.
    A day is called wrong only when no lawful reading of its note supports what was billed.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


@cli.command(
    epilog="""\b
Examples:
  minutewise audit --extracts extracts/ --out out/
  minutewise audit --extracts extracts/ --out out/ --reference our-payers/ --fail-on error --json
  minutewise audit --claims 'claims/*.parquet' --notes notes.csv --note-blocks blocks.csv --out out/

\b
Exit codes: 0 published; 1 published, and a rule failed at or above --fail-on; 2 usage or configuration;
3 input rejected, nothing published; 4 internal error; 75 another run holds the output folder."""
)
@click.option("--extracts", type=_FOLDER, help="Folder with claims*, notes* and note_blocks* files (CSV, Parquet).")
@click.option("--out", type=_FOLDER, required=True, help="Folder that holds the published runs.")
@click.option("--claims", metavar="PATH", help="One file or a glob, instead of the folder's claims files.")
@click.option("--notes", metavar="PATH", help="One file or a glob, instead of the folder's notes files.")
@click.option("--note-blocks", metavar="PATH", help="One file or a glob, instead of the folder's note_blocks files.")
@click.option("--mapping", type=_FILE, help="TOML file that turns a foreign extract into ours (docs/mapping.md).")
@click.option("--since", type=DAY, help="First service date to judge; such a run does not move `current`.")
@click.option("--until", type=DAY, help="Last service date to judge; such a run does not move `current`.")
@click.option("--as-of", type=DAY, help="The date the audit is made for: its only clock.  [default: today]")
@click.option("--reference", type=_FOLDER, help="Your own dated tables, laid over the shipped ones by key.")
@click.option("--crosswalk", type=_FOLDER, help="patient.csv, provider.csv, payer.csv: the same ones in both systems.")
@click.option("--warehouse", type=_FILE, help="Keep the DuckDB file of the run here, to query it afterwards.")
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
        _tell(json.dumps(document, indent=2, default=str))
    else:
        _tell(text_summary(outcome.manifest, outcome.folder))
    broken = [rule["rule_id"] for rule in outcome.manifest["rules"] if rule["status"] == "error"]
    if broken:
        click.echo(
            f"minutewise: these rules could not be run, so nothing is said of them: {', '.join(broken)}", err=True
        )
    return outcome.exit_code


@cli.command(
    epilog="""\b
Examples:
  minutewise units 97112=24 97110=23
  minutewise units 97112=75 --payer MEDICARE --date 2026-10-05
  minutewise units 97112=20 97110=18 --json"""
)
@click.argument("minutes", nargs=-1, required=True, metavar="CODE=MINUTES...")
@click.option("--payer", metavar="ID", help="Show this payer's method and caps too.")
@click.option("--date", "on", type=DAY, help="Service date.  [default: today]")
@click.option("--reference", type=_FOLDER, help="Your own dated tables, laid over the shipped ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def units(minutes, payer, on, reference, as_json):
    """Count the units of one day: both methods, every lawful split, the caps."""
    from flows.one_day import count_day
    from flows.units_text import units_json, units_text

    on = on or date.today()
    day = count_day(_code_minutes(minutes), payer, on, reference)
    _tell(json.dumps(units_json(day), indent=2, default=str) if as_json else units_text(day, payer, on))
    return 0


def _code_minutes(texts: tuple[str, ...]) -> dict[str, int]:
    read: dict[str, int] = {}
    for text in texts:
        code, equals, minutes = text.partition("=")
        code, minutes = code.strip().upper(), minutes.strip()
        if not equals or not code or not re.fullmatch("[0-9]{1,9}", minutes):
            raise click.UsageError(f"{text!r} is not CODE=MINUTES with whole minutes, say 97112=24")
        if code in read:
            raise click.UsageError(f"{code} is given twice; add its minutes up")
        read[code] = int(minutes)
    if sum(read.values()) > 1440:
        raise click.UsageError(f"{' '.join(texts)}: a day has 1440 minutes")
    return read


@cli.command(epilog="\b\nExample:\n  minutewise explain out 4f1c2a   (the first characters of a finding_id are enough)")
@click.argument("out", type=_FOLDER)
@click.argument("finding_id")
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def explain(out, finding_id, run_id, as_json):
    """Show the whole derivation of one finding, minute by minute."""
    from flows.explanation.derive import derive
    from flows.explanation.text import explain_text

    derivation = derive(out, finding_id, run_id)
    _tell(json.dumps(derivation, indent=2, default=str) if as_json else explain_text(derivation))
    return 0


@cli.command(epilog="\b\nExamples:\n  minutewise rules\n  minutewise rules --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rules(as_json):
    """List the rules: what each looks at, how grave it is, where it comes from, what it does not check."""
    from flows.rule_table import rule_table, rule_text

    table = rule_table()
    _tell(json.dumps(table, indent=2) if as_json else rule_text(table))
    return 0


@cli.command(epilog="\b\nExamples:\n  minutewise doctor\n  PREFECT_API_URL=http://localhost:4200/api minutewise doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(as_json):
    """Say which versions and settings are here, and what is reachable."""
    from flows.doctor import examine, examine_text

    found = examine()
    _tell(json.dumps(found, indent=2) if as_json else examine_text(found))
    return 0 if found["ok"] else 2


def main() -> None:
    """Runs the command line: exit codes as in the README, and never a traceback for a user's mistake."""
    # A name that the terminal's encoding cannot show must not end a run that is published.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(cli.main(prog_name="minutewise", standalone_mode=False))
    except click.ClickException as problem:
        _fail(_one_line(problem), 2)
    except click.Abort:
        _fail("stopped; nothing was published", 130)
    except AuditError as problem:
        _fail(str(problem), problem.exit_code)
    except Exception as problem:
        # The text of a stranger's exception may hold a patient's value: only its kind and place are said.
        if os.environ.get(TRACEBACK):
            raise
        _fail(internal_error(problem), 4)


def _tell(text: str) -> None:
    """Prints data; a reader that has read enough and gone (head) changes neither the work nor the exit code."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(problem: click.ClickException) -> str:
    """What is wrong with the command line, and where its help is."""
    context = getattr(problem, "ctx", None)
    path = context.command_path if context else "minutewise"
    return f"{problem.format_message().rstrip('.')}; see `{path} --help`"


def _fail(message: str, code: int) -> None:
    click.echo(f"minutewise: {' '.join(message.split())}", err=True)
    sys.exit(code)
