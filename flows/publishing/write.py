"""Writes what a finished run publishes, with the hash and the row count of every file.

How it is put into place is in placing.py: readers see the last run or the next one, never a mixture.
"""

import json
import shutil
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from expectations.report import Report
from expectations.report.page.html import write_html
from expectations.report.workbook.workbook import write_workbook
from flows.disk.durable import sha256
from flows.disk.transient import passing_fault
from flows.dispositions.log import LOG
from flows.dispositions.table import FINDINGS, disposition_counts
from flows.failures import system_words
from flows.publishing.manifest import describe
from flows.publishing.months import MONTHLY, Months, mend_months, require_whole, write_months
from flows.publishing.placing import publish_folder
from flows.publishing.report_facts import gather_report
from flows.runs.names import MANIFEST, SUMMARY
from flows.runs.read import KEPT_TABLES
from flows.summary.counts import summary_counts
from transforms.accept.settle import PUBLISHED_FORM, PUBLISHED_ORDER, read_accepted, with_file
from transforms.database.full_disk import full_disk
from transforms.database.quoting import text
from transforms.errors import AuditError, UsageProblem
from transforms.under_way import under_way

#: What each Parquet file holds, and in which order: the same rows give the same bytes.
TABLES = {
    "findings": (
        f"{FINDINGS} order by f.rule_id, f.service_date, f.patient_id, f.discipline, f.procedure_code, f.finding_id"
    ),
    "units": "select * from unit_published order by patient_id, service_date, discipline, procedure_code",
    "rules": "select * from rule_result order by rule_id",
    "quarantine": (
        "select table_name, file_name, source_line as line_number, column_name, reason, row_json as row, piece, "
        "patient_id, service_date, claim_id, original_claim_id, note_id, file_number, service_date_to, payer_claim_id "
        "from quarantine order by table_name, file_name, source_line, piece"
    ),
    **{f"accepted/{table}": f"{with_file(f'ok_{table}')} order by {order}" for table, order in PUBLISHED_ORDER.items()},
}
#: The mapping that the run read its extracts by, as it was.
MAPPING = "mapping.toml"
#: What a run on a warehouse publishes besides, so that the warehouse can be built again from it.
HISTORY = {
    **{
        f"accepted/past_{table}": f"select * from past_{table} order by file_number, source_line, piece"
        for table in ("claims", "notes", "note_blocks")
    },
    "accepted/broken_row": "select * from broken_row order by file_number, source_line, piece",
    "finding_history": "select * from finding_life order by finding_id",
}


def publish_run(run, con, commit=None) -> dict:
    """Writes the run's folder and returns its manifest; raises UsageProblem where the folder cannot be written.

    `commit` commits the warehouse, whose tables are then those that unqualified names mean.
    """
    asked = run.asked
    settings = asked.settings
    try:
        return publish_folder(
            settings.out,
            run.found.run_id,
            lambda folder: _write_files(run, con, folder),
            settings.is_whole_scope,
            commit,
            settings.warehouse,
            asked.rights,
        )
    except (OSError, duckdb.IOException, duckdb.TransactionException) as problem:
        why = full_disk(problem)
        if not why and (unread := _unread(problem)):
            raise AuditError(
                f"a file below --out {settings.out}, or the warehouse, cannot be read ({unread}), so nothing is "
                "published: look at the disk, and audit again"
            ) from None
        why = why or (system_words(problem) if isinstance(problem, OSError) else "is the disk full?")
        raise UsageProblem(f"--out {settings.out}: cannot be written ({why})") from None


def _unread(problem: Exception) -> str | None:
    """What was met where a file could not be read, None where it could not be written: in words that name no value.

    DuckDB says both by one kind of exception, and Arrow says of a file that makes no sense to it by an OSError without
    a number."""
    if isinstance(problem, OSError):
        return None if problem.errno and not passing_fault(problem) else system_words(problem)
    said = str(problem).lower()
    return next((words for words in ("could not read", "checksum", "corrupt") if words in said), None)


def _write_files(run, con, folder: Path) -> dict:
    found = run.found
    started = time.monotonic()
    (folder / "accepted").mkdir()
    months = write_months(run, con, folder) if found.warehouse else Months()
    accepted = _place_accepted(run, con, folder)
    for name, query in TABLES.items():
        if name not in accepted and (not found.warehouse or name not in MONTHLY):
            _copy(con, query, folder / f"{name}.parquet", PUBLISHED_FORM)
    for table in KEPT_TABLES:
        _copy(con, f"select * from {table} order by all", folder / "accepted" / f"{table}.parquet", "format parquet")
    if found.warehouse:
        for name, query in HISTORY.items():
            _copy(con, query, folder / f"{name}.parquet", PUBLISHED_FORM)
    _copy(con, TABLES["findings"], folder / "findings.csv", "format csv, header")
    if run.spark:
        run.spark.place_months(folder)
    _write_json(folder / "expectations.json", found.verdict.results_json)
    if found.mapping:
        (folder / MAPPING).write_bytes(found.mapping.content)
    if found.log.content:
        (folder / LOG).write_bytes(found.log.content)
    manifest = describe(run, con) | {"dispositions": disposition_counts(con)}
    report = _gather_report(run, con, manifest, folder, months)
    with under_way("report.html"):
        write_html(folder / "report.html", report)
    began = time.monotonic()
    with under_way("findings.xlsx"):
        write_workbook(folder / "findings.xlsx", report, run.asked.settings.workbook_rows)
    found.seconds_within["publish_workbook"] = round(time.monotonic() - began, 3)
    families = {rule["rule_id"]: rule["family"] for rule in report.rules}
    _write_json(folder / SUMMARY, summary_counts(manifest, families, report.changes))
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    # A linked file is a published run's: its hash is known.
    manifest["files"] = {name: months.linked.get(name) or sha256(path) for name, path in files.items()}
    manifest["row_counts"] = {
        name: pq.read_metadata(path).num_rows for name, path in files.items() if path.suffix == ".parquet"
    }
    if found.warehouse:
        require_whole(con, manifest["row_counts"])
        manifest["warehouse"] |= {"months_checked": months.checked, "months_written_again": months.written_again}
    manifest["seconds"] = {**found.seconds, "publish": round(time.monotonic() - started, 3)}
    manifest["seconds_within"] = found.seconds_within
    _write_json(folder / MANIFEST, manifest)
    return manifest


def _gather_report(run, con, manifest: dict, folder: Path, months: Months) -> Report:
    """The report; where a month cannot be read for it that was linked unread, once more with all rotten ones mended."""
    try:
        return gather_report(run, con, manifest, folder, TABLES["findings"])
    except (OSError, UsageProblem, duckdb.Error):
        if not mend_months(run, con, folder, months):
            raise
    return gather_report(run, con, manifest, folder, TABLES["findings"])


def _place_accepted(run, con, folder: Path) -> set[str]:
    """Moves the accepted rows into the run's folder, where the contract has written them as they are published (neither
    a warehouse nor Spark does); gives their names. Not linked: a file with two names is taken for a published run's."""
    names = set()
    for path in sorted(run.asked.accepted.glob("*.parquet")):
        read_accepted(con, Path(shutil.move(path, folder / "accepted" / path.name)))
        names.add(f"accepted/{path.stem}")
    return names


def _copy(con, query: str, path: Path, form: str) -> None:
    with under_way(path.name):
        con.execute(f"copy ({query}) to {text(str(path))} ({form})")


def _write_json(path: Path, document: dict) -> None:
    with under_way(path.name):
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
