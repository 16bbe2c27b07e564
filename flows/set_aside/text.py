"""`minutewise quarantine` as a person reads it, and as a CSV of every row set aside."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import duckdb

from flows.disk.durable import aside_of
from flows.disk.rights import PRIVATE
from flows.failures import system_words
from flows.runs.choose import choose_run
from flows.runs.mapping_facts import filtered_rows
from flows.runs.names import MANIFEST
from flows.runs.read import damaged, manifest_of
from flows.set_aside.rows import count_reasons, set_aside_rows
from flows.text_table import inert, table, wrap
from transforms.contract.fields import REASONS, remedy
from transforms.database.duckdb_file import open_database
from transforms.database.quoting import text
from transforms.errors import UsageProblem

#: So many rows are printed; a CSV holds every one.
MOST_PRINTED = 10_000
CSV_COLUMNS = ("table", "file", "line", "column", "reason", "meaning", "cell", "what_to_do", "row")


def set_aside_text(out: Path, run_id: str | None = None) -> str:
    """The rows set aside of a run in columns, then what each reason means and what to do, then what was filtered."""
    folder = run_folder(out, run_id)
    with _published(folder) as (con, rows, manifest):
        reasons = count_reasons(con, rows)
        printed = list(islice(set_aside_rows(con, rows, manifest), MOST_PRINTED))
    in_all = sum(count for _, _, count in reasons)
    lines = [f"Run {manifest['run_id']}: {_counted(in_all, 'row')} set aside"]
    if printed:
        names = ("table", "file", "line", "column", "reason", "cell")
        lines += ["", *table(list(names), [[inert(row[name]) for name in names] for row in printed], "line")]
    if in_all > len(printed):
        lines.append(f"  and {in_all - len(printed)} more: --csv FILE writes every row")
    for table_name, reason, count in reasons:
        lines += ["", f"{table_name}: {reason}, {_counted(count, 'row')}"]
        lines += wrap(f"Why: {REASONS.get(reason, reason)}.", hanging=2)
        lines += wrap(f"What to do: {remedy(reason)}", hanging=2)
    for one in filtered_rows(manifest):
        told = f"{one['table']}: {_counted(one['rows'], 'row')} of {one['file']} filtered by the mapping"
        lines += ["", inert(told + (f" ({one['filter']})" if one["filter"] else ""))]
    return "\n".join(lines)


def write_csv(out: Path, run_id: str | None, to: Path) -> Path:
    """Writes every row set aside of a run as CSV, each cell as the extract has it, and gives the file's path.

    The file is replaced as a whole, for its owner only. Raises UsageProblem where the run cannot be read, and where
    the file cannot be written or is not one of this command's.
    """
    folder = run_folder(out, run_id)
    _require_free(folder, to)
    aside = aside_of(to)
    try:
        with _published(folder) as (con, rows, manifest):
            aside.unlink(missing_ok=True)
            # O_EXCL follows no link that somebody laid there meanwhile.
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE.file_mode)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(set_aside_rows(con, rows, manifest))
        aside.replace(to)
    except OSError as problem:
        raise UsageProblem(f"--csv {to}: cannot be written ({system_words(problem)}); choose another place") from None
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return to


def run_folder(out: Path, run_id: str | None = None) -> Path:
    """The folder of the run asked: `out` itself where it is one run's folder, else the run below it."""
    if run_id is None and (out / MANIFEST).is_file():
        return out
    return choose_run(out, run_id)


@contextmanager
def _published(folder: Path) -> Iterator[tuple]:
    """(connection, SQL of the published rows set aside, manifest) of a run; UsageProblem where they cannot be read."""
    manifest = manifest_of(folder)
    try:
        with open_database() as con:
            yield con, f"select * from read_parquet({text(str(folder / 'quarantine.parquet'))})", manifest
    except duckdb.Error as problem:
        raise damaged(folder, problem) from None


def _require_free(folder: Path, to: Path) -> None:
    """Raises UsageProblem where a file would be written over that is not of this command, or into a published run."""
    runs = folder.resolve().parent
    if to.resolve().is_relative_to(runs if runs.name == "runs" else folder.resolve()):
        raise UsageProblem(f"--csv {to}: lies among the published runs; choose another folder")
    try:
        with to.open(encoding="utf-8", errors="replace") as file:
            is_ours = file.readline(1_000).rstrip("\n") == ",".join(CSV_COLUMNS)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise UsageProblem(f"--csv {to}: cannot be read ({system_words(problem)}); choose another name") from None
    if not is_ours:
        raise UsageProblem(f"--csv {to}: exists already and is not a list of rows set aside; choose another name")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
