"""Stderr as one JSON object a line, for programs that collect logs.

While it is on, sys.stderr itself is the writer: a line that anybody writes there becomes an event too.
"""

import io
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import TextIO

import click

_PREFIX = "minutewise: "


class JsonLines(io.TextIOBase):
    """A text stream whose lines are events; `run_id` and `stage` are those under way, None where there is none."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, stream: TextIO):
        self.run_id: str | None = None
        self.stage: str | None = None
        self._stream = stream
        self._unfinished = ""
        self._lock = threading.RLock()

    def tell(
        self,
        event: str,
        level: str = "info",
        counts: dict[str, int] | None = None,
        seconds: float | None = None,
        **more: object,
    ) -> None:
        """Writes one event; `more` holds our own words, switches and exit codes, never what was read from a row."""
        told = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            "run_id": self.run_id,
            "stage": self.stage,
            "counts": counts,
            "seconds": seconds,
            **{name: _sound(value) for name, value in more.items()},
        }
        # Whoever reads the log may be gone, or its disk full: the audit goes on.
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(json.dumps(told) + "\n")
            self._stream.flush()

    def write(self, text: str) -> int:
        """Takes what was meant for stderr, and tells each full line of it that is not blank."""
        with self._lock:
            *lines, self._unfinished = (self._unfinished + text).split("\n")
            for line in lines:
                self._tell_line(line)
        return len(text)

    def finish(self) -> None:
        """Tells what is left of a line without an end."""
        with self._lock:
            line, self._unfinished = self._unfinished, ""
            self._tell_line(line)

    def _tell_line(self, line: str) -> None:
        # A warning: nothing is said on stderr beside the events that a person need not look at.
        if line.strip():
            self.tell("message", "warning", message=line.strip().removeprefix(_PREFIX))

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _sound(value: object) -> object:
    """Text that every JSON reader takes: a path that is not UTF-8 holds halves of characters."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def json_log() -> JsonLines | None:
    """The writer of events, or None where stderr is text."""
    return sys.stderr if isinstance(sys.stderr, JsonLines) else None


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON: known before it is parsed, for what is wrong with it is told so too."""
    asked = [word.partition("=")[2] for word in arguments if word.startswith("--log-format=")]
    asked += [value for word, value in pairwise(arguments) if word == "--log-format"]
    return "json" in asked


@contextmanager
def json_stderr(arguments: Sequence[str]) -> Iterator[None]:
    """Makes stderr JSON lines within the block, where the command line asks for it."""
    if not asks_for_json(arguments):
        yield
        return
    usual, sys.stderr = sys.stderr, JsonLines(sys.stderr)
    try:
        yield
    finally:
        if log := json_log():
            log.finish()
        sys.stderr = usual


def tell(event: str, level: str = "info", **fields: object) -> None:
    """Tells an event where stderr is JSON; where it is text, nothing."""
    if log := json_log():
        log.tell(event, level, **fields)


def tell_failure(message: str, exit_code: int) -> None:
    """The one line by which a command ends badly: as the event `failed` where stderr is JSON, else as text."""
    message = " ".join(message.split())
    if log := json_log():
        log.tell("failed", "error", message=message, exit_code=exit_code)
    else:
        warn(message)


def warn(message: str) -> None:
    """A line on stderr; that nobody can read it changes neither what is published nor the exit code."""
    with suppress(OSError):
        click.echo(_PREFIX + message, err=True)
