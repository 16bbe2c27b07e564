"""The time a flow may take: Prefect interrupts it when that is up, and what does not hear of that is killed.

A night that hangs would hold its output folder, and every night after it would end as busy.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.states import Failed

from flows.failures import Interrupted
from flows.watch.events import tell_failure
from transforms.errors import AuditError

HOUR = 3600
#: Seconds from Prefect's interruption to the kill: a query of DuckDB may take as long to give up.
GRACE = 120
TIMED_OUT = "TimedOut"


class Stopped(AuditError):
    """Prefect stopped the flow: its time was up, or its server was away (exit 4)."""


@contextmanager
def in_time(seconds: float) -> Iterator[None]:
    """Tells Prefect's interruption, which comes as a cancellation, in words; `seconds` is the flow's own limit."""
    started = time.monotonic()
    end = threading.Timer(seconds + GRACE, _end_for_good, [str(flow_run.id), seconds])
    end.daemon = True
    end.start()
    try:
        yield
    except (asyncio.CancelledError, Exception) as problem:
        is_late = time.monotonic() - started >= seconds - 1
        # DuckDB tells an interrupted query as an error of its own. A subclass of AuditError knows better what is wrong.
        is_known = isinstance(problem, AuditError) and type(problem) not in (AuditError, Interrupted)
        if not isinstance(problem, asyncio.CancelledError) and (is_known or not is_late):
            raise
        raise Stopped(_told(seconds) if is_late else _told(None)) from None
    finally:
        end.cancel()


def _told(seconds: float | None) -> str:
    """One line; without `seconds` it was not the time that stopped it."""
    why = f"it took longer than {seconds / HOUR:.3g} hours" if seconds else "its Prefect server was away too long"
    return f"stopped: {why}; the next run puts in order what it left"


def _end_for_good(run_id: str, seconds: float) -> None:
    """Tells the server, and ends this process: the kernel drops its locks, and what is published stays as it is."""
    tell_failure(_told(seconds), Stopped.exit_code)
    with suppress(Exception), get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(run_id), Failed(name=TIMED_OUT, message=_told(seconds)), force=True)
    os.kill(os.getpid(), signal.SIGKILL)
