"""Warehouses named by mistake, lost ones, and nights that bring no claims."""

import json

import duckdb
import pytest

from tests.cli_runs import audit, day, minutewise, published, refused, write_days


@pytest.fixture
def extracts(tmp_path):
    return write_days(tmp_path / "extracts", day(1), day(2), day(3, claims_units=4))


def findings(out) -> list[str]:
    runs, current = published(out)
    assert current in runs
    query = "select finding_id from read_parquet(?) order by finding_id"
    return [row[0] for row in duckdb.execute(query, [str(out / "runs" / current / "findings.parquet")]).fetchall()]


class TestNamedByMistake:
    def test_a_strangers_file_gets_no_lock_beside_it(self, tmp_path, extracts):
        (tmp_path / "notes.txt").write_text("hello, this is no database")
        ran = audit(extracts, tmp_path / "out", "--warehouse", tmp_path / "notes.txt")
        refused(ran, 2, "was not made by an audit", out=tmp_path / "out")
        assert not (tmp_path / "notes.txt.lock").exists()

    def test_not_among_the_published_runs(self, tmp_path, extracts):
        ran = audit(extracts, tmp_path / "out", "--warehouse", tmp_path / "out" / "runs" / "w.duckdb")
        refused(ran, 2, "lies among the published runs")

    def test_a_second_warehouse_does_not_fork_the_history(self, tmp_path, extracts):
        out, first, second = tmp_path / "out", tmp_path / "w1.duckdb", tmp_path / "w2.duckdb"
        assert audit(extracts, out, "--warehouse", first).code == 0
        assert minutewise("rebuild", "--out", out, "--warehouse", second, "--as-of", "2026-03-20").code == 0
        write_days(tmp_path / "late", day(4, claims_units=4))
        for path in (tmp_path / "late").iterdir():
            path.rename(extracts / f"{path.stem}_late.csv")
        assert audit(extracts, out, "--warehouse", second).code == 0
        before = findings(out)
        ran = audit(extracts, out, "--warehouse", first)
        assert ran.code == 2 and str(second) in ran.err and "rebuild" in ran.err
        assert findings(out) == before


class TestOfAnOlderVersion:
    """Its rows were read by other rules, so it is neither gone on with nor built again: as one of 0.4.0 was tried."""

    @pytest.mark.parametrize("is_gone", [False, True])
    def test_a_night_and_a_rebuild_say_what_to_do_and_touch_nothing(self, tmp_path, extracts, is_gone):
        out, warehouse = tmp_path / "out", tmp_path / "w.duckdb"
        assert audit(extracts, out, "--warehouse", warehouse).code == 0
        with duckdb.connect(str(warehouse)) as con:
            con.execute("update house_state set house_schema = 2, code_version = '0.4.0+f012f24e02d4'")
        manifest = out / "runs" / published(out)[1] / "manifest.json"
        told = json.loads(manifest.read_text())
        told["warehouse"]["house_schema"] = 2
        manifest.write_text(json.dumps(told))
        if is_gone:
            warehouse.unlink()
        before = warehouse.read_bytes() if not is_gone else None, published(out)
        for ran in (
            audit(extracts, out, "--warehouse", warehouse, "--as-of", "2026-03-21"),
            minutewise("rebuild", "--out", out, "--warehouse", warehouse, "--as-of", "2026-03-21"),
        ):
            refused(ran, 2, str(warehouse), "reads differently", "a new --out", "audit all extracts once more")
            assert (warehouse.read_bytes() if not is_gone else None, published(out)) == before


class TestNightsWithoutClaims:
    def test_late_notes_alone_are_taken_in(self, tmp_path, extracts):
        out, kept = tmp_path / "out", ("--warehouse", tmp_path / "w.duckdb")
        visit = day(4)
        write_days(extracts, day(1), day(2), day(3), visit)
        (extracts / "notes.csv").unlink()
        write_days(tmp_path / "early", day(1), day(2), day(3), day(9))
        (tmp_path / "early" / "notes.csv").rename(extracts / "notes.csv")
        assert audit(extracts, out, *kept, "--allow-low-match").code == 0
        assert len(findings(out)) > 0
        for path in extracts.iterdir():
            path.unlink()
        write_days(tmp_path / "late", visit)
        (tmp_path / "late" / "notes.csv").rename(extracts / "notes_late.csv")
        ran = audit(extracts, out, *kept, "--allow-low-match")
        assert ran.code == 0, ran.err
        assert findings(out) == []

    def test_the_first_night_needs_claims(self, tmp_path, extracts):
        (extracts / "claims.csv").unlink()
        ran = audit(extracts, tmp_path / "out", "--warehouse", tmp_path / "w.duckdb")
        refused(ran, 2, "no claims*.csv", out=tmp_path / "out")


class TestLostBeforeItWasPublished:
    def test_the_files_of_an_open_backfill_are_asked_for_again(self, tmp_path, extracts):
        out, kept = tmp_path / "out", ("--warehouse", tmp_path / "w.duckdb")
        write_days(extracts, day(1), day(2))
        asked = ("--extracts", extracts, "--out", out, *kept, "--as-of", "2026-03-20")
        ran = minutewise("backfill", *asked, "--since", "2026-03-02", "--until", "2026-03-31")
        assert ran.code == 0 and "are left" in ran.err
        (tmp_path / "w.duckdb").unlink()
        moved = (extracts / "notes.csv").rename(tmp_path / "notes.csv")
        ran = minutewise("audit", *asked, "--allow-low-match")
        refused(ran, 3, "notes.csv", "Put them back", out=out)
        moved.rename(extracts / "notes.csv")
        assert minutewise("audit", *asked).code == 0
        assert not (out / ".unpublished").exists()


class TestMadeByAnEarlierVersion:
    """An earlier version cut minutes and dropped columns: its rows cannot be brought into the form of this one."""

    @pytest.fixture
    def kept(self, tmp_path, extracts):
        out, warehouse = tmp_path / "out", tmp_path / "w.duckdb"
        assert audit(extracts, out, "--warehouse", warehouse).code == 0
        (manifest,) = (out / "runs").glob("*/manifest.json")
        said = json.loads(manifest.read_text())
        del said["warehouse"]["house_schema"]
        manifest.write_text(json.dumps(said))
        with duckdb.connect(str(warehouse)) as con:
            con.execute("update house_state set house_schema = 2")
        return out, warehouse

    @pytest.mark.parametrize("is_lost", [False, True])
    def test_it_is_refused_and_says_what_to_do(self, kept, extracts, is_lost):
        out, warehouse = kept
        if is_lost:
            warehouse.unlink()
        before = published(out)
        ran = audit(extracts, out, "--warehouse", warehouse)
        assert ran.code == 2 and "name a new warehouse and a new --out" in ran.err
        assert published(out) == before


class TestGuards:
    """Whole nights that a guard of docs/guards.md stops, and the one way on."""

    @staticmethod
    def busy_day(number: int) -> list[tuple[dict, dict, dict]]:
        """Ten patients' honest visits on one date."""
        visits = []
        for patient in range(10):
            claim, note, block = day(number)
            own = {"patient_id": f"P{number}-{patient}"}
            named = {"claim_id": f"C{number}-{patient}"}, {"note_id": f"N{number}-{patient}"}
            visits.append((claim | own | named[0], note | own | named[1], block | named[1]))
        return visits

    def test_a_night_without_blocks_for_notes_whose_earlier_nights_had_them(self, tmp_path, extracts):
        out, kept = tmp_path / "out", ("--warehouse", tmp_path / "w.duckdb")
        write_days(extracts, *self.busy_day(2))
        assert audit(extracts, out, *kept).code == 0
        before = published(out)
        write_days(extracts, *self.busy_day(3))
        (extracts / "note_blocks.csv").unlink()
        ran = audit(extracts, out, *kept)
        assert ran.code == 3 and published(out) == before
        assert "no_blocks_for_notes: not one block of anybody on 2026-03-03 (10 notes)" in ran.err
        assert audit(extracts, out, *kept, "--override-guard", "no_blocks_for_notes").code == 0

    @pytest.mark.parametrize("kept", [False, True], ids=["plain", "warehouse"])
    def test_a_first_night_that_accepts_no_claim(self, tmp_path, extracts, kept):
        options = ("--warehouse", tmp_path / "w.duckdb") if kept else ()
        claim, note, block = day(2)
        write_days(extracts, (claim | {"billed_units": "two"}, note, block))
        ran = audit(extracts, tmp_path / "out", *options, "--allow-low-match")
        refused(ran, 3, "no_accepted_claims: of 1 claim rows read none was accepted", out=tmp_path / "out")

    @pytest.mark.parametrize("kept", [False, True], ids=["plain", "warehouse"])
    def test_a_first_night_that_accepts_no_note(self, tmp_path, extracts, kept):
        options = ("--warehouse", tmp_path / "w.duckdb") if kept else ()
        claim, note, block = day(2)
        write_days(extracts, (claim, note | {"service_date": "some day"}, block))
        ran = audit(extracts, tmp_path / "out", *options, "--allow-low-match")
        refused(ran, 3, "no_accepted_notes: of 1 note rows read none was accepted", out=tmp_path / "out")
