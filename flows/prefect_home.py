"""Keeps Prefect quiet, local and out of the user's home; called before Prefect is imported."""

import os
from pathlib import Path


def prepare_prefect(out: Path) -> None:
    """Sets what Prefect reads from the environment at import; what the user has set stays."""
    home = out / ".prefect"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, value in {
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # else a temporary server looks up a telemetry host
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a cold start stands at Prefect's own limit of 20 s
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }.items():
        os.environ.setdefault(name, value)
