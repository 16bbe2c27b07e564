"""`minutewise doctor`: versions and settings."""

import json

import click

from flows.option_types import tell


@click.command(
    epilog="\b\nExamples:\n  minutewise doctor\n  PREFECT_API_URL=http://localhost:4200/api minutewise doctor"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(as_json):
    """Say which versions and settings are here, and what is reachable."""
    from flows.commands.backends.doctor import examine, examine_text

    found = examine()
    tell(json.dumps(found, indent=2) if as_json else examine_text(found))
    return 0 if found["ok"] else 2
