"""`minutewise` in processes of its own, to be killed. One process loads the libraries and forks for each command.

The commands run light: what they leave out publishes no table.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from flows.disk.faults import FAULT

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or minus the signal that killed it, and what it said on stderr."""

    code: int
    err: str

    @property
    def was_killed(self) -> bool:
        """Whether it was killed on its way."""
        return self.code == -signal.SIGKILL


class Commands:
    """The process that forks. As a context manager it ends with the block."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill_points"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_problem):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def run(self, *arguments: object, **limits: object) -> Ended:
        """Runs `minutewise arguments...` to its end; `limits` as `_child` and `_serve` have them."""
        request = {"arguments": [str(argument) for argument in arguments], **limits}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))


def _serve() -> None:
    """Answers one command a line; `seconds`: how long it may live."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        seconds = request.pop("seconds", None)
        said, say = os.pipe()
        child = os.fork()
        if not child:
            os.close(said)
            _child(say, **request)
        os.close(say)
        if seconds is not None:
            killer = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
            killer.start()
        with os.fdopen(said, encoding="utf-8", errors="replace") as stream:
            err = stream.read()
        status = os.waitpid(child, 0)[1]
        if seconds is not None:
            killer.cancel()
        print(json.dumps({"code": os.waitstatus_to_exitcode(status), "err": err}), flush=True)


def _child(say: int, arguments: list[str], fault: str | None = None, most_bytes: int | None = None) -> None:
    """Runs the command; `fault` as MINUTEWISE_FAULT has it, `most_bytes`: the largest file that it may write."""
    from flows.cli import main

    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor, stands_for in ((nothing, 0), (nothing, 1), (say, 2)):
        os.dup2(descriptor, stands_for)
    os.environ.pop(FAULT, None)
    if fault:
        os.environ[FAULT] = fault
    if most_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    sys.argv = ["minutewise", *arguments]
    code = 4
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _main() -> None:
    import duckdb  # noqa: F401  loaded once, opened by the children alone

    import flows.commands.audit
    import flows.publishing.write
    import flows.runs.retention
    import flows.runs.verify  # noqa: F401
    from tests.stand_ins import LIGHT, audits
    from transforms.database.duckdb_file import SETTINGS

    SETTINGS.setdefault("threads", 1)  # as tests/conftest.py has it
    with audits(LIGHT):
        _serve()


if __name__ == "__main__":
    _main()
