"""`minutewise retention`: which runs go, what is written of them, and what a kill on the way leaves."""

import json
import os
import signal
from datetime import date
from pathlib import Path

import pytest

from flows.cli import cli
from flows.commands.retention import retention
from flows.disk import faults
from flows.disk.durable import link_or_copy
from flows.disk.faults import FAULT, RETENTION, points
from flows.disk.lock import only_run
from flows.publishing.placing import publish_folder, recover
from flows.runs.retention import retain
from tests.cli_runs import as_nobody, minutewise, published, refused

AS_OF = ("2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01", "2026-03-02")
SUITES = ("contract_claims", "rules")


def run_id(as_of: str) -> str:
    return f"{as_of}-0123456789ab"


def publish(out: Path, as_of: str, moves_current: bool = True) -> str:
    """A run of one patient's finding, a monthly file shared with the run before, and its judgement."""
    before = published(out)[1]

    def fill(folder: Path) -> None:
        (folder / "findings.csv").write_text("P1")
        (folder / "manifest.json").write_text(json.dumps({"finished_at": f"{as_of}T05:00:00+00:00"}))
        if before:
            link_or_copy(out / "runs" / before / "2026-01.parquet", folder / "2026-01.parquet")
        else:
            (folder / "2026-01.parquet").write_text("claims")

    publish_folder(out, run_id(as_of), fill, moves_current)
    for suite in SUITES:
        for place in ("validations", "data_docs/local_site/validations"):
            folder = out / "great_expectations/gx/uncommitted" / place / suite / run_id(as_of) / "20260310T000000Z"
            folder.mkdir(parents=True)
            (folder / "result").write_text("verdict")
    return run_id(as_of)


def judged(out: Path) -> set[str]:
    """The as-of dates of runs that Great Expectations still holds anything of."""
    found = [path.name[:10] for path in out.glob("great_expectations/**/validations/*/*")]
    assert all(found.count(as_of) in (0, 4) for as_of in AS_OF), "all of a run or nothing"
    return set(found)


def left(out: Path) -> list[str]:
    return [name[:10] for name in published(out)[0]]


def recorded(out: Path) -> list[str]:
    path = out / "retention.jsonl"
    return [json.loads(line)["run_id"][:10] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def out(tmp_path, monkeypatch) -> Path:
    """An output folder with a run for each of AS_OF; the last one is current."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setitem(cli.commands, "retention", retention)
    for as_of in AS_OF:
        publish(tmp_path / "out", as_of)
    return tmp_path / "out"


class TestWhichRunsGo:
    @pytest.mark.parametrize(
        ("asked", "stay"),
        [
            (["2026-02-01"], AS_OF[2:]),
            (["2026-02-02"], AS_OF[3:]),
            (["2025-12-01"], AS_OF),
            (["2030-01-01"], AS_OF[4:]),
            (["2030-01-01", "--keep", 3], AS_OF[2:]),
            (["2030-01-01", "--keep", 9], AS_OF),
            (["2030-01-01", "--keep", 0], AS_OF[4:]),
            (["29", "--as-of", "2026-03-02"], AS_OF[2:]),
            (["28", "--as-of", "2026-03-02"], AS_OF[3:]),
            (["0", "--as-of", "2026-03-02"], AS_OF[4:]),
        ],
    )
    def test_by_date_by_days_and_by_number(self, out, asked, stay):
        ran = minutewise("retention", out, "--older-than", *asked)
        assert (ran.code, ran.err) == (0, "")
        assert left(out) == list(stay) and judged(out) == set(stay)
        assert recorded(out) == [as_of for as_of in AS_OF if as_of not in stay]
        assert ran.out.count(": removed (3 files") == len(AS_OF) - len(stay)

    def test_the_current_run_stays_however_old(self, out):
        (out / "current").write_text(run_id(AS_OF[0]) + "\n")
        assert minutewise("retention", out, "--older-than", "2030-01-01").code == 0
        assert left(out) == [AS_OF[0], AS_OF[4]]

    def test_a_file_that_a_kept_run_links_stays_with_it(self, out):
        assert minutewise("retention", out, "--older-than", "2030-01-01").code == 0
        assert (out / "runs" / run_id(AS_OF[4]) / "2026-01.parquet").read_text() == "claims"

    def test_a_run_half_published_is_left_to_the_next_audit(self, out):
        entry = {"run_id": run_id(AS_OF[0]), "is_new": True, "moves_current": True, "warehouse": None}
        (out / ".publishing").write_text(json.dumps(entry))
        assert minutewise("retention", out, "--older-than", "2030-01-01").code == 0
        assert left(out) == [AS_OF[0], AS_OF[4]]

    def test_what_is_no_run_is_left_alone_and_told(self, out):
        for name in ("my notes", "2026-99-01-0123456789ab"):
            (out / "runs" / name).mkdir()
        ran = minutewise("retention", out, "--older-than", "2030-01-01")
        assert ran.code == 0 and "left alone: '2026-99-01-0123456789ab', 'my notes'" in ran.err
        assert (out / "runs" / "my notes").is_dir()

    def test_a_judgement_of_a_run_that_never_came_to_be_goes_too(self, out):
        orphan = out / "great_expectations/gx/uncommitted/validations/rules" / run_id("2025-11-01")
        orphan.mkdir(parents=True)
        assert minutewise("retention", out, "--older-than", "2025-12-01").code == 0
        assert not orphan.exists() and judged(out) == set(AS_OF)


class TestWhatIsSaid:
    def test_a_dry_run_removes_nothing(self, out):
        ran = minutewise("retention", out, "--older-than", "2026-02-01", "--dry-run", "--json")
        document = json.loads(ran.out)
        assert document["is_dry_run"] and [run["as_of"] for run in document["runs"]] == list(AS_OF[:2])
        assert document["judgements"] == [run_id(as_of) for as_of in AS_OF[:2]]
        assert left(out) == list(AS_OF) and judged(out) == set(AS_OF) and recorded(out) == []

    def test_the_record_holds_counts_and_no_contents(self, out):
        folder = out / "runs" / run_id(AS_OF[0])
        size = sum(path.stat().st_size for path in folder.iterdir())
        assert minutewise("retention", out, "--older-than", "2026-01-01").code == 0
        assert minutewise("retention", out, "--older-than", "2026-02-01").code == 0
        path = out / "retention.jsonl"
        entries = [json.loads(line) for line in path.read_text().splitlines()]
        assert [entry["as_of"] for entry in entries] == list(AS_OF[:2]), "later removals are added"
        assert entries[0].keys() == {"run_id", "as_of", "finished_at", "files", "bytes", "removed_at"}
        assert (entries[0]["files"], entries[0]["bytes"]) == (3, size)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_help_says_what_stays(self, out):
        shown = " ".join(minutewise("retention", "--help").out.split())
        for said in ("current run always stays", "monthly file", "warehouse is not touched", "retention.jsonl"):
            assert said in shown


class TestOnTheWay:
    def test_recorded_and_synced_before_anything_goes(self, out, monkeypatch):
        steps = []
        monkeypatch.setattr(faults, "OBSERVERS", [lambda operation, path: steps.append((operation, path.name))])
        retain(out, date(2026, 1, 1))
        assert steps == [
            ("fsync", ".retention.jsonl.partial"),
            ("rename", "retention.jsonl"),
            ("folder_fsync", "out"),
            ("rename", run_id(AS_OF[0])),
            ("folder_fsync", "runs"),
            ("delete", f".{run_id(AS_OF[0])}.gone"),
        ]

    @pytest.mark.parametrize("point", points(RETENTION))
    @pytest.mark.parametrize("next_is_an_audit", [True, False], ids=["then an audit", "then retention"])
    def test_killed_at_every_point(self, out, point, next_is_an_audit):
        child = os.fork()
        if not child:
            os.environ[FAULT] = f"{point}:kill"
            retain(out, date(2026, 2, 1))
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        for name in (name for name in published(out)[0] if not name.startswith(".")):
            assert len(list((out / "runs" / name).iterdir())) == 3, "no half of a run is served"
        assert published(out)[1] == run_id(AS_OF[4])
        gone = set(AS_OF) - {name[:10] for name in published(out)[0]}
        assert gone <= set(recorded(out)), "nothing goes without a record"
        if next_is_an_audit:
            recover(out)
            assert not [name for name in published(out)[0] if name.startswith(".")]
        assert minutewise("retention", out, "--older-than", "2026-02-01").code == 0
        assert left(out) == list(AS_OF[2:]) and judged(out) == set(AS_OF[2:])
        assert sorted(recorded(out)) == list(AS_OF[:2]), "each once"
        assert not list(out.glob(".*.partial"))

    def test_a_run_made_again_is_recorded_again(self, out):
        for as_of in ("2026-01-01", "2026-01-01"):
            assert minutewise("retention", out, "--older-than", as_of).code == 0
        publish_folder(
            out,
            run_id(AS_OF[0]),
            lambda folder: (folder / "manifest.json").write_text('{"finished_at": "later"}'),
            moves_current=False,
        )
        assert minutewise("retention", out, "--older-than", "2026-01-01").code == 0
        assert recorded(out) == [AS_OF[0], AS_OF[0]]

    def test_a_full_disk_removes_nothing_unrecorded(self, out, monkeypatch):
        monkeypatch.setenv(FAULT, "retention_record_before_rename:full")
        refused(minutewise("retention", out, "--older-than", "2026-02-01"), 2, "cannot be removed (No space left")
        assert left(out) == list(AS_OF) and not list(out.glob(".*.partial"))


class TestRefused:
    def test_an_audit_is_under_way(self, out):
        with only_run(out / ".lock"):
            refused(minutewise("retention", out, "--older-than", "0"), 75, "another run holds", "wait")
        assert left(out) == list(AS_OF)

    def test_no_runs_there(self, tmp_path, out):
        refused(minutewise("retention", tmp_path / "typo", "--older-than", "9"), 2, "no run is published there")
        assert not (tmp_path / "typo").exists()

    @pytest.mark.parametrize("age", ["", "-1", "1.5", "2026-02-30", "yesterday", "123456", "99999999"])
    def test_an_age_that_is_none(self, out, age):
        assert minutewise("retention", out, f"--older-than={age}").code == 2
        assert left(out) == list(AS_OF)

    def test_a_record_that_is_none(self, out):
        (out / "retention.jsonl").write_text("half a li")
        refused(
            minutewise("retention", out, "--older-than", "2026-02-01"), 2, "retention.jsonl: cannot be read", "move"
        )
        assert left(out) == list(AS_OF)

    def test_as_an_ordinary_user_in_a_folder_that_is_locked(self, out):
        (out / "runs").chmod(0)
        try:
            with as_nobody():
                ran = minutewise("retention", out, "--older-than", "0")
        finally:
            (out / "runs").chmod(0o700)
        refused(ran, 2, "Permission denied")
        assert left(out) == list(AS_OF)
