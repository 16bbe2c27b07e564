"""Removes old runs for good: recorded first, then hidden, then deleted, so that a kill leaves no half run served."""

import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from flows.disk.durable import GONE, remove_folder, write_durably
from flows.disk.lock import only_run
from flows.failures import system_words
from flows.runs.names import MANIFEST, read_journal
from flows.runs.read import current_run
from flows.runs.shapes import Misshapen, a_text, read_document, record
from transforms.errors import UsageProblem

#: One JSON object a run removed, appended before anything of it goes.
RECORD = "retention.jsonl"
#: A run's id begins with its as-of date.
_RUN_ID = re.compile(r"(\d{4}-\d{2}-\d{2})-[0-9a-f]+")
#: Great Expectations keeps a folder a suite, and below it one a run: its results, and its pages in Data Docs.
_JUDGEMENTS = "great_expectations/**/validations/*"
#: All that is read of a run that may be removed.
_FINISHED = record({"finished_at": a_text})


@dataclass(frozen=True)
class OldRun:
    """A run to remove. `bytes` counts monthly files in full, those too that stay because a kept run links them."""

    run_id: str
    as_of: str
    finished_at: str | None
    files: int
    bytes: int


@dataclass
class Removed:
    """What was removed, or on a dry run would be: runs, results of Great Expectations, and names left alone."""

    before: date
    is_dry_run: bool
    runs: list[OldRun] = field(default_factory=list)
    judgements: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)


def retain(out: Path, before: date, keep: int = 1, is_dry_run: bool = False) -> Removed:
    """Removes every run whose as-of date is before `before`, but for the current one and the `keep` latest.

    Great Expectations' results of such runs go too. Raises Busy where an audit is under way, UsageProblem where
    there are no runs or one cannot be removed.
    """
    try:
        if not (out / "runs").is_dir():
            raise UsageProblem(f"{out}: no run is published there; give the folder that an audit had as --out")
        with only_run(out / ".lock"):
            removed, judged = _choose(out, before, keep, is_dry_run)
            if not is_dry_run:
                _remove(out, removed.runs, judged)
    except OSError as problem:
        raise UsageProblem(f"{out}: old runs cannot be removed ({system_words(problem)})") from None
    return removed


def _choose(out: Path, before: date, keep: int, is_dry_run: bool) -> tuple[Removed, list[Path]]:
    runs = out / "runs"
    found = {path.name: _as_of(path.name) for path in runs.glob("[!.]*") if path.is_dir()}
    removed = Removed(before, is_dry_run, left_alone=sorted(name for name, as_of in found.items() if not as_of))
    kept = _kept(out, {name: as_of for name, as_of in found.items() if as_of}, keep)
    old = sorted(name for name, as_of in found.items() if as_of and as_of < before and name not in kept)
    removed.runs = [_measure(runs / name) for name in old]
    judged = _judgements(out, before, set(found) - set(old))
    removed.judgements = sorted({path.name for path in judged})
    return removed, judged


def _as_of(name: str) -> date | None:
    match = _RUN_ID.fullmatch(name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _kept(out: Path, runs: dict[str, date], keep: int) -> set[str]:
    """The runs that stay whatever their date: the current one, one half published, and the latest."""
    half_published = read_journal(out)
    latest = sorted(runs, key=lambda name: (runs[name], _finished_at(out / "runs" / name) or "", name))
    stay = {current_run(out), half_published and half_published["run_id"]}
    return {name for name in (*stay, *latest[max(0, len(latest) - keep) :]) if name}


def _finished_at(folder: Path) -> str | None:
    try:
        return read_document(folder / MANIFEST, _FINISHED)["finished_at"]
    except (FileNotFoundError, Misshapen):
        return None  # a run that cannot be read is removed all the same when its time has come


def _measure(folder: Path) -> OldRun:
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    size = sum(path.lstat().st_size for path in files)
    return OldRun(folder.name, folder.name[:10], _finished_at(folder), len(files), size)


def _judgements(out: Path, before: date, kept: set[str]) -> list[Path]:
    """Great Expectations' folders of runs before `before` that are gone or going, killed runs too."""
    judged = {path.name: _as_of(path.name) for path in out.glob(f"{_JUDGEMENTS}/*")}
    old = {name for name, as_of in judged.items() if as_of and as_of < before and name not in kept}
    return [path for path in out.glob(f"{_JUDGEMENTS}/*") if path.name in old]


def _remove(out: Path, runs: list[OldRun], judged: list[Path]) -> None:
    for left in (out / "runs").glob(f".*{GONE}"):
        shutil.rmtree(left)
    _record(out / RECORD, runs)
    for run in runs:
        remove_folder("old_run", out / "runs" / run.run_id)
    for path in judged:
        shutil.rmtree(path)


def _record(path: Path, runs: list[OldRun]) -> None:
    """Adds the runs to the record; one that a killed retention has recorded already is not recorded twice."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        known = [json.loads(line) for line in text.splitlines()]
        recorded = {(entry["run_id"], entry["finished_at"]) for entry in known}
    except (ValueError, KeyError, TypeError):
        raise UsageProblem(f"{path}: cannot be read as a record of removed runs; move it elsewhere") from None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    new = [asdict(run) | {"removed_at": now} for run in runs if (run.run_id, run.finished_at) not in recorded]
    if new:
        write_durably("retention_record", path, text + "".join(json.dumps(entry) + "\n" for entry in new))


def removed_text(removed: Removed) -> str:
    """One line a run, and what came of it all."""
    verb = "would be removed" if removed.is_dry_run else "removed"
    lines = [f"{run.run_id}: {verb} ({run.files:,} files, {run.bytes:,} bytes)" for run in removed.runs]
    lines.append(
        f"{len(removed.runs)} runs with an as-of date before {removed.before} {verb}, "
        f"and Great Expectations' results of {len(removed.judgements)}"
    )
    return "\n".join(lines)


def removed_json(removed: Removed) -> dict:
    """The same as one document."""
    return {
        "before": removed.before.isoformat(),
        "is_dry_run": removed.is_dry_run,
        "runs": [asdict(run) for run in removed.runs],
        "judgements": removed.judgements,
        "left_alone": removed.left_alone,
    }
