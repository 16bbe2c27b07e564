"""Under Prefect an audit says the same as without it, and Prefect is told nothing of a patient."""

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.disk.transient import passing_fault
from flows.run import audit as audit_module
from flows.run.audit import run_audit
from flows.run.stages import STAGES
from flows.settings import AuditSettings
from tests.prefect_server import (
    ROOT,
    assert_holds_no_patient,
    bare_environment,
    end,
    tasks_and_artifacts,
    told_of_server,
    wait_until,
)
from transforms.errors import AuditError, Busy, InputRejected, UsageProblem
from transforms.extract.csv import reader as csv_reader

pytestmark = pytest.mark.whole_audit

SAMPLES = ROOT / "data" / "samples"
AS_OF = date(2026, 11, 10)
PATIENT, PHRASE = "CANARY-PATIENT", "CANARY phrase of a note"
STAGE_NAMES = ["identify", "extract", "contract", "recompute", "guard", "judge", "publish"]
#: Files of a run that hold times of their own.
TIMED = {"manifest.json", "expectations.json"}
#: Tells every address that a process and its children look up or connect to.
LISTEN = """
import os, sys
def told(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        with open(os.environ["ADDRESSES"], "a") as file:
            file.write(repr(arguments[1] if event == "socket.connect" else arguments[0]) + "\\n")
sys.addaudithook(told)
"""


@pytest.fixture(scope="module")
def extracts(tmp_path_factory) -> Path:
    """Five patients of the samples; one has another name, every note says a phrase, one row is unreadable."""
    folder = tmp_path_factory.mktemp("extracts")
    notes = [row for row in rows_of("notes") if row["patient_id"] <= "P-1005"]
    kept = {row["note_id"] for row in notes}
    blocks = [row for row in rows_of("note_blocks") if row["note_id"] in kept]
    claims = [row for row in rows_of("claims") if row["patient_id"] <= "P-1005"]
    for row in notes + claims:
        row["patient_id"] = row["patient_id"].replace("P-1003", PATIENT)
    for row in notes:
        row["narrative"] = PHRASE
    claims.append(claims[-1] | {"claim_id": "C-UNREADABLE", "patient_id": PATIENT, "billed_units": PHRASE})
    for table, rows in (("claims", claims), ("notes", notes), ("note_blocks", blocks)):
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def rows_of(table: str) -> list[dict]:
    with (SAMPLES / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def plain(extracts, tmp_path_factory):
    """The same audit without Prefect."""
    return run_audit(asked(extracts, tmp_path_factory.mktemp("plain") / "out"))


def asked(extracts: Path, out: Path, **more) -> AuditSettings:
    return AuditSettings(out=out, as_of=AS_OF, extracts=extracts, reference=SAMPLES / "reference", **more)


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    with told_of_server(request, tmp_path_factory) as server:
        yield server


def minutewise(*arguments: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess:
    code = "from flows.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


def published_bytes(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name not in TIMED}


def assert_same_audit(folder: Path, plain) -> None:
    assert "findings.parquet" in published_bytes(folder)
    assert plain.manifest["findings_by_severity"].get("error"), "an audit without findings proves nothing"
    ours, theirs = published_bytes(folder), published_bytes(plain.folder)
    assert [name for name in ours if ours[name] != theirs.get(name)] == []
    assert set(ours) == set(theirs)


def flow_run_of(out: Path):
    """The flow run that published into `out`, its task runs by name, and its artifacts by key."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = [run for run in client.read_flow_runs(limit=200) if run.parameters.get("out") == str(out)]
    assert len(found) == 1
    return found[0], *tasks_and_artifacts(found[0].id)


def task_runs_when_told(out: Path, holds) -> dict:
    """The task runs once `holds` is true of them: Prefect tells its server of tasks a moment later."""
    wait_until(lambda: holds(flow_run_of(out)[1]))
    return flow_run_of(out)[1]


def test_with_no_server_it_is_the_same_audit_quiet_and_local(extracts, plain, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(LISTEN)
    home, addresses = tmp_path / "home", tmp_path / "addresses"
    environment = bare_environment(home) | {"ADDRESSES": str(addresses)}
    environment["PYTHONPATH"] += f":{tmp_path}"
    del environment["DO_NOT_TRACK"]
    told = minutewise(
        "audit", "--extracts", extracts, "--reference", SAMPLES / "reference", "--as-of", AS_OF,
        "--out", "out", "--prefect", "--json", environment=environment, folder=tmp_path,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    manifest = json.loads(told.stdout)
    assert manifest["run_id"] == plain.manifest["run_id"]
    assert_same_audit(tmp_path / manifest["folder"], plain)
    assert_holds_no_patient(tmp_path / "out" / ".prefect")
    for folder in (tmp_path / "out", tmp_path / "out" / ".prefect"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(home.iterdir()) == [], "Prefect wrote into the user's home"
    met = set(addresses.read_text().splitlines())
    assert met and [one for one in met if not re.search(r"'(127\.0\.0\.1|localhost|::1?)'", one)] == []
    wait_until(lambda: not processes_of(tmp_path))


def processes_of(folder: Path) -> list[Path]:
    """Processes that still run for a folder: a temporary server has to end with its audit."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"PREFECT_HOME={folder}".encode() in path.read_bytes():
                found.append(path)
        except OSError:
            continue
    return found


def test_an_audit_told_to_end_leaves_no_server_behind(extracts, tmp_path):
    command = [sys.executable, "-c", "from flows.cli import main; main()", "audit", "--prefect"]
    process = subprocess.Popen(
        [*command, "--extracts", extracts, "--out", "out"],
        env=bare_environment(tmp_path / "home"),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        wait_until(lambda: processes_of(tmp_path), 60)
        time.sleep(1)  # Prefect notes a moment after its start that it has a server to end
        process.terminate()
        told = process.communicate(timeout=60)[1]
    finally:
        end(process)
    assert (process.returncode, told) == (143, b"")
    wait_until(lambda: not processes_of(tmp_path))


def test_with_a_server_it_is_the_same_audit_and_the_server_shows_it(extracts, plain, server, tmp_path):
    out = tmp_path / "out"
    told = minutewise(
        "audit", "--extracts", extracts, "--reference", SAMPLES / "reference", "--as-of", AS_OF,
        "--out", out, "--prefect", environment=server.environment, folder=tmp_path,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    assert_same_audit(out / "runs" / plain.manifest["run_id"], plain)
    assert not (out / ".prefect").exists(), "the user's own PREFECT_HOME was not used"

    tasks = task_runs_when_told(out, lambda tasks: len(tasks) == len(STAGE_NAMES) and all(states(tasks, "Completed")))
    run, _, artifacts = flow_run_of(out)
    assert run.name == "audit of all dates, as of 2026-11-10"
    assert (run.state_name, run.state.message) == (
        "Completed",
        f"{plain.manifest['run_id']} is published",
    )
    assert sorted(tasks) == sorted(STAGE_NAMES)
    assert sorted(tasks, key=lambda name: tasks[name].start_time) == STAGE_NAMES
    assert sorted(artifacts) == ["minutewise-rules", "minutewise-summary"]
    assert artifacts["minutewise-summary"].data.startswith(f"# Audit {plain.manifest['run_id']}\n")
    shown = {row["rule"]: row["violations"] for row in json.loads(artifacts["minutewise-rules"].data)}
    assert shown == {rule["rule_id"]: rule["violations"] for rule in plain.manifest["rules"]}
    assert_holds_no_patient(server.home)


def states(tasks: dict, name: str) -> list[bool]:
    return [task.state_name == name for task in tasks.values()]


@pytest.fixture
def run_flow(server, monkeypatch):
    """Runs the flow in this process, with no wait before a retry."""
    from flows.orchestration.nightly import run_under_prefect

    monkeypatch.setenv("MINUTEWISE_RETRY_SECONDS", "0")
    return run_under_prefect


def fail_reading(monkeypatch, number: int, times: int) -> None:
    """Makes the next `times` readings of a CSV file end in a fault of the machine."""
    reading, left = csv_reader.load_csv, [times]

    def load_csv(*arguments):
        if left[0] > 0:
            left[0] -= 1
            raise OSError(number, os.strerror(number), PATIENT)
        return reading(*arguments)

    monkeypatch.setattr(csv_reader, "load_csv", load_csv)


def test_a_fault_that_passes_is_tried_again(extracts, plain, run_flow, tmp_path, monkeypatch):
    fail_reading(monkeypatch, errno.EIO, times=2)
    outcome = run_flow(asked(extracts, tmp_path))
    assert outcome.exit_code == 0
    assert_same_audit(outcome.folder, plain)
    tasks = task_runs_when_told(
        tmp_path, lambda tasks: len(tasks) == len(STAGE_NAMES) and all(states(tasks, "Completed"))
    )
    assert {name: task.run_count for name, task in tasks.items()} == dict.fromkeys(STAGE_NAMES, 1) | {"extract": 3}


def test_the_first_look_at_the_extracts_is_tried_again_too(extracts, run_flow, tmp_path, monkeypatch):
    looking, left = Path.open, [1]

    def open_once(path, *arguments, **named):
        if path.name == "claims.csv" and left[0] > 0:
            left[0] -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO), PATIENT)
        return looking(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", open_once)
    assert run_flow(asked(extracts, tmp_path)).exit_code == 0
    tasks = task_runs_when_told(
        tmp_path, lambda tasks: len(tasks) == len(STAGE_NAMES) and all(states(tasks, "Completed"))
    )
    assert tasks["identify"].run_count == 2


def test_retries_come_at_no_fixed_moment(extracts, run_flow, tmp_path):
    """Many clinics on one share must not come back to it all at once."""
    assert run_flow(asked(extracts, tmp_path)).exit_code == 0
    tasks = task_runs_when_told(tmp_path, lambda tasks: len(tasks) == len(STAGE_NAMES))
    tried = {name: task.empirical_policy for name, task in tasks.items() if task.empirical_policy.retries}
    assert sorted(tried) == ["extract", "identify"]
    assert {(policy.retries, policy.retry_jitter_factor) for policy in tried.values()} == {(3, 0.5)}


@pytest.mark.parametrize(("number", "tries"), [(errno.EIO, 4), (errno.EACCES, 1)])
def test_a_fault_that_stays_is_given_up(number, tries, extracts, run_flow, tmp_path, monkeypatch):
    fail_reading(monkeypatch, number, times=99)
    with pytest.raises(InputRejected, match=rf"claims.csv: cannot be read \({os.strerror(number)}\)"):
        run_flow(asked(extracts, tmp_path))
    tasks = task_runs_when_told(tmp_path, lambda tasks: any(states(tasks, "Failed")))
    assert {name: task.run_count for name, task in tasks.items()} == {"identify": 1, "extract": tries}
    assert not (tmp_path / "runs").exists()


def test_a_run_says_its_dates_and_exits_as_asked(extracts, server, run_flow, tmp_path):
    dates = {"since": date(2026, 10, 1), "until": date(2026, 10, 15)}
    outcome = run_flow(asked(extracts, tmp_path, fail_on="error", **dates))
    assert outcome.exit_code == 1 and outcome.manifest["until"] == "2026-10-15"
    run, _, artifacts = flow_run_of(tmp_path)
    assert run.name == "audit of 2026-10-01 to 2026-10-15, as of 2026-11-10"
    assert (run.state_type.value, run.state_name) == ("FAILED", "Findings")
    assert len(artifacts) == 2


@pytest.mark.parametrize(
    ("kind", "code", "change"),
    [
        (UsageProblem, 2, lambda extracts: {"extracts": extracts / "nowhere"}),
        (UsageProblem, 2, lambda extracts: {"reference": extracts / "nowhere"}),
        (InputRejected, 3, lambda extracts: {"claims": str(extracts / "notes.csv")}),
    ],
)
def test_a_mistake_is_told_as_without_prefect(kind, code, change, extracts, run_flow, tmp_path):
    settings = replace(asked(extracts, tmp_path), **change(extracts))
    told = []
    for way in (run_audit, run_flow):
        with pytest.raises(AuditError) as raised:
            way(settings)
        assert (type(raised.value), raised.value.exit_code) == (kind, code)
        told.append(str(raised.value))
    assert told[0] == told[1]
    run, tasks, artifacts = flow_run_of(tmp_path)
    assert (run.state_name, run.state.message, artifacts) == ("Failed", told[0], {})
    assert all(task.run_count <= 1 for task in tasks.values())


def test_a_held_folder_is_told_as_without_prefect(extracts, run_flow, tmp_path):
    from flows.disk.lock import only_run

    with only_run(tmp_path / ".lock"), pytest.raises(Busy) as raised:
        run_flow(asked(extracts, tmp_path))
    assert raised.value.exit_code == 75


@pytest.mark.parametrize("with_traceback", [False, True])
def test_the_text_of_an_unforeseen_error_stays_out(
    with_traceback, extracts, server, run_flow, tmp_path, monkeypatch, capfd
):
    def spill(_run):
        raise duckdb.ConversionException(f"Could not convert string '{PATIENT}' to INT32")

    monkeypatch.setattr(audit_module, "STAGES", (replace(STAGES[0], do=spill),))
    if with_traceback:  # what a developer asks to see on a terminal is no matter of the server's
        monkeypatch.setenv("MINUTEWISE_TRACEBACK", "1")
    with pytest.raises(duckdb.ConversionException if with_traceback else AuditError) as raised:
        run_flow(asked(extracts, tmp_path))
    if not with_traceback:
        assert raised.value.exit_code == 4 and "ConversionException in test_prefect.py" in str(raised.value)
    assert "ConversionException" in flow_run_of(tmp_path)[0].state.message
    assert "CANARY" not in "".join(capfd.readouterr())
    assert_holds_no_patient(server.home)


def test_the_command_line_shows_one_line_for_a_mistake(extracts, server, tmp_path):
    arguments = ("audit", "--extracts", tmp_path / "nowhere", "--out", tmp_path / "out")
    plain = minutewise(*arguments, environment=server.environment, folder=tmp_path)
    under = minutewise(*arguments, "--prefect", environment=server.environment, folder=tmp_path)
    assert (under.returncode, under.stdout, under.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert under.returncode == 2 and under.stderr.count("\n") == 1


def test_a_server_that_does_not_answer_is_a_mistake(extracts, run_flow, tmp_path):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with (
        temporary_settings({PREFECT_API_URL: "http://user:secret@127.0.0.1:9/api"}),
        pytest.raises(UsageProblem, match=r"no Prefect server answers at 127\.0\.0\.1:9;") as raised,
    ):
        run_flow(asked(extracts, tmp_path))
    assert "secret" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "1e9"])
def test_a_wrong_wait_is_a_mistake(seconds, extracts, run_flow, tmp_path, monkeypatch):
    monkeypatch.setenv("MINUTEWISE_RETRY_SECONDS", seconds)
    with pytest.raises(UsageProblem, match="MINUTEWISE_RETRY_SECONDS"):
        run_flow(asked(extracts, tmp_path))


@pytest.mark.parametrize("name", ["prefect", "out"])
def test_a_home_that_cannot_be_made_is_a_mistake(name, tmp_path, monkeypatch):
    from flows.watch.prefect_home import prepare_prefect

    monkeypatch.delenv("PREFECT_HOME", raising=False)
    out = tmp_path / "out"
    if name == "prefect":
        out.mkdir()
        (out / ".prefect").write_text("")
    else:
        out.write_text("")
    with pytest.raises(UsageProblem, match=f"^{re.escape(str(out))}: cannot be written"):
        prepare_prefect(out)
    assert "PREFECT_HOME" not in os.environ


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (OSError(errno.ESTALE, "x"), os.strerror(errno.ESTALE)),
        (ConnectionResetError(), "no answer in time"),
        (duckdb.IOException('Could not read from file "x": Input/output error'), "Input/output error"),
        (duckdb.IOException('Cannot open file "Input/output error": No such file or directory'), None),
        (FileNotFoundError(errno.ENOENT, "x"), None),
        (PermissionError(errno.EACCES, "x"), None),
        (OSError(errno.ENOSPC, "x"), None),
        (UsageProblem("Input/output error"), None),
        (ValueError("x"), None),
    ],
)
def test_which_faults_may_pass(problem, words):
    assert passing_fault(problem) == words
    try:
        try:
            raise problem
        except type(problem):
            raise InputRejected("told in one line") from None
    except InputRejected as told:
        assert passing_fault(told) == words


def test_the_server_of_a_killed_run_is_ended_and_no_other_process(server):
    from flows.orchestration.living_runs import _end_server, _since

    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            since = _since(process.pid)
            for other in (None, _since(os.getpid())):  # a number that was given to another process since
                _end_server({"pid": process.pid, "since": other})
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            _end_server({"pid": process.pid, "since": since})
            assert process.wait(10) == -signal.SIGTERM
            _end_server({"pid": process.pid, "since": since})
        finally:
            process.kill()
    assert _since(process.pid) is None


@pytest.mark.parametrize("held", ["not json", "{}", '{"address": "elsewhere:4200"}'])
def test_a_mark_that_tells_nothing_to_do_stays_and_stops_nobody(held, extracts, run_flow, tmp_path):
    mark = tmp_path / "out" / ".flow_runs" / "0b8bd9a4-8c9c-4f0e-a9c0-3f3bd1e2a111"
    mark.parent.mkdir(parents=True)
    mark.write_text(held)
    with pytest.raises(UsageProblem):
        run_flow(asked(extracts / "nowhere", tmp_path / "out"))
    assert mark.read_text() == held
