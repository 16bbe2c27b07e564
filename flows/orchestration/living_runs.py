"""Which flow runs of an output folder are alive: what a killed one leaves at Prefect, the next one puts in order.

Every flow run holds a lock on a file named by its id. The kernel drops a lock with its process, however that ends, so a
file that can be locked is that of a killed run. Nothing is guessed from times, and no living run is touched.
"""

import fcntl
import json
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Crashed

LOG = logging.getLogger(__name__)
#: Below the output folder: one file a flow run under way.
MARKS = ".flow_runs"
SAID = "its process was killed; a later run found it, and puts in order what it left in the output folder"


@contextmanager
def living(out: Path, makes_folder: bool = True) -> Iterator[None]:
    """Marks the flow run of this process as alive within the block, after it has seen to those that were killed.

    Without `makes_folder` an output folder that is not there is not made. Where no mark can be written the run goes on
    without one: what is published does not rest on it.
    """
    folder = out / MARKS
    with ExitStack() as ending:
        if flow_run.id and (makes_folder or out.is_dir()):
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                ending.enter_context(_mark(folder, str(flow_run.id)))
                for path in sorted(folder.glob("[!.]*")):
                    _see_to(path)
        yield


@contextmanager
def _mark(folder: Path, run_id: str) -> Iterator[None]:
    aside, place = folder / f".{run_id}", folder / run_id
    handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Locked before it has its name: nobody can take it for a dead one in between.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, json.dumps(_server()).encode())
        aside.rename(place)
        yield
    finally:
        for path in (aside, place):
            path.unlink(missing_ok=True)
        os.close(handle)


def _see_to(path: Path) -> None:
    """Marks the flow run as crashed at its server, if its process is gone; its file goes when the server knows."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # it has ended meanwhile, in good order
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # No name any more: it ended in good order between the two lines above.
        if os.fstat(handle).st_nlink and _is_settled(UUID(path.name), json.loads(os.read(handle, 4096))):
            path.unlink(missing_ok=True)
    except BlockingIOError:  # it is alive
        return
    except Exception as problem:
        LOG.warning("%s: an earlier flow run could not be looked after (%s)", path, type(problem).__name__)
    finally:
        os.close(handle)


def _is_settled(run_id: UUID, server: dict) -> bool:
    """Whether the run needs no more: its server is another one's business, the run is unknown, or it has ended now."""
    if server["address"] != _server()["address"]:
        return False
    _end_server(server)
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(run_id)
        except ObjectNotFound:  # deleted there
            return True
        if run.state and run.state.is_final():
            return True
        client.set_flow_run_state(run_id, Crashed(message=SAID), force=True)
        for task in client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))):
            if not (task.state and task.state.is_final()):
                client.set_task_run_state(task.id, Crashed(message=SAID), force=True)
    return True


def _server() -> dict:
    """Where the flow runs of this process are told of: an address, or the temporary server that it started."""
    address = PREFECT_API_URL.value()
    if address:
        return {"address": host_of(address)}
    # Imported here: with a server of the user's own, nothing else needs it, and it takes seconds.
    from prefect.server.api.server import SubprocessASGIServer

    process = SubprocessASGIServer().server_process
    return {"address": None} | ({"pid": process.pid, "since": _since(process.pid)} if process else {})


def host_of(address: str) -> str:
    """Host and port of a server: its address may hold a password."""
    return urlsplit(address).netloc.rpartition("@")[2]


def _end_server(server: dict) -> None:
    """Ends the temporary server of a killed run: it would serve nobody until the machine goes down."""
    pid = server.get("pid")
    # Its start tells it from a later process of the same number.
    if pid and server["since"] and _since(pid) == server["since"]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)


def _since(pid: int) -> str | None:
    """The boot and the tick in which a process was started; None where the system does not tell, or it is gone."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The name of the program stands in brackets and may hold anything; the start is the 20th word after it.
        return f"{boot} {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except (OSError, IndexError):
        return None
