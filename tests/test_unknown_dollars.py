"""Dollars that nobody knows are told as unknown, never as none: on the terminal, the page, in workbook and digest."""

import json

import openpyxl

from tests.cli_runs import audit, day, published, write_days

AMOUNTS = {"charge_usd", "allowed_usd", "paid_usd"}


def without_amount(number, **more):
    """A visit whose claim line holds no amount."""
    claim, note, block = day(number, **more)
    return {name: cell for name, cell in claim.items() if name not in AMOUNTS}, note, block


def told(tmp_path, *visits):
    """(the audit's output, the folder of its run)."""
    extracts = write_days(tmp_path / "extracts", *visits)
    ran = audit(extracts, tmp_path / "out", "--digest-file", tmp_path / "digest.md")
    assert ran.code == 0, ran.err
    return ran.out, tmp_path / "out" / "runs" / published(tmp_path / "out")[1]


def test_an_extract_without_amounts_has_no_dollars_that_are_none(tmp_path):
    """30 minutes are 2 units and 4 were billed: 2 are at risk, and nobody knows for how much."""
    out, run = told(tmp_path, without_amount(1), without_amount(2, claims_units=4), without_amount(3, claims_units=4))
    assert "At risk in all, each billed unit once: unknown: 2 findings, whose lines hold no amount" in out
    (row,) = (line.split() for line in out.splitlines() if line.startswith("billed_units_exceed_minutes"))
    assert row[-1] == "unknown" and "$" not in out
    assert json.loads((run / "summary.json").read_text())["findings_without_dollars"] == 2
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "unknown" in page.partition("At risk, each billed unit once")[2][:200] and "$0.00" not in page
    assert "billed unit once: unknown: 2 findings" in (tmp_path / "digest.md").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)
    lines = {row[0]: row[1:] for row in book["Summary"].iter_rows(max_col=3, values_only=True)}
    assert lines["at risk in all, each billed unit counted once"] == (None, "unknown")
    assert lines["findings whose dollars are unknown because their lines have no amount"][0] == 2
    names, *rows = book["Rules"].iter_rows(values_only=True)
    rules = {row[0]: row[names.index("at_risk_usd")] for row in rows}
    assert (rules["billed_units_exceed_minutes"], rules["billed_units_below_minutes"]) == ("unknown", None)


def test_amounts_that_are_known_are_added_and_the_others_told_beside_them(tmp_path):
    """Of 4 units for 60 dollars 2 are at risk."""
    out, run = told(tmp_path, day(1), day(2, claims_units=4), without_amount(3, claims_units=4))
    assert "each billed unit once: $30.00, and unknown for 1 finding, whose lines hold no amount" in out
    assert json.loads((run / "summary.json").read_text())["at_risk_usd"] == "30.00"
