"""The rule registry as a table for people."""

import csv
import textwrap

from transforms.reference.tables import REFERENCE


def rule_table() -> list[dict]:
    """The rows of data/reference/audit_rules.csv, in its order."""
    with (REFERENCE / "audit_rules.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rule_text(table: list[dict]) -> str:
    """One paragraph a rule."""
    parts = []
    for rule in table:
        parts.append(f"{rule['rule_id']}  [{rule['severity']}; {rule['subject']}]")
        for name, text in (
            ("", rule["title"]),
            ("source: ", rule["citation"]),
            ("not checked: ", rule["not_checked"]),
        ):
            parts += textwrap.wrap(name + text, 100, initial_indent="    ", subsequent_indent="      ")
        parts.append("")
    return "\n".join(parts).rstrip()
