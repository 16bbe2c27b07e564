"""prefect.yaml in production: deployed on a real server, run by a real worker, killed, timed out, put in order."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from flows.run.stages import STAGES, Stage
from flows.settings import AuditSettings
from flows.watch.options import WatchOptions
from tests.cli_runs import AS_OF, day, write_days
from tests.prefect_server import (
    QUIET,
    ROOT,
    assert_holds_no_patient,
    end,
    prefect,
    tasks_and_artifacts,
    told_of_server,
    wait_until,
)
from transforms.errors import UsageProblem

DEPLOYMENTS = {
    one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
}
FLOWS = {
    "nightly": "minutewise-audit",
    "backfill": "minutewise-backfill",
    "verify": "minutewise-verify",
    "retention": "minutewise-retention",
}
STAGE_NAMES = {"identify", *(stage.name for stage in STAGES)}
CANARY = "CANARY-PATIENT"
#: Put into every process of the worker: Great Expectations judges, but waits while it is told to.
JUDGE = """
import os, time
from pathlib import Path
import expectations.judge

judged = expectations.judge.judge

def judge(*place, **named):
    waits = Path(os.environ["JUDGE_WAITS"])
    while waits.exists():
        waits.with_name("reached").write_text(str(os.getpid()))
        time.sleep(0.05)
    return judged(*place, **named)

expectations.judge.judge = judge
"""


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    with told_of_server(request, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("clinic")


@contextmanager
def worker_of(server, place: Path):
    """A worker that asks for runs more often than one does, and takes several at a time."""
    (place / "sitecustomize.py").write_text(JUDGE)
    environment = server.environment | {
        "PYTHONPATH": f"{ROOT}:{place}",
        "JUDGE_WAITS": str(place / "waits"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with (place / "worker.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "minutewise"],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


@pytest.fixture(scope="module")
def worker(client, server, place):
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name="minutewise", type="process", base_job_template=template))
    with worker_of(server, place) as process:
        yield process


@pytest.fixture(scope="module")
def deployed(worker, server, client):
    """What the server holds once all is deployed, by name; no schedule may start a run during the tests."""
    prefect("--no-prompt", "deploy", "--all", environment=server.environment)
    found = {one.name: one for one in client.read_deployments()}
    for one in found.values():
        client.pause_deployment(one.id)
    return found


def started(name: str, **parameters):
    """A run of a deployment, started as from the page of the server."""
    from prefect.deployments import run_deployment

    asked = {key: str(value) if isinstance(value, Path | date) else value for key, value in parameters.items()}
    return run_deployment(f"{FLOWS[name]}/{name}", parameters=asked, timeout=0)


def finished(client, run):
    """The run once it has ended."""
    wait_until(lambda: client.read_flow_run(run.id).state.is_final(), 180)
    return client.read_flow_run(run.id)


def night_of(place: Path, *days: int, amended: int | None = None) -> dict:
    """The parameters of a night whose extracts hold these visits, one of them with a note of fewer minutes."""
    visits = [day(number, minutes=12 if number == amended else 30) for number in days]
    for claim, note, _ in visits:
        claim["patient_id"] = note["patient_id"] = f"{CANARY}-{note['patient_id']}"
        note["narrative"] = "CANARY phrase of a note"
    return {
        "extracts": write_days(place / "extracts", *visits),
        "reference": None,
        "out": place / "out",
        "warehouse": place / "house.duckdb",
        "as_of": AS_OF,
    }


def manifest_of(out: Path) -> dict:
    current = (out / "current").read_text().strip()
    return json.loads((out / "runs" / current / "manifest.json").read_text())


class TestWhatIsDeployed:
    def test_all_four_are(self, deployed, client):
        flows = {name: client.read_flow(one.flow_id).name for name, one in deployed.items()}
        assert flows == FLOWS == {name: FLOWS[name] for name in DEPLOYMENTS}

    def test_the_night_has_its_hour_and_its_zone(self, deployed):
        ((nightly,), (verify,)) = (deployed[name].schedules for name in ("nightly", "verify"))
        assert (nightly.schedule.cron, nightly.schedule.timezone) == ("30 3 * * *", "America/New_York")
        assert nightly.active and verify.active
        assert verify.schedule.timezone == "America/New_York"
        # A backfill is started by a person, and so is what deletes.
        assert deployed["backfill"].schedules == deployed["retention"].schedules == []

    def test_the_server_means_the_same_hour_in_summer_and_in_winter(self, deployed):
        from prefect.server.schemas.schedules import CronSchedule

        (nightly,) = deployed["nightly"].schedules
        schedule, new_york = CronSchedule(**nightly.schedule.model_dump()), ZoneInfo("America/New_York")
        for year_day in (date(2026, 10, 30), date(2027, 3, 12)):  # the nights around a change of clocks
            after = datetime(year_day.year, year_day.month, year_day.day, 12, tzinfo=UTC)
            nights = list(schedule._get_dates_generator(n=3, start=after))
            told = {night.astimezone(new_york).strftime("%H:%M") for night in nights}
            assert told == {"03:30"} and len({night.astimezone(UTC).hour for night in nights}) == 2

    def test_one_that_writes_runs_alone_and_a_second_one_waits(self, deployed):
        from prefect.client.schemas.objects import ConcurrencyLimitStrategy

        for name in ("nightly", "backfill", "retention"):
            assert deployed[name].global_concurrency_limit.limit == 1
            assert deployed[name].concurrency_options.collision_strategy == ConcurrencyLimitStrategy.ENQUEUE
        assert deployed["verify"].global_concurrency_limit is None

    def test_no_log_line_is_sent_to_the_server(self, deployed):
        for one in deployed.values():
            assert one.job_variables["env"]["PREFECT_LOGGING_TO_API_ENABLED"] == "false"


class TestTheFlows:
    def flows(self) -> dict:
        from flows.orchestration.deployed import backfill_flow, retention_flow, verify_flow
        from flows.orchestration.nightly import audit_flow

        return {"nightly": audit_flow, "backfill": backfill_flow, "verify": verify_flow, "retention": retention_flow}

    def test_they_have_every_option_of_their_commands_and_prefect_yaml_no_other(self, server):
        flows = self.flows()
        options = {field.name for kind in (AuditSettings, WatchOptions) for field in fields(kind)}
        taken = {name: set(flow.parameters.properties) for name, flow in flows.items()}
        assert taken["nightly"] == options
        # A backfill is of a warehouse, and that is DuckDB's, and has notes.
        spark = {"engine", "spark_master", "spark_conf", "spark_output"}
        assert taken["backfill"] == options - spark - {"is_rebuild", "claims_only"}
        assert taken["verify"] == {"out", "run_id", "every_run"}
        assert taken["retention"] == {"out", "older_than", "keep", "as_of", "dry_run"}
        for name, one in DEPLOYMENTS.items():
            assert set(one["parameters"]) <= taken[name]

    def test_options_mean_the_same_when_left_out(self, server):
        flow = self.flows()["nightly"]
        told = {field.name: field.default for kind in (AuditSettings, WatchOptions) for field in fields(kind)}
        for name, option in flow.parameters.properties.items():
            if name not in ("out", "as_of"):
                default = option.get("default")
                assert (tuple(default) if isinstance(default, list) else default) == told[name], name

    def test_parameters_are_paths_dates_and_switches(self, server):
        """No list of rows, no mapping of values: nothing that data could be put into by the thousand."""
        for flow in self.flows().values():
            for name, option in flow.parameters.properties.items():
                kinds = {kind.get("type") for kind in option.get("anyOf", [option])}
                assert kinds <= {"string", "boolean", "integer", "null"} or name in (
                    "removed",
                    "override_guard",
                    "spark_conf",
                )

    def test_each_has_a_limit_of_time_and_keeps_no_result(self, server):
        for flow in self.flows().values():
            assert 3600 <= flow.timeout_seconds <= 24 * 3600
            assert flow.persist_result is False
            assert not flow.retries, "a whole run is never tried again: its stages are, where that helps"


@contextmanager
def held(place: Path):
    """A run started within the block is held at its judge stage: gives what waits for that, and says its process."""
    reached, waits = place / "reached", place / "waits"
    waits.touch()

    def reaches() -> int:
        wait_until(lambda: reached.exists() and reached.read_text(), 180)
        return int(reached.read_text())

    try:
        yield reaches
    finally:
        waits.unlink()
        reached.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def killed(client, deployed, place):
    """The first night of a clinic, whose process is killed."""
    with held(place) as reaches:
        run = started("nightly", **night_of(place, 1, 2, 3, 4))
        os.kill(reaches(), signal.SIGKILL)
        run = finished(client, run)
    return run, sorted(path.name for path in (place / "out").iterdir())


def as_told(value: str) -> object:
    """What the command line of Prefect makes of a parameter."""
    try:
        return json.loads(value)
    except ValueError:
        return value


class TestTheGuide:
    text = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8")

    def test_every_run_that_it_starts_can_be_started(self, server):
        text = self.text.replace("\\\n", " ")
        runs = re.findall(r"^prefect deployment run (\S+)/(\S+)(.*)$", text, re.MULTILINE)
        flows = TestTheFlows().flows()
        assert {name for _, name, _ in runs} == set(FLOWS)
        for flow, name, options in runs:
            assert flow == FLOWS[name]
            given = {key: as_told(told) for key, told in re.findall(r"--param '?(\w+)=([^ ']+)", options)}
            flows[name].validate_parameters(DEPLOYMENTS[name]["parameters"] | given)

    def test_its_table_says_what_is_deployed(self):
        rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|", self.text, re.MULTILINE)
        assert dict(rows) == FLOWS

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
    def test_systemd_takes_the_units(self, tmp_path):
        units = re.findall(r"^```ini\n# /etc/systemd/system/(\S+)\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)
        assert [name for name, _ in units] == ["prefect-server.service", "prefect-worker.service"]
        for name, unit in units:
            (tmp_path / name).write_text(re.sub(r"ExecStart=\S+", f"ExecStart={shutil.which('true')}", unit))
        told = subprocess.run(
            ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())], capture_output=True, text=True, check=False
        )
        assert (told.returncode, told.stdout + told.stderr) == (0, "")


@pytest.fixture(scope="module")
def history(deployed, tmp_path_factory):
    """A backfill of another clinic, started, and its folder."""
    place = tmp_path_factory.mktemp("history")
    return started("backfill", **night_of(place, 1, 2), since="2026-03-01", until="2026-03-31"), place


@pytest.fixture(scope="module")
def nights(client, killed, history, place):
    """Then two nights that end by themselves: on the second an amended note and a new visit have come."""
    first = finished(client, started("nightly", **night_of(place, 1, 2, 3, 4)))
    before = manifest_of(place / "out")
    watch = {"digest_file": place / "digest.md", "metrics_file": place / "night.prom"}
    strict = {"fail_on": "error", "fail_on_new": True}
    second = finished(client, started("nightly", **night_of(place, 1, 2, 3, 4, 5, amended=2), **watch, **strict))
    return first, before, second, manifest_of(place / "out")


class TestNights:
    def test_a_killed_one_is_told_as_crashed_and_publishes_nothing(self, killed):
        run, left = killed
        assert (run.state_type.value, run.state_name) == ("CRASHED", "Crashed")
        assert "current" not in left and ".flow_runs" in left

    def test_the_next_one_completes_by_itself(self, nights):
        run, manifest, _, _ = nights
        assert (run.state_name, run.state.message) == ("Completed", f"{manifest['run_id']} is published")
        assert run.name == f"audit of all dates, as of {AS_OF}"
        assert manifest["findings_by_severity"].get("error", 0) == 0

    def test_the_second_takes_in_what_is_new_and_says_what_it_found(self, nights):
        _, before, run, manifest = nights
        assert manifest["previous_run"] == before["run_id"]
        assert manifest["warehouse"]["service_dates_recomputed"] == 2
        assert (run.state_type.value, run.state_name) == ("FAILED", "Findings")
        assert run.state.message == f"{manifest['run_id']} is published; findings at or above error"

    def test_the_server_shows_stages_and_artifacts(self, nights):
        *_, run, manifest = nights
        wait_until(lambda: len(tasks_and_artifacts(run.id)[0]) == len(STAGE_NAMES))
        wait_until(lambda: {one.state_name for one in tasks_and_artifacts(run.id)[0].values()} == {"Completed"})
        tasks, artifacts = tasks_and_artifacts(run.id)
        assert set(tasks) == STAGE_NAMES
        assert sorted(artifacts) == ["minutewise-rules", "minutewise-summary"]
        assert artifacts["minutewise-summary"].data.startswith(f"# Audit {manifest['run_id']}\n")
        shown = {row["rule"]: row["violations"] for row in json.loads(artifacts["minutewise-rules"].data)}
        assert shown == {rule["rule_id"]: rule["violations"] for rule in manifest["rules"]}

    def test_it_is_watched_as_on_the_command_line(self, nights, place):
        assert (place / "digest.md").read_text().startswith("# ")
        assert "minutewise_last_exit_code 1.0" in (place / "night.prom").read_text()

    def test_the_server_knows_the_parameters_and_no_patient(self, nights, server, place):
        assert nights[2].parameters["warehouse"] == str(place / "house.duckdb")
        assert_holds_no_patient(server.home)
        assert "CANARY" not in (place / "worker.log").read_text()

    def test_nothing_is_left_that_says_it_still_runs(self, nights, place):
        assert list((place / "out" / ".flow_runs").iterdir()) == []


@pytest.fixture(scope="module")
def others(nights, client, place):
    """A verification and a retention, started at once."""
    out = place / "out"
    runs = {
        "verify": started("verify", out=out, run_id=nights[3]["run_id"]),
        "retention": started("retention", out=out, older_than="2026-12-31", as_of=AS_OF),
    }
    return {name: finished(client, run) for name, run in runs.items()}


class TestTheOthers:
    def test_a_backfill_goes_month_by_month_and_publishes(self, history, client):
        run, place = history
        run, manifest = finished(client, run), manifest_of(place / "out")
        assert (run.state_name, run.state.message) == ("Completed", f"{manifest['run_id']} is published")
        assert run.name == f"backfill of 2026-03-01 to 2026-03-31, as of {AS_OF}"
        _, artifacts = tasks_and_artifacts(run.id)
        assert "2026-03: 2 service dates" in artifacts["minutewise-months"].data

    def test_a_sound_run_is_told_sound(self, others, nights):
        run = others["verify"]
        assert (run.state_name, run.state.message) == ("Completed", "sound: 1 of 1 runs")
        assert run.name == f"verify {nights[3]['run_id']}"

    def test_the_old_night_goes_and_the_new_one_stays(self, others, nights, place):
        _, before, _, manifest = nights
        run = others["retention"]
        assert run.state_name == "Completed" and run.state.message.startswith(
            "1 runs with an as-of date before 2026-12-31"
        )
        _, artifacts = tasks_and_artifacts(run.id)
        assert before["run_id"] in artifacts["minutewise-retention"].data
        assert [path.name for path in (place / "out" / "runs").iterdir()] == [manifest["run_id"]]


class TestInThisProcess:
    """The flows without a worker: how they end when something is wrong."""

    @pytest.fixture
    def clinic(self, nights, place, tmp_path) -> Path:
        """A copy of the clinic after its nights."""
        shutil.copytree(place / "out", tmp_path / "out")
        shutil.copy(place / "house.duckdb", tmp_path)
        return tmp_path

    def ends(self, flow, **asked) -> tuple[str, str]:
        """The name and message of the state that a run of the flow ends in."""
        state = flow(**asked, return_state=True)
        return state.name, state.message

    def test_a_guard_that_stops_a_night_is_told_in_one_line(self, clinic):
        from flows.orchestration.nightly import audit_flow

        asked, before = night_of(clinic, 1, 2, 3, 4), manifest_of(clinic / "out")
        claims = clinic / "extracts" / "claims.csv"
        claims.write_text(claims.read_text().replace("97110", "none"))
        name, message = self.ends(audit_flow, **asked)
        assert (name, message.count("\n")) == ("Failed", 0)
        assert "nothing is published" in message and message.endswith("--override-guard no_accepted_claims")
        assert manifest_of(clinic / "out") == before

    @pytest.mark.parametrize("busy_with", ["python", "duckdb"])
    def test_time_that_is_up_ends_a_stage_under_way(self, busy_with, tmp_path, monkeypatch, capfd):
        from flows.orchestration import nightly

        def work(run):
            if busy_with == "python":
                time.sleep(60)
            with interrupted(duckdb.connect()) as con:
                con.execute(f"select '{CANARY}', sum(a.range * b.range % 7) from range(10000000) a, range(1000000) b")

        monkeypatch.setattr("flows.run.audit.IDENTIFY", Stage("identify", work, retries=3))
        monkeypatch.setattr(nightly, "AUDIT_SECONDS", 3)
        began = time.monotonic()
        name, message = self.ends(nightly.audit_flow.with_options(timeout_seconds=3), **night_of(tmp_path, 1))
        assert time.monotonic() - began < 20
        assert name == "TimedOut" and message.startswith("stopped: it took longer than")
        assert "CANARY" not in "".join(capfd.readouterr())
        assert not (tmp_path / "out" / "runs").exists()

    def test_a_run_that_is_not_what_it_was_is_damaged(self, clinic, nights):
        from flows.orchestration.deployed import verify_flow

        run_id = nights[3]["run_id"]
        (clinic / "out" / "runs" / run_id / "findings.csv").write_text("nothing was found\n")
        name, message = self.ends(verify_flow, out=clinic / "out")
        assert name == "Damaged" and message.startswith(f"not sound: {run_id} (1 of ")

    def test_a_mistake_is_told_in_one_line_and_makes_no_folder(self, tmp_path):
        from flows.orchestration.deployed import backfill_flow, retention_flow, verify_flow

        out = tmp_path / "nowhere"
        for flow, asked, said in [
            (verify_flow, {}, "no run is published there"),
            (verify_flow, {"run_id": "x", "every_run": True}, "give one of them"),
            (retention_flow, {"older_than": 30}, "no run is published there"),
        ]:
            name, message = self.ends(flow, out=out, **asked)
            assert (name, said in message, message.count("\n")) == ("Failed", True, 0)
        assert not out.exists()
        dates = {"since": date(2026, 3, 31), "until": date(2026, 3, 1)}
        name, message = self.ends(backfill_flow, **night_of(tmp_path, 1) | dates)
        assert (name, message) == ("Failed", "since 2026-03-31 is after until 2026-03-01; swap them")

    def test_days_and_dates_are_both_an_age(self, clinic):
        from flows.orchestration.deployed import retention_flow

        for older_than in (30, "2026-02-18", date(2026, 2, 18)):
            asked = {"older_than": older_than, "as_of": AS_OF, "dry_run": True}
            name, message = self.ends(retention_flow, out=clinic / "out", **asked)
            assert name == "Completed" and "with an as-of date before 2026-02-18 would be removed" in message

    def test_months_outside_of_those_asked_are_left_and_told(self, tmp_path):
        from flows.orchestration.deployed import backfill_flow

        dates = {"since": date(2026, 1, 1), "until": date(2026, 1, 31)}
        name, message = self.ends(backfill_flow, **night_of(tmp_path, 1, 2) | dates)
        assert name == "Completed" and message.startswith("nothing is published yet")
        assert not (tmp_path / "out" / "current").exists()

    def test_a_run_that_lives_is_left_alone(self, tmp_path, client, monkeypatch):
        """Two at once: the second finds the first alive, and ends as busy without a word about it."""
        from flows.orchestration.nightly import audit_flow

        met = {}

        def meanwhile(run):
            met["second"] = self.ends(audit_flow, **night_of(tmp_path, 1))
            (mark,) = (tmp_path / "out" / ".flow_runs").iterdir()
            met["first"] = client.read_flow_run(mark.name).state.name
            raise UsageProblem("enough")

        monkeypatch.setattr("flows.run.audit.IDENTIFY", Stage("identify", meanwhile))
        assert self.ends(audit_flow, **night_of(tmp_path, 1)) == ("Failed", "enough")
        assert met["first"] == "Running"
        assert met["second"][0] == "Failed" and "another run holds" in met["second"][1]


@pytest.fixture(scope="module")
def cut(others, client, worker, place):
    """A night that is cut off with its worker, and how it stands at the server then. It comes last of all."""
    with held(place) as reaches:
        run = started("nightly", **night_of(place, 1, 2, 3, 4, 5, 6))
        reaches()
        (mark,) = (place / "out" / ".flow_runs").iterdir()
        assert mark.name == str(run.id)
        for number in below(worker.pid):
            os.kill(number, signal.SIGKILL)
        worker.wait()
    return client.read_flow_run(run.id), client.read_deployment(run.deployment_id).global_concurrency_limit


@contextmanager
def interrupted(con):
    """DuckDB goes on with a query that Python has given up, and closing waits for it."""
    try:
        yield con
    finally:
        con.interrupt()
        con.close()


#: A flow with two seconds to live that does not let itself be interrupted.
DEAF = """
import time
from pathlib import Path
from flows.run import audit
from flows.orchestration import time_limit as flow_time
from flows.orchestration import nightly
from flows.run.stages import Stage

def deaf(run):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

audit.IDENTIFY = Stage("identify", deaf)
flow_time.GRACE, nightly.AUDIT_SECONDS = 1, 2
nightly.audit_flow.with_options(timeout_seconds=2)(out=Path("out"), extracts=Path("extracts"))
"""


def test_what_does_not_hear_that_its_time_is_up_is_killed(server, client, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", DEAF],
        cwd=tmp_path,
        env=server.environment | QUIET,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")
    assert re.fullmatch(r"minutewise: stopped: it took longer than .* hours; the next run .*\n", ended.stderr)
    (mark,) = (tmp_path / "out" / ".flow_runs").iterdir()
    assert client.read_flow_run(mark.name).state_name == "TimedOut"


class TestAPowerCut:
    def test_nobody_tells_the_server(self, cut):
        run, _limit = cut
        assert run.state_name == "Running"

    def test_the_next_run_completes_and_tells_it(self, cut, nights, server, client, place):
        run, _ = cut
        asked = night_of(place, 1, 2, 3, 4, 5, 6)
        options = [f"--{name.replace('_', '-')}={value}" for name, value in asked.items() if value]
        driver = (place / "sitecustomize.py").read_text() + "\nfrom flows.cli import main\nmain()"
        told = subprocess.run(
            [sys.executable, "-c", driver, "audit", "--prefect", *options],
            env=server.environment | {"JUDGE_WAITS": str(place / "waits")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        assert manifest_of(place / "out")["previous_run"] == nights[3]["run_id"]
        marked = client.read_flow_run(run.id)
        assert (marked.state_type.value, marked.state.message) == (
            "CRASHED",
            "its process was killed; a later run found it, and puts in order what it left in the output folder",
        )
        assert list((place / "out" / ".flow_runs").iterdir()) == []

    def test_its_stage_no_longer_runs_and_its_place_is_free(self, cut, client):
        run, limit = cut
        tasks, _ = tasks_and_artifacts(run.id)
        assert "Running" not in {task.state_name for task in tasks.values()}
        assert limit.active_slots == 1
        assert client.read_global_concurrency_limit_by_name(limit.name).active_slots == 0


def below(number: int) -> list[int]:
    """A process and all its descendants."""
    found = [number]
    for task in Path(f"/proc/{number}/task").glob("*/children"):
        found += [one for child in task.read_text().split() for one in below(int(child))]
    return found
