"""What a run on a warehouse publishes in full though a night moved little of it: one file a month.

A month's file is written where a service date of the month was computed again. All other months are the very files
of the run before, as hard links, with the hash that its manifest gives them. A disk can lose what was written once, so
a part of these is read again every night, and each within `linked_file_check_days`: one that is not what it was is
written again from the warehouse, and named.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from flows.disk.durable import file_problem, link_or_copy
from flows.runs.read import read_published
from transforms.accept.settle import PUBLISHED_FORM, PUBLISHED_ORDER, with_file
from transforms.database.quoting import text
from transforms.database.sql_values import literal
from transforms.errors import AuditError

#: Published name -> its rows, and their order.
MONTHLY = {
    **{f"accepted/{table}": (with_file(f"ok_{table}"), order) for table, order in PUBLISHED_ORDER.items()},
    "units": ("select held.* from unit_published as held", "service_date, patient_id, discipline, procedure_code"),
}


@dataclass
class Months:
    """The months of a run by file: those that are linked, with their sha256; the date on which each was last written or
    read again; and those whose file in the run before was no longer what it was, written again tonight."""

    linked: dict[str, str] = field(default_factory=dict)
    checked: dict[str, str] = field(default_factory=dict)
    written_again: list[str] = field(default_factory=list)


def write_months(run, con, folder: Path) -> Months:
    """Writes or links every month of MONTHLY into the run's folder; run.found.messages says which ones were damaged."""
    touched = {*_months(con, "touched_date"), *_months(con, "unpublished")}
    known, last_checked = _files_before(run)
    months = Months()
    for name in MONTHLY:
        _place(folder, name).mkdir(parents=True)
        for month in _months(con, "accepted_date"):
            relative = (_place(folder, name) / f"{month:%Y-%m}.parquet").relative_to(folder).as_posix()
            if month not in touched and relative in known:
                months.linked[relative] = known[relative]
            else:
                _write(con, name, month, folder / relative)
    today = run.asked.settings.as_of
    months.checked = {name: last_checked[name] for name in months.linked if name in last_checked}
    due = _due(months, today, _check_days(con, today))
    for relative, sha in list(months.linked.items()):
        before = _before(run, relative)
        problem = file_problem(before, sha) if relative in due or not before.is_file() else None
        if not problem:
            try:
                link_or_copy(before, folder / relative)
            except OSError:
                problem = file_problem(before, sha)
                if not problem:
                    raise
        if problem:
            _write_again(run, con, folder, months, relative, problem)
    written = {path.relative_to(folder).as_posix() for name in MONTHLY for path in _place(folder, name).iterdir()}
    months.checked |= dict.fromkeys(due | (written - months.linked.keys()), today.isoformat())
    return months


def mend_months(run, con, folder: Path, months: Months) -> bool:
    """Reads every linked file again and writes the rotten ones from the warehouse; whether there were any."""
    rotten = {
        name: problem for name, sha in months.linked.items() if (problem := file_problem(_before(run, name), sha))
    }
    for relative, problem in rotten.items():
        (folder / relative).unlink()
        _write_again(run, con, folder, months, relative, problem)
    return bool(rotten)


def _write_again(run, con, folder: Path, months: Months, relative: str, problem: str) -> None:
    asked = run.asked
    path = folder / relative
    name = next(name for name in MONTHLY if _place(folder, name) == path.parent)
    del months.linked[relative]
    months.written_again.append(relative)
    months.checked[relative] = asked.settings.as_of.isoformat()
    _write(con, name, date.fromisoformat(f"{path.stem}-01"), path)
    run.found.messages.append(
        f"{_before(run, relative)}: {problem}; written again from the warehouse for tonight's run. Look at the disk; "
        f"`minutewise verify {asked.settings.out} --all` names the older runs that have it too"
    )


def _due(months: Months, today: date, days: int) -> set[str]:
    """The linked files to read again: those not read for so many days, and of the others so many, the longest ago
    first, that each has its turn in that time."""
    ages = {
        name: (today - date.fromisoformat(months.checked[name])).days if name in months.checked else days
        for name in months.linked
    }
    # A clock that went back says nothing of when a file was read.
    overdue = {name for name, age in ages.items() if not 0 <= age < days}
    part = -(-len(ages) // days)
    return overdue | set(sorted(ages, key=lambda name: (-ages[name], name))[:part])


def _check_days(con, today: date) -> int:
    """Within how many days every linked file is read again; 1, every night, where no row says."""
    row = con.execute(
        "select value from ref_parameter where name = 'linked_file_check_days' "
        f"and {literal(today)} >= effective_from and {literal(today)} < effective_to"
    ).fetchone()
    return max(1, int(row[0])) if row else 1


def _place(folder: Path, name: str) -> Path:
    # units.parquet is a name of its own for readers: a folder of that name holds its months.
    return folder / (f"{name}.parquet" if name == "units" else name)


def _before(run, relative: str) -> Path:
    return run.asked.settings.out / "runs" / str(run.found.previous_run) / relative


def _write(con, name: str, month: date, path: Path) -> None:
    rows, order = MONTHLY[name]
    following = (month + timedelta(days=31)).replace(day=1)
    con.execute(
        f"copy ({rows} where held.service_date >= date '{month}' and held.service_date < date '{following}' "
        f"order by {order}) to {text(str(path))} ({PUBLISHED_FORM})"
    )


def require_whole(con, row_counts: dict[str, int]) -> None:
    """Raises AuditError where the months of a table do not hold all its rows: nothing read is ever lost."""
    for name, (rows, _) in MONTHLY.items():
        folder = f"{name}.parquet/" if name == "units" else f"{name}/"
        written = sum(count for file, count in row_counts.items() if file.startswith(folder))
        (held,) = con.execute(f"select count(*) from ({rows})").fetchone()
        if written != held:
            raise AuditError(f"{folder}: {held} rows, but its months hold {written}; nothing is published")


def _months(con, table: str) -> list[date]:
    """The first days of the months that a table's service dates lie in."""
    rows = con.execute(
        f"select distinct cast(date_trunc('month', service_date) as date) as month from {table} order by month"
    )
    return [month for (month,) in rows.fetchall()]


def _files_before(run) -> tuple[dict[str, str], dict[str, str]]:
    """The files of the run before with their hashes, and when they were last read; none where the warehouse did not
    stand at that run."""
    found = run.found
    if not found.previous_run or found.warehouse.run_id != found.previous_run or found.warehouse.is_replaced:
        return {}, {}
    manifest = read_published(run.asked.settings.out, found.previous_run)
    night = manifest and manifest["warehouse"]
    return (manifest["files"], night["months_checked"]) if night and "months_checked" in night else ({}, {})
