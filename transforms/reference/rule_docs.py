"""Writes what README.md and docs/rules.md say of each rule from the registry and the rules' own files: `make docs`."""

import csv
import re
from functools import cache
from pathlib import Path

from transforms.models.load import load_models, violated_when
from transforms.reference.tables import REFERENCE

_ROOT = Path(__file__).resolve().parents[2]
README, RULE_BOOK = _ROOT / "README.md", _ROOT / "docs" / "rules.md"
BEGIN, END = "<!-- rules: made by `make docs` -->", "<!-- end of rules -->"
SEVERITIES = ("error", "warning", "review")
#: A rule's heading in the rule book, and the paragraph below it.
_HEAD = re.compile(r"^(### `(\w+)`\n\n)(?:.+\n)+", re.MULTILINE)
#: The heading that follows section 6.
_AFTER_RULES = "## What the second edition changed"
_LONGEST_LINE = 120


@cache
def registry() -> dict[str, dict[str, str]]:
    """The rows of audit_rules.csv by rule id, in their order."""
    with (REFERENCE / "audit_rules.csv").open(encoding="utf-8", newline="") as file:
        return {row["rule_id"]: row for row in csv.DictReader(file)}


def rules_table() -> str:
    """README's table: every rule with the severities that its findings may have, and its title."""
    lines = ["| rule | severity | finding |", "| --- | --- | --- |"]
    for rule_id, row in registry().items():
        lines.append(f"| `{rule_id}` | {', '.join(severities(rule_id))} | {row['title']} |")
    return "\n".join(lines)


def severities(rule_id: str) -> list[str]:
    """The registry's severity, then others that the rule's query gives under `severity`."""
    usual = registry()[rule_id]["severity"]
    text = next(model.text for model in load_models("findings") if model.name == rule_id)
    given = re.search(r"case\b[^;]*? end as severity", text, re.IGNORECASE | re.DOTALL)
    own = [one for one in SEVERITIES if given and f"'{one}'" in given[0].rpartition("as verdict")[2]]
    return [usual, *(one for one in own if one != usual)]


def rule_head(rule_id: str) -> str:
    """The first paragraph of a rule in the rule book: severity, subject, title, when it is violated, what it leaves."""
    row = registry()[rule_id]
    words = (
        f"*{' or '.join(severities(rule_id))}; {row['subject']}.* **{row['title']}.** Violated when "
        f"{violated_when(rule_id)}. Not checked: {row['not_checked'][0].lower()}{row['not_checked'][1:]}."
    ).split()
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= _LONGEST_LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """README with the table between its two marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{rules_table()}\n\n{END}{rest.split(END)[1]}"


def with_heads(page: str) -> str:
    """The rule book with the first paragraph of every rule; a rule that it does not have comes after the others."""
    before, rest = page.split(_AFTER_RULES)
    for rule_id in registry():
        if f"### `{rule_id}`\n" not in before:
            before += f"### `{rule_id}`\n\n(new)\n\n"
    return _HEAD.sub(lambda found: found[1] + rule_head(found[2]), before) + _AFTER_RULES + rest


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    RULE_BOOK.write_text(with_heads(RULE_BOOK.read_text(encoding="utf-8")), encoding="utf-8")
