"""Lays one service date of a published run into DuckDB again, and runs the audit's own SQL models over it.

Only what the run published is read: its accepted rows, its reference and crosswalk tables, its quarantine and its
manifest. The models do all the counting; a step inside a model is read from that model's own with-clause.
"""

import re
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from flows.publish import KEPT_TABLES
from transforms.engine import open_database, rows_as_dicts
from transforms.errors import AuditError, UsageProblem
from transforms.extract.inputs import file_sha256
from transforms.models import load_models, run_model
from transforms.recompute import Setting, judge_rows
from transforms.settle import count_accepted_dates

_WHOLE = "whole"
_FINAL_SELECT = re.compile(r"^select\b", re.MULTILINE)
#: What a derivation reads of a run's folder.
READ_FILES = (
    "findings",
    "quarantine",
    "accepted/claims",
    "accepted/notes",
    "accepted/note_blocks",
    *(f"accepted/{table}" for table in KEPT_TABLES),
)
# The date's rows, and what bears on them from other dates: claims that name its claims or the same original, the
# claims that its claims name, all lines of those, and all versions of its notes.
_ROWS = {
    "ok_claims": """
        with day_claim as (select distinct claim_id from whole.ok_claims where service_date = $day),
        named as (
            select distinct original_claim_id as claim_id from whole.ok_claims
            where claim_id in (select claim_id from day_claim) and original_claim_id is not null
        ),
        naming as (
            select distinct claim_id from whole.ok_claims where original_claim_id in (
                select claim_id from day_claim union select claim_id from named
            )
        )
        select * from whole.ok_claims where claim_id in (
            select claim_id from day_claim union select claim_id from named union select claim_id from naming
        )""",
    "ok_notes": """
        select * from whole.ok_notes
        where note_id in (select note_id from whole.ok_notes where service_date = $day)""",
    "ok_note_blocks": """
        select * from whole.ok_note_blocks
        where note_id in (select note_id from whole.ok_notes where service_date = $day)""",
}


@contextmanager
def rebuilt_day(folder: Path, manifest: dict, day: date):
    """A connection with every table of the audit for one service date of a run; its search path is part, main.

    The stg_ tables of schema part hold this date only; schema whole holds all accepted rows. Raises UsageProblem where
    files of the run are missing or damaged.
    """
    con = open_database()
    try:
        try:
            _load_published(con, folder, manifest, day)
            as_of = date.fromisoformat(manifest["as_of"])
            _stage(con, as_of, day)
            judge_rows(con, Setting(as_of, day, day))
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


def changed_files(folder: Path, manifest: dict) -> list[str]:
    """Files that a derivation reads and that are no longer as the manifest's sha256 says."""
    known = manifest.get("files") or {}
    read = [name for name in known if name.endswith(".parquet") and _is_read(name)]
    return [name for name in read if (folder / name).is_file() and file_sha256(folder / name) != known[name]]


def _is_read(name: str) -> bool:
    return name.removesuffix(".parquet") in READ_FILES or str(Path(name).parent) in READ_FILES


def _source(folder: Path, name: str) -> str:
    """SQL that reads a published table: one Parquet file, or a folder of one file a month."""
    place = folder / f"{name}.parquet"
    if not place.exists():
        place = folder / name / "*.parquet"
    return "read_parquet('{}')".format(str(place).replace("'", "''"))


def _load_published(con, folder: Path, manifest: dict, day: date) -> None:
    for table in KEPT_TABLES:
        con.execute(f"create table {table} as select * from {_source(folder, f'accepted/{table}')}")
    con.execute("create table delivered_file (file_number integer, table_name varchar, file_name varchar)")
    for entry in manifest["inputs"]:
        values = [entry["file_number"], entry["table"], entry["file"]]
        con.execute("insert into delivered_file values (?, ?, ?)", values)
    con.execute(f"create schema {_WHOLE}")
    for table, select in _ROWS.items():
        kind = table.removeprefix("ok_")
        con.execute(f"create view {_WHOLE}.{table} as select * from {_source(folder, f'accepted/{kind}')}")
        con.execute(f"create table {table} as {select}", {"day": day})
        if con.execute(
            f"select count(*) from {table} where file_number not in (select file_number from delivered_file)"
        ).fetchone()[0]:
            raise ValueError(f"accepted/{kind}: a row's file is not among the manifest's inputs")
    con.execute(f"set search_path = '{_WHOLE},main'")
    count_accepted_dates(con)
    con.execute("set search_path = 'main'")
    con.execute(f"create table accepted_date as select * from {_WHOLE}.accepted_date")
    con.execute(f"create table quarantine as select * exclude (row) from {_source(folder, 'quarantine')}")


def _stage(con, as_of: date, day: date) -> None:
    """The staging models over the rows loaded; accepted_date holds the dates of all accepted rows."""
    con.execute("create table run_setting (as_of_date date, since_date date, until_date date)")
    con.execute("insert into run_setting values (?, ?, ?)", [as_of, day, day])
    for model in load_models("staging"):
        run_model(con, model)


def step_rows(con, stage: str, name: str, query: str, parameters=None) -> list[dict]:
    """Rows of `query` over the with-clause of a model: its own steps, as the model itself computes them."""
    model = next((model for model in load_models(stage) if model.name == name), None)
    starts = [found.start() for found in _FINAL_SELECT.finditer(model.text)] if model else []
    if not starts:
        raise AuditError(f"transforms/{stage}/{name}.sql: has no final select of its own to leave out")
    return rows_as_dicts(con, model.text[: starts[-1]] + query, parameters)


def finding_key(con, finding_id: str) -> int | None:
    """The key under which the recomputed finding of this id stands in finding_line and finding_note, else None."""
    model = next(model for model in load_models("proof") if model.name == "finding")
    keys = con.execute(
        "select r.finding_key from finding_row as r left join stg_patient as p on p.patient_key = r.patient_key "
        "join finding as f on f.rule_id = r.rule_id and f.patient_id is not distinct from p.patient_id "
        "and f.discipline is not distinct from r.discipline and f.message = r.message where f.finding_id = ?",
        [finding_id],
    ).fetchall()
    con.execute("create schema if not exists one")
    try:
        for (key,) in sorted(set(keys)):
            # The model itself says which finding a key is: it is run over that key alone.
            alone = f"select * from part.finding_row where finding_key = {key}"
            con.execute(f"create or replace view one.finding_row as {alone}")
            con.execute("set search_path = 'one,part,main'")
            found = con.execute(f"select finding_id from ({model.text})").fetchone()
            if found and found[0] == finding_id:
                return key
    finally:
        con.execute("set search_path = 'part,main'")
    return None
