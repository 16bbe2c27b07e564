"""A Prefect server of the tests' own on loopback, and how they speak to it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
}


@dataclass(frozen=True)
class Server:
    """A running server: its address and its folder."""

    url: str
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return bare_environment(self.home) | {"PREFECT_API_URL": self.url, "PREFECT_HOME": str(self.home)}


_SERVER = pytest.StashKey[Server]()


def bare_environment(home: Path) -> dict[str, str]:
    """What a process needs to run the tree's own code, and nothing that says anything of Prefect."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def told_of_server(request, tmp_path_factory) -> Iterator[Server]:
    """The server, started once for all test files of a process; within the block this process is told of it."""
    stash = request.config.stash
    if _SERVER not in stash:
        stash[_SERVER] = _started(request.config, tmp_path_factory.mktemp("server"))
    server = stash[_SERVER]
    with ExitStack() as ending:
        setting = ending.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**QUIET, "PREFECT_HOME": str(server.home), "PREFECT_API_URL": server.url}.items():
            setting.setenv(name, value)
        from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

        settings = {PREFECT_API_URL: server.url, PREFECT_LOGGING_TO_API_ENABLED: False}
        ending.enter_context(temporary_settings(settings))
        yield server


def _started(config, folder: Path) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}/api", folder / "home")
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=bare_environment(server.home) | {"PREFECT_HOME": str(server.home)} | QUIET,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    config.add_cleanup(lambda: end(process))
    wait_until(lambda: process.poll() is None and answers(f"{server.url}/health"), 120)
    return server


def end(process: subprocess.Popen) -> None:
    """Ends a process that these tests started, and the children of its own session."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(20)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_until(holds, seconds: float = 30) -> None:
    last = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < last, "waited in vain"
        time.sleep(0.3)


def prefect(*arguments: str, environment: dict[str, str]) -> str:
    """Runs Prefect's command line in the folder of the repository, and gives what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_holds_no_patient(home: Path, canary: bytes = b"CANARY") -> None:
    """Nothing that Prefect wrote, its database and journal included, holds the patient or the note."""
    held = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert any(path.name == "prefect.db" for path in held)
    everything = b"".join(held.values())
    assert b"minutewise-audit" in everything, "the look was at the wrong place"
    assert canary not in everything
    results = home / "storage"
    assert not (results.exists() and any(results.iterdir())), "a result was kept"


def tasks_and_artifacts(run_id) -> tuple[dict, dict]:
    """The task runs of a flow run by name, and its latest artifacts by key."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    with get_client(sync_client=True) as client:
        only = FlowRunFilter(id={"any_": [run_id]})
        tasks = {task.name: task for task in client.read_task_runs(flow_run_filter=only)}
        artifacts = {artifact.key: artifact for artifact in client.read_artifacts(flow_run_filter=only)}
    return tasks, artifacts
