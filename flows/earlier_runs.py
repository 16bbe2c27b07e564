"""The runs published before this one, as their manifests tell of them."""

import json
from datetime import date
from pathlib import Path

from flows.placing import MANIFEST
from flows.published import current_run

#: So many published runs say what is usual.
MOST_NIGHTS = 20


def earlier_manifests(out: Path) -> list[dict]:
    """The manifests of the runs that `current` and its predecessors name, newest first, at most MOST_NIGHTS.

    One that is gone or cannot be read is passed over: the newest run over all dates that was finished before goes on.
    """
    found: list[dict] = []
    seen: set[str] = set()
    run_id = current_run(out)
    while run_id and run_id not in seen and len(found) < MOST_NIGHTS:
        seen.add(run_id)
        manifest = _read(out / "runs" / Path(run_id).name / MANIFEST)
        if manifest:
            found.append(manifest)
            run_id = manifest.get("previous_run")
        else:
            run_id = _newest_before(out, found[-1]["finished_at"] if found else None, seen)
    return found


def _newest_before(out: Path, finished_at: str | None, seen: set[str]) -> str | None:
    """The run over all dates that was finished last before a moment (None: at all), of those not seen yet."""
    known = (_read(path) for path in (out / "runs").glob(f"[!.]*/{MANIFEST}"))
    left = [
        (manifest["finished_at"], manifest["run_id"])
        for manifest in known
        if manifest and manifest["run_id"] not in seen and not manifest.get("since") and not manifest.get("until")
    ]
    return max((one for one in left if finished_at is None or one[0] <= finished_at), default=(None, None))[1]


def _read(path: Path) -> dict | None:
    """A manifest, or None where it cannot be read or does not say what the guards compare with."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        date.fromisoformat(manifest["as_of"])
        texts = (manifest["run_id"], manifest["finished_at"], *(entry["table"] for entry in manifest["inputs"]))
        dates = manifest.get("dates_without_notes", {})
        counts = (*(entry["rows_read"] for entry in manifest["inputs"]), *dates.values())
        texts += (*manifest.get("payers", ()), *dates)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    is_sound = all(isinstance(text, str) for text in texts) and all(isinstance(count, int) for count in counts)
    return manifest if is_sound else None
