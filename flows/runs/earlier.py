"""The runs published before this one, as their manifests tell of them, and the nights that these carry on."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.runs.manifest_facts import new_inputs
from flows.runs.names import MANIFEST
from flows.runs.published_shapes import NIGHT_SHAPE
from flows.runs.read import current_run
from flows.runs.shapes import Misshapen, read_document

#: So many published runs, and nights, say what is usual.
MOST_NIGHTS = 20


@dataclass(frozen=True)
class Night:
    """What was delivered on one as-of date, by table; with a warehouse that is all that its runs took in.

    `notes` and `notes_with_blocks` are as in NightFacts, 0 where the run knew of neither.
    """

    as_of: date
    is_incremental: bool
    rows: dict[str, int]
    notes: int = 0
    notes_with_blocks: int = 0

    def entry(self) -> dict:
        """The night as a manifest carries it."""
        return vars(self) | {"as_of": self.as_of.isoformat()}


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


def earlier_nights(manifests: list[dict]) -> list[Night]:
    """The nights of these runs and of those before them, removed ones too: newest first, MOST_NIGHTS of a kind at most.

    `manifests` are newest first, as earlier_manifests gives them. With a warehouse the deliveries of one date are parts
    of one night; without, the newest run of a date stands for it.
    """
    unread: list[dict] = []
    nights: list[Night] = []
    for manifest in manifests:
        unread.append(manifest)
        if (carried := _carried(manifest)) is not None:
            nights = carried
            break
    for manifest in reversed(unread):
        # A rebuild, and the end of a backfill, deliver nothing.
        if manifest.get("asked_for_rows", True):
            nights = with_night(nights, _night_of(manifest))
    return nights


def with_night(nights: list[Night], new: Night) -> list[Night]:
    """The nights with one more run, newest first; of each kind so many as say what is usual."""
    same = [one for one in nights if (one.as_of, one.is_incremental) == (new.as_of, new.is_incremental)]
    if same and new.is_incremental:
        new = _together(same[0], new)
    kept = [new, *(one for one in nights if one not in same)]
    of_its_kind = [one for one in kept if one.is_incremental is new.is_incremental]
    return [one for one in kept if one not in of_its_kind[MOST_NIGHTS:]]


def _together(one: Night, other: Night) -> Night:
    rows = {table: one.rows.get(table, 0) + other.rows.get(table, 0) for table in {**one.rows, **other.rows}}
    notes, with_blocks = one.notes + other.notes, one.notes_with_blocks + other.notes_with_blocks
    return Night(one.as_of, one.is_incremental, rows, notes, with_blocks)


def _night_of(manifest: dict) -> Night:
    rows: dict[str, int] = {}
    for entry in new_inputs(manifest):
        rows[entry["table"]] = rows.get(entry["table"], 0) + entry["rows_read"]
    counts = (manifest.get(name, 0) for name in ("notes", "notes_with_blocks"))
    return Night(date.fromisoformat(manifest["as_of"]), manifest.get("is_incremental", False), rows, *counts)


def _carried(manifest: dict) -> list[Night] | None:
    """The nights that a manifest carries, or None where it carries none that can be read."""
    try:
        nights = [Night(**entry | {"as_of": date.fromisoformat(entry["as_of"])}) for entry in manifest["nights"]]
        counts = [count for night in nights for count in (night.notes, night.notes_with_blocks, *night.rows.values())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    is_sound = all(isinstance(night.is_incremental, bool) for night in nights)
    return nights if is_sound and all(isinstance(count, int) and count >= 0 for count in counts) else None


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
        manifest = read_document(path, NIGHT_SHAPE)
    except (FileNotFoundError, Misshapen):
        return None
    return manifest if manifest["run_id"] == path.parent.name else None
