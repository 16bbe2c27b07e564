"""Runs a program as a process of its own, and says how long it took and how much memory it had at the most."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from transforms.errors import AuditError

_KILO = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Child:
    """What came of a program: its output, its seconds from start to end, those of all cores together, and the most
    memory that it held at a time. Linux counts what this process held when it started the program, too, which is why
    nothing large is done here."""

    output: str
    seconds: float
    core_seconds: float
    peak_bytes: int


def run_python(name: str, *arguments: object) -> Child:
    """Runs this Python with `arguments`; raises AuditError with its last words where it fails.

    `name` is what a person calls the program.
    """
    command = [sys.executable, *(str(argument) for argument in arguments)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - started
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code:
            said = _text(err).strip().splitlines() or ["nothing was said"]
            raise AuditError(f"{name} ended with {code}: {said[-1]}")
        return Child(_text(out), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _KILO)


def _text(file) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "backslashreplace")
