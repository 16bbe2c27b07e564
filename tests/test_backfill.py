"""A long history month by month: each month is kept, a stopped backfill goes on, and it comes to what an audit does."""

import duckdb
import pytest

from flows.runs.verify import verify
from tests.cli_runs import minutewise, published, refused
from tests.clinic_nights import Clinic, plain
from tests.kill_points import Commands
from tests.nights.told import base, claim, visit
from tests.stand_ins import judged_by_findings
from tests.test_warehouse import EXCEED

#: Visits in four months; P2's and P6's 4 units are too many for 30 minutes.
HISTORY = base(
    visit(1, "2025-12-10"),
    visit(2, "2026-01-12", 4),
    visit(3, "2026-01-20"),
    visit(4, "2026-02-10"),
    visit(5, "2026-03-02"),
    visit(6, "2026-03-10", 4),
)
ALL = ("--since", "2025-01-01", "--until", "2026-03-31")
TO_JANUARY = ("--since", "2025-12-01", "--until", "2026-01-31")


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    """A clinic whose history no run has seen yet."""
    clinic = Clinic(tmp_path / "clinic")
    clinic.put(HISTORY)
    return clinic


def backfill(clinic: Clinic, *more: object, as_of: str = "2026-03-20"):
    """What came of a backfill."""
    return clinic.ran(*more, command="backfill", as_of=as_of)


def pending(clinic: Clinic) -> list[str]:
    """The service dates that the warehouse still has to compute."""
    with duckdb.connect(str(clinic.warehouse), read_only=True) as con:
        return [str(day) for (day,) in con.execute("select service_date from pending_date order by 1").fetchall()]


class TestTheWhole:
    def test_month_by_month_comes_to_what_an_audit_comes_to(self, clinic, tmp_path):
        ran = backfill(clinic, *ALL)
        assert ran.code == 0, ran.err
        months = [line.removeprefix("minutewise: ") for line in ran.err.splitlines()]
        assert months == [
            "2025-12: 1 service dates, 0 findings",
            "2026-01: 2 service dates, 1 findings",
            "2026-02: 1 service dates, 0 findings",
            "2026-03: 2 service dates, 1 findings",
        ]
        assert "Findings: 2" in ran.out and clinic.rules == [EXCEED, EXCEED]
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert all(run.is_sound for run in verify(clinic.out, every_run=True))
        assert pending(clinic) == []

    def test_it_is_the_run_that_an_audit_with_a_warehouse_would_have_made(self, clinic):
        assert backfill(clinic, *ALL).code == 0
        ran = clinic.ran()
        assert ran.code == 0 and "published already" in ran.err
        assert "nothing is new" in backfill(clinic, *ALL).err
        assert clinic.manifest["warehouse"]["findings"] == {"open": 2}

    def test_files_that_come_later_are_taken_in_too(self, clinic, tmp_path):
        assert backfill(clinic, *ALL).code == 0
        clinic.put(
            {"claims_2.csv": [claim("C9", 2, "2026-01-12", "P2", claim_frequency_code="7", original_claim_id="C2")]}
        )
        ran = backfill(clinic, *ALL)
        assert ran.code == 0 and "2026-01: 1 service dates, 0 findings" in ran.err
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert clinic.manifest["warehouse"]["findings"] == {"open": 1, "resolved": 1}


class TestAPart:
    def test_months_outside_are_left_and_said(self, clinic, tmp_path):
        ran = backfill(clinic, *TO_JANUARY)
        assert (ran.code, ran.out) == (0, "")
        assert "3 service dates outside of 2025-12-01 to 2026-01-31 are left: 2026-02, 2026-03" in ran.err
        assert published(clinic.out) == ([], None)
        assert pending(clinic) == ["2026-02-10", "2026-03-02", "2026-03-10"]
        ran = backfill(clinic, "--since", "2026-02-01", "--until", "2026-03-31")
        assert ran.code == 0 and "2026-01" not in ran.err and "2026-03: 2 service dates" in ran.err
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)

    def test_a_date_in_the_middle_of_a_month(self, clinic):
        ran = backfill(clinic, "--since", "2026-01-15", "--until", "2026-03-05")
        assert [line.split(": ")[1] for line in ran.err.splitlines()[:3]] == ["2026-01", "2026-02", "2026-03"]
        assert pending(clinic) == ["2025-12-10", "2026-01-12", "2026-03-10"]

    def test_the_nightly_audit_completes_it(self, clinic, tmp_path):
        assert backfill(clinic, *TO_JANUARY).code == 0
        clinic.put({"claims_2.csv": [claim("C7", 2, "2026-02-10", "P4")]})
        night = clinic.night()["warehouse"]
        assert night["service_dates_recomputed"] == 3 and night["new_files"] == 1
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert clinic.rules == [EXCEED, EXCEED, EXCEED, "claim_line_duplicated"], "P4's line was billed twice"
        assert pending(clinic) == []

    def test_on_a_history_that_is_published_the_old_run_stays_served(self, tmp_path):
        clinic = Clinic(tmp_path / "clinic")
        clinic.night({name: rows[-2:] for name, rows in HISTORY.items()})
        before = published(clinic.out)
        clinic.put({f"{name[:-4]}_old.csv": rows[:-2] for name, rows in HISTORY.items()})
        assert backfill(clinic, *TO_JANUARY).code == 0
        assert published(clinic.out) == before
        assert clinic.night()["warehouse"]["new_files"] == 0
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert all(run.is_sound for run in verify(clinic.out, every_run=True))


@pytest.fixture(scope="module")
def commands():
    with Commands() as started:
        yield started


class TestStopped:
    def test_in_the_middle_it_goes_on_with_what_is_left(self, clinic, tmp_path, monkeypatch):
        judged = []

        def stopped(*place, **named):
            judged.append(place[2])
            if len(judged) == 3:
                raise KeyboardInterrupt
            return judged_by_findings(*place, **named)

        monkeypatch.setattr("expectations.judge.judge", stopped)
        ran = backfill(clinic, *ALL)
        assert ran.code == 130 and published(clinic.out) == ([], None)
        assert judged == ["backfill-2025-12", "backfill-2026-01", "backfill-2026-02"]
        assert pending(clinic) == ["2026-02-10", "2026-03-02", "2026-03-10"]
        ran = backfill(clinic, *ALL)
        assert ran.code == 0, ran.err
        assert judged[3:5] == ["backfill-2026-02", "backfill-2026-03"], "the months before are kept"
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert clinic.manifest["warehouse"]["findings"] == {"open": 2}

    @pytest.mark.parametrize("point", ["run_folder_before_rename", "warehouse_before_commit", "warehouse_after_commit"])
    def test_killed_while_the_whole_is_published(self, clinic, tmp_path, commands, point):
        asked = clinic.arguments(*ALL, command="backfill")
        assert commands.run(*asked, fault=f"{point}:kill").was_killed
        assert published(clinic.out)[1] is None
        ended = commands.run(*asked)
        assert ended.code == 0, ended.err
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert all(run.is_sound for run in verify(clinic.out, every_run=True))

    @pytest.mark.parametrize("command", ["backfill", "audit"])
    def test_killed_between_making_the_file_and_committing_it(self, clinic, tmp_path, command):
        duckdb.connect(str(clinic.warehouse)).close()
        assert clinic.warehouse.stat().st_size > 0, "a file without tables"
        ran = clinic.ran(*(ALL if command == "backfill" else ()), command=command, as_of="2026-03-20")
        assert ran.code == 0, ran.err
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)

    def test_killed_at_any_time(self, clinic, tmp_path, commands):
        asked = clinic.arguments(*ALL, command="backfill")
        for seconds in (0.2, 0.5, 0.8, 1.2, 1.8):
            commands.run(*asked, seconds=seconds)
        ended = commands.run(*asked)
        assert ended.code == 0, ended.err
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        assert clinic.manifest["warehouse"]["findings"] == {"open": 2}


class TestMistakes:
    def test_are_told_in_a_line(self, clinic):
        asked = ("backfill", "--extracts", clinic.extracts, "--out", clinic.out)
        refused(minutewise(*asked, *ALL), 2, "needs --warehouse")
        ran = backfill(clinic, "--since", "2026-03-31", "--until", "2026-01-01")
        assert ran.code == 2 and "swap them" in ran.err
        assert not clinic.warehouse.exists() and published(clinic.out) == ([], None)

    def test_a_file_that_cannot_be_read_keeps_nothing(self, clinic):
        (clinic.extracts / "claims_2.csv").write_text("")
        refused(backfill(clinic, *ALL), 3, "claims_2.csv", out=clinic.out)
        assert not clinic.warehouse.exists()
        (clinic.extracts / "claims_2.csv").unlink()
        assert backfill(clinic, *ALL).code == 0 and clinic.rules == [EXCEED, EXCEED]

    def test_a_rule_that_cannot_be_run_does_not_hold_it_up(self, clinic, monkeypatch):
        from transforms.errors import AuditError
        from transforms.models import run as recompute

        usual = recompute.run_model

        def run_model(con, model, *schema):
            if model.name == "claim_line_duplicated":
                raise AuditError("claim_line_duplicated.sql: BinderException")
            usual(con, model, *schema)

        with monkeypatch.context() as broken:
            broken.setattr(recompute, "run_model", run_model)
            ran = backfill(clinic, *ALL)
        assert ran.code == 1 and "outside" not in ran.err, ran.err
        assert clinic.rules == [EXCEED, EXCEED]
        assert len(pending(clinic)) == 6, "what the rule could not say is asked again on the next night"
        clinic.night(as_of="2026-03-21")
        assert pending(clinic) == []
