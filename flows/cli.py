"""The command line. Heavy libraries are imported where a command needs them, so that --help answers at once."""

import os
import sys
import traceback

import click

from flows.commands.audit import audit
from flows.commands.backfill import backfill
from flows.commands.bench import bench
from flows.commands.diff import diff
from flows.commands.dispose import dispose
from flows.commands.doctor import doctor
from flows.commands.evidence import evidence
from flows.commands.explain import explain
from flows.commands.open import open_report
from flows.commands.quarantine import quarantine
from flows.commands.rebuild import rebuild
from flows.commands.retention import retention
from flows.commands.rules import rules
from flows.commands.sql import sql
from flows.commands.summary import summary
from flows.commands.units import units
from flows.commands.verify import verify
from flows.failures import TRACEBACK, internal_error
from flows.watch.events import json_stderr, tell_failure
from transforms.errors import AuditError
from transforms.under_way import under_way


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


_COMMANDS = (
    audit,
    rebuild,
    backfill,
    verify,
    retention,
    explain,
    evidence,
    summary,
    quarantine,
    open_report,
    dispose,
    diff,
    units,
    rules,
    sql,
    doctor,
    bench,
)
for _command in _COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Runs the command line: exit codes as in the README, and never a traceback for a user's mistake."""
    # A name that the terminal's encoding cannot show must not end a run that is published.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    with json_stderr(sys.argv[1:]):
        _run()


def _run() -> None:
    asked = next((word for word in sys.argv[1:] if word in cli.commands), "")
    try:
        with under_way(f"`minutewise {asked}`"):
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
            traceback.print_exc()
        _fail(internal_error(problem), 4)


def _one_line(problem: click.ClickException) -> str:
    """What is wrong with the command line, and where its help is."""
    context = getattr(problem, "ctx", None)
    path = context.command_path if context else "minutewise"
    return f"{problem.format_message().rstrip('.')}; see `{path} --help`"


def _fail(message: str, code: int) -> None:
    tell_failure(message, code)
    sys.exit(code)
