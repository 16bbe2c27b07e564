"""Files that a warehouse has taken in and that no published run holds yet: a stopped backfill leaves such files.

Were the warehouse lost then, the published runs could not give their rows back: so the files are asked for again.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from flows.disk.durable import write_durably
from transforms.errors import InputRejected, UsageProblem
from transforms.extract import InputFile

_NAME = ".unpublished"
_MOST_NAMED = 5


def note_unpublished(out: Path, files: Iterable[InputFile]) -> None:
    """Adds the files to those that no published run holds."""
    entries = _read(out) + [[file.table_name, file.file_name, file.sha256] for file in files]
    if entries:
        write_durably("unpublished", out / _NAME, json.dumps(entries) + "\n")


def forget_unpublished(out: Path) -> None:
    """All that the warehouse holds is published."""
    (out / _NAME).unlink(missing_ok=True)


def require_unpublished(out: Path, found: Iterable[InputFile]) -> None:
    """Where a warehouse is built again from a published run: raises InputRejected for files that it would lose."""
    there = {(file.table_name, file.file_name, file.sha256) for file in found}
    lost = sorted({name for table, name, sha256 in _read(out) if (table, name, sha256) not in there})
    if lost:
        named = ", ".join(lost[:_MOST_NAMED]) + (", ..." if len(lost) > _MOST_NAMED else "")
        raise InputRejected(
            f"the warehouse has to be built again, and {len(lost)} files that it had taken in are in no published run: "
            f"{named}. Put them back into the extracts as they were, and run this again"
        )


def _read(out: Path) -> list[list[str]]:
    path = out / _NAME
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        raise UsageProblem(f"{path}: cannot be read; check its rights, or remove it when no backfill is open") from None
