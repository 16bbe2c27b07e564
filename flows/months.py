"""What a run on a warehouse publishes in full though a night moved little of it: one file a month.

A month's file is written where a service date of the month was computed again. All other months are the very files
of the run before, as hard links, with the hash that its manifest gives them.
"""

import json
from datetime import date, timedelta
from pathlib import Path

from flows.durable import link_or_copy
from flows.placing import MANIFEST
from transforms.contract_sql import text
from transforms.errors import AuditError
from transforms.settle import PUBLISHED_FORM, PUBLISHED_ORDER, with_file

#: Published name -> its rows, and their order.
MONTHLY = {
    **{f"accepted/{table}": (with_file(f"ok_{table}"), order) for table, order in PUBLISHED_ORDER.items()},
    "units": ("select held.* from unit_published as held", "service_date, patient_id, discipline, procedure_code"),
}


def write_months(run, con, folder: Path) -> dict[str, str]:
    """Writes or links every month of MONTHLY into the run's folder; gives the sha256 of the files that are linked."""
    touched = {*_months(con, "touched_date"), *_months(con, "unpublished")}
    known = _files_before(run)
    linked = {}
    for name, (rows, order) in MONTHLY.items():
        # units.parquet is a name of its own for readers: a folder of that name holds its months.
        place = folder / (f"{name}.parquet" if name == "units" else name)
        place.mkdir(parents=True)
        for month in _months(con, "accepted_date"):
            path = place / f"{month:%Y-%m}.parquet"
            relative = path.relative_to(folder).as_posix()
            before = run.settings.out / "runs" / str(run.previous_run) / relative
            if month not in touched and relative in known and before.is_file():
                link_or_copy(before, path)
                linked[relative] = known[relative]
                continue
            last = (month + timedelta(days=31)).replace(day=1)
            con.execute(
                f"copy ({rows} where held.service_date >= date '{month}' and held.service_date < date '{last}' "
                f"order by {order}) to {text(str(path))} ({PUBLISHED_FORM})"
            )
    return linked


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


def _files_before(run) -> dict[str, str]:
    """The files and hashes of the run before; none where the warehouse did not stand at that run."""
    if not run.previous_run or run.kept.run_id != run.previous_run or run.kept.is_replaced:
        return {}
    path = run.settings.out / "runs" / run.previous_run / MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        return {}
