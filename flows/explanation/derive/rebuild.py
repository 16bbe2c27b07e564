"""Lays dates of a published run into DuckDB again, and runs the audit's own SQL models over them.

Only what the run published is read: its accepted rows, its reference and crosswalk tables, its quarantine and its
manifest. The models do all the counting.
"""

from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from flows.explanation.derive.asked import Asked, keep_asked, key_asked
from flows.explanation.derive.loading import load_published, measured_as_published
from flows.runs.choose import choose_run
from flows.runs.read import KEPT_TABLES, damaged, read_published
from transforms.database.duckdb_file import open_database
from transforms.errors import AuditError
from transforms.extract.inputs import file_sha256
from transforms.models.run import Setting, judge_rows, stage_rows

#: Enough for one pass, however many rows: the tables of a pass are read after it.
_ONE_PASS = 2**62
#: What a derivation reads of a run's folder.
READ_FILES = (
    "findings",
    "quarantine",
    "accepted/claims",
    "accepted/notes",
    "accepted/note_blocks",
    *(f"accepted/{table}" for table in KEPT_TABLES),
)


@contextmanager
def rebuilt(folder: Path, manifest: dict, asked: Asked):
    """A connection with every table of the audit for what is asked of a run; its search path is part, main.

    The stg_ tables of schema part hold the dates asked only; schema whole holds all accepted rows. Of other patients
    and clinicians than those asked, rows may be missing. Raises UsageProblem where files of the run are missing or
    damaged.
    """
    con = open_database()
    try:
        try:
            keep_asked(con, asked)
            load_published(con, folder, manifest, asked.has_whole_dates)
            as_of, is_claims_only = date.fromisoformat(manifest["as_of"]), bool(manifest.get("claims_only"))
            setting = Setting(as_of, asked.dates[0], asked.dates[-1], is_claims_only)
            stage_rows(con, setting)
            measured_as_published(con, manifest)
            key_asked(con)
            judge_rows(con, setting, _ONE_PASS, "asked_date")
        except (duckdb.Error, AuditError, KeyError, TypeError, ValueError) as problem:
            raise damaged(folder, problem) from None
        con.execute("set search_path = 'part,main'")
        yield con
    finally:
        con.close()


@contextmanager
def telling_damage(out: Path, run_id: str | None):
    """Turns a fault met while a run is derived and told into a UsageProblem where files of it are not as published.

    A fault over files that are as published is the program's own, and passes.
    """
    try:
        yield
    except AuditError:
        raise
    except Exception as problem:
        folder = choose_run(out, run_id)
        if changed_files(folder, read_published(out, folder.name)):
            raise damaged(folder, problem) from None
        raise


def changed_files(folder: Path, manifest: dict) -> list[str]:
    """Files that a derivation reads and that are no longer as the manifest's sha256 says."""
    known = manifest.get("files") or {}
    read = [name for name in known if name.endswith(".parquet") and _is_read(name)]
    return [name for name in read if (folder / name).is_file() and file_sha256(folder / name) != known[name]]


def _is_read(name: str) -> bool:
    return name.removesuffix(".parquet") in READ_FILES or str(Path(name).parent) in READ_FILES


def grouped(rows: list[dict], *names: str) -> dict:
    """The rows by their values of `names` (of one name: by the value), in their order, these columns taken out."""
    groups: dict = {}
    for row in rows:
        values = tuple(row.pop(name) for name in names)
        groups.setdefault(values if len(names) > 1 else values[0], []).append(row)
    return groups


def finding_keys(con) -> dict[str, int]:
    """finding_id to the key under which the recomputed finding stands in finding_row, finding_line and finding_note."""
    return dict(con.execute("select finding_id, min(finding_key) from finding_id group by finding_id").fetchall())
