"""Writes README's table of rules from the registry and the rules' own files, so that it can say nothing else."""

import csv
import re
from pathlib import Path

from transforms.models.load import load_models
from transforms.reference.tables import REFERENCE

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- rules: made by `make docs` -->", "<!-- end of rules -->"
SEVERITIES = ("error", "warning", "review")


def rules_table() -> str:
    """Every rule with the severities that its findings may have and its title, in the order of the registry."""
    texts = {model.name: model.text for model in load_models("findings")}
    with (REFERENCE / "audit_rules.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| rule | severity | what a finding says |", "| --- | --- | --- |"]
    for row in rows:
        severities = ", ".join(_severities(row["severity"], texts[row["rule_id"]]))
        lines.append(f"| `{row['rule_id']}` | {severities} | {row['title']} |")
    return "\n".join(lines)


def _severities(usual: str, text: str) -> list[str]:
    """The registry's severity, then others that the rule's query gives under `severity`."""
    given = re.search(r"case\b[^;]*? end as severity", text, re.IGNORECASE | re.DOTALL)
    own = [one for one in SEVERITIES if given and f"'{one}'" in given[0].rpartition("as verdict")[2]]
    return [usual, *(one for one in own if one != usual)]


def with_table(page: str) -> str:
    """The page with the table between its two marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{rules_table()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
