"""One run at a time in one output folder or warehouse."""

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path

from transforms.errors import Busy, UsageProblem


@contextmanager
def only_run(*paths: Path):
    """Holds a lock file at each path; raises Busy (exit 75) where another run holds one.

    The kernel drops the lock when the process ends, however it ends, so a killed run leaves nothing to clean.
    """
    handles = []
    try:
        for path in paths:
            handles.append(_take(path))
        yield
    finally:
        for handle in handles:
            os.close(handle)


def _take(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise UsageProblem(f"{path.parent}: cannot write there ({problem.strerror}); choose another folder") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Busy(f"another run holds {path}; wait for it to end, or give another --out and --warehouse") from None
    except OSError as problem:
        os.close(handle)
        raise UsageProblem(f"{path}: cannot be locked ({problem.strerror}); choose a folder on a local disk") from None
    return handle
