"""What was documented against what was billed, by clinician, month and code: to be held beside another count."""

from datetime import date

import openpyxl
import pytest

from tests.cli_runs import audit, day, published, write_days
from tests.extract_files import write_extract
from tests.sql_runs import Asked, audited
from transforms.database.duckdb_file import rows_as_dicts

SUMS = ("matched_days", "matched_units", "billed_only_days", "billed_only_units", "documented_only_days")


def counted(tmp_path, *visits, lines=(), blocks=()):
    """{(clinician, code): the SUMS} of an audit of the visits with more lines and blocks."""
    claims, notes, own = (list(rows) for rows in zip(*visits, strict=True))
    write_extract(tmp_path / "extracts", [row for row in claims if row] + list(lines), notes, own + list(blocks))
    with audited(Asked(tmp_path / "extracts", date(2026, 3, 20))) as con:
        rows = rows_as_dicts(con, "select * from code_count")
        units = con.execute("select sum(billed_units) from unit_published").fetchone()[0]
    assert sum(row["matched_units"] + row["billed_only_units"] for row in rows) == (units or 0)
    return {(row["provider_id"], row["procedure_code"]): tuple(row[name] for name in SUMS) for row in rows}


def test_a_code_that_is_billed_and_documented_is_matched(tmp_path):
    assert counted(tmp_path, day(1)) == {("T1", "97110"): (1, 2, 0, 0, 0)}


def test_a_code_without_a_block_is_billed_only(tmp_path):
    line = day(1)[0] | {"line_number": 2, "procedure_code": "97140", "billed_units": 1}
    found = counted(tmp_path, day(1), lines=[line])
    assert found == {("T1", "97110"): (1, 2, 0, 0, 0), ("T1", "97140"): (0, 0, 1, 1, 0)}


def test_a_block_without_a_line_is_documented_only(tmp_path):
    block = day(1)[2] | {"block_number": 2, "procedure_code": "97112", "minutes": 5}
    assert counted(tmp_path, day(1), blocks=[block])["T1", "97112"] == (0, 0, 0, 0, 1)


def test_a_day_that_nobody_billed_is_the_notes_clinicians(tmp_path):
    _, note, block = day(2)
    found = counted(tmp_path, day(1), (None, note | {"provider_id": "T9"}, block))
    assert found["T9", "97110"] == (0, 0, 0, 0, 1)


def test_a_day_is_the_rendering_providers_with_most_units_once(tmp_path):
    """Three units of T1 and one of T2: one day and four units of T1, so that the sums are the bill's."""
    line = day(1)[0] | {"line_number": 2, "rendering_provider_id": "T2", "billed_units": 1}
    found = counted(tmp_path, day(1, claims_units=3, minutes=60), lines=[line])
    assert found == {("T1", "97110"): (1, 4, 0, 0, 0)}


def test_a_line_without_a_rendering_provider_is_the_notes_clinicians(tmp_path):
    claim, note, block = day(1)
    found = counted(tmp_path, (claim | {"rendering_provider_id": ""}, note | {"provider_id": "T9"}, block))
    assert found == {("T9", "97110"): (1, 2, 0, 0, 0)}


def test_a_block_whose_other_code_was_billed_is_not_documented_only(tmp_path):
    """97014 and G0283 are one service under two codes: billed as G0283 it is matched, and nothing is missing."""
    claim, note, block = day(1, claims_units=1)
    visit = (claim | {"procedure_code": "G0283"}, note, block | {"procedure_code": "97014", "minutes": ""})
    assert counted(tmp_path, visit) == {("T1", "G0283"): (1, 1, 0, 0, 0)}


@pytest.mark.parametrize("away", [{"claim_status": "denied"}, {"payer_order": 2}, {"claim_frequency_code": 8}])
def test_a_line_that_bills_nothing_is_no_billed_unit(tmp_path, away):
    claim, note, block = day(1)
    assert counted(tmp_path, (claim | away, note, block)) == {("T1", "97110"): (0, 0, 0, 0, 1)}


class TestReports:
    def sheet(self, out):
        run = out / "runs" / published(out)[1]
        book = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)
        header, *rows = book["Codes documented against billed"].iter_rows(values_only=True)
        told = {row[0]: row[1:3] for row in book["Summary"].iter_rows(max_col=3, values_only=True)}
        return [dict(zip(header, row, strict=True)) for row in rows], told, run

    def test_sheet_page_and_summary_hold_the_same_sums(self, tmp_path):
        """Two visits of T1 in March: 2 days, 5 units; one of T3 with 1 unit."""
        claim, note, block = day(2, claims_units=3, minutes=45)
        second = (claim | {"rendering_provider_id": "T1"}, note | {"provider_id": "T1"}, block)
        visits = [day(1), second, day(3, claims_units=1, minutes=15)]
        assert audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out").code == 0
        rows, told, run = self.sheet(tmp_path / "out")
        assert [(row["month"], row["provider_id"], row["billed_days"], row["billed_units"]) for row in rows] == [
            ("2026-03", "T1", 2, 5),
            ("2026-03", "T3", 1, 1),
        ]
        assert told["billed in all"] == (3, 6) and told["billed and documented"] == (3, 6)
        assert told["billed only"] == (0, 0)
        page = (run / "report.html").read_text(encoding="utf-8")
        assert "Codes: documented against billed" in page and '<td class="number">6</td>' in page

    def test_a_warehouse_counts_each_date_once_however_often_it_is_computed(self, tmp_path):
        """The second night sends a line of the first again, now rendered by T5: the day moves, and counts once."""
        house = ("--warehouse", tmp_path / "clinic.duckdb")
        assert audit(write_days(tmp_path / "first", day(1), day(2)), tmp_path / "out", *house).code == 0
        write_extract(tmp_path / "second", [day(1)[0] | {"rendering_provider_id": "T5"}], [], [])
        for empty in ("notes.csv", "note_blocks.csv"):
            (tmp_path / "second" / empty).unlink()
        ran = audit(tmp_path / "second", tmp_path / "out", *house)
        assert ran.code == 0, ran.err
        held = [
            (row["provider_id"], row["billed_days"], row["billed_units"]) for row in self.sheet(tmp_path / "out")[0]
        ]
        assert held == [("T2", 1, 2), ("T5", 1, 2)]
