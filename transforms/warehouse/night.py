"""A run on a warehouse: the same models over what a night's delivery moves, and one transaction at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import duckdb

from transforms.database.duckdb_file import attach_encrypted
from transforms.database.quoting import text
from transforms.models.load import load_models, run_model
from transforms.models.run import MATCH_COUNTS, Match, Setting, judge_rows, measure_match, require_match, stage_rows
from transforms.reference.crosswalk import CROSSWALKS
from transforms.warehouse.tables import has_table, make_tables, merge, read_state
from transforms.warehouse.take_in import find_touched, take_rows


@contextmanager
def attached(con, path: Path | None, key: str | None = None, *, write: bool = False) -> Iterator[None]:
    """Attaches the file at `path` as `warehouse`, read-only unless `write`; without one an empty database in memory."""
    if path is None or not (write or path.exists()):
        con.execute("ATTACH ':memory:' AS warehouse")
        make_tables(con)
    elif key:
        attach_encrypted(con, path, key, "warehouse", read_only=not write)
    else:
        con.execute(f"ATTACH {text(str(path))} AS warehouse{'' if write else ' (READ_ONLY)'}")
    try:
        yield
    finally:
        with suppress(duckdb.TransactionException):  # none is open
            con.execute("ROLLBACK")
        con.execute("DETACH warehouse")


def why_all_dates(con, code_version: str) -> str | None:
    """What moves every service date, because it cannot be traced to some of them; None where nothing does."""
    held = read_state(con)
    if held is None:
        return "the first night"
    if held["code_version"] != code_version:
        return "the program"
    for table in CROSSWALKS:
        differing = con.execute(
            f"SELECT count(*) FROM ((FROM main.{table} EXCEPT FROM warehouse.{table}) "
            f"UNION ALL (FROM warehouse.{table} EXCEPT FROM main.{table}))"
        )
        if differing.fetchone()[0]:
            return "a crosswalk"
    blocks = "SELECT count(*) > 0 FROM {}.delivered_file WHERE table_name = 'note_blocks'"
    if con.execute(blocks.format("main")).fetchone() != con.execute(blocks.format("warehouse")).fetchone():
        return "the first extract of blocks"
    return None


def recompute_night(con, setting: Setting, why: str | None, allow_low_match: bool) -> Match:
    """Recomputes the dates that moved, or all where `why` gives a reason; returns how much of the whole history meets.

    Reads what take_in left, and `warehouse`; `change` and `touched_date` say what moved and where.
    """
    find_touched(con, why, setting.as_of)
    return compute_touched(con, setting, allow_low_match)


def compute_touched(con, setting: Setting, allow_low_match: bool) -> Match:
    """Minutes to findings of the dates in touched_date; returns how much of the whole history meets."""
    take_rows(con)
    stage_rows(con, setting)
    match = _match(con, setting)
    if _measure(con):
        _touch_all_dates(con)
        return compute_touched(con, setting, allow_low_match)
    if not allow_low_match:
        require_match(con, match)
    judge_rows(con, setting, touched="touched_date")
    return match


def moved_dates(con) -> dict[str, int]:
    """Service dates computed again by what moved there."""
    rows = con.execute("SELECT what, count(DISTINCT service_date) FROM change GROUP BY what ORDER BY what")
    return dict(rows.fetchall())


def _match(con, setting: Setting) -> Match:
    """The match over all dates: those computed now, and the counts that the warehouse holds of the others."""
    touched = "service_date IN (SELECT service_date FROM touched_date)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_by_date AS SELECT * FROM stg_match WHERE {touched}")
    if has_table(con, "date_count"):
        sums = ", ".join(f"sum(amount) FILTER (WHERE name = '{name}') AS {name}" for name in MATCH_COUNTS)
        con.execute(
            f"INSERT INTO match_by_date BY NAME SELECT service_date, {sums} FROM warehouse.date_count "
            f"WHERE kind = 'match' AND NOT {touched} GROUP BY service_date"
        )
    return measure_match(con, setting, "match_by_date")


def _measure(con) -> bool:
    """Makes stg_measure that of the whole history; whether it says other than it did on the dates not touched."""
    con.execute("CREATE SCHEMA IF NOT EXISTS whole_history")
    con.execute("CREATE OR REPLACE VIEW whole_history.stg_match AS SELECT * FROM match_by_date")
    con.execute("SET search_path = 'whole_history,main'")
    try:
        run_model(con, next(model for model in load_models("staging") if model.name == "stg_measure"), "main")
    finally:
        con.execute("SET search_path = 'main'")
    if not has_table(con, "run_measure"):
        return False
    (now,) = con.execute("SELECT is_measured FROM stg_measure").fetchone()
    (before,) = con.execute("SELECT is_measured FROM warehouse.run_measure").fetchone()
    (left,) = con.execute(
        "SELECT count(*) FROM accepted_date WHERE service_date NOT IN (SELECT service_date FROM touched_date)"
    ).fetchone()
    return now != before and left > 0


def _touch_all_dates(con) -> None:
    """Every service date is computed again, for a rule about minutes is asked of all of them or of none."""
    con.execute(
        "INSERT INTO change SELECT service_date, NULL, 'the share of notes that give minutes' FROM accepted_date "
        "WHERE service_date NOT IN (SELECT service_date FROM touched_date)"
    )
    con.execute("INSERT INTO touched_date SELECT service_date FROM accepted_date EXCEPT FROM touched_date")


@contextmanager
def merged(con, path: Path, key: str | None, run_id: str, as_of: date, code_version: str) -> Iterator[Callable]:
    """The night written into the warehouse in one open transaction; unqualified names are looked up there first.

    Yields the function that commits it. Without that the warehouse stays as it was.
    """
    (own,) = con.execute("SELECT current_database()").fetchone()
    with attached(con, path, key, write=True):
        con.execute("BEGIN")
        try:
            merge(con, run_id, as_of, code_version)
            con.execute(f"SET search_path = 'warehouse.main,{own}.main'")
            for model in load_models("results"):
                run_model(con, model, "warehouse.main")
            yield lambda: con.execute("COMMIT")
        finally:
            with suppress(duckdb.TransactionException):  # committed
                con.execute("ROLLBACK")
            con.execute(f"SET search_path = '{own}.main'")
