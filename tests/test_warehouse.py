"""Nights on a warehouse from the command line: what a user delivers, what is published, and what is said of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from flows.disk.lock import only_run
from flows.runs.verify import verify
from flows.watch.digest import digest_of
from tests.cli_runs import AS_OF, audit, minutewise, published, refused, write
from tests.clinic_nights import Clinic, plain, rows_of, state_of
from tests.extract_files import write_reference
from tests.kill_points import Commands
from tests.nights.told import base, block, claim, note, visit
from tests.test_private import KEY, needs_extension

EXCEED, BELOW = "billed_units_exceed_minutes", "billed_units_below_minutes"
#: 30 minutes are 2 units: P2's 4 are too many. P3's visit lies in another month.
VISITS = base(visit(1, "2026-03-02"), visit(2, "2026-03-03", 4), visit(3, "2026-02-10"), visit(4, "2026-03-10"))
CORRECTED = {"claims_2.csv": [claim("C2", 2, "2026-03-03", "P2")]}
LATER = "2026-03-21"


@pytest.fixture(scope="module")
def first_night(tmp_path_factory) -> Clinic:
    """A clinic after its first night."""
    clinic = Clinic(tmp_path_factory.mktemp("first"))
    clinic.night(VISITS)
    return clinic


@pytest.fixture
def clinic(first_night, tmp_path) -> Clinic:
    """A copy of it, to go on with."""
    shutil.copytree(first_night.folder, tmp_path / "clinic")
    return Clinic(tmp_path / "clinic")


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory) -> Clinic:
    """A clinic after its second night, and a copy of it beside."""
    clinic = Clinic(tmp_path_factory.mktemp("two") / "own")
    clinic.night(VISITS)
    clinic.night({"claims_2.csv": [claim("C1", 3)]})
    assert clinic.rules == [EXCEED, EXCEED]
    shutil.copytree(clinic.folder, clinic.folder.with_name("saved"))
    return clinic


@pytest.fixture
def own(two_nights) -> Clinic:
    """That clinic in its own place: what was published names its warehouse."""
    shutil.rmtree(two_nights.folder)
    shutil.copytree(two_nights.folder.with_name("saved"), two_nights.folder)
    return two_nights


def flip_a_byte(path: Path, at: int = 40) -> None:
    """What a disk may do; the file keeps its size, its name and its links."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 255]))


def visits_of(number: int, on: str, units: int = 2) -> dict[str, list[dict]]:
    """A visit as files of its own."""
    return {f"{name[:-4]}_{number}.csv": rows for name, rows in base(visit(number, on, units)).items()}


class TestTheFirstNight:
    def test_comes_to_what_a_plain_audit_comes_to(self, clinic, tmp_path):
        assert clinic.rules == [EXCEED]
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        night = clinic.manifest["warehouse"]
        assert night["service_dates_recomputed"] == 4 and night["findings"] == {"open": 1}

    def test_units_are_a_folder_that_every_reader_reads_by_its_name(self, clinic):
        place = clinic.run / "units.parquet"
        assert sorted(path.name for path in place.iterdir()) == ["2026-02.parquet", "2026-03.parquet"]
        readers = {
            "pandas": len(pd.read_parquet(place)),
            "pyarrow": pq.read_table(place).num_rows,
            "duckdb": duckdb.execute(f"select count(*) from '{place}/*.parquet'").fetchone()[0],
        }
        assert readers == dict.fromkeys(readers, 4), "one code on each of four days"

    def test_the_warehouse_is_its_owners_alone(self, clinic):
        assert oct(clinic.warehouse.stat().st_mode & 0o777) == "0o600"

    def test_the_files_read_reconcile(self, clinic):
        files = {file["file"]: file for file in clinic.manifest["inputs"]}
        assert list(files) == ["claims.csv", "notes.csv", "note_blocks.csv"]
        for file in files.values():
            assert file["is_new"] and file["delivery"] == 1
            assert (file["rows_read"], file["rows_accepted"]) == (4, 4)


#: What comes in one night: the rules with findings afterwards, the dates computed again, and what moved them.
NIGHTS = {
    "a delta file": (visits_of(5, "2026-03-05", 4), [EXCEED, EXCEED], 1, {"a claim", "a note"}),
    "a claim corrected under its own number": (CORRECTED, [], 1, {"a claim"}),
    "an amended note with another half hour": (
        {
            "notes_2.csv": [note("N2", "2026-03-03", "P2", note_version="2", status="amended")],
            "note_blocks_2.csv": [block("N2", block_number="2", note_version="2")],
        },
        [],
        1,
        {"a note"},
    ),
    "a void": (
        {"claims_2.csv": [claim("C9", 4, "2026-03-03", "P2", claim_frequency_code="8", original_claim_id="C2")]},
        ["documented_day_not_billed"],
        1,
        {"a claim"},
    ),
    "a replacement": (
        {"claims_2.csv": [claim("C9", 2, "2026-03-03", "P2", claim_frequency_code="7", original_claim_id="C2")]},
        [],
        1,
        {"a claim"},
    ),
    "a replacement dated on another day": (
        {"claims_2.csv": [claim("C9", 2, "2026-03-04", "P2", claim_frequency_code="7", original_claim_id="C2")]},
        ["billed_day_not_documented", "documented_day_not_billed"],
        2,
        {"a claim"},
    ),
    "the same notes under another name": ({"notes_2.csv": VISITS["notes.csv"]}, [EXCEED], 0, set()),
}


class TestANight:
    @pytest.mark.parametrize("told", NIGHTS)
    def test_computes_the_dates_it_touches_and_comes_to_a_plain_audit(self, clinic, tmp_path, told):
        files, rules, dates, moved = NIGHTS[told]
        night = clinic.night(files)["warehouse"]
        assert clinic.rules == rules
        assert (night["service_dates_recomputed"], set(night["moved_by"])) == (dates, moved)
        assert night["new_files"] == len(files)
        if told != "a claim corrected under its own number":  # which, in one folder, are two rows of one key
            assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert all(run.is_sound for run in verify(clinic.out, every_run=True))

    def test_a_late_note_documents_its_day(self, clinic, tmp_path):
        late = visits_of(5, "2026-03-05")
        clinic.night({"claims_5.csv": late.pop("claims_5.csv")})
        assert clinic.rules == ["billed_day_not_documented", EXCEED]
        assert clinic.night(late)["warehouse"]["moved_by"] == {"a note": 1}
        assert clinic.rules == [EXCEED]
        assert clinic.lives["billed_day_not_documented"]["resolved_by"] == "a note"
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)

    def test_the_files_of_yesterday_may_be_gone(self, clinic, tmp_path):
        clinic.put(dict.fromkeys(VISITS))
        clinic.night(visits_of(5, "2026-03-05", 4))
        clinic.put(VISITS)
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)

    def test_a_file_of_the_same_name_brings_its_rows_and_takes_none_away(self, clinic):
        clinic.night({"claims.csv": [claim("C2", 2, "2026-03-03", "P2")]})
        assert clinic.rules == []
        assert sum(rows_of(clinic.run, "accepted/claims").values()) == 4

    def test_every_file_reconciles_and_the_new_ones_are_marked(self, clinic):
        broken = claim("C8", "two", "2026-03-10", "P4")
        given = [claim("C6", 2, "2026-03-10", "P4"), broken, *VISITS["claims.csv"][:1]]
        clinic.night({"claims_2.csv": given}, "--override-guard", "quarantine_share")
        files = {file["file"]: file for file in clinic.manifest["inputs"]}
        new = files.pop("claims_2.csv")
        assert new["is_new"] and new["delivery"] == 2 and not any(file["is_new"] for file in files.values())
        counts = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
        assert [new[name] for name in counts] == [3, 1, 1, 1]
        for file in files.values():
            assert [file[name] for name in counts] == [4, 4, 0, 0], "as the night told that read them"
        assert clinic.manifest["quarantine_reasons"] == {"claims: unreadable_number": 1}

    @pytest.mark.parametrize("name", ["accepted/claims/2026-02.parquet", "units.parquet/2026-02.parquet"])
    def test_a_rotten_month_is_not_passed_on(self, clinic, tmp_path, name):
        every_night = {"name": "linked_file_check_days", "value": 1, "effective_from": "1990-01-01"}
        (tmp_path / "reference").mkdir()
        write_reference(tmp_path / "reference", {"parameters": [every_night]})
        before = clinic.run
        wanted = clinic.manifest["files"][name]
        flip_a_byte(before / name)
        ran = clinic.ran("--reference", tmp_path / "reference", as_of=LATER)
        assert ran.code == 0 and f"{before / name}: was changed since it was published" in ran.err
        assert f"minutewise verify {clinic.out} --all" in ran.err
        assert clinic.manifest["warehouse"]["months_written_again"] == [name]
        assert clinic.manifest["files"][name] == wanted and not (clinic.run / name).samefile(before / name)
        assert "a row of parameter" not in clinic.manifest["warehouse"]["moved_by"], "no finding rests on it"
        assert [run.is_sound for run in verify(clinic.out)] == [True]
        told = digest_of(clinic.manifest, clinic.run)
        assert told.is_change and f"- {name} of the previous run had changed on disk" in told.text

    def test_a_month_that_is_gone_is_written_again(self, clinic):
        before = clinic.run
        (before / "accepted" / "notes" / "2026-02.parquet").unlink()
        ran = clinic.ran(as_of=LATER)
        assert ran.code == 0 and f"{before}/accepted/notes/2026-02.parquet: is missing; written again" in ran.err
        assert [run.is_sound for run in verify(clinic.out)] == [True]

    def test_a_rotten_month_that_the_report_cannot_read_is_mended_before_its_turn(
        self, clinic, monkeypatch, whole_audit
    ):
        """Its end makes it no Parquet at all; it is linked unread, for it was read on the last night."""
        monkeypatch.setattr("flows.publishing.months._due", lambda *_: set())
        rotten = clinic.run / "accepted" / "claims" / "2026-02.parquet"
        flip_a_byte(rotten, at=rotten.stat().st_size - 1)
        ran = clinic.ran(as_of=LATER)
        assert ran.code == 0, ran.err
        assert f"{rotten}: was changed since it was published" in ran.err
        assert [run.is_sound for run in verify(clinic.out)] == [True]

    def test_only_touched_months_are_written_the_others_are_the_same_files(self, clinic):
        before = clinic.run
        clinic.night(CORRECTED)
        months = [path.relative_to(clinic.run) for path in clinic.run.rglob("2026-*.parquet")]
        assert len(months) == 8, "three tables of rows and the units, two months each"
        for month in months:
            is_linked = (clinic.run / month).samefile(before / month)
            assert is_linked == (month.name == "2026-02.parquet"), month
        minutewise("retention", "--out", clinic.out, "--older-than", "0")
        assert all(run.is_sound for run in verify(clinic.out, every_run=True))

    def test_explain_derives_a_finding_of_an_earlier_night(self, clinic):
        clinic.night(visits_of(5, "2026-03-10"))
        (finding,) = pq.read_table(clinic.run / "findings.parquet").to_pylist()
        ran = minutewise("explain", clinic.out, finding["finding_id"][:12])
        assert ran.code == 0, ran.err
        assert "claims.csv" in ran.out and "2026-03-03" in ran.out and "97110" in ran.out
        assert minutewise("verify", clinic.out, "--all").code == 0


class TestNothingNew:
    def test_the_same_run_is_found_and_nothing_is_judged(self, clinic, monkeypatch):
        def never(*_place, **_named):
            raise AssertionError("nothing is new, so nothing is judged")

        monkeypatch.setattr("expectations.judge.judge", never)
        before, held = published(clinic.out), clinic.warehouse.read_bytes()
        for asked, code in (((), 0), (("--fail-on", "error"), 1), (("--fail-on", "error"), 1)):
            ran = clinic.ran(*asked)
            assert (ran.code, "published already" in ran.err) == (code, True), ran.err
        assert published(clinic.out) == before and clinic.warehouse.read_bytes() == held

    def test_with_the_as_of_date_only_what_passed_the_billing_lag_is_computed(self, clinic, tmp_path):
        unbilled = visits_of(5, "2026-03-09")
        del unbilled["claims_5.csv"]
        clinic.night(unbilled, as_of="2026-03-13")
        assert clinic.rules == [EXCEED], "4 days after the visit"
        night = clinic.night(as_of="2026-03-14")["warehouse"]
        assert clinic.rules == [EXCEED, "documented_day_not_billed"]
        assert (night["moved_by"], night["new_files"]) == ({"the billing lag": 1}, 0)
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts, as_of="2026-03-14")


class TestWhatMovesWithoutARow:
    def test_dates_that_come_into_what_both_extracts_cover(self, tmp_path):
        clinic = Clinic(tmp_path / "c")
        clinic.night(base(visit(1, "2026-03-02"), visit(4, "2026-03-04")) | visits_of(2, "2026-03-05"))
        clinic.put(dict.fromkeys(visits_of(2, "2026-03-05")))
        clinic.night({"claims_6.csv": [claim("C6", 2, "2026-03-06", "P6")]})
        assert clinic.rules == [], "no note can be expected after the last one"
        night = clinic.night(visits_of(7, "2026-03-08"))["warehouse"]
        assert clinic.rules == ["billed_day_not_documented"]
        assert night["moved_by"] == {"a claim": 1, "a note": 1, "the covered dates": 2}
        clinic.put(visits_of(2, "2026-03-05"))
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)

    def test_a_new_cap_is_held_against_the_dates_with_its_code_alone(self, clinic, tmp_path):
        manual = {"procedure_code": "97140"}
        files = base(
            {"claims": [claim("C6", 2, "2026-03-06", "P6", **manual)], "notes": [note("N6", "2026-03-06", "P6")]}
        )
        files["note_blocks.csv"] = [block("N6", **manual)]
        clinic.night({f"{name[:-4]}_6.csv": rows for name, rows in files.items()})
        assert clinic.rules == [EXCEED]
        cap = {"procedure_code": "97140", "cap_units": 1, "adjudication_indicator": 2, "effective_from": "2026-01-01"}
        write_reference(tmp_path / "ours", {"code_cap": [cap]})
        night = clinic.night({}, "--reference", tmp_path / "ours")["warehouse"]
        assert clinic.rules == [EXCEED, "units_exceed_day_cap"]
        assert (night["service_dates_recomputed"], night["moved_by"]) == (1, {"a row of code_cap": 1})
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts, "--reference", tmp_path / "ours")
        clinic.night({})
        assert clinic.rules == [EXCEED], "without the row it is as before"
        assert clinic.lives["units_exceed_day_cap"]["resolved_by"] == "a row of code_cap"

    def test_a_crosswalk_moves_every_date(self, clinic, tmp_path):
        clinic.night({"claims_5.csv": [claim("C5", 2, "2026-03-05", "P5")]})
        theirs = {"notes_5.csv": [note("N5", "2026-03-05", "MRN-5")], "note_blocks_5.csv": [block("N5")]}
        clinic.night(theirs)
        assert "billed_day_not_documented" in clinic.rules
        write(tmp_path / "crosswalk" / "patient.csv", "claims_id,notes_id\nP5,MRN-5\n")
        night = clinic.night({}, "--crosswalk", tmp_path / "crosswalk")["warehouse"]
        assert clinic.rules == [EXCEED]
        assert night["moved_by"]["a crosswalk"] == night["service_dates_recomputed"] == 5
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts, "--crosswalk", tmp_path / "crosswalk")


class TestRemoved:
    def test_its_rows_go_and_what_they_took_the_place_of_comes_back(self, clinic, tmp_path):
        clinic.night(CORRECTED)
        assert clinic.rules == []
        clinic.put({"claims_2.csv": None})
        assert "published already" in clinic.ran().err, "a file that is gone says nothing"
        night = clinic.night({}, "--removed", "claims_2.csv")["warehouse"]
        assert clinic.rules == [EXCEED]
        assert (night["removed"], night["moved_by"]) == (["claims_2.csv"], {"a claim": 1})
        assert "claims_2.csv" not in [file["file"] for file in clinic.manifest["inputs"]]
        assert clinic.lives[EXCEED]["times_reopened"] == 1 and clinic.lives[EXCEED]["status"] == "open"
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)

    def test_a_night_that_is_run_again_may_name_it_again(self, clinic):
        clinic.night(CORRECTED)
        clinic.put({"claims_2.csv": None})
        run = clinic.night({}, "--removed", "claims_2.csv")["run_id"]
        again = clinic.ran("--removed", "claims_2.csv")
        assert again.code == 0 and "published already" in again.err
        assert clinic.manifest["run_id"] == run
        refused(clinic.ran("--removed", "claims_3.csv"), 2, "claims_3.csv", "has no file of this name")

    def test_a_name_that_two_tables_have_is_said_with_its_table(self, tmp_path):
        clinic = Clinic(tmp_path / "c")
        visit_5 = visits_of(5, "2026-03-05", 4)
        clinic.put(VISITS)
        for table in ("claims", "notes", "note_blocks"):
            (tmp_path / table).mkdir()
            (clinic.extracts / f"{table}.csv").rename(tmp_path / table / "march.csv")
        clinic.put(visit_5)
        for table in ("claims", "notes", "note_blocks"):
            (clinic.extracts / f"{table}_5.csv").rename(tmp_path / table / "day.csv")
        shown = [("--claims", "claims"), ("--notes", "notes"), ("--note-blocks", "note_blocks")]
        places = [part for option, table in shown for part in (option, tmp_path / table / "*.csv")]
        asked = ["audit", *places, "--out", clinic.out, "--warehouse", clinic.warehouse, "--as-of", AS_OF]
        assert minutewise(*asked).code == 0 and clinic.rules == [EXCEED, EXCEED]
        (tmp_path / "claims" / "day.csv").unlink()
        refused(minutewise(*asked, "--removed", "day.csv"), 2, "several tables", "claims:day.csv", "notes:day.csv")
        ran = minutewise(*asked, "--removed", "claims:day.csv")
        assert ran.code == 0, ran.err
        assert clinic.rules == [EXCEED, "documented_day_not_billed"]

    def test_what_cannot_be_removed_is_a_mistake(self, clinic):
        before = published(clinic.out), clinic.warehouse.read_bytes()
        refused(clinic.ran("--removed", "claims_9.csv"), 2, "claims_9.csv", "has no file of this name")
        refused(clinic.ran("--removed", "notes:claims.csv"), 2, "notes:claims.csv", "has no file of this name")
        refused(clinic.ran("--removed", "claims.csv"), 2, "claims.csv", "still in the extracts")
        refused(audit(clinic.extracts, clinic.out, "--removed", "claims.csv"), 2, "--removed", "needs --warehouse")
        assert (published(clinic.out), clinic.warehouse.read_bytes()) == before


class TestTheLifeOfAFinding:
    def test_first_seen_last_seen_resolved_and_back_again(self, clinic):
        first = clinic.run.name
        assert clinic.lives[EXCEED]["first_seen"].isoformat() == AS_OF
        clinic.night(as_of="2026-03-21")
        seen_last = clinic.run.name
        clinic.night(CORRECTED, as_of="2026-03-22")
        life = clinic.lives[EXCEED]
        assert (life["status"], life["resolved_by"]) == ("resolved", "a claim")
        assert (life["first_seen"].isoformat(), life["first_seen_run"]) == (AS_OF, first)
        assert (life["last_seen"].isoformat(), life["last_seen_run"]) == ("2026-03-21", seen_last)
        clinic.night({"claims_3.csv": [claim("C2", 4, "2026-03-03", "P2")]}, as_of="2026-03-23")
        life = clinic.lives[EXCEED]
        assert (life["status"], life["times_reopened"], life["resolved_by"]) == ("open", 1, None)
        assert (life["first_seen"].isoformat(), life["first_seen_run"]) == (AS_OF, first)
        assert clinic.manifest["warehouse"]["findings"] == {"open": 1}

    def test_what_is_resolved_on_the_night_a_lost_warehouse_is_built_again(self, own):
        own.warehouse.unlink()
        own.night({"claims_3.csv": [claim("C1", 2), claim("C2", 2, "2026-03-03", "P2")]}, as_of=LATER)
        assert own.rules == [] and own.manifest["warehouse"]["findings"] == {"resolved": 2}


class TestBuiltAgain:
    def test_a_rebuild_is_the_very_run_that_is_current(self, own):
        before, findings = own.run, (own.run / "findings.parquet").read_bytes()
        files = own.manifest["files"]
        ran = own.ran(command="rebuild")
        assert ran.code == 0 and "built again from the published run" in ran.err
        assert own.run == before and (own.run / "findings.parquet").read_bytes() == findings
        assert own.ran().code == 0 and own.run == before
        shutil.rmtree(own.extracts)
        shutil.copytree(own.run, own.folder / "held")
        (own.run / "manifest.json").unlink()
        shutil.rmtree(own.run)
        shutil.copytree(own.folder / "held", before)
        assert own.ran(command="rebuild").code == 0 and own.manifest["files"] == files, "no extract is needed"

    def test_a_rebuild_says_where_its_reference_tables_are_others(self, own, tmp_path):
        """They would change findings in silence: a run's own stand in its folder, and the options are the user's."""
        cap = {"procedure_code": "97140", "cap_units": 1, "adjudication_indicator": 2, "effective_from": "2026-01-01"}
        write_reference(tmp_path / "ours", {"code_cap": [cap]})
        ours, told = ("--reference", tmp_path / "ours"), "the reference tables are not those of"
        own.night({}, *ours)
        before = own.run
        same = own.ran(*ours, command="rebuild")
        assert (same.code, own.run) == (0, before) and told not in same.err
        other = own.ran(command="rebuild")
        assert other.code == 0 and f"{told} {before.name}" in other.err

    def test_a_rebuild_as_of_another_day_writes_the_same_bytes(self, own):
        before = own.run
        assert own.ran(command="rebuild", as_of=LATER).code == 0
        assert own.run != before
        for name in ("findings.parquet", "rules.parquet", "quarantine.parquet"):
            assert (own.run / name).read_bytes() == (before / name).read_bytes(), name
        assert state_of(own.run) == state_of(before)
        assert own.night(as_of="2026-03-22")["warehouse"]["service_dates_recomputed"] == 0

    def test_a_damaged_warehouse_is_built_again_by_the_next_night(self, own):
        before, whole = own.run, own.warehouse.read_bytes()
        damaged = [whole[:size] for size in (0, 1, 8192, 20_000)]
        headers = 3 * 4096
        damaged += [bytes(100) + whole[100:], whole[:4096] + bytes(8192) + whole[headers:]]
        damaged += [whole[:headers] + bytes(len(whole) - headers)]
        for content in damaged:
            own.warehouse.write_bytes(content)
            ran = own.ran()
            assert ran.code == 0, ran.err
            assert "the warehouse was" in ran.err and "is built again from the published run" in ran.err
            assert own.run == before
        own.warehouse.write_bytes(whole[: len(whole) // 2])
        assert own.night(CORRECTED | {"claims_3.csv": [claim("C1", 2)]})["warehouse"]["last_delivery"] == 3
        assert own.rules == []

    def test_a_night_that_fails_inside_says_how_a_damaged_one_is_built_again(self, own, monkeypatch):
        def rotten(*_arguments):
            raise duckdb.FatalException("Corrupt: checksum of block 7")

        monkeypatch.setattr("flows.run.stages.recompute_night", rotten)
        own.put(CORRECTED)
        ran = own.ran()
        assert ran.code == 4 and "FatalException" in ran.err and "checksum" not in ran.err
        assert "minutewise rebuild" in ran.err and ran.err.count("\n") == 1

    def test_a_sound_one_is_never_taken_for_damaged(self, clinic):
        """DuckDB cuts free blocks off the file's end and counts them still."""
        for number in range(5, 13):
            night = clinic.night(visits_of(number, f"2026-03-{number:02d}"))["warehouse"]
            assert night["service_dates_recomputed"] == 1, night["moved_by"]

    def test_zeros_in_the_middle_never_lead_to_another_result(self, own):
        before, whole = own.run, own.warehouse.read_bytes()
        for part in (3, 5, 8):
            at = len(whole) * part // 10
            own.warehouse.write_bytes(whole[:at] + bytes(4096) + whole[at + 4096 :])
            ran = own.ran(command="rebuild")
            assert (ran.code, own.run) == (0, before), ran.err

    def test_one_that_is_gone_takes_in_the_new_files_of_that_night_too(self, own, tmp_path):
        own.warehouse.unlink()
        own.put(dict.fromkeys(VISITS))
        ran_into = own.night({"claims_2.csv": None} | visits_of(5, "2026-03-05", 4))
        assert own.rules == [EXCEED] * 3
        assert ran_into["warehouse"]["last_delivery"] == 3

    def test_a_copy_of_an_earlier_night_is_not_gone_on_with(self, own, tmp_path):
        earlier = own.warehouse.read_bytes()
        own.night(visits_of(5, "2026-03-05", 4))
        held = own.state
        own.warehouse.write_bytes(earlier)
        own.put(dict.fromkeys(visits_of(5, "2026-03-05")))
        ran = own.ran(as_of=LATER)
        assert ran.code == 0 and "older than its last published run" in ran.err
        assert own.state == held, "what that copy never had is in force still"

    def test_an_audit_without_the_warehouse_in_between_does_not_hide_its_history(self, own):
        held = own.state
        own.put(dict.fromkeys(VISITS) | {"claims_2.csv": None} | visits_of(5, "2026-03-05"))
        assert audit(own.extracts, own.out).code == 0
        own.warehouse.unlink()
        own.put(dict.fromkeys(visits_of(5, "2026-03-05")) | VISITS)
        ran = own.ran(as_of=LATER)
        assert ran.code == 0 and "the warehouse was gone" in ran.err
        assert own.state == held

    def test_a_run_that_is_not_whole_is_nothing_to_build_from(self, own):
        (own.run / "accepted/claims/2026-02.parquet").unlink()
        own.warehouse.unlink()
        for command in ("audit", "rebuild"):
            refused(own.ran(command=command), 2, "accepted/claims/2026-02.parquet", "backup")
        assert not own.warehouse.exists()

    def test_a_rebuild_of_what_never_had_a_warehouse(self, own, tmp_path):
        out = tmp_path / "out"
        assert audit(own.extracts, out).code == 0
        asked = ("--out", out, "--warehouse", tmp_path / "new.duckdb", "--as-of", AS_OF)
        refused(minutewise("rebuild", *asked), 2, "none of its last runs was made with --warehouse")
        refused(minutewise("rebuild", "--out", out), 2, "--warehouse")


class TestRefused:
    def test_another_name_where_the_history_stands_elsewhere(self, own):
        other = own.folder / "clinc.duckdb"
        ran = minutewise("audit", "--extracts", own.extracts, "--out", own.out, "--warehouse", other, "--as-of", LATER)
        refused(ran, 2, "clinc.duckdb: does not exist", str(own.warehouse), "minutewise rebuild")
        assert not other.exists()

    def test_a_database_of_another_program_is_left_alone(self, clinic, tmp_path):
        with duckdb.connect(str(tmp_path / "mine.duckdb")) as con:
            con.execute("create table my_own as select 1 as a")
        write(tmp_path / "mine.csv", "a,b\n1,2\n")
        for name in ("mine.duckdb", "mine.csv"):
            before = (tmp_path / name).read_bytes()
            refused(audit(clinic.extracts, tmp_path / "out", "--warehouse", tmp_path / name), 2, name)
            assert (tmp_path / name).read_bytes() == before
        assert published(tmp_path / "out") == ([], None)

    def test_one_in_use_by_another_program(self, clinic):
        script = (
            f"import duckdb, sys; con = duckdb.connect({str(clinic.warehouse)!r}); print('open', flush=True); input()"
        )
        before = published(clinic.out)
        with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1) as program:
            assert program.stdout.readline() == b"open\n"
            clinic.put(CORRECTED)
            refused(clinic.ran(), 75, "another program has it open")
            program.communicate(b"\n")
        assert published(clinic.out) == before
        assert clinic.night()["warehouse"]["new_files"] == 1

    def test_two_runs_at_once(self, clinic, tmp_path):
        with only_run(clinic.out / ".lock"):
            refused(clinic.ran(), 75, "another run holds")
        with only_run(clinic.warehouse.with_name("clinic.duckdb.lock")):
            refused(clinic.ran(), 75, "another run holds", "clinic.duckdb.lock")

    @pytest.mark.parametrize("option", ["--since", "--until"])
    def test_a_part_of_the_history(self, clinic, option):
        refused(clinic.ran(option, "2026-03-01"), 2, "--warehouse goes with the whole history")


class TestANightThatFails:
    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("notes_2.csv", "", "notes_2.csv"),
            ("claims_2.csv", "claim_id,line_number\nC9,1\n", "claims_2.csv"),
            (
                "claims_2.csv",
                "claim_id,line_number,patient_id,payer_id,service_date,procedure_code,billed_units\n"
                + "".join(f"C9,{line},P9,MEDICARE,2026-03-03,97110,two\n" for line in range(12)),
                "quarantine_share",
            ),
        ],
        ids=["an empty file", "columns missing", "a guard"],
    )
    def test_leaves_all_as_it_was_and_the_next_takes_both_nights_files(self, clinic, tmp_path, name, content, said):
        before = published(clinic.out), clinic.warehouse.read_bytes()
        clinic.put(visits_of(5, "2026-03-05", 4))
        write(clinic.extracts / name, content)
        refused(clinic.ran(as_of=LATER), 3, said)
        assert (published(clinic.out), clinic.warehouse.read_bytes()) == before
        (clinic.extracts / name).unlink()
        night = clinic.night(visits_of(6, "2026-03-06", 4), as_of="2026-03-22")
        assert clinic.rules == [EXCEED] * 3 and night["warehouse"]["new_files"] == 6
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts, as_of="2026-03-22")


class TestAClockThatGoesBack:
    def test_warns_completes_and_comes_to_a_rebuild(self, clinic):
        clinic.night(visits_of(5, "2026-03-18", 4), as_of="2026-03-25")
        clinic.put(CORRECTED)
        ran = clinic.ran(as_of="2026-03-12")
        assert ran.code == 0 and "clock_went_back" in ran.err and "2026-03-12" in ran.err
        assert clinic.rules == [EXCEED], "P5's day stays in force: its row was judged once, by the later date"
        came_to = clinic.state
        assert minutewise(*clinic.arguments(command="rebuild", as_of="2026-03-12")).code == 0
        assert clinic.state == came_to
        assert clinic.night(as_of="2026-03-26")["warehouse"]["new_files"] == 0


@needs_extension
class TestEncrypted:
    PLANTED = "zqxv-wilhelmina"

    @pytest.fixture
    def key(self, tmp_path) -> Path:
        return self.key_file(tmp_path / "key", KEY)

    def key_file(self, path: Path, key: str) -> Path:
        path.write_text(key)
        path.chmod(0o600)
        return path

    @pytest.fixture
    def locked(self, tmp_path, key) -> Clinic:
        clinic = Clinic(tmp_path / "locked", ["--warehouse-key-file", key])
        claims = [row | {"patient_id": f"{self.PLANTED}-{row['patient_id']}"} for row in VISITS["claims.csv"]]
        notes = [row | {"patient_id": f"{self.PLANTED}-{row['patient_id']}"} for row in VISITS["notes.csv"]]
        clinic.night(VISITS | {"claims.csv": claims, "notes.csv": notes})
        return clinic

    def holds(self, place: Path) -> list[str]:
        """The files outside the runs and the extracts that hold the planted id in clear."""
        files = [path for path in place.rglob("*") if path.is_file() and not {"runs", "extracts"} & {*path.parts}]
        return [path.name for path in files if self.PLANTED.encode() in path.read_bytes()]

    def test_nothing_of_a_patient_is_in_its_bytes(self, locked):
        assert self.holds(locked.folder) == []
        planted = f"{self.PLANTED}-P2"
        locked.night({"claims_2.csv": [claim("C2", 2, "2026-03-03", planted)]})
        assert locked.rules == [] and self.holds(locked.folder) == []
        before = locked.run
        assert locked.ran(command="rebuild").code == 0
        assert locked.run == before and self.holds(locked.folder) == []

    def test_without_the_key_or_with_another_nothing_is_touched(self, locked, tmp_path):
        before = published(locked.out), locked.warehouse.read_bytes()
        locked.put(CORRECTED)
        other = self.key_file(tmp_path / "other", KEY[::-1])
        refused(Clinic(locked.folder).ran(), 2, "is encrypted", "--warehouse-key-file")
        refused(Clinic(locked.folder).ran("--warehouse-key-file", other), 2, "is encrypted with another key")
        assert (published(locked.out), locked.warehouse.read_bytes()) == before

    def test_one_that_is_damaged_is_built_again_encrypted(self, locked):
        before, whole = locked.run, locked.warehouse.read_bytes()
        for content in (whole[:100], whole[:20_000], whole[:4096] + bytes(8192) + whole[12_288:]):
            locked.warehouse.write_bytes(content)
            ran = locked.ran()
            assert ran.code == 0, ran.err
            assert "is built again" in ran.err and locked.run == before
        assert self.holds(locked.folder) == []

    def test_a_plain_one_is_not_taken_for_an_encrypted_one(self, clinic, key):
        before = clinic.warehouse.read_bytes()
        refused(clinic.ran("--warehouse-key-file", key), 2, "is not encrypted")
        assert clinic.warehouse.read_bytes() == before


@pytest.fixture(scope="module")
def commands():
    with Commands() as started:
        yield started


class TestKilledWhileItIsBuiltAgain:
    """That a night on a sound warehouse survives a kill at any point stands in test_kill_warehouse.py."""

    @pytest.mark.parametrize(
        ("how", "point"),
        [
            ("rebuild", "warehouse_before_commit"),
            ("rebuild", "warehouse_after_commit"),
            ("truncated", "run_folder_after_rename"),
            ("truncated", "current_before_rename"),
            ("gone", "warehouse_before_commit"),
            ("older", "warehouse_after_commit"),
        ],
    )
    def test_the_next_run_completes(self, own, commands, how, point):
        command = "rebuild" if how == "rebuild" else "audit"
        whole, came_to = own.warehouse.read_bytes(), own.rules
        if how == "older":
            own.night(visits_of(5, "2026-03-05", 4))
            came_to = own.rules
            own.warehouse.write_bytes(whole)
        if how == "truncated":
            own.warehouse.write_bytes(whole[:20_000])
        if how == "gone":
            own.warehouse.unlink()
        asked = own.arguments(command=command, as_of=LATER)
        assert commands.run(*asked, fault=f"{point}:kill").was_killed
        ended = commands.run(*asked)
        assert ended.code == 0, ended.err
        assert own.rules == came_to and own.run.name.startswith(LATER)
        assert all(run.is_sound for run in verify(own.out, every_run=True))
        with duckdb.connect(str(own.warehouse), read_only=True) as con:
            assert con.execute("select run_id from house_state").fetchone() == (own.run.name,)
        assert json.loads((own.run / "manifest.json").read_text())["warehouse"]["findings"] == {"open": len(came_to)}
        left = sorted(path.name for path in own.folder.iterdir())
        assert left == ["clinic.duckdb", "clinic.duckdb.lock", "extracts", "out"]
