"""Writes a finished run: aside, hashed, made durable, renamed into place; `current` is swapped last.

Readers see the last run or the next one, never a mixture. A killed run leaves a hidden folder that the next one clears.
"""

import hashlib
import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from expectations.report import Report
from expectations.report.html import write_html
from expectations.report.workbook import write_workbook
from flows.failures import system_words
from flows.identity import SCHEMA_VERSION, code_version, reference_version
from transforms.engine import rows_as_dicts
from transforms.errors import UsageProblem

#: What each Parquet file holds, and in which order: the same rows give the same bytes.
TABLES = {
    "findings": (
        "select * from finding order by rule_id, service_date, patient_id, discipline, procedure_code, finding_id"
    ),
    "units": "select * from unit_published order by patient_id, service_date, discipline, procedure_code",
    "rules": "select * from rule_result order by rule_id",
    "quarantine": (
        "select table_name, file_name, source_line as line_number, column_name, reason, row_json as row, piece, "
        "patient_id, service_date, claim_id, original_claim_id, note_id "
        "from quarantine order by table_name, file_name, source_line, piece"
    ),
    "accepted/claims": "select * exclude (file_number), (select f.file_name from input_file as f "
    "where f.file_number = c.file_number) as source_file from ok_claims as c order by claim_id, line_number",
    "accepted/notes": "select * exclude (file_number), (select f.file_name from input_file as f "
    "where f.file_number = n.file_number) as source_file from ok_notes as n order by note_id, note_version",
    "accepted/note_blocks": "select * exclude (file_number), (select f.file_name from input_file as f "
    "where f.file_number = b.file_number) as source_file from ok_note_blocks as b "
    "order by note_id, note_version nulls first, block_number",
}
#: Tables kept as they were in force on the run, so that a finding can be derived again by hand.
KEPT_TABLES = (
    "ref_procedure_code",
    "ref_code_cap",
    "ref_payer_method",
    "ref_code_alias",
    "ref_parameter",
    "ref_audit_rule",
    "crosswalk_patient",
    "crosswalk_provider",
    "crosswalk_payer",
)
MANIFEST = "manifest.json"


def read_published(out: Path, run_id: str) -> dict | None:
    """The manifest of a run that is published already, else None."""
    path = out / "runs" / run_id / MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UsageProblem(f"{path}: cannot be read as a manifest; remove the run's folder and audit again") from None


def current_run(out: Path) -> str | None:
    """The run id last published, or None before the first."""
    try:
        return (out / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UsageProblem(f"{out / 'current'}: cannot be read as a run id; remove it and audit again") from None


def publish_run(run, con) -> dict:
    """Writes the run's folder and returns its manifest; raises UsageProblem where the folder cannot be written."""
    runs = run.settings.out / "runs"
    aside = runs / f".{run.run_id}.partial"
    try:
        runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in runs.glob(".*.partial"):
            shutil.rmtree(left, ignore_errors=True)
        aside.mkdir(mode=0o700)
        (aside / "accepted").mkdir(mode=0o700)
        manifest = _write_files(run, con, aside)
        _make_durable(aside)
        aside.rename(runs / run.run_id)
        _sync(runs)
        if run.settings.is_whole_scope:
            _swap_current(run.settings.out, run.run_id)
    except (OSError, duckdb.IOException) as problem:
        why = system_words(problem) if isinstance(problem, OSError) else "is the disk full?"
        raise UsageProblem(f"--out {run.settings.out}: cannot be written ({why})") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


def _write_files(run, con, folder: Path) -> dict:
    started = time.monotonic()
    for name, query in TABLES.items():
        _copy(con, query, folder / f"{name}.parquet", "format parquet, compression zstd")
    for table in KEPT_TABLES:
        _copy(con, f"select * from {table} order by all", folder / "accepted" / f"{table}.parquet", "format parquet")
    _copy(con, TABLES["findings"], folder / "findings.csv", "format csv, header")
    _write_json(folder / "expectations.json", run.verdict.results_json)
    manifest = describe(run, con)
    report = _report(run, con, manifest)
    write_html(folder / "report.html", report)
    write_workbook(folder / "findings.xlsx", report, run.settings.workbook_rows)
    manifest["files"] = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest["seconds"] = {**run.seconds, "publish": round(time.monotonic() - started, 3)}
    _write_json(folder / MANIFEST, manifest)
    return manifest


def describe(run, con) -> dict:
    """What the manifest says of a run: what was read, set aside and found, and under which versions."""
    dates = rows_as_dicts(con, "select min(service_date) as first, max(service_date) as last from stg_therapy_day")[0]
    return {
        "run_id": run.run_id,
        "previous_run": run.previous_run,
        "as_of": run.settings.as_of.isoformat(),
        "since": _iso(run.settings.since),
        "until": _iso(run.settings.until),
        "period": {name: _iso(day) for name, day in dates.items()},
        "code_version": code_version(),
        "schema_version": SCHEMA_VERSION,
        "reference_version": reference_version(run.settings.reference),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": _inputs(con),
        "match": _match(run.match),
        "inferred": rows_as_dicts(con, "select * from inference order by all"),
        "ignored_columns": rows_as_dicts(
            con,
            'select f.table_name as "table", f.file_name as file, i.column_name as "column" from ignored_column as i '
            "join input_file as f on f.file_number = i.file_number order by all",
        ),
        "rows": {
            row["stage"]: row["row_count"]
            for row in rows_as_dicts(con, "select stage, row_count from stage_count order by place")
        },
        "discipline_settled_by": _counts(
            con, "select discipline_source, count(*) from stg_line where discipline is not null group by 1 order by 1"
        ),
        "quarantine_reasons": _counts(
            con, "select table_name || ': ' || reason, count(*) from quarantine group by 1 order by 1"
        ),
        "unjudged_days": _counts(
            con,
            "select reason, count(*) from (select distinct reason, patient_key, service_date from stg_unjudged_day) "
            "group by reason order by reason",
        ),
        "payers_without_method": _counts(
            con,
            "select payer_id, count(distinct (patient_key, service_date, discipline)) from stg_line "
            "where is_payer_unlisted and not is_set_aside group by payer_id order by payer_id",
        ),
        "days_with_several_payers": con.execute(
            "select count(*) from stg_therapy_day where payer_count > 1"
        ).fetchone()[0],
        "rules": rows_as_dicts(con, "select * from rule_result order by rule_id"),
        "rule_problems": rows_as_dicts(con, "select distinct rule_id, problem from rule_error order by all"),
        "findings_by_severity": _counts(con, "select severity, count(*) from finding group by 1 order by 1"),
        "at_risk_usd": _total(con),
        "contract_ok": run.verdict.contract_ok,
        "contract_failures": run.verdict.contract_failures,
    }


def _inputs(con) -> list[dict]:
    return rows_as_dicts(
        con,
        'select f.table_name as "table", f.file_name as file, f.sha256, c.rows_read, c.rows_accepted, '
        "c.rows_quarantined, c.rows_duplicate, l.rows_in_file, l.rows_filtered "
        "from input_file as f join load_count as c on c.file_number = f.file_number "
        "left join filtered_count as l on l.file_number = f.file_number order by f.file_number",
    )


def _match(match) -> dict:
    return {
        "claim_days": match.claim_days,
        "claim_days_with_note": match.claim_days_with_note,
        "claim_day_share": match.claim_day_share,
        "notes": match.notes,
        "notes_with_claim": match.notes_with_claim,
        "note_share": match.note_share,
        "minimum_share": match.minimum_share,
    }


def _total(con) -> str:
    """Dollars at risk over all rules, each billed unit once."""
    return str(
        con.execute(
            "select cast((coalesce(sum(at_risk_e4), 0) + 50) // 100 as decimal(18, 0)) * cast(0.01 as decimal(2, 2)) "
            "from line_at_risk_total"
        ).fetchone()[0]
    )


def _report(run, con, manifest: dict) -> Report:
    return Report(
        run_id=run.run_id,
        as_of=run.settings.as_of,
        period=tuple(manifest["period"].values()),
        inputs=manifest["inputs"],
        match=manifest["match"],
        rules=rows_as_dicts(
            con,
            "select r.*, a.title, a.severity, a.citation, a.not_checked from rule_result as r "
            "join ref_audit_rule as a on a.rule_id = r.rule_id order by r.rule_id",
        ),
        findings=con.execute(TABLES["findings"]).to_arrow_table(),
        unjudged=list(manifest["unjudged_days"].items()),
        unlisted_payers=list(manifest["payers_without_method"].items()),
        total_at_risk_usd=manifest["at_risk_usd"],
        reference_versions={"reference": manifest["reference_version"], "code": manifest["code_version"]},
    )


def _counts(con, query: str) -> dict:
    return dict(con.execute(query).fetchall())


def _copy(con, query: str, path: Path, form: str) -> None:
    target = str(path).replace("'", "''")
    con.execute(f"copy ({query}) to '{target}' ({form})")


def _write_json(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _iso(day) -> str | None:
    return day.isoformat() if day else None


def _make_durable(folder: Path) -> None:
    """Every file and folder reaches the disk before the rename makes it visible."""
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap_current(out: Path, run_id: str) -> None:
    aside = out / ".current.partial"
    aside.write_text(run_id + "\n", encoding="utf-8")
    _sync(aside)
    aside.rename(out / "current")
    _sync(out)
