"""A PostgreSQL server of a test's own: in a folder of its own, reached by a socket there, ended with the block."""

import csv
import io
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Nobody's rights beyond its own folder: the server refuses to be root.
UNPRIVILEGED = ("postgres", "nobody")
PATIENCE_SECONDS = 60
NULL = "\\N"


def server_programs() -> Path | None:
    """The folder that holds initdb, postgres and psql of one installation, the newest where there are several."""
    found = [Path(path).parent for path in [shutil.which("initdb")] if path]
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        found += [Path(told)] if told else []
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    found += sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    return next((path for path in found if all((path / name).exists() for name in ("initdb", "postgres"))), None)


def why_no_server() -> str | None:
    """Why no server can be started here, if so."""
    if server_programs() is None:
        return "PostgreSQL's server (initdb, postgres) is not installed"
    if shutil.which("psql") is None:
        return "psql is not installed"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "no unprivileged user is there to run PostgreSQL as"
    return None


class Server:
    """A running server: scripts go to it through psql, and rows come back as text."""

    def __init__(self, socket_folder: Path):
        self.command = [
            "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(socket_folder), "-U", "audit", "-d", "postgres",
        ]  # fmt: skip

    def run(self, text: str, *options: str) -> str:
        """What psql prints for a script; a statement that fails fails the test with psql's own words."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment["PGOPTIONS"] = "-c client_min_messages=warning"
        ran = subprocess.run(
            [*self.command, *options, "-f", "-"], input=text, capture_output=True, text=True, env=environment
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def fill(self, table: str, columns: list[str], file: Path) -> None:
        """Copies a CSV file with a header into a table."""
        self.run(f"\\copy {table} ({', '.join(columns)}) from '{file}' with (format csv, header)\n")

    def rows(self, query: str) -> list[tuple[str | None, ...]]:
        """The rows of a query as PostgreSQL writes their values; null is None."""
        printed = self.run(f"copy ({query}) to stdout with (format csv, null '{NULL}')")
        return [tuple(None if cell == NULL else cell for cell in row) for row in csv.reader(io.StringIO(printed))]


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A new server whose texts sort as a dictionary does, not by their bytes: scripts must not rely on its order."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = _unprivileged() if os.geteuid() == 0 else None
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        _make_cluster(folder, as_owner)
        command = [server_programs() / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([*command, "-c", "fsync=off"], stdout=log, stderr=log, cwd=folder, **as_owner)
            try:
                yield _ready(Server(folder), server, folder)
            finally:
                server.terminate()
                server.wait(PATIENCE_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_cluster(folder: Path, as_owner: dict) -> None:
    command = [server_programs() / "initdb", "-D", folder / "data", "-U", "audit", "--auth=trust", "--encoding=UTF8"]
    dictionary = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    for order in (dictionary, ["--locale=C"]):
        made = subprocess.run([*command, *order], capture_output=True, text=True, cwd=folder, **as_owner)
        if made.returncode == 0:
            return
        shutil.rmtree(folder / "data", ignore_errors=True)
    raise AssertionError(made.stderr)


def _ready(server: Server, process: subprocess.Popen, folder: Path) -> Server:
    """The server as soon as it answers."""
    started = time.monotonic()
    while process.poll() is None and time.monotonic() - started < PATIENCE_SECONDS:
        if subprocess.run([*server.command, "-c", "select 1"], capture_output=True).returncode == 0:
            return server
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text(encoding="utf-8", errors="replace"))


def _unprivileged() -> pwd.struct_passwd | None:
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
