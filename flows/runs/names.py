"""The names of what stands in a folder of runs, and the journal of one that is being published."""

import json
from pathlib import Path

from transforms.errors import UsageProblem

#: Its name in a run's folder.
SUMMARY = "summary.json"

MANIFEST = "manifest.json"
CURRENT = "current"
#: Says which run is being published, from before its folder is renamed until `current` names it.
JOURNAL = ".publishing"
_ENTRY = {"run_id", "is_new", "moves_current", "warehouse"}


def read_journal(out: Path) -> dict | None:
    """What was being published when a run was stopped: run_id, is_new, moves_current, warehouse (a path or None)."""
    path = out / JOURNAL
    try:
        left = json.loads(path.read_text(encoding="utf-8"))
        if left.keys() == _ENTRY and left["run_id"] == Path(left["run_id"]).name != "":
            return left
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, TypeError):
        pass
    raise UsageProblem(f"{path}: cannot be read; if no audit is under way, remove it and audit again") from None
