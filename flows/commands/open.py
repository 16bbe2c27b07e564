"""`minutewise open`: the last report in the browser."""

import webbrowser

import click

from flows.option_types import FOLDER, tell
from transforms.errors import UsageProblem

REPORT = "report.html"


@click.command(
    name="open",
    epilog="""\b
Examples:
  minutewise open out
  minutewise open out --run 2026-11-10-0123456789ab --print

\b
Exit codes: 0 the path is printed, whether a browser could be started or not; 2 there is no such run or report.""",
)
@click.argument("out", type=FOLDER)
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option("--print", "only_print", is_flag=True, help="Print the path and start no browser.")
def open_report(out, run_id, only_print):
    """Open a run's report.html in the browser (the one that BROWSER names, else the desktop's), and print its path."""
    from flows.runs.choose import choose_run

    report = (choose_run(out, run_id) / REPORT).resolve()
    if not report.is_file():
        raise UsageProblem(f"{report}: is missing; run `minutewise verify {out}`, or choose another run with --run")
    tell(str(report))
    if not only_print and not _started(report.as_uri()):
        click.echo("minutewise: no browser could be started here; open the file named above in one", err=True)
    return 0


def _started(address: str) -> bool:
    """Whether a browser took the address; there may be none, or none that works on this machine."""
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
