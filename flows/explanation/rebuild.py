"""Lays dates of a published run into DuckDB again, and runs the audit's own SQL models over them.

Only what the run published is read: its accepted rows, its reference and crosswalk tables, its quarantine and its
manifest. The models do all the counting; a step inside a model is read from that model's own with-clause.
"""

import re
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from flows.explanation.asked import Asked, keep_asked, key_asked
from flows.explanation.loading import load_published, measured_as_published
from flows.published import KEPT_TABLES, read_published
from flows.run_choice import choose_run
from transforms.engine import open_database, rows_as_dicts
from transforms.errors import AuditError, UsageProblem
from transforms.extract.inputs import file_sha256
from transforms.models import load_models
from transforms.recompute import Setting, judge_rows, stage_rows

_FINAL_SELECT = re.compile(r"^select\b", re.MULTILINE)
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


def step_rows(con, stage: str, name: str, query: str, parameters=None) -> list[dict]:
    """Rows of `query` over the with-clause of a model: its own steps, as the model itself computes them."""
    model = next((model for model in load_models(stage) if model.name == name), None)
    starts = [found.start() for found in _FINAL_SELECT.finditer(model.text)] if model else []
    if not starts:
        raise AuditError(f"transforms/{stage}/{name}.sql: has no final select of its own to leave out")
    return rows_as_dicts(con, model.text[: starts[-1]] + query, parameters)


def grouped(rows: list[dict], *names: str) -> dict:
    """The rows by their values of `names` (of one name: by the value), in their order, these columns taken out."""
    groups: dict = {}
    for row in rows:
        values = tuple(row.pop(name) for name in names)
        groups.setdefault(values if len(names) > 1 else values[0], []).append(row)
    return groups


def finding_keys(con) -> dict[str, int]:
    """finding_id to the key under which the recomputed finding stands in finding_row, finding_line and finding_note.

    The model that makes the ids does not tell the keys. It passes a finding's message on, and no id holds that: so it
    is run once more over findings whose message is their key.
    """
    model = next(model for model in load_models("proof") if model.name == "finding")
    con.execute("create schema if not exists keyed")
    con.execute(
        "create or replace view keyed.finding_row as "
        "select * replace (cast(finding_key as varchar) as message) from part.finding_row"
    )
    con.execute("set search_path = 'keyed,part,main'")
    try:
        keys = con.execute(
            f"select finding_id, min(cast(message as bigint)) from ({model.text}) group by finding_id"
        ).fetchall()
    finally:
        con.execute("set search_path = 'part,main'")
    return dict(keys)
