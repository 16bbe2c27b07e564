"""A plain audit of a folder that holds just the rows in force, and the rows put aside so that they are so again."""

from datetime import date
from pathlib import Path

from tests.harness import AuditResult, audit_folder

from .cells import NUMBERS
from .files import TABLES, make_file
from .replay import Aside, State


def write_state(folder: Path, state: State) -> Path:
    """Writes one file a table; none of blocks where none is in force. Gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        if table == "note_blocks" and not state.blocks_were_given:
            continue
        rows = [row.cells for row in state.rows(table)]
        rows += [stand_in(old) for old in state.aside if old.row.table == table]
        (folder / f"{table}.csv").write_bytes(make_file(f"{table}.csv", rows).content)
    return folder


def stand_in(old: Aside) -> dict:
    """A row that goes to quarantine again and touches the same patient, date, claim and note.

    Rows under a key used twice would take the row that stands with them, and a date too late when it was read may
    have come since: those are made broken in a cell that names nothing, or have their date put out of reach."""
    if old.reason == "key_used_twice":
        return old.row.cells | {NUMBERS[old.row.table]: "unreadable"}
    if old.reason == "date_out_of_range":
        return old.row.cells | {"service_date": "2999-12-31"}
    return old.row.cells


def is_of_its_time(state: State, as_of: date) -> bool:
    """False where a row that stands would be too late for a fresh audit: the as-of date has gone back since."""
    rows = [row.values for row in state.standing.values() if row.table != "note_blocks"]
    last = [row.get("service_date_to") or row["service_date"] for row in rows]
    return all((date.fromisoformat(day) - as_of).days <= 1 for day in last)


def fresh_audit(folder: Path, state: State, as_of: date, reference: Path | None) -> AuditResult:
    """The audit of the rows in force; what it puts aside must be just what the replay put aside."""
    found = audit_folder(write_state(folder, state), as_of, reference, threads=1)  # small work is quicker on one thread
    tables = [(row["table_name"]) for row in found.quarantine]
    assert sorted(tables) == sorted(old.row.table for old in state.aside)
    return found
