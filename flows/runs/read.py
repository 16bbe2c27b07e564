"""Published runs as they are read again: which is current, what its manifest says, which tables it kept."""

from pathlib import Path

import duckdb

from flows.runs.names import CURRENT, MANIFEST, SUMMARY
from flows.runs.published_shapes import MANIFEST_SHAPE, SUMMARY_SHAPE
from flows.runs.shapes import Check, Misshapen, a_name, read_document
from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.database.quoting import text
from transforms.errors import UsageProblem
from transforms.reference.crosswalk import CROSSWALKS
from transforms.reference.definitions import KEPT

#: Tables kept as they were in force on the run, so that a finding can be derived again by hand.
KEPT_TABLES = (*KEPT, *CROSSWALKS)


def published_table(place: Path) -> str:
    """SQL that reads a published table, named without its ending: one Parquet file, or a folder of one file a month."""
    path = place.with_name(f"{place.name}.parquet")
    return f"read_parquet({text(str(path if path.exists() else place / '*.parquet'))})"


def read_published(out: Path, run_id: str) -> dict | None:
    """The manifest of a run that is published already, else None; UsageProblem as manifest_of has it."""
    folder = out / "runs" / run_id
    manifest = _checked(folder / MANIFEST, MANIFEST_SHAPE)
    if manifest and manifest["run_id"] != run_id:
        raise _changed(folder / MANIFEST, "is the manifest of another run")
    return manifest


def manifest_of(folder: Path) -> dict:
    """The manifest in a run's folder, wherever that stands; UsageProblem with file and key where it is not whole."""
    manifest = _checked(folder / MANIFEST, MANIFEST_SHAPE)
    if manifest is None:
        raise _changed(folder / MANIFEST, "is missing")
    return manifest


def published_summary(folder: Path) -> dict | None:
    """The summary.json in a run's folder, None where it was made before there was one; UsageProblem as above."""
    return _checked(folder / SUMMARY, SUMMARY_SHAPE)


def _checked(path: Path, shape: Check) -> dict | None:
    try:
        return read_document(path, shape)
    except FileNotFoundError:
        return None
    except Misshapen as problem:
        raise _changed(path, str(problem)) from None


def _changed(path: Path, problem: str) -> UsageProblem:
    return UsageProblem(
        f"{path}: {problem}, so the run is not as it was published; take the file from a backup, choose another run, "
        "or remove the run's folder and audit again"
    )


def current_run(out: Path) -> str | None:
    """The run id last published, or None before the first."""
    try:
        run_id = (out / CURRENT).read_text(encoding="utf-8").strip() or None
        if run_id:
            a_name(run_id, "")
        return run_id
    except FileNotFoundError:
        return None
    except (OSError, ValueError):  # Misshapen is one
        raise UsageProblem(f"{out / CURRENT}: cannot be read as a run id; remove it and audit again") from None


def damaged(folder: Path, problem: Exception) -> UsageProblem:
    """What to say of a run whose files cannot be read; the problem's own text may quote a value and is left out."""
    return UsageProblem(
        f"{folder}: files of this run are missing, damaged or of another version ({type(problem).__name__}); "
        "run the audit again, or choose another run with --run"
    )


def published_rows(folder: Path, name: str, where: str = "true", parameters=()) -> list[dict]:
    """Rows of one published Parquet file that meet a condition; raises UsageProblem where it cannot be read."""
    try:
        with open_database() as con:
            path = str(folder / f"{name}.parquet")
            return rows_as_dicts(con, f"select * from read_parquet(?) where {where}", [path, *parameters])
    except duckdb.Error as problem:
        raise damaged(folder, problem) from None
