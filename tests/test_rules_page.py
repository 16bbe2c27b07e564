"""docs/rules.md: whatever code and tables cite as "rule book s. N" can be looked up there, and its examples hold."""

import csv
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest

from flows.one_day.count import count_day
from transforms.reference.definitions import PARAMETER_UNITS, TABLES
from transforms.reference.rule_docs import with_heads
from transforms.reference.tables import REFERENCE

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^## (\d+)\. ", PAGE, re.MULTILINE))
with (REFERENCE / "audit_rules.csv").open(encoding="utf-8", newline="") as file:
    REGISTRY = {row["rule_id"]: row for row in csv.DictReader(file)}
HEADINGS = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
#: The places of the page that a link can name, as GitHub and its like make them of headings.
ANCHORS = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADINGS}


def test_every_rule_has_its_place_and_says_what_its_files_say():
    assert set(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)) == set(REGISTRY)
    assert with_heads(PAGE) == PAGE, "run `make docs`"
    assert "\n*error or review; therapy day, code.* **Same minutes" in PAGE and "\n*warning; therapy day.* **" in PAGE


def test_every_section_that_is_cited_is_there():
    cited = {}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".sql", ".csv", ".md", ".yaml", ".toml"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            for number in re.findall(r"rule book,? (?:s\.|section) ?(\d+)", text, re.IGNORECASE):
                cited.setdefault(number, name)
    assert len(cited) > 3
    assert {number: name for number, name in cited.items() if number not in SECTIONS} == {}


def test_links_within_the_page_lead_somewhere():
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert len(links) > 20
    assert [link for link in links if link not in ANCHORS] == []


def test_every_parameter_and_unjudged_reason_is_named():
    model = (ROOT / "transforms" / "staging" / "stg_unjudged_day.sql").read_text(encoding="utf-8")
    reasons = set(re.findall(r"'([a-z_]+)' as reason|(?:then|else) '([a-z_]+)'", model))
    # When published files are read again is no matter of the rules.
    words = {one or other for one, other in reasons} | set(PARAMETER_UNITS) - {"linked_file_check_days"}
    assert len(words) > 5
    assert [word for word in sorted(words) if f"`{word}`" not in PAGE] == []


EXAMPLES = re.findall(r"^\| ((?:\w{5} \d+(?:, )?)+) \| (\d)[:,]? ?([^|]*) \| (\d):? ?([^|]*) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("minutes", "cms", "_split", "ama", "_other"), EXAMPLES)
def test_the_examples_of_section_4_hold(minutes, cms, _split, ama, _other):
    seconds = {code: 60 * int(number) for code, number in (part.split() for part in minutes.split(", "))}
    counts = count_day(seconds, None, date(2026, 11, 10)).counts
    assert (counts["cms_8_minute"].units, counts["ama_midpoint"].units) == (int(cms), int(ama))
    if named := re.findall(r"(\d{5}) x(\d)", _split):
        assert {code: int(units) for code, units in named} in counts["cms_8_minute"].splits


def test_there_are_six_examples():
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_a_link_goes_to_the_page_that_its_row_names(table):
    """A CMS publication is cited by number and chapter, which its address holds; the rule book has a place for each
    section and rule."""
    with (REFERENCE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            citation, address = row["citation"], row["citation_url"]
            if named := re.match(r"(?:.*; )?CMS Pub\. 100-(0[245]) ch\. (\d+)", citation):
                manual = {"02": "bp102", "04": "clm104", "05": "msp105"}[named[1]]
                assert address.endswith(f"/{manual}c{int(named[2]):02d}.pdf"), row
            elif address.startswith("docs/"):
                assert citation.startswith("rule book s. "), row
                assert address.startswith("docs/rules.md#") and address.split("#")[1] in ANCHORS, row
            elif address:
                assert re.match(r"https?://[a-z0-9.-]+/\S+$", address), row
