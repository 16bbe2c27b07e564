"""prefect.yaml in production: deployed on a real server, run by a real worker, killed, timed out, put in order."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from flows.settings import AuditSettings
from flows.stages import STAGES, Stage
from flows.watch.options import WatchOptions
from tests.cli_runs import AS_OF, day, judged_by_findings, write_days
from tests.prefect_server import (
    ROOT,
    assert_holds_no_patient,
    end,
    prefect,
    tasks_and_artifacts,
    told_of_server,
    wait_until,
)

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
#: Put into every process of the worker: a judge that needs no Great Expectations, and waits while it is told to.
JUDGE = """
import os, time
from pathlib import Path
import expectations.judge

def judge(database, *_place, key=None, **_named):
    from tests.cli_runs import judged_by_findings

    waits = Path(os.environ["JUDGE_WAITS"])
    while waits.exists():
        waits.with_name("reached").write_text(str(os.getpid()))
        time.sleep(0.05)
    return judged_by_findings(database)

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
def deployed(server, client):
    """What the server holds once all is deployed, by name; no schedule may start a run during the tests."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name="minutewise", type="process", base_job_template=template))
    prefect("--no-prompt", "deploy", "--all", environment=server.environment)
    found = {one.name: one for one in client.read_deployments()}
    for one in found.values():
        client.pause_deployment(one.id)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("clinic")


@contextmanager
def worker_of(server, place: Path):
    """A worker as the guide has it started, but that it asks for runs more often."""
    (place / "sitecustomize.py").write_text(JUDGE)
    environment = server.environment | {
        "PYTHONPATH": f"{ROOT}:{place}",
        "JUDGE_WAITS": str(place / "waits"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with (place / "worker.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "minutewise", "--limit", "1"],
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
def worker(deployed, server, place):
    with worker_of(server, place) as process:
        yield process


def started(name: str, **parameters):
    """A run of a deployment, started as from the page of the server."""
    from prefect.deployments import run_deployment

    asked = {key: str(value) if isinstance(value, Path | date) else value for key, value in parameters.items()}
    return run_deployment(f"{FLOWS[name]}/{name}", parameters=asked, timeout=0)


def finished(client, run):
    """The run once it has ended."""
    wait_until(lambda: client.read_flow_run(run.id).state.is_final(), 60)
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
        "override_guard": ["rows_read"],
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
        for year_day in (date(2026, 10, 31), date(2027, 3, 13)):  # the days before clocks change
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
        from flows.deployed import backfill_flow, retention_flow, verify_flow
        from flows.nightly import audit_flow

        return {"nightly": audit_flow, "backfill": backfill_flow, "verify": verify_flow, "retention": retention_flow}

    def test_they_have_every_option_of_their_commands_and_prefect_yaml_no_other(self, server):
        flows = self.flows()
        options = {field.name for kind in (AuditSettings, WatchOptions) for field in fields(kind)}
        taken = {name: set(flow.parameters.properties) for name, flow in flows.items()}
        assert taken["nightly"] == options
        assert taken["backfill"] == options - {"is_rebuild"}
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
                assert kinds <= {"string", "boolean", "integer", "null"} or name in ("removed", "override_guard")

    def test_each_has_a_limit_of_time_and_keeps_no_result(self, server):
        for flow in self.flows().values():
            assert 3600 <= flow.timeout_seconds <= 24 * 3600
            assert flow.persist_result is False
            assert not flow.retries, "a whole run is never tried again: its stages are, where that helps"


@pytest.fixture(scope="module")
def nights(client, worker, place):
    """Two nights of one clinic: on the second an amended note and a new visit have come."""
    first = finished(client, started("nightly", **night_of(place, 1, 2, 3, 4)))
    before = manifest_of(place / "out") if (place / "out" / "current").exists() else None
    digest, metrics = place / "digest.md", place / "night.prom"
    second = finished(
        client,
        started(
            "nightly",
            **night_of(place, 1, 2, 3, 4, 5, amended=2),
            digest_file=digest,
            metrics_file=metrics,
            fail_on="error",
            fail_on_new=True,
        ),
    )
    return first, before, second, manifest_of(place / "out")


class TestNights:
    def test_the_first_night_is_published(self, nights):
        run, manifest, _, _ = nights
        assert (run.state_name, run.state.message) == ("Completed", f"{manifest['run_id']} is published")
        assert run.name == f"audit of all dates, as of {AS_OF}"
        assert manifest["findings_by_severity"].get("error", 0) == 0

    def test_the_second_takes_in_what_is_new_and_says_what_it_found(self, nights):
        _, before, run, manifest = nights
        assert manifest["previous_run"] == before["run_id"]
        assert manifest["night"]["service_dates_recomputed"] == 2
        assert (run.state_type.value, run.state_name) == ("FAILED", "Findings")
        assert run.state.message == f"{manifest['run_id']} is published; findings at or above error"

    def test_the_server_shows_stages_and_artifacts(self, nights):
        *_, run, manifest = nights
        wait_until(lambda: set(tasks_and_artifacts(run.id)[0]) == STAGE_NAMES)
        tasks, artifacts = tasks_and_artifacts(run.id)
        wait_until(lambda: {one.state_name for one in tasks_and_artifacts(run.id)[0].values()} == {"Completed"})
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


class TestTheOthers:
    def test_a_backfill_goes_month_by_month_and_publishes(self, client, worker, tmp_path):
        asked = night_of(tmp_path, 1, 2)
        run = finished(client, started("backfill", **asked, since="2026-03-01", until="2026-03-31"))
        manifest = manifest_of(tmp_path / "out")
        assert (run.state_name, run.state.message) == ("Completed", f"{manifest['run_id']} is published")
        assert run.name == f"backfill of 2026-03-01 to 2026-03-31, as of {AS_OF}"
        _, artifacts = tasks_and_artifacts(run.id)
        assert "2026-03: 2 service dates" in artifacts["minutewise-months"].data

    def test_then_the_old_night_goes_and_the_new_one_is_sound(self, nights, client, worker, place):
        _, before, _, manifest = nights
        out = place / "out"
        removal, check = (
            started("retention", out=out, older_than="2026-12-31", as_of=AS_OF),
            started("verify", out=out, every_run=True),
        )
        removal = finished(client, removal)
        assert removal.state_name == "Completed" and removal.state.message.startswith("1 runs as of before 2026-12-31")
        _, artifacts = tasks_and_artifacts(removal.id)
        assert before["run_id"] in artifacts["minutewise-retention"].data
        assert [path.name for path in (out / "runs").iterdir()] == [manifest["run_id"]]
        check = finished(client, check)
        assert (check.state_name, check.name) == ("Completed", "verify every run")
        assert re.fullmatch(r"sound: ([12]) of \1 runs", check.state.message)
