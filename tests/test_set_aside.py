"""Rows set aside: the list of them, and the text of each reason."""

import csv
import json
import re
from pathlib import Path

import openpyxl
import pytest

from expectations.report import OF_EACH_REASON
from tests.cli_runs import audit, day, minutewise, published, refused, write, write_days
from tests.extract_files import write_extract
from transforms.contract.fields import REASONS, REMEDIES

NOTES = "note_id,patient_id,service_date,provider_id,discipline,status,total_timed_minutes\n"


@pytest.fixture
def out(tmp_path):
    """A run with three honest visits, a claim line of three units that are no number, and a note of an unread date."""
    extracts = write_days(tmp_path / "extracts", day(1), day(2), day(3))
    spoiled = (extracts / "claims.csv").read_text(encoding="utf-8").replace("C3,1,P3", "C4,1,P3", 1)
    row = spoiled.splitlines()[-1].replace("97110,2,", "97110,three,").replace("C4,", "C5,")
    write(extracts / "claims.csv", f"{spoiled}{row}\n")
    write(extracts / "notes_more.csv", f"{NOTES}N9,P9,31/03/2026,T9,PT,signed,30\n")
    assert audit(extracts, tmp_path / "out", "--allow-low-match").code == 0
    return tmp_path / "out"


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_reason_says_what_to_do_in_one_short_text():
    assert REMEDIES.keys() == REASONS.keys()
    for reason, told in REMEDIES.items():
        assert 20 < len(told) < 240 and told.endswith("."), reason
        assert not re.search(r"null|quarantine|regex|parse", told), reason


def test_every_row_is_listed_with_file_line_column_reason_and_cell(out):
    ran = minutewise("quarantine", out)
    assert ran.code == 0 and ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0].endswith(": 2 rows set aside")
    (claim,) = [line for line in lines if line.startswith("  claims ")]
    assert claim.split() == ["claims", "claims.csv", "5", "billed_units", "unreadable_number", "three"]
    (note,) = [line for line in lines if line.startswith("  notes ")]
    assert note.split() == ["notes", "notes_more.csv", "2", "service_date", "unreadable_date", "31/03/2026"]
    assert "date_formats" in ran.out


def test_the_csv_holds_the_whole_row_and_what_to_do(out, tmp_path):
    to = tmp_path / "aside.csv"
    ran = minutewise("quarantine", out, "--csv", to)
    assert (ran.code, ran.out) == (0, f"{to}\n")
    assert to.stat().st_mode & 0o777 == 0o600
    claim, note = rows_of(to)
    assert (claim["table"], claim["line"], claim["cell"]) == ("claims", "5", "three")
    assert claim["what_to_do"] == REMEDIES["unreadable_number"] and claim["meaning"] == REASONS["unreadable_number"]
    assert json.loads(note["row"])["provider_id"] == "T9"
    assert minutewise("quarantine", out, "--csv", to).code == 0, "its own file is replaced"


def test_a_run_can_be_named_by_its_folder_or_its_id(out):
    (run,), _ = published(out)
    told = minutewise("quarantine", out).out
    assert minutewise("quarantine", out / "runs" / run).out == told
    assert minutewise("quarantine", out, "--run", run).out == told


@pytest.mark.parametrize("name", ["extracts/claims.csv", "out/dispositions.csv", "out/current"])
def test_no_file_of_another_kind_is_written_over(out, tmp_path, name):
    place = tmp_path / name
    before = place.read_bytes() if place.exists() else write(place, "finding_id,disposition\n").read_bytes()
    refused(minutewise("quarantine", out, "--csv", place), 2, "exists already", name)
    assert place.read_bytes() == before


def test_nothing_is_written_into_a_published_run(out, tmp_path):
    (run,), _ = published(out)
    refused(minutewise("quarantine", out, "--csv", out / "runs" / run / "aside.csv"), 2, "published runs")
    refused(minutewise("quarantine", out, "--csv", tmp_path / "no" / "aside.csv"), 2, "cannot be written")
    assert minutewise("verify", out).code == 0


def test_without_a_run_or_its_file_nobody_sees_a_traceback(out, tmp_path):
    refused(minutewise("quarantine", tmp_path / "nowhere"), 2, "no run is published there")
    (run,), _ = published(out)
    (out / "runs" / run / "quarantine.parquet").write_bytes(b"rotten")
    refused(minutewise("quarantine", out), 2, "missing, damaged")


def test_a_run_with_nothing_set_aside_says_so(tmp_path):
    assert audit(write_days(tmp_path / "extracts", day(1)), tmp_path / "out").code == 0
    assert minutewise("quarantine", tmp_path / "out").out.endswith(": 0 rows set aside\n")


def test_the_cell_of_a_mapped_column_is_the_extracts_own(tmp_path):
    """The contract's column is called otherwise in the export: what stands there is what the biller looks for."""
    extracts = write_days(tmp_path / "extracts", day(1), day(2))
    text = (extracts / "notes.csv").read_text(encoding="utf-8")
    write(extracts / "notes.csv", text.replace("service_date", "DOS").replace("2026-03-02", "2 March"))
    mapping = write(
        tmp_path / "map.toml", '[notes.columns]\nservice_date = { from = "dos", date_formats = ["%d.%m.%Y"] }\n'
    )
    ran = audit(extracts, tmp_path / "out", "--mapping", mapping, "--allow-low-match")
    assert ran.code == 0, ran.err
    told = minutewise("quarantine", tmp_path / "out").out
    assert re.search(r"notes +notes.csv +3 +service_date +unreadable_date +2 March", told)


def test_rows_that_a_mapping_filters_are_told_by_count(tmp_path):
    extracts = write_days(tmp_path / "extracts", day(1), day(2))
    filters = '[[claims.where]]\ncolumn = "claim_id"\nis_not = ["C2"]\n'
    ran = audit(extracts, tmp_path / "out", "--mapping", write(tmp_path / "map.toml", filters))
    assert ran.code == 0, ran.err
    assert "claims: 1 row of claims.csv filtered by the mapping" in minutewise("quarantine", tmp_path / "out").out


def test_a_cut_row_is_shown_as_it_stands(tmp_path):
    extracts = write_days(tmp_path / "extracts", day(1), day(2))
    with (extracts / "notes.csv").open("a", encoding="utf-8") as file:
        file.write("N7,P7,2026-03-07\n")
    assert audit(extracts, tmp_path / "out").code == 0
    assert re.search(r"too_few_cells +N7,P7,2026-03-07", minutewise("quarantine", tmp_path / "out").out)


class TestReports:
    """The same rows in the workbook and on the page, some of every reason where they are many."""

    @pytest.fixture
    def run(self, tmp_path):
        """A run whose notes came with 2,100 unread dates, and one note without a clinician behind them."""
        extracts = write_days(tmp_path / "extracts", day(1), day(2))
        rows = [f"X{number},P{number},03/01/26,T1,PT,signed,30" for number in range(2_100)]
        write(extracts / "notes_more.csv", NOTES + "\n".join([*rows, "X9999,P9,2026-03-09,,PT,signed,30", ""]))
        assert audit(extracts, tmp_path / "out", "--allow-low-match").code == 0
        return tmp_path / "out" / "runs" / published(tmp_path / "out")[1]

    def test_the_sheet_holds_some_of_every_reason_and_says_how_many_more(self, run):
        book = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)
        header, *rows = book["Set aside"].iter_rows(values_only=True)
        held = [dict(zip(header, row, strict=True)) for row in rows]
        assert len(held) == 2_000
        assert held[0]["cell"] == "03/01/26" and held[0]["what to do"] == REMEDIES["unreadable_date"]
        assert [(row["line"], row["column"]) for row in held if row["reason"] == "missing_value"] == [
            (2102, "provider_id")
        ]
        said = [row[0] for row in book["Summary"].iter_rows(values_only=True) if row[0]]
        assert any("holds 2000 of them" in line and "--csv FILE" in line for line in said)

    def test_the_page_shows_few_rows_of_every_reason_with_what_to_do(self, run):
        page = (run / "report.html").read_text(encoding="utf-8")
        assert "notes_more.csv:2</td>" in page and "notes_more.csv:2102</td>" in page
        assert page.count("notes_more.csv:") == 200 > OF_EACH_REASON
        assert "and 1,901 more are not" in page
        assert REMEDIES["missing_value"].split(".")[0] in page


class TestBesideAFinding:
    """A finding whose patient has a row set aside names it: the row may be what the finding misses."""

    @pytest.fixture
    def out(self, tmp_path):
        """P2 was billed 4 units on 30 minutes; a note of it ten days later has no clinician, and goes with its block.
        P4 was billed without a note, and no row of it is set aside."""
        visits = [day(number, claims_units=4 if number == 2 else 2) for number in range(1, 8)]
        claims, notes, blocks = (list(rows) for rows in zip(*visits, strict=True))
        del notes[3], blocks[3]
        notes.append(notes[1] | {"note_id": "N22", "service_date": "2026-03-12", "provider_id": ""})
        blocks.append(blocks[1] | {"note_id": "N22"})
        write_extract(tmp_path / "extracts", claims, notes, blocks)
        assert audit(tmp_path / "extracts", tmp_path / "out").code == 0
        return tmp_path / "out"

    def finding_of(self, out, patient):
        run = out / "runs" / published(out)[1]
        rows = [row for row in rows_of(run / "findings.csv") if row["patient_id"] == patient]
        assert rows, "the day has a finding"
        return rows[0]["finding_id"]

    def test_explain_names_the_row_with_file_line_column_and_reason(self, out):
        told = minutewise("explain", out, self.finding_of(out, "P2")).out
        aside = told[told.index("ROWS SET ASIDE OF THIS PATIENT") :]
        assert re.search(r"notes +provider_id +missing_value +2026-03-12 +notes.csv:8", aside)
        assert re.search(r"missing_value +a required value is absent\.", aside)
        # Its block is set aside for want of the note, and bears no date of its own.
        assert re.search(r"note_blocks +note_id .+ not read +note_blocks.csv:8", aside)

    def test_a_patient_without_such_a_row_reads_of_none(self, out):
        assert "SET ASIDE" not in minutewise("explain", out, self.finding_of(out, "P4")).out

    def test_json_holds_the_rows(self, out):
        derivation = json.loads(minutewise("explain", out, self.finding_of(out, "P2"), "--json").out)
        note = derivation["set_aside"]["rows"][-1]
        assert (note["source"], note["reason_code"]) == ("notes.csv:8", "missing_value")
        assert note["service_date"] == "2026-03-12"

    def test_the_packet_names_them_and_a_masked_one_without_the_files_name(self, out, tmp_path):
        finding = self.finding_of(out, "P2")
        plain = minutewise("evidence", out, finding, "--to", tmp_path / "packet")
        page = Path(plain.out.strip()).read_text(encoding="utf-8")
        assert "Rows set aside of this patient" in page and "notes.csv:8" in page
        key = write(tmp_path / "mask.key", "0123456789abcdef" * 4 + "\n")
        key.chmod(0o600)
        masked = minutewise("evidence", out, finding, "--to", tmp_path, "--mask", "--mask-key-file", key)
        page = Path(masked.out.strip()).read_text(encoding="utf-8")
        assert "Rows set aside of this patient" in page and "notes.csv" not in page and ">P2<" not in page
