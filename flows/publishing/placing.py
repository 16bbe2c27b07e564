"""Puts a finished run in its place so that a kill or a power cut at any moment loses, doubles and halves nothing.

The order: the run's folder is written aside; its files, then its folders reach the disk; the journal says what is under
way; the folder is renamed into place; the warehouse commits; `current` is swapped; the journal goes. Whatever is killed
in between, `recover` at the next start finishes it or takes it back.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import duckdb

from flows.disk.durable import GONE, PARTIAL, aside_of, fsync, remove_folder, write_durably
from flows.disk.faults import step
from flows.disk.rights import PRIVATE, Rights
from flows.failures import system_words
from flows.runs.names import CURRENT, JOURNAL, MANIFEST, read_journal
from transforms.database.full_disk import full_disk
from transforms.errors import UsageProblem

T = TypeVar("T")


def publish_folder(
    out: Path,
    run_id: str,
    fill: Callable[[Path], T],
    moves_current: bool = True,
    commit: Callable[[], None] | None = None,
    warehouse: Path | None = None,
    rights: Rights = PRIVATE,
) -> T:
    """Publishes the run that `fill` writes into an empty folder, and gives what `fill` gave.

    `commit` commits the transaction in the file `warehouse`, in its place of the order. `rights` are those of the run
    and of `current`. A whole run of this id that
    stands there already is kept as it is. Raises what went wrong where all was taken back, and UsageProblem where only
    the last steps are missing, which the next start takes. Call `recover` before.
    """
    place = out / "runs" / run_id
    aside = place.with_name(f".{run_id}{PARTIAL}")
    is_committing = False
    is_new = _is_new(place)
    try:
        filled = _fill(aside, fill, rights)
        _open_journal(out, run_id, is_new, moves_current, warehouse if commit else None)
        if is_new:
            with step("run_folder", "rename", place):
                aside.rename(place)
            if rights.gid is not None:
                rights.open_way(out, place)
            with step("run_folder", "folder_fsync", place.parent):
                fsync(place.parent)
        if commit:
            with step("warehouse", "commit", warehouse):
                # Once asked to commit, the warehouse alone knows whether it did.
                is_committing = True
                commit()
        if moves_current:
            _swap_current(out, run_id, rights)
    except BaseException as problem:
        if is_committing or _is_current(out, run_id):
            raise _unfinished(out, run_id, problem) from None
        _take_back(out, place if is_new else None)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _close_journal(out)
    return filled


def recover(
    out: Path,
    committed_run: Callable[[], str | None] | None = None,
    rights: Rights = PRIVATE,
    warehouse: Path | None = None,
) -> str | None:
    """Finishes or takes back what a killed run left half published, and clears its leftovers.

    `committed_run` gives the id of the run that the file `warehouse` last committed. It is asked only where the journal
    says that a commit belongs to the run; UsageProblem where the journal names another warehouse than the one given.
    Returns one line that says what was mended, or None. Call it under the output folder's lock, before `current` is
    read.
    """
    _clear(out)
    left = read_journal(out)
    if left is None:
        return None
    place, told = out / "runs" / left["run_id"], None
    if place.is_dir() and _is_in_force(out, left, committed_run, warehouse):
        with step("run_folder", "folder_fsync", place.parent):
            fsync(place.parent)
        if left["moves_current"]:
            _swap_current(out, place.name, rights)
        told = f"finished publishing run {place.name}, which was stopped on its last steps"
    elif place.is_dir() and left["is_new"]:
        remove_folder("unfinished_run", place)
        told = f"removed run {place.name}, which was stopped before it was whole"
    _close_journal(out)
    return told


def _is_new(place: Path) -> bool:
    if not place.exists():
        return True
    if (place / MANIFEST).is_file():
        return False
    raise UsageProblem(f"{place}: is in the way and no whole run (it has no {MANIFEST}); remove it and audit again")


def _fill(aside: Path, fill: Callable[[Path], T], rights: Rights) -> T:
    """Makes and fills the folder; every file, then every folder, reaches the disk."""
    aside.parent.mkdir(parents=True, exist_ok=True, mode=rights.folder_mode)
    _clear(aside.parent.parent)
    aside.mkdir(mode=PRIVATE.folder_mode)
    with step("run_folder", "write", aside):
        filled = fill(aside)
    rights.apply(aside)
    folders = [aside]
    for path in sorted(aside.rglob("*")):
        if path.is_dir():
            folders.append(path)
        elif path.stat().st_nlink == 1:  # a linked file is a published run's, and on the disk since then
            with step("run_file", "fsync", path):
                fsync(path)
    for folder in reversed(folders):
        with step("run_folder", "fsync", folder):
            fsync(folder)
    return filled


def _open_journal(out: Path, run_id: str, is_new: bool, moves_current: bool, warehouse: Path | None) -> None:
    entry = {
        "run_id": run_id,
        "is_new": is_new,
        "moves_current": moves_current,
        "warehouse": str(warehouse.resolve()) if warehouse else None,
    }
    write_durably("journal", out / JOURNAL, json.dumps(entry) + "\n")


def _close_journal(out: Path) -> None:
    """All is done by now: a journal that cannot be removed makes the next start do the last steps again, no more."""
    with suppress(OSError), step("journal", "remove", out / JOURNAL):
        (out / JOURNAL).unlink(missing_ok=True)


def _swap_current(out: Path, run_id: str, rights: Rights) -> None:
    write_durably("current", out / CURRENT, run_id + "\n", rights)


def _is_current(out: Path, run_id: str) -> bool:
    with suppress(OSError, ValueError):
        return (out / CURRENT).read_text(encoding="utf-8").strip() == run_id
    return False


def _is_in_force(out: Path, left: dict, committed_run: Callable[[], str | None] | None, warehouse: Path | None) -> bool:
    """Whether the run that the journal names counts: it stands whole, and its warehouse, if any, has committed it."""
    if not left["warehouse"]:
        return True
    if committed_run is None or warehouse is None or str(warehouse.resolve()) != left["warehouse"]:
        raise UsageProblem(
            f"{out}: its last audit was stopped while it updated {left['warehouse']}; audit again with that --warehouse"
        )
    return committed_run() == left["run_id"]


def _unfinished(out: Path, run_id: str, problem: BaseException) -> BaseException:
    """What to raise where a run is, or may be, in force already: nothing may be taken back."""
    if not isinstance(problem, OSError | duckdb.Error):
        return problem
    why = full_disk(problem) or (system_words(problem) if isinstance(problem, OSError) else type(problem).__name__)
    return UsageProblem(
        f"--out {out}: cannot be written ({why}) on the last steps of publishing run {run_id}; make that right and "
        "repeat the audit, which finishes them"
    )


def _take_back(out: Path, place: Path | None) -> None:
    """Nothing is published: the run's folder and the journal go; what cannot be removed is left to `recover`."""
    with suppress(OSError):
        if place and place.exists():
            remove_folder("unfinished_run", place)
        (out / JOURNAL).unlink(missing_ok=True)


def _clear(out: Path) -> None:
    """Removes what killed runs left aside; nothing of it was ever served."""
    for ending in (PARTIAL, GONE):
        for left in (out / "runs").glob(f".*{ending}"):
            shutil.rmtree(left, ignore_errors=True)
    for name in (CURRENT, JOURNAL):
        with suppress(OSError):
            aside_of(out / name).unlink(missing_ok=True)
