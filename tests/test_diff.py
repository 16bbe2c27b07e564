"""`minutewise diff`: what became of the findings between two published runs."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli_runs import AS_OF, Ran, day, minutewise, published, refused, write, write_days
from tests.clinic_nights import Clinic

#: 30 minutes make two units of $60.00 together with what was billed: four are two too many, $30.00.
HONEST, EXCESS, MORE, MENDED = day(1), day(4, claims_units=4), day(4, claims_units=6), day(4)
OTHER = day(5, claims_units=4)
RULE = "billed_units_exceed_minutes"
NOTHING = {"new": 0, "reopened": 0, "resolved": 0, "changed": 0}


@dataclass
class Runs:
    """One output folder, audited over different visits."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def audit(self, *visits, as_of: str = AS_OF, more: tuple = ()) -> str:
        """Audits these visits and gives the run's id."""
        extracts = write_days(self.folder / "extracts", *visits)
        before = set(published(self.out)[0])
        ran = minutewise("audit", "--extracts", extracts, "--out", self.out, "--as-of", as_of, *more)
        assert ran.code == 0, ran.err
        (run,) = {*published(self.out)[0]} - before or {published(self.out)[1]}
        return run

    def diff(self, run_a: str, run_b: str, *more: str) -> Ran:
        return minutewise("diff", run_a, run_b, "--out", self.out, *more)

    def told(self, run_a: str, run_b: str) -> dict:
        ran = self.diff(run_a, run_b, "--json")
        assert (ran.code, ran.err) == (0, "")
        return json.loads(ran.out)


@pytest.fixture
def runs(tmp_path) -> Runs:
    return Runs(tmp_path)


def test_the_same_findings(runs):
    a = runs.audit(HONEST, EXCESS)
    b = runs.audit(HONEST, EXCESS, as_of="2026-03-21")
    assert a != b and runs.told(a, b)["counts"] == NOTHING
    ran = runs.diff(a, b)
    assert ran.code == 0 and ran.out.endswith("No finding is new, reopened, resolved or changed\n")


def test_new_one_way_is_resolved_the_other(runs):
    a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, EXCESS, OTHER)
    there, back = runs.told(a, b), runs.told(b, a)
    assert (there["counts"], back["counts"]) == (NOTHING | {"new": 1}, NOTHING | {"resolved": 1})
    assert there["rules"] == {RULE: there["counts"]}
    assert (there["at_risk_usd"]["new"], back["at_risk_usd"]["resolved"]) == ("30.00", "30.00")
    (new,), (resolved,) = there["findings"], back["findings"]
    assert new["finding_id"] == resolved["finding_id"] and new["service_date"] == "2026-03-05"
    shown = runs.diff(a, b).out
    assert f"{new['finding_id'][:12]}  {RULE}  2026-03-05  97110  billed 4, expected 2  $30.00" in shown
    assert "P5" not in shown and new["finding_id"] not in shown


def test_changed_says_what_moved(runs):
    a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, MORE)
    told = runs.told(a, b)
    assert told["counts"] == NOTHING | {"changed": 1}
    (changed,) = told["findings"]
    assert changed["moved"]["billed_units"] == [4, 6] and changed["moved"]["at_risk_usd"] == ["30.00", "40.00"]
    assert "supported_minutes" not in changed["moved"]
    assert "billed units 4 -> 6, at risk $30.00 -> $40.00" in runs.diff(a, b).out
    assert "billed units 6 -> 4, at risk $40.00 -> $30.00" in runs.diff(b, a).out
    assert "-$10.00" in runs.diff(b, a).out


def test_minutes_that_moved_are_told(runs):
    a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, day(4, claims_units=4, minutes=45))
    assert "expected units 2 -> 3" in runs.diff(a, b).out and "minutes 30 -> 45" in runs.diff(a, b).out


def test_a_finding_that_came_back_is_reopened_where_its_life_is_kept(tmp_path):
    clinic, ids = Clinic(tmp_path), []
    for number, visit in enumerate((EXCESS, MENDED, EXCESS)):
        write_days(clinic.extracts, HONEST, visit)
        clinic.night(None, as_of=f"2026-03-{20 + number}")
        ids.append(clinic.run.name)
    first, mended, again = ids
    runs = Runs(tmp_path)
    assert runs.told(first, mended)["counts"] == NOTHING | {"resolved": 1}
    (one,) = runs.told(mended, again)["findings"]
    assert (one["change"], one["because"]) == ("reopened", "was resolved before")
    assert runs.told(first, again)["counts"] == NOTHING


class TestDecisions:
    def decide(self, runs: Runs, **cells: str) -> None:
        """Decides of the only finding of the only run."""
        (run,) = published(runs.out)[0]
        finding = (runs.out / "runs" / run / "findings.csv").read_text().splitlines()[1].split(",")[0]
        cells = {"finding_id": finding, "decided_by": "J. Doe", **cells}
        rows = write(runs.folder / "d.csv", f"{','.join(cells)}\n{','.join(cells.values())}\n")
        ran = minutewise("dispose", runs.out, "--from", rows, "--as-of", AS_OF)
        assert ran.code == 0, ran.err

    def test_a_waiver_that_ran_out_reopens_on_the_day_after(self, runs):
        runs.audit(HONEST, EXCESS)
        self.decide(runs, disposition="waived", waived_until="2026-03-25")
        a = runs.audit(HONEST, EXCESS)
        last_day = runs.audit(HONEST, EXCESS, as_of="2026-03-25")
        day_after = runs.audit(HONEST, EXCESS, as_of="2026-03-26")
        assert runs.told(a, last_day)["counts"] == NOTHING
        told = runs.told(last_day, day_after)
        assert told["counts"] == NOTHING | {"reopened": 1}
        assert told["findings"][0]["because"] == "waived until 2026-03-25"
        # It is open in both of these.
        assert runs.told(day_after, runs.audit(HONEST, EXCESS, as_of="2026-03-27"))["counts"] == NOTHING

    def test_other_evidence_reopens_and_says_what_moved(self, runs):
        runs.audit(HONEST, EXCESS)
        self.decide(runs, disposition="accepted")
        a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, MORE)
        told = runs.told(a, b)
        assert told["counts"] == NOTHING | {"reopened": 1}
        shown = runs.diff(a, b).out
        assert "billed units 4 -> 6" in shown and "(accepted on other evidence)" in shown

    def test_a_decision_alone_changes_nothing(self, runs):
        a = runs.audit(HONEST, EXCESS)
        self.decide(runs, disposition="accepted")
        assert runs.told(a, runs.audit(HONEST, EXCESS))["counts"] == NOTHING


class TestWhichRuns:
    def test_by_folder_or_by_id(self, runs, tmp_path, monkeypatch):
        a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, MORE)
        folders = [runs.out / "runs" / name for name in (a, b)]
        assert minutewise("diff", *folders).out == runs.diff(a, b).out
        monkeypatch.chdir(tmp_path / "out" / "runs")
        assert minutewise("diff", a, b).out == runs.diff(a, b).out

    def test_a_part_of_the_dates_is_held_against_that_part(self, runs):
        whole = runs.audit(HONEST, EXCESS, OTHER)
        part = runs.audit(HONEST, EXCESS, OTHER, more=("--since", "2026-03-05"))
        assert runs.told(whole, part)["counts"] == NOTHING
        assert runs.told(part, whole)["counts"] == NOTHING
        assert "Service dates 2026-03-05 to ... only" in runs.diff(part, whole).out

    @pytest.mark.parametrize("run", ["2026-03-20-0", "../runs", "", "a\nb"])
    def test_one_that_is_not_there(self, runs, run):
        a = runs.audit(HONEST, EXCESS)
        refused(runs.diff(a, run), 2, "there is no such run")
        refused(minutewise("diff", run, runs.out / "runs" / a), 2, "give a run id with --out")

    @pytest.mark.parametrize("name", ["manifest.json", "findings.parquet"])
    def test_one_that_is_damaged(self, runs, name):
        a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, MORE)
        write(runs.out / "runs" / b / name, "{}")
        refused(runs.diff(a, b), 2, b)

    def test_one_from_before_there_were_dispositions(self, runs):
        a, b = runs.audit(HONEST, EXCESS), runs.audit(HONEST, MORE)
        path = runs.out / "runs" / a / "findings.parquet"
        table = pq.read_table(path)
        new = [name for name in table.column_names if name.startswith("disposition") or name == "waived_until"]
        pq.write_table(table.drop_columns(new), path)
        assert runs.told(a, b)["counts"] == NOTHING | {"changed": 1}
