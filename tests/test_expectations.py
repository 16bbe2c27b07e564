"""Great Expectations over a small finished database: verdicts, contract, pages, and no patient anywhere."""

import csv
import re
import stat
import subprocess
import sys
import traceback
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations.judge import Verdict, agree, judge
from transforms.errors import AuditError

pytestmark = pytest.mark.whole_audit

ROOT = Path(__file__).resolve().parents[1]
AS_OF = date(2026, 1, 31)
STATUSES = {"rule_clean": "passed", "rule_broken": "failed", "rule_idle": "not_applicable"}
CANARIES = ("CANARY-PATIENT", "CANARY-CLAIM", "CANARY-NOTE", "CANARY narrative")

SCHEMA = """
create table input_file (file_number integer, table_name varchar, file_name varchar, path varchar);
create table delivered_file (file_number integer, is_new boolean);
create table load_count (file_number integer, rows_read bigint, rows_accepted bigint, rows_quarantined bigint,
    rows_duplicate bigint);
create table ref_audit_rule (rule_id varchar, title varchar, severity varchar, subject varchar,
    citation varchar, citation_url varchar, not_checked varchar, last_checked_on date);
create table rule_result (rule_id varchar, status varchar, in_scope bigint, unjudged bigint,
    violations bigint, errors bigint, warnings bigint, reviews bigint, at_risk_usd decimal(18, 4));
create table quarantine (table_name varchar, file_number integer, source_line bigint, row_json varchar);
create table duplicate_row (table_name varchar, file_number integer, source_line bigint);
insert into quarantine values ('claims', 1, 3, 'CANARY-PATIENT');
insert into duplicate_row values ('claims', 1, 4);
create table finding (finding_id varchar, rule_id varchar, severity varchar, patient_id varchar,
    message varchar);
insert into input_file values (1, 'claims', 'claims.csv', '/x'), (2, 'notes', 'notes.csv', '/x'),
    (3, 'note_blocks', 'note_blocks.csv', '/x');
insert into load_count values (1, 3, 1, 1, 1), (2, 1, 1, 0, 0), (3, 1, 1, 0, 0);
insert into ref_audit_rule values
    ('rule_clean', 'A clean <b>rule</b> for $5', 'error', 's', 'Pub. 100-04 ch. 5 s. 20.2.C', '', '', null),
    ('rule_broken', 'A broken rule', 'warning', 's', 'CPT, time', '', '', null),
    ('rule_idle', 'An idle rule', 'review', 's', 'Pub. 100-02', '', '', null);
insert into rule_result values ('rule_clean', 'passed', 4, 0, 0, 0, 0, 0, 0),
    ('rule_broken', 'failed', 4, 0, 2, 0, 2, 0, 10), ('rule_idle', 'not_applicable', 0, 1, 0, 0, 0, 0, 0);
insert into finding values ('f1', 'rule_broken', 'warning', 'CANARY-PATIENT', 'of CANARY-PATIENT'),
    ('f2', 'rule_broken', 'warning', 'CANARY-PATIENT', 'of CANARY-CLAIM');
"""

STORED = {
    "whole": ("integer", "1"),
    "minutes": ("decimal(9, 4)", "24"),
    "money": ("decimal(18, 4)", "10.5"),
    "date": ("date", "date '2026-01-05'"),
    "timestamp": ("timestamp", "timestamp '2026-01-05 10:00:00'"),
    "clock": ("timestamp", "timestamp '2026-01-05 09:00:00'"),
    "flag": ("boolean", "true"),
}
PLANTED = {
    "claim_id": "CANARY-CLAIM",
    "note_id": "CANARY-NOTE",
    "patient_id": "CANARY-PATIENT",
    "narrative": "CANARY narrative",
    "description": "CANARY narrative",
    "discipline": "PT",
}


def table_sql(name):
    """One row in the shape of the contract, every identifier and text a canary."""
    with (ROOT / "data" / "contracts" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        fields = list(csv.DictReader(lines))
    columns, values = [], []
    for row in fields:
        kind, value = STORED.get(row["type"], ("varchar", None))
        if value is None:
            allowed = row["default"] or row["allowed"].split(";")[0]
            value = f"'{PLANTED.get(row['field']) or allowed or 'CANARY-CLAIM'}'"
        columns.append(f"{row['field']} {kind}")
        values.append(value)
    number = ("claims", "notes", "note_blocks").index(name) + 1
    return (
        f"create table ok_{name} ({', '.join(columns)}, file_number integer, source_line bigint);"
        f"insert into ok_{name} values ({', '.join(values)}, {number}, 2);"
    )


@pytest.fixture
def database(tmp_path):
    """A path a URL would trip over, and one finished, honest database in it."""
    folder = tmp_path / "a folder#$HOME%41"
    folder.mkdir()
    path = folder / "audit.duckdb"
    change(path, SCHEMA + "".join(table_sql(name) for name in ("claims", "notes", "note_blocks")))
    return path


def change(path, sql):
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def judged(database, run_id="2026-01-31-one"):
    return judge(database, database.parent.parent / "context", run_id, as_of=AS_OF)


def stored_text(folder):
    return {path: path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()}


def assert_private(folder):
    for path, text in stored_text(folder).items():
        assert not [canary for canary in CANARIES if canary in text or canary in str(path)], path
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_each_rule_gets_its_own_verdict_and_the_contract_holds(database, capfd):
    verdict = judged(database)
    assert verdict.rules == STATUSES
    assert verdict.contract_failures == []
    assert verdict.contract_ok
    agree(verdict, STATUSES)
    assert capfd.readouterr() == ("", "")
    # The file is free again: a later stage may write to it.
    change(database, "create table later (a integer)")


@pytest.mark.parametrize(
    "sql",
    [
        "delete from rule_result where rule_id = 'rule_clean'",
        "insert into rule_result select * from rule_result where rule_id = 'rule_clean'",
        "update rule_result set status = 'error' where rule_id = 'rule_clean'",
        "update rule_result set in_scope = null where rule_id = 'rule_clean'",
        "update rule_result set violations = 1 where rule_id = 'rule_clean'",
        "insert into finding values ('f9', 'rule_clean', 'error', 'CANARY-PATIENT', '')",
        "update rule_result set in_scope = 0, violations = 1 where rule_id = 'rule_clean';"
        "insert into finding values ('f9', 'rule_clean', 'error', 'CANARY-PATIENT', '')",
    ],
)
def test_a_rule_not_counted_exactly_once_is_an_error_and_no_verdict(database, sql):
    change(database, sql)
    verdict = judged(database)
    assert verdict.rules == STATUSES | {"rule_clean": "error"}
    with pytest.raises(AuditError, match=r"rule_clean .*passed.*error"):
        agree(verdict, STATUSES)
    assert_private(database.parent.parent / "context")


@pytest.mark.parametrize(
    ("sql", "failure"),
    [
        ("update ok_claims set patient_id = null", "ok_claims.patient_id: required: 1 rows"),
        (
            "insert into ok_claims select * from ok_claims",
            "ok_claims.claim_id + line_number: key is distinct: 1 rows",
        ),
        ("update ok_claims set billed_units = -1", "ok_claims.billed_units: range: 1 rows"),
        ("update ok_claims set service_date = date '1989-12-31'", "ok_claims.service_date: range: 1 rows"),
        ("update ok_claims set service_date = date '2026-02-02'", "ok_claims.service_date: range: 1 rows"),
        ("update ok_claims set claim_type = 'CANARY-CLAIM'", "ok_claims.claim_type: allowed values: 1 rows"),
        ("update ok_note_blocks set note_id = 'other'", "ok_note_blocks.note_id: has its note: 1 rows"),
        ("update ok_notes set is_billable = null", "ok_notes.is_billable: required: 1 rows"),
        ("alter table ok_notes drop narrative", "ok_notes.narrative: is there as VARCHAR: 1 rows"),
        (
            "alter table ok_note_blocks alter minutes type bigint",
            "ok_note_blocks.minutes: is there as DECIMAL(9,4): 1 rows",
        ),
        (
            "update load_count set rows_read = 4 where file_number = 1",
            "load_count.rows_read: accepted + quarantined + duplicate, per file: 1 rows",
        ),
        (
            "delete from quarantine",
            "load_count.rows_quarantined: the rows that the tables hold, per file: 1 rows",
        ),
        (
            "update duplicate_row set file_number = 9",
            "load_count.rows_duplicate: the rows that the tables hold, per file: 2 rows",
        ),
        ("delete from ok_notes", "load_count.rows_accepted: the rows that the tables hold, per file: 1 rows"),
        (
            "insert into input_file values (4, 'claims', 'b.csv', '/x')",
            "load_count.file_number: every input file is counted once: 1 rows",
        ),
        (
            "update finding set rule_id = 'unknown_rule' where finding_id = 'f1'",
            "finding.rule_id: is a rule of the registry: 1 rows",
        ),
    ],
)
def test_a_broken_contract_is_told_by_name_and_count(database, sql, failure):
    change(database, sql)
    verdict = judged(database)
    assert failure in verdict.contract_failures
    assert not verdict.contract_ok
    assert_private(database.parent.parent / "context")


def test_an_honest_boundary_passes(database):
    change(database, "update ok_claims set service_date = date '2026-02-01', billed_units = 0")
    assert judged(database).contract_ok


def test_a_missing_column_makes_its_checks_err_and_not_fail(database):
    change(database, "alter table ok_claims drop patient_id")
    failures = judged(database).contract_failures
    assert "ok_claims.patient_id: is there as VARCHAR: 1 rows" in failures
    assert any(failure.startswith("ok_claims.patient_id: required: minutewise: ") for failure in failures)


def test_an_error_that_quotes_a_row_is_stored_without_it(database, capfd):
    # The query casts the patient's id, and DuckDB's error text quotes it.
    change(
        database,
        "alter table finding rename to held_finding; create view finding as"
        " select finding_id,"
        " case when cast(patient_id as integer) > 0 then rule_id else rule_id end as rule_id"
        " from held_finding",
    )
    verdict = judged(database)
    assert set(verdict.rules.values()) == {"error"}
    assert not verdict.contract_ok
    assert "CANARY" not in str(verdict)
    assert "CANARY" not in "".join(capfd.readouterr())
    assert_private(database.parent.parent / "context")
    assert "the check itself ended in ConversionException" in str(verdict.results_json)


def test_without_the_connection_settings_every_expectation_errs(database, monkeypatch):
    """The settings are what makes Great Expectations work on DuckDB: when they stop, this file turns red."""
    from expectations.suites import context

    healthy = judged(database)
    assert not [one for one in all_results(healthy) if one["exception_info"]["raised_exception"]]
    monkeypatch.setattr(context, "ENGINE_SETTINGS", {})
    broken = judged(database, "2026-01-31-two")
    assert set(broken.rules.values()) == {"error"}
    assert not broken.contract_ok
    assert_private(database.parent.parent / "context")


def all_results(verdict):
    return [one for suite in verdict.results_json.values() for one in suite["results"]]


def test_data_docs_keep_the_history_and_open_offline(database):
    folder = database.parent.parent / "context"
    judged(database, "2026-01-30-first")
    change(database, "delete from finding; update rule_result set violations = 0, status = 'passed'")
    assert judged(database, "2026-01-31-second").rules["rule_broken"] == "passed"
    texts = stored_text(folder)
    pages = {path: text for path, text in texts.items() if path.suffix == ".html"}
    index = next(text for path, text in pages.items() if path.name == "index.html")
    assert "2026-01-30-first" in index
    assert "2026-01-31-second" in index
    for path, text in pages.items():
        assert not re.search(r"<(script|link|img|iframe|object|embed|video|audio)\b[^>]*//", text, re.IGNORECASE), path
        assert "<script" not in text, path
        assert not re.search(r"\b(src|srcset)\s*=\s*[\"']?\s*(\w+:)?//", text, re.IGNORECASE), path
    for path, text in texts.items():
        if path.suffix in (".html", ".css"):
            assert not re.search(r"(url\(|@import)\s*[\"']?\s*(\w+:)?//", text, re.IGNORECASE), path
    rule_page = "".join(text for path, text in pages.items() if "rules" in str(path) and "first" in str(path))
    assert "rule_broken (warning): A broken rule. Source: CPT, time" in rule_page
    assert "A clean &lt;b&gt;rule&lt;/b&gt; for &#36;5" in rule_page
    assert "<b>rule</b>" not in rule_page
    assert "not applicable: nothing in scope" in rule_page
    assert_private(folder)


def test_results_hold_severity_and_citation_and_no_values(database):
    verdict = judged(database)
    metas = {
        one["expectation_config"]["meta"]["rule_id"]: one["expectation_config"]["meta"]
        for one in verdict.results_json["rules"]["results"]
    }
    assert metas["rule_clean"]["severity"] == "error"
    assert metas["rule_clean"]["citation"] == "Pub. 100-04 ch. 5 s. 20.2.C"
    assert "CANARY" not in str(verdict)


def test_a_judgement_keeps_its_limits_and_draws_no_progress_bar(database):
    """DuckDB draws one on stdout where the main module is no file, as with `python -c`."""
    program = """if True:
        import sys
        from pathlib import Path
        import duckdb
        import expectations.judge as judging
        from sqlalchemy import create_engine, text

        registry = judging._registry
        names = ("enable_progress_bar", "threads", "memory_limit")
        asked = "select " + ", ".join(f"current_setting('{name}')" for name in names)

        def looked_at(arguments):
            with create_engine("duckdb:///:memory:", connect_args=dict(arguments)).connect() as connection:
                print(*connection.execute(text(asked)).one())
            return registry(arguments)

        print(duckdb.connect().execute(asked).fetchone()[0])
        judging._registry = looked_at
        database, context = map(Path, sys.argv[1:])
        judging.judge(database, context, "run", limits=judging.Limits(threads=1, memory_limit="300 MiB"))
    """
    command = [sys.executable, "-c", program, database, database.parent.parent / "context"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert told.stdout.splitlines() == ["True", "False 1 300.0 MiB"]


def test_a_database_that_cannot_be_judged_is_a_plain_error(database, tmp_path):
    with pytest.raises(AuditError, match="not there"):
        judge(tmp_path / "none.duckdb", tmp_path / "context", "run")
    change(database, "drop table load_count")
    with pytest.raises(AuditError, match="every table"):
        judged(database)
    change(database, "delete from ref_audit_rule")
    with pytest.raises(AuditError, match="ref_audit_rule"):
        judged(database)
    change(database, "drop table ref_audit_rule")
    with pytest.raises(AuditError, match="cannot be judged") as problem:
        judged(database)
    assert "CANARY" not in str(problem.value)


def test_an_open_writer_is_a_plain_error_and_leaves_the_file_free(database):
    with duckdb.connect(str(database)), pytest.raises(AuditError, match="open for writing"):
        judged(database)
    change(database, "create table later (a integer)")


def test_an_unforeseen_error_is_told_without_its_text(database, monkeypatch):
    from expectations.suites import docs_site

    def fail(*_):
        raise ValueError("CANARY-PATIENT")

    monkeypatch.setattr(docs_site, "build_site", fail)
    with pytest.raises(AuditError, match="ValueError") as problem:
        judged(database)
    assert "CANARY" not in "".join(traceback.format_exception(problem.value))
    change(database, "create table later (a integer)")


def test_a_damaged_history_does_not_stop_a_run(database):
    folder = database.parent.parent / "context"
    judged(database, "2026-01-30-first")
    for path in folder.rglob("*rule_result.json"):
        path.write_text('{"statistics": {"unsuccess', encoding="utf-8")
    (folder / "gx" / "great_expectations.yml").write_text("broken: [", encoding="utf-8")
    assert judged(database, "2026-01-31-second").rules == STATUSES
    index = next(text for path, text in stored_text(folder).items() if path.name == "index.html")
    assert "not read" in index


def test_agreement_names_rules_and_no_values():
    verdict = Verdict(rules={"a": "passed", "b": "failed"}, contract_ok=True)
    agree(verdict, {"a": "passed", "b": "failed"})
    for statuses in (
        {"a": "passed"},
        {"a": "failed", "b": "failed"},
        {"a": "passed", "b": "failed", "c": "passed"},
    ):
        with pytest.raises(AuditError, match="judges otherwise"):
            agree(verdict, statuses)


def test_importing_the_judgement_imports_no_great_expectations():
    code = "import sys, expectations.judge; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
