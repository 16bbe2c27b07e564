"""The named moments at which publishing can be stopped: before and after every fsync, rename, commit and removal.

A test kills the process, or makes the disk full, at each of them, and sees in which order they come. In production
nothing here does anything.
"""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from transforms.errors import UsageProblem

#: What publishing does to what, in order.
PUBLISHING = (
    ("run_folder", "write"),
    ("run_file", "fsync"),
    ("run_folder", "fsync"),
    ("journal", "fsync"),
    ("journal", "rename"),
    ("journal", "folder_fsync"),
    ("run_folder", "rename"),
    ("run_folder", "folder_fsync"),
    ("warehouse", "commit"),
    ("current", "fsync"),
    ("current", "rename"),
    ("current", "folder_fsync"),
    ("journal", "remove"),
)
#: What taking back an unfinished run does, at the start of the next one.
TAKING_BACK = (("unfinished_run", "rename"), ("unfinished_run", "folder_fsync"), ("unfinished_run", "delete"))
#: What the removal of old runs does.
RETENTION = (
    ("retention_record", "fsync"),
    ("retention_record", "rename"),
    ("retention_record", "folder_fsync"),
    ("old_run", "rename"),
    ("old_run", "folder_fsync"),
    ("old_run", "delete"),
)

#: What a backfill does before the warehouse takes in what no run has published yet.
BACKFILL = (("unpublished", "fsync"), ("unpublished", "rename"), ("unpublished", "folder_fsync"))

#: What recording decisions does to their log.
DISPOSITIONS = (("dispositions", "fsync"), ("dispositions", "rename"), ("dispositions", "folder_fsync"))


def points(steps: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The fault points of these steps, in order: `<subject>_before_<operation>` and `<subject>_after_<operation>`."""
    return tuple(f"{subject}_{when}_{operation}" for subject, operation in steps for when in ("before", "after"))


FAULT_POINTS = points(PUBLISHING + TAKING_BACK + RETENTION + BACKFILL + DISPOSITIONS)
#: Set by tests only: `<point>:kill` ends the process there by SIGKILL, `<point>:full` says there that the disk is full.
FAULT = "MINUTEWISE_FAULT"
#: Tests append functions here; each is told (operation, path) once a step is done.
OBSERVERS: list[Callable[[str, Path], None]] = []


def fault_point(name: str) -> None:
    """Dies or fails here where MINUTEWISE_FAULT says so; raises UsageProblem where it names no fault point."""
    if name not in FAULT_POINTS:
        raise ValueError(f"{name} is not in FAULT_POINTS")
    asked = os.environ.get(FAULT)
    if not asked:
        return
    point, _, fault = asked.partition(":")
    if point not in FAULT_POINTS or fault not in ("kill", "full"):
        raise UsageProblem(f"{FAULT}={asked}: not <fault point>:kill or <fault point>:full; unset it")
    if point != name:
        return
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def step(subject: str, operation: str, path: Path) -> Iterator[None]:
    """One fsync, rename, commit or removal: a fault point before it and one after it, and its observers told."""
    fault_point(f"{subject}_before_{operation}")
    yield
    for told in OBSERVERS:
        told(operation, path)
    fault_point(f"{subject}_after_{operation}")
