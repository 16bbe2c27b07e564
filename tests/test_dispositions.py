"""What people decide of findings comes back through the command line, holds for its evidence, and is never lost."""

import csv
import fcntl
import grp
import json
import os
import re
import shutil
import zipfile
from datetime import date
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xlsxwriter

from flows.disk.faults import DISPOSITIONS, points
from flows.dispositions.check import Findings
from flows.dispositions.log import LOG
from tests.cli_runs import AS_OF, Ran, audit, day, minutewise, published, refused, write, write_days
from tests.clinic_nights import Clinic
from tests.kill_points import Commands

#: 30 minutes make two units: four are too many, and 45 minutes make three.
EXCESS, OTHER_EXCESS, MISSED = day(4, claims_units=4), day(5, claims_units=4), day(6, claims_units=1, minutes=45)
HONEST = day(1)
COLUMNS = (
    "disposition",
    "disposition_status",
    "disposition_by",
    "disposition_on",
    "disposition_reason",
    "waived_until",
)
HEADINGS = ("finding_id", "disposition", "decided_by", "decided_on", "waived_until", "reason", "evidence_hash")


class Office:
    """One output folder, its extracts, and the people who decide of its findings."""

    def __init__(self, folder: Path):
        self.folder, self.out = folder, folder / "out"

    def audit(self, *visits, as_of: str = AS_OF, more: tuple = ()) -> Ran:
        """Audits these visits and publishes."""
        extracts = write_days(self.folder / "extracts", *visits)
        ran = minutewise("audit", "--extracts", extracts, "--out", self.out, "--as-of", as_of, *more)
        assert ran.code in (0, 1), ran.err
        return ran

    def dispose(self, *rows: dict, as_of: str = AS_OF, more: tuple = ()) -> Ran:
        """Takes a CSV with these rows."""
        return self.take(csv_file(self.folder / "decisions.csv", *rows), as_of=as_of, more=more)

    def take(self, source: Path, as_of: str = AS_OF, more: tuple = ()) -> Ran:
        """Takes this file."""
        return minutewise("dispose", self.out, "--from", source, "--as-of", as_of, *more)

    @property
    def run(self) -> Path:
        return self.out / "runs" / published(self.out)[1]

    @property
    def manifest(self) -> dict:
        return json.loads((self.run / "manifest.json").read_text())

    @property
    def findings(self) -> list[dict]:
        return pq.read_table(self.run / "findings.parquet").to_pylist()

    def finding(self, patient: str = "P4") -> dict:
        (found,) = [row for row in self.findings if row["patient_id"] == patient]
        return found

    def shown(self, patient: str = "P4") -> tuple:
        """(disposition, its status) beside the patient's one finding."""
        found = self.finding(patient)
        return found["disposition"], found["disposition_status"]

    def decided(self, patient: str = "P4", **cells: str) -> dict:
        """A row that decides of the patient's finding, as an analyst writes it."""
        row = {"finding_id": self.finding(patient)["finding_id"], "disposition": "accepted", "decided_by": "J. Doe"}
        return row | {"decided_on": AS_OF, "reason": "read the note"} | cells

    @property
    def log(self) -> bytes:
        return (self.out / LOG).read_bytes()

    @property
    def log_rows(self) -> list[dict]:
        return list(csv.DictReader(self.log.decode().splitlines()))


def csv_file(path: Path, *rows: dict) -> Path:
    """Writes rows as CSV with all columns that any of them has."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def workbook(path: Path, rows: list[dict], sheet: str = "Errors", above: int = 0) -> Path:
    """Writes rows as the workbook has them: headings with spaces, real dates, all else as text."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        dates = book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet(sheet)
        for at, name in enumerate(HEADINGS):
            page.write_string(above, at, name if name.endswith(("id", "hash")) else name.replace("_", " "))
            for number, row in enumerate(rows, start=above + 1):
                value = row.get(name, "")
                if isinstance(value, date):
                    page.write_datetime(number, at, value, dates)
                else:
                    page.write_string(number, at, value)
    return path


@pytest.fixture(scope="module")
def audited(tmp_path_factory) -> Path:
    """An output folder after one audit that found three things."""
    office = Office(tmp_path_factory.mktemp("audited"))
    office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED)
    return office.folder


@pytest.fixture
def office(audited, tmp_path) -> Office:
    """A copy of it, to go on with."""
    shutil.copytree(audited, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path)


class TestWithoutDecisions:
    def test_the_columns_are_there_and_empty(self, office):
        assert all(row[name] is None for row in office.findings for name in COLUMNS)
        assert office.manifest["dispositions"] == {}
        assert not (office.run / LOG).exists() and not (office.out / LOG).exists()

    def test_a_file_without_decisions_records_nothing(self, office):
        ran = office.dispose(office.decided(disposition=""))
        assert (ran.code, ran.err) == (0, "") and "Passed over 1 row without a disposition" in ran.out
        assert not (office.out / LOG).exists()


class TestTheNextAudit:
    def test_shows_the_decision_and_counts_the_same(self, office):
        before, rules = office.run, (office.run / "rules.parquet").read_bytes()
        ran = office.dispose(office.decided(), office.decided("P5", disposition="False alarm"))
        assert (ran.code, ran.err) == (0, "")
        assert "Recorded 2 decisions" in ran.out and "accepted 1, false alarm 1" in ran.out
        told = office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED, more=("--fail-on", "error"))
        assert office.run != before
        assert told.code == 1, "a finding stays a finding, whatever was decided of it"
        assert "Of 3 findings 2 are disposed of: accepted 1, false alarm 1" in told.out
        assert (office.run / "rules.parquet").read_bytes() == rules
        assert office.manifest["dispositions"] == {"accepted": {"holds": 1}, "false alarm": {"holds": 1}}
        found = office.finding()
        assert [found[name] for name in COLUMNS] == [
            "accepted",
            "holds",
            "J. Doe",
            date.fromisoformat(AS_OF),
            "read the note",
            None,
        ]
        assert office.shown("P6") == (None, None)

    def test_the_run_keeps_the_log_it_was_made_with(self, office):
        office.dispose(office.decided())
        office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED)
        assert (office.run / LOG).read_bytes() == office.log
        assert minutewise("verify", office.out).code == 0
        (office.run / LOG).write_bytes(office.log.replace(b"accepted", b"disputed"))
        assert f"{LOG}: was changed since it was published" in minutewise("verify", office.out).out

    def test_the_same_audit_after_it_is_the_same_run(self, office):
        office.dispose(office.decided())
        office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED)
        run = office.run
        assert "published already" in office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED).err
        assert office.run == run

    def test_a_finding_that_was_decided_of_is_derived_the_same(self, office):
        office.dispose(office.decided())
        office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED)
        told = json.loads(minutewise("explain", office.out, office.finding()["finding_id"], "--json").out)
        assert told["recomputed"] == {"is_same": True, "differs": []}
        assert told["finding"]["disposition"] == "accepted"


class TestAWaiver:
    def test_holds_on_its_last_day_and_not_on_the_next(self, office):
        visits = (HONEST, EXCESS, OTHER_EXCESS, MISSED)
        assert office.dispose(office.decided(disposition="waived", waived_until="2026-03-25")).code == 0
        office.audit(*visits, as_of="2026-03-25")
        assert office.shown() == ("waived", "holds")
        told = office.audit(*visits, as_of="2026-03-26")
        assert office.shown() == ("waived", "waiver expired")
        assert "Of 3 findings 0 are disposed of; open again 1: waived, waiver expired 1" in told.out
        assert len(office.findings) == 3


class TestEvidence:
    def test_a_decision_holds_while_the_evidence_stands(self, office):
        office.dispose(office.decided())
        office.audit(HONEST, EXCESS, MISSED)  # the other patient's finding is gone
        assert office.shown() == ("accepted", "holds")

    def test_other_units_reopen_it_and_show_the_old_decision(self, office):
        office.dispose(office.decided())
        first = office.finding()
        office.audit(HONEST, day(4, claims_units=5))
        now = office.finding()
        assert (now["finding_id"], now["evidence_hash"] == first["evidence_hash"]) == (first["finding_id"], False)
        assert office.shown() == ("accepted", "evidence changed")
        # A workbook of this run is filled with the old decision: handing it back decides nothing anew.
        again = office.dispose(office.decided(evidence_hash=now["evidence_hash"]))
        assert "Recorded 0 decisions" in again.out and "recorded already" in again.out
        assert office.dispose(office.decided(decided_on="2026-03-21"), as_of="2026-03-21").code == 0
        office.audit(HONEST, day(4, claims_units=5))
        assert office.shown() == ("accepted", "holds")

    def test_a_decision_from_an_older_workbook_holds_for_what_was_seen(self, office):
        seen = office.finding()["evidence_hash"]
        office.audit(HONEST, day(4, claims_units=5))
        ran = office.dispose(office.decided(evidence_hash=seen))
        assert ran.code == 0 and "1 were made on other evidence" in ran.out
        office.audit(HONEST, day(4, claims_units=5))
        assert office.shown() == ("accepted", "evidence changed")
        office.audit(HONEST, EXCESS)
        assert office.shown() == ("accepted", "holds")

    def test_an_older_run_can_be_decided_of(self, office):
        first = office.run.name
        gone = office.decided("P5")
        office.audit(HONEST, EXCESS)
        refused(Ran(3, "", office.dispose(gone).err.splitlines(True)[-1]), 3, "1 problem", "nothing is recorded")
        assert office.dispose(gone, more=("--run", first)).code == 0
        assert office.log_rows[0]["run_id"] == first


def problems(ran: Ran) -> list[str]:
    """The lines that name what is wrong; the last line of all says that nothing was recorded."""
    assert ran.code == 3 and ran.out == "", ran
    *lines, last = ran.err.splitlines()
    assert last.endswith("nothing is recorded. Put right what is said above, and dispose again")
    return [line.removeprefix("minutewise: ") for line in lines]


class TestWhatIsNotTaken:
    @pytest.mark.parametrize(
        ("cells", "told"),
        [
            ({"decided_by": ""}, "decided by: is empty; fill it in, or give --by NAME"),
            (
                {"disposition": "fine"},
                "disposition: is not one of accepted, disputed, corrected claim sent, false alarm",
            ),
            ({"disposition": "waived"}, "waived until: is empty"),
            ({"waived_until": "2026-04-01"}, "waived until: goes with waived only"),
            ({"disposition": "waived", "waived_until": "2026-03-19"}, "waived until: lies before"),
            ({"decided_on": "3/20/2026"}, "decided on: is not a date; write it as YYYY-MM-DD"),
            ({"decided_on": "2026-02-30"}, "decided on: is not a date"),
            ({"decided_on": "2026-03-21"}, "decided on: lies after 2026-03-20"),
            ({"finding_id": "abc"}, "finding id: is shorter than 4 characters"),
            ({"finding_id": "0" * 64}, "has no such finding; name the run that has it with --run"),
            ({"evidence_hash": "12ab"}, "evidence hash: is not 64 characters"),
            ({"reason": "x" * 2001}, "reason: is longer than 2000 characters"),
            ({"decided_by": "x" * 201}, "decided by: is longer than 200 characters"),
        ],
    )
    def test_a_row_is_told_by_its_place_and_column(self, office, cells, told):
        right = office.decided("P5")
        (line,) = problems(office.dispose(right, office.decided(**cells), office.decided("P6")))
        assert line.startswith("decisions.csv, line 3, ") and told in line
        assert not (office.out / LOG).exists(), "the rows beside it are not recorded either"

    def test_what_lies_just_inside_is_taken(self, office):
        inside = {"reason": "x" * 2000, "decided_by": "y" * 200, "disposition": "WAIVED", "waived_until": AS_OF}
        assert (
            office.dispose(office.decided(**inside), office.decided("P5", decided_by=""), more=("--by", "A")).code == 0
        )
        assert [(row["disposition"], row["decided_by"]) for row in office.log_rows] == [
            ("waived", "y" * 200),
            ("accepted", "A"),
        ]

    def test_every_problem_is_told_up_to_twenty(self, office):
        assert len(problems(office.dispose(*[office.decided(disposition="fine")] * 20))) == 20
        ran = office.dispose(*[office.decided(disposition="fine")] * 25)
        assert len(problems(ran)) == 20 and "25 problems, 5 of them not shown" in ran.err

    def test_one_finding_decided_twice(self, office):
        assert office.dispose(office.decided(), office.decided()).code == 0
        (line,) = problems(office.dispose(office.decided("P5"), office.decided("P5", disposition="disputed")))
        assert "line 3" in line and "line 2 decides of this finding otherwise" in line
        assert len(office.log_rows) == 1

    def test_a_first_part_of_an_id_is_enough_where_it_is_one_finding(self, office):
        row = office.decided()
        assert office.dispose(row | {"finding_id": row["finding_id"][:8].upper()}).code == 0
        assert office.log_rows[0]["finding_id"] == row["finding_id"]
        found = Findings({"ab12" + "0" * 60: ("r", "e"), "ab12" + "1" * 60: ("r", "e"), "ab13" + "0" * 60: ("r", "e")})
        assert (len(found.begin_so("ab12")), len(found.begin_so("ab13")), found.begin_so("ab14")) == (2, 1, [])

    @pytest.mark.parametrize(
        ("name", "content", "code", "told"),
        [
            ("a.ods", b"", 2, "no .xlsx and no .csv"),
            ("a.csv", None, 2, "No such file"),
            ("a.csv", b"", 3, "no row of headings with finding_id and disposition"),
            ("a.csv", b"finding_id;disposition\n", 3, "no row of headings"),
            ("a.csv", b"finding_id,disposition,disposition\n", 3, "line 1: the heading disposition appears twice"),
            ("a.csv", b"finding_id,disposition\n\xff\xfe,accepted\n", 3, "not UTF-8"),
            ("a.csv", b'finding_id,disposition\n"open,accepted\n', 3, "line 2: cannot be read as CSV"),
            ("a.csv", b"finding_id,disposition\n" + b"x" * 200_000, 3, "cannot be read as CSV"),
        ],
    )
    def test_a_file_that_is_none(self, office, name, content, code, told):
        source = office.folder / name
        if content is not None:
            write(source, content)
        refused(office.take(source), code, told)
        assert not (office.out / LOG).exists()

    def test_places_that_are_not_there(self, office, tmp_path):
        source = csv_file(tmp_path / "d.csv", office.decided())
        refused(minutewise("dispose", tmp_path / "none", "--from", source), 2, "no run is published there")
        assert not (tmp_path / "none").exists()
        refused(office.take(source, more=("--run", "2026-01-01-0")), 2, "no such run")
        refused(office.take(source, more=("--by", " ")), 2, "--by")
        refused(office.take(source, more=("--on", "2026-03-21")), 2, "--on 2026-03-21: lies after 2026-03-20")


class TestTheLog:
    def test_is_only_ever_added_to(self, office):
        states = [b""]
        for patient, disposition in (("P4", "accepted"), ("P5", "disputed"), ("P6", "corrected claim sent")):
            assert office.dispose(office.decided(patient, disposition=disposition)).code == 0
            states.append(office.log)
        # Edited by hand, without a line feed at its end.
        (office.out / LOG).write_bytes(office.log.rstrip(b"\n"))
        states.append(office.log)
        office.dispose(office.decided(decided_on="2026-03-21"), as_of="2026-03-21")
        assert office.log.startswith(states[4]) and states[4] == states[3].rstrip(b"\n")
        assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(states[:4]))
        assert [row["disposition"] for row in office.log_rows] == [
            "accepted",
            "disputed",
            "corrected claim sent",
            "accepted",
        ]

    def test_the_same_file_again_adds_nothing(self, office):
        office.dispose(office.decided())
        log = office.log
        again = json.loads(office.dispose(office.decided(), as_of="2026-03-22", more=("--json",)).out)
        assert (again["recorded"], again["rows_standing_already"], office.log) == (0, 1, log)
        # One that says no day of its own is the same on every day.
        assert (
            "1 row whose decision is recorded" in office.dispose(office.decided(decided_on=""), as_of="2026-03-22").out
        )
        assert office.dispose(office.decided(reason="another"), as_of="2026-03-20").code == 0
        assert len(office.log_rows) == 2

    def test_an_old_file_takes_nothing_back(self, office):
        old, new = office.decided(), office.decided(disposition="disputed", decided_on="2026-03-21")
        office.dispose(old)
        office.dispose(new, as_of="2026-03-21")
        ran = office.dispose(old, as_of="2026-03-22")
        assert "Recorded 0 decisions" in ran.out and "since when another was made" in ran.out
        assert office.dispose(old | {"decided_on": "2026-03-22"}, as_of="2026-03-22").code == 0
        assert [row["disposition"] for row in office.log_rows] == ["accepted", "disputed", "accepted"]

    def test_a_changed_decision_needs_a_day_of_its_own(self, office):
        office.dispose(office.decided())
        changed = office.decided(disposition="disputed")
        (line,) = problems(office.dispose(changed, as_of="2026-03-21"))
        assert "decided on: is that of the earlier decision" in line
        assert office.dispose(changed | {"decided_on": ""}, as_of="2026-03-21").code == 0
        assert office.log_rows[1]["decided_on"] == "2026-03-21"

    @pytest.mark.parametrize(
        ("written", "kept", "in_the_file"),
        [
            ("=HYPERLINK(1)", "=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("'=1", "=1", "'=1"),
            ("-3 min", "-3 min", "'-3 min"),
            ("'tis so", "'tis so", "'tis so"),
            ('a,b "c"\nd', 'a,b "c" d', '"a,b ""c"" d"'),
            ("\u202eevil", "<U+202E>evil", "<U+202E>evil"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>", "<script>"),
        ],
    )
    def test_hostile_text_is_kept_as_text(self, office, written, kept, in_the_file):
        assert office.dispose(office.decided(reason=written)).code == 0
        assert in_the_file in office.log.decode() and office.log.count(b"\n") == 2
        office.audit(HONEST, EXCESS, OTHER_EXCESS, MISSED)
        assert office.finding()["disposition_reason"] == kept
        # The workbook is filled with what was kept, and comes back as it is.
        assert "Recorded 0" in office.take(workbook(office.folder / "f.xlsx", [office.decided(reason=kept)])).out

    def test_is_its_owners_or_the_teams(self, office):
        office.dispose(office.decided())
        assert (office.out / LOG).stat().st_mode & 0o777 == 0o600
        team = grp.getgrgid(os.getegid()).gr_name
        (office.out / "great_expectations").mkdir()  # which is stood in for here
        office.audit(HONEST, EXCESS, OTHER_EXCESS, more=("--group", team))
        office.dispose(office.decided("P5"))
        assert (office.out / LOG).stat().st_mode & 0o777 == 0o640
        assert (office.run / LOG).stat().st_mode & 0o777 == 0o640

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ((b"recorded_on,", b"recorded,"), "line 1: the header is not recorded_on,finding_id"),
            ((b",accepted,", b",acepted,"), "line 2: disposition is not one of"),
            ((b"2026-03-20", b"3/20/26"), "line 2: recorded_on is not a date"),
            ((b",accepted,,", b",accepted,2026-04-01,"), "line 2: waived_until has to be there for waived"),
            ((b"J. Doe", b""), "line 2: decided_by is empty"),
            ((b"J. Doe", b"J, Doe"), "line 2: has 11 cells, not 10"),
            ((b"J. Doe", b'"J" Doe'), "line 2: cannot be read as CSV"),
            ((b"J. Doe", b"J\xff"), "line 2: is not UTF-8"),
        ],
    )
    def test_a_damaged_log_stops_everything(self, office, change, told):
        office.dispose(office.decided())
        damaged = office.log.replace(*change)
        (office.out / LOG).write_bytes(damaged)
        run = office.run
        refused(audit(office.folder / "extracts", office.out), 2, LOG, told)
        refused(office.dispose(office.decided("P5")), 2, LOG, told)
        assert (office.run, office.log) == (run, damaged)

    def test_two_at_once(self, office):
        with (office.out / ".lock").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            refused(office.dispose(office.decided()), 75, "another run holds")
        assert not (office.out / LOG).exists()
        assert office.dispose(office.decided()).code == 0

    def test_killed_or_without_room_it_is_the_old_one_or_the_new(self, office):
        office.dispose(office.decided())
        old, run = office.log, office.run
        source = csv_file(office.folder / "more.csv", office.decided("P5"), office.decided("P6"))
        with Commands() as commands:
            asked = ("dispose", office.out, "--from", source, "--as-of", AS_OF)
            for point in points(DISPOSITIONS):
                (office.out / LOG).write_bytes(old)
                assert commands.run(*asked, fault=f"{point}:kill").was_killed, point
                new = point not in (
                    "dispositions_before_fsync",
                    "dispositions_after_fsync",
                    "dispositions_before_rename",
                )
                assert office.log.startswith(old) and (office.log != old) == new, point
            (office.out / LOG).write_bytes(old)
            full = commands.run(*asked, fault="dispositions_before_fsync:full")
            assert full.code == 2 and "nothing was recorded" in full.err and office.log == old
            assert commands.run(*asked).code == 0
        assert len(office.log_rows) == 3 and office.run == run
        assert not list(office.out.glob(f".{LOG}*"))


class TestTheWorkbook:
    def test_its_cells_come_back(self, office):
        seen = office.finding()["evidence_hash"]
        rows = [
            office.decided(decided_on=date(2026, 3, 19), evidence_hash=seen),
            office.decided("P5", disposition="waived", waived_until=date(2026, 4, 1), decided_on="2026-03-20"),
            office.decided("P6", disposition=""),
        ]
        ran = office.take(workbook(office.folder / "findings.xlsx", rows))
        assert (ran.code, ran.err) == (0, "") and "Passed over 1 row without a disposition" in ran.out
        held = [(row["disposition"], row["decided_on"], row["waived_until"]) for row in office.log_rows]
        assert held == [("accepted", "2026-03-19", ""), ("waived", "2026-03-20", "2026-04-01")]

    def test_a_problem_names_sheet_and_row(self, office):
        source = workbook(office.folder / "f.xlsx", [office.decided(decided_by="")], sheet="Warnings", above=3)
        (line,) = problems(office.take(source))
        assert line == "f.xlsx, sheet Warnings, row 5, decided by: is empty; fill it in, or give --by NAME"

    def test_a_number_is_no_date(self, office):
        source = workbook(office.folder / "f.xlsx", [office.decided(decided_on="46101")])
        assert "decided on: is not a date" in problems(office.take(source))[0]

    def test_another_sheet_or_no_headings(self, office):
        source = workbook(office.folder / "f.xlsx", [office.decided()], sheet="Summary")
        refused(office.take(source), 3, "no rows in a sheet Errors, Warnings, Reviews")
        source = workbook(office.folder / "f.xlsx", [office.decided()], above=30)
        with zipfile.ZipFile(source) as book:
            assert "xl/worksheets/sheet1.xml" in book.namelist()
        assert office.take(source).code == 0, "blank rows above the headings are nothing"

    def test_one_that_cannot_be_read(self, office):
        whole = workbook(office.folder / "f.xlsx", [office.decided()]).read_bytes()
        for content, told in (
            (b"", "cannot be read as a workbook"),
            (whole[: len(whole) // 2], "cannot be read as a workbook"),
            (b"finding_id,disposition\n", "cannot be read as a workbook"),
            (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "password"),
        ):
            refused(office.take(write(office.folder / "f.xlsx", content)), 3, told)

    @pytest.mark.parametrize("value", [None, "the payer's fault"])
    def test_a_formula_counts_by_the_value_that_the_spreadsheet_left_with_it(self, office, value):
        source = workbook(office.folder / "formula.xlsx", [office.decided()])
        with zipfile.ZipFile(source) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        at = HEADINGS.index("reason")
        cell = f"{chr(ord('A') + at)}2"
        held = f'<c r="{cell}" t="str"><f>T(A2)</f>' + (f"<v>{value}</v></c>" if value else "<v></v></c>")
        changed, count = re.subn(rf'<c r="{cell}"[^>]*?(/>|>.*?</c>)', held, sheet)
        assert count == 1
        with zipfile.ZipFile(source, "w") as book:
            for name, content in (parts | {"xl/worksheets/sheet1.xml": changed.encode()}).items():
                book.writestr(name, content)
        ran = office.take(source)
        if value is None:
            refused(ran, 3, f"cell {cell} holds a formula whose value is not stored")
        else:
            assert ran.code == 0 and value in (office.out / "dispositions.csv").read_text()

    def test_one_that_is_made_to_harm(self, office):
        source = workbook(office.folder / "macros.xlsx", [office.decided()])
        with zipfile.ZipFile(source, "a") as book:
            book.writestr("xl/vbaProject.bin", b"macro")
        refused(office.take(source), 3, "holds macros")

        # A cell in the last row and column makes readers lay out seventeen thousand million cells.
        with xlsxwriter.Workbook(office.folder / "far.xlsx") as book:
            page = book.add_worksheet("Errors")
            page.write_string(0, 0, "finding_id")
            page.write_string(1_048_575, 16_383, "far")
        refused(office.take(office.folder / "far.xlsx"), 3, "cannot be read as a workbook")

    def test_one_that_unzips_to_too_much(self, office, monkeypatch):
        source = workbook(office.folder / "f.xlsx", [office.decided()])
        with zipfile.ZipFile(source) as book:
            size = sum(part.file_size for part in book.infolist())
        monkeypatch.setattr("flows.dispositions.read_rows.MOST_UNZIPPED_BYTES", size - 1)
        refused(office.take(source), 3, "unzips to more than")
        monkeypatch.setattr("flows.dispositions.read_rows.MOST_UNZIPPED_BYTES", size)
        assert office.take(source).code == 0

    def test_one_larger_than_is_read(self, office, monkeypatch):
        source = workbook(office.folder / "f.xlsx", [office.decided()])
        monkeypatch.setattr("flows.dispositions.read_rows.MOST_BYTES", source.stat().st_size - 1)
        refused(office.take(source), 3, "is larger than")
        monkeypatch.setattr("flows.dispositions.read_rows.MOST_BYTES", source.stat().st_size)
        assert office.take(source).code == 0


class TestAWarehouse:
    def test_a_night_shows_decisions_and_a_rebuild_keeps_them(self, tmp_path):
        clinic = Clinic(tmp_path)
        write_days(clinic.extracts, HONEST, EXCESS)
        clinic.night()
        (found,) = pq.read_table(clinic.run / "findings.parquet").to_pylist()
        first, lives = clinic.run, clinic.lives
        row = {"finding_id": found["finding_id"], "disposition": "accepted"}
        source = csv_file(tmp_path / "d.csv", row)
        assert minutewise("dispose", clinic.out, "--from", source, "--by", "J. Doe", "--as-of", AS_OF).code == 0
        night = clinic.night()
        assert clinic.run != first and night["dispositions"] == {"accepted": {"holds": 1}}
        assert night["warehouse"]["service_dates_recomputed"] == 0 and clinic.lives == lives
        decided = (clinic.run / "findings.parquet").read_bytes()
        # The warehouse is lost: it is built again from a run whose findings hold decisions.
        clinic.warehouse.unlink()
        clinic.night(None, as_of="2026-03-21")
        (again,) = pq.read_table(clinic.run / "findings.parquet").to_pylist()
        assert again["disposition_status"] == "holds"
        assert (clinic.run / "findings.parquet").read_bytes() == decided
        assert clinic.ran(command="rebuild", as_of="2026-03-21").code == 0
        assert clinic.manifest["dispositions"] == {"accepted": {"holds": 1}}
