"""A rule is three files: its SQL, its row in the registry, its cases; a test fails where one is missing."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from transforms.models.load import load_models
from transforms.reference.rule_docs import README, with_table
from transforms.reference.tables import REFERENCE

CASES = Path(__file__).parent / "cases"
with (REFERENCE / "audit_rules.csv").open(encoding="utf-8", newline="") as file:
    REGISTRY = {row["rule_id"]: row for row in csv.DictReader(file)}
MODELS = {model.name: model for model in load_models("findings")}


def test_every_rule_has_its_three_files():
    named = {"sql": set(MODELS), "registry": set(REGISTRY), "cases": {path.stem for path in CASES.glob("*.yaml")}}
    every = set().union(*named.values())
    missing = {rule: [kind for kind, rules in named.items() if rule not in rules] for rule in every}
    assert {rule: kinds for rule, kinds in missing.items() if kinds} == {}


@pytest.mark.parametrize("rule_id", sorted(REGISTRY))
def test_registry_row_is_whole(rule_id):
    row = REGISTRY[rule_id]
    assert row["severity"] in {"error", "warning", "review"}
    for column in ("title", "subject", "citation", "not_checked", "last_checked_on"):
        assert row[column], column


@pytest.mark.parametrize("rule_id", sorted(REGISTRY))
def test_the_address_is_of_the_publication_cited(rule_id):
    row = REGISTRY[rule_id]
    first = re.match(r"CMS Pub\. 100-(0[24]) ch\. (\d+)", row["citation"])
    if first:
        manual = {"02": "bp102", "04": "clm104"}[first[1]]
        assert row["citation_url"].endswith(f"/{manual}c{int(first[2]):02d}.pdf")


@pytest.mark.parametrize("rule_id", sorted(REGISTRY))
def test_cases_hold_both_sides(rule_id):
    """A rule with no lawful case could accuse everybody, one with no violated case nobody."""
    cases = yaml.safe_load((CASES / f"{rule_id}.yaml").read_text(encoding="utf-8"))
    cases = cases["cases"] if isinstance(cases, dict) else cases
    assert any(case["findings"] for case in cases)
    assert any(not case["findings"] for case in cases)


def test_readme_lists_the_rules_as_they_are():
    page = README.read_text(encoding="utf-8")
    assert page == with_table(page), "run `make docs`"
    assert "| `units_exceed_day_cap` | error, review | " in page and "| `units_on_wrong_code` | warning | " in page
