"""Keeps Prefect quiet, local and out of the user's home; called before Prefect is imported."""

import os
from pathlib import Path

from transforms.errors import UsageProblem

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # else a temporary server looks up a telemetry host
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # cold starts take 20 s, Prefect's limit
    "PREFECT_LOGGING_TO_API_ENABLED": "false",  # a server keeps log lines in clear
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # what went wrong is told once, by the command line
}


def prepare_prefect(out: Path) -> None:
    """Sets what Prefect reads from the environment at import; what the user has set stays.

    Prefect's own files go below the output folder, closed to others: they name every extract ever audited.
    Raises UsageProblem where that folder cannot be written.
    """
    if "PREFECT_HOME" not in os.environ:
        os.environ["PREFECT_HOME"] = str(_home(out))
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def _home(out: Path) -> Path:
    home = out / ".prefect"
    try:
        for folder in (out, home):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
    except OSError as problem:
        # The words of flows/disk/lock.py, which meets the same fault where there is no Prefect.
        raise UsageProblem(f"{out}: cannot be written ({problem.strerror}); choose another folder") from None
    return home.resolve()
