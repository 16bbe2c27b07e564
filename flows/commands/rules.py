"""`minutewise rules`: the rule table."""

import json

import click

from flows.option_types import tell


@click.command(epilog="\b\nExamples:\n  minutewise rules\n  minutewise rules --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rules(as_json):
    """List the rules: what each looks at, how grave it is, where it comes from, what it does not check."""
    from flows.commands.backends.rule_table import rule_table, rule_text

    table = rule_table()
    tell(json.dumps(table, indent=2) if as_json else rule_text(table))
    return 0
