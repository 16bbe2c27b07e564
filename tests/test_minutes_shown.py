"""How many notes give minutes is said first, and in capitals where few do."""

import json

import openpyxl
import pytest

from flows.summary.told import minutes_lines
from tests.cli_runs import audit, day, minutewise, published, write_days


def unmeasured(number):
    """A visit whose block says neither minutes nor clock, in a note without a total."""
    claim, note, block = day(number)
    return claim, note, {name: cell for name, cell in block.items() if name != "minutes"}


def test_an_extract_without_minutes_says_so_before_anything_else(tmp_path):
    """Nobody can say that such a day has too many units: it is the export that lacks a column."""
    ran = audit(write_days(tmp_path / "extracts", *map(unmeasured, (1, 2, 3))), tmp_path / "out")
    assert ran.code == 0, ran.err
    first, second = ran.out.splitlines()[:2]
    assert first.startswith("THE NOTES HAVE NO MINUTES: 0 of 3 give any.") and "mapping" in first
    assert second.endswith("notes that give minutes: 0% (0 of 3)")
    run = tmp_path / "out" / "runs" / published(tmp_path / "out")[1]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.index("0 of 3 give any") < page.index("At risk, each billed unit once")
    match = json.loads((run / "summary.json").read_text(encoding="utf-8"))["match"]
    assert (match["counting_notes"], match["measured_notes"], match["measured_share"]) == (3, 0, 0)
    book = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)
    told = {row[0]: row[1] for row in book["Summary"].iter_rows(max_col=2, values_only=True)}
    assert told["notes that give minutes"] == 0
    assert minutewise("summary", tmp_path / "out").out == ran.out


def test_where_every_note_gives_minutes_only_the_share_is_told(tmp_path):
    """A total is minutes as well as a block's: the third note has no minutes in its block, and says 30 in all."""
    claim, note, block = unmeasured(3)
    visits = [day(1), day(2), (claim, note | {"total_timed_minutes": 30}, block)]
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
    assert ran.out.splitlines()[0].startswith("Claim days matched to a note: 100% (3 of 3)"), ran.err
    assert "notes that give minutes: 100% (3 of 3)" in ran.out


@pytest.mark.parametrize(("measured", "is_told"), [(50, False), (49, True), (0, True)])
def test_fewer_than_half_is_said_first(measured, is_told):
    match = {"counting_notes": 100, "measured_notes": measured, "minimum_measured_share": 0.5}
    assert bool(minutes_lines(match)) is is_told


def test_a_run_without_notes_says_nothing_of_their_minutes():
    assert minutes_lines({"counting_notes": 0, "measured_notes": 0, "minimum_measured_share": 0.5}) == []
