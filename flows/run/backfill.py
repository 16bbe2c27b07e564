"""Brings a long history into a warehouse month by month: every month is kept as soon as it is computed.

The rows of all new files come first, in one transaction, and leave their service dates pending. Each month is then
computed, judged and kept by itself, so a backfill that is stopped goes on with the months that are left; the next
audit would compute them too. When nothing is pending, the whole is published as one run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

from flows.identity import code_version
from flows.run.audit import Outcome, holding, run_audit
from flows.run.run import Run
from flows.run.stages import (
    IDENTIFY,
    STAGES,
    close_run,
    judge_tables_of,
    open_database_of,
    open_run,
    timed,
)
from flows.runs.unpublished import note_unpublished
from flows.settings import AuditSettings
from flows.warehouse.state import put_in_place
from transforms.errors import UsageProblem
from transforms.warehouse.night import attached, compute_touched, why_all_dates
from transforms.warehouse.tables import make_tables, merge_results, merge_rows, put_state
from transforms.warehouse.take_in import find_touched

#: Where the results of a month are judged: the names of these runs of Great Expectations.
_MONTH_RUN = "backfill-{month:%Y-%m}"


def run_backfill(
    settings: AuditSettings, since: date, until: date, tell: Callable[[str], None], run_stage=timed
) -> Outcome | None:
    """Takes in what is new, computes the pending months of since..until, and publishes when none is left.

    Returns None where dates outside since..until are still pending: then nothing is published. `tell` is given one
    line a month. Raises what an audit raises.
    """
    if settings.warehouse is None:
        raise UsageProblem("a backfill needs --warehouse FILE: it is what keeps each month")
    with holding(settings):
        run = open_run(settings)
        try:
            run_stage(IDENTIFY, run)
            if run.found.was_published_before:
                tell("nothing is new, and every month is computed")
            else:
                _take_in(run, run_stage)
                _compute_months(run, since, until, tell)
                # Dates within it are left only where a rule could not be run; the audit below says so.
                left = [day for day in _pending(run, date.min, date.max) if not since <= day <= until]
                if left:
                    months = sorted({f"{day:%Y-%m}" for day in left})
                    tell(f"{len(left)} service dates outside of {since} to {until} are left: {', '.join(months)}")
                    return None
        finally:
            close_run(run)
    return run_audit(replace(settings, removed=()), run_stage)


def _take_in(run: Run, run_stage) -> None:
    """The rows of the delivery into the warehouse, their dates and all that moved with them pending."""
    found = run.found
    for stage in STAGES[:2]:
        run_stage(stage, run)
    settings, warehouse = run.asked.settings, found.warehouse
    with open_database_of(run) as con:
        with attached(con, warehouse.file, settings.key):
            why = warehouse.why_all_dates or why_all_dates(con, code_version())
            find_touched(con, why, settings.as_of)
        # Said before it is so: were the warehouse lost, these files are asked for again.
        note_unpublished(settings.out, found.files)
        with _writing(con, run):
            make_tables(con)
            merge_rows(con)
            con.execute(
                "INSERT INTO warehouse.pending_date SELECT service_date FROM touched_date "
                "WHERE service_date NOT IN (FROM warehouse.pending_date)"
            )
            # The run that is published stays the one that the warehouse answers for.
            put_state(con, warehouse.run_id, settings.as_of, code_version())
        _forget_delivery(con)
    warehouse.is_replaced = False


def _forget_delivery(con) -> None:
    """The warehouse holds the delivery now: what is computed from here on reads it there."""
    for table in ("claims", "notes", "note_blocks"):
        con.execute(f"DELETE FROM settled_{table}")
    for table in ("affected_claim", "affected_note", "change", "input_file", "load_count", "duplicate_row"):
        con.execute(f"DELETE FROM {table}")
    con.execute("UPDATE delivered_file SET is_new = false")


def _compute_months(run: Run, since: date, until: date, tell: Callable[[str], None]) -> None:
    asked, found = run.asked, run.found
    for first in _months(_pending(run, since, until)):
        last = min(until, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
        with open_database_of(run) as con:
            with attached(con, found.warehouse.file, asked.settings.key):
                con.execute(
                    "CREATE OR REPLACE TABLE touched_date AS SELECT service_date FROM warehouse.pending_date "
                    "WHERE service_date BETWEEN ? AND ?",
                    [max(first, since), last],
                )
                con.execute("INSERT INTO change SELECT service_date, NULL, 'a backfill' FROM touched_date")
                compute_touched(con, asked.settings.judged, allow_low_match=True)
            dates = con.execute("SELECT count(*) FROM touched_date").fetchone()[0]
            findings = con.execute("SELECT count(*) FROM finding").fetchone()[0]
        judge_tables_of(run, _MONTH_RUN.format(month=first))
        with open_database_of(run) as con, _writing(con, run):
            merge_results(con, found.run_id, asked.settings.as_of)
            con.execute("INSERT INTO warehouse.unpublished_date SELECT service_date FROM touched_date")
        tell(f"{first:%Y-%m}: {dates} service dates, {findings} findings")


def _pending(run: Run, since: date, until: date) -> list[date]:
    with open_database_of(run) as con, attached(con, run.found.warehouse.file, run.asked.settings.key):
        rows = con.execute(
            "SELECT DISTINCT service_date FROM warehouse.pending_date WHERE service_date BETWEEN ? AND ? ORDER BY 1",
            [max(since, date(1, 1, 1)), until],
        )
        return [day for (day,) in rows.fetchall()]


def _months(days: list[date]) -> list[date]:
    return sorted({day.replace(day=1) for day in days})


@contextmanager
def _writing(con, run: Run) -> Iterator[None]:
    """One transaction on the warehouse, committed when the block ends well."""
    found = run.found
    with attached(con, found.warehouse.file_to_write, run.asked.settings.key, write=True):
        con.execute("BEGIN")
        yield
        con.execute("COMMIT")
        put_in_place(con, found.warehouse)
