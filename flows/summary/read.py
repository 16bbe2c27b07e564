"""Reads the summary of a published run; of a run made before there was a summary.json, it is made of the manifest."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

from flows.runs.choose import choose_run
from flows.runs.read import published_summary, read_published
from flows.summary.counts import summary_counts
from flows.summary.shareable.patients_behind import patients_behind
from flows.summary.shareable.shareable import shareable
from flows.summary.told import text_summary
from transforms.errors import UsageProblem


def _told(read: Callable) -> Callable:
    """Gives a reader the run's folder and manifest; counts in them that cannot be are told as a UsageProblem."""

    @wraps(read)
    def of_run(out: Path, run_id: str | None = None):
        folder = choose_run(out, run_id)
        manifest = read_published(out, folder.name)
        try:
            return read(folder, manifest)
        except (ArithmeticError, LookupError, ValueError, TypeError) as problem:
            raise UsageProblem(
                f"{folder}: its summary cannot be read ({type(problem).__name__}); see `minutewise verify {out}`, or "
                "choose another run with --run"
            ) from None

    return of_run


@_told
def summary_text(folder: Path, manifest: dict) -> str:
    """What the audit printed of the run."""
    return text_summary(manifest, folder)


@_told
def read_summary(folder: Path, manifest: dict) -> dict:
    """The run's summary.json."""
    return _summary(folder, manifest)


@_told
def shareable_summary(folder: Path, manifest: dict) -> dict:
    """The run's summary as it may leave the house: flows/summary/shareable/shareable.py."""
    return shareable(_summary(folder, manifest), patients_behind(folder, manifest))


def _summary(folder: Path, manifest: dict) -> dict:
    return published_summary(folder) or summary_counts(manifest, {})
