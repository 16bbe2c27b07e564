"""The command line's runs: what is published, when it exits 1, and what happens when a run breaks on its way."""

import errno
import json
import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Timer

import duckdb
import pytest

from flows.disk.lock import only_run
from flows.disk.rights import PRIVATE
from flows.run.run import Asked, Run
from flows.run.stages import IDENTIFY, STAGES, Stage, open_database_of
from flows.settings import AuditSettings
from flows.watch.progress import shown_stage
from tests.cli_runs import AS_OF, audit, day, minutewise, published, refused, write, write_days
from tests.extract_files import write_reference
from transforms.accept import apply as contract
from transforms.errors import AuditError
from transforms.models import run as recompute

pytestmark = pytest.mark.whole_audit


@pytest.fixture
def extracts(tmp_path) -> Path:
    """Three honest visits."""
    return write_days(tmp_path / "extracts", day(1), day(2), day(3))


def read_to_the_end(terminal: int) -> str:
    """All that is written to a terminal until its other end is closed, which Linux tells by an error."""
    pieces = []
    try:
        while piece := os.read(terminal, 4096):
            pieces.append(piece)
    except OSError as problem:
        if problem.errno != errno.EIO:
            raise
    return b"".join(pieces).decode()


class TestTroubleOnTheWay:
    def test_an_internal_error_is_told_without_its_text(self, extracts, tmp_path, monkeypatch):
        def broken(run):
            raise ValueError("the secret of P1")

        monkeypatch.setattr("flows.run.audit.STAGES", (Stage("extract", broken),))
        ran = audit(extracts, tmp_path / "out")
        refused(ran, 4, "internal error (ValueError in test_cli_runs.py:", "doctor", out=tmp_path / "out")
        assert "secret" not in ran.err
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".lock"]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ('N3,P3,2026-03-03,T3,PT,,signed,,,,,,,,"seen today, and', "unbalanced_quote"),
            ("N3,P3,2026-03-03,T3,PT,,signed,,,,,,,,seen today, and well", "too_many_cells"),
            ("N3,P3,2026-03-03,T3,PT,,signed", "too_few_cells"),
        ],
    )
    def test_a_note_whose_row_is_cut_leaves_its_day_unjudged(self, extracts, tmp_path, light_audit, row, reason):
        """The patient and the date stand before what is wrong with the row: nobody may say that there was no note."""
        notes = extracts / "notes.csv"
        sound = notes.read_text(encoding="utf-8").splitlines()
        notes.write_text("\n".join([*sound[:-1], row, ""]), encoding="utf-8")
        blocks = extracts / "note_blocks.csv"
        blocks.write_text("".join(blocks.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
        assert audit(extracts, tmp_path / "out").code == 0
        run = published(tmp_path / "out")[0][0]
        with duckdb.connect() as con:
            asked = f"from '{tmp_path}/out/runs/{run}/quarantine.parquet'"
            told = con.execute(f"select reason, patient_id, service_date, note_id {asked}").fetchall()
            found = con.execute(f"select count(*) from '{tmp_path}/out/runs/{run}/findings.parquet'").fetchone()
        assert told == [(reason, "P3", date(2026, 3, 3), "N3")]
        assert found == (0,)

    def test_a_quote_over_two_claims_bills_nobody_unknown(self, extracts, tmp_path, light_audit):
        """A patient called P3" is nobody: the quote closes the cell that the row before has opened."""
        claims = extracts / "claims.csv"
        text = claims.read_text(encoding="utf-8")
        assert text.count(",P2,") == text.count(",P3,") == 1
        claims.write_text(text.replace(",P2,", ',"P2,').replace(",P3,", ',P3",'), encoding="utf-8")
        assert audit(extracts, tmp_path / "out", "--allow-low-match").code == 0
        run = tmp_path / "out" / "runs" / published(tmp_path / "out")[0][0]
        with duckdb.connect() as con:
            told = con.execute(f"select reason, column_name, line_number from '{run}/quarantine.parquet'").fetchall()
            found = con.execute(f"select rule_id from '{run}/findings.parquet' where severity = 'error'").fetchall()
        assert told == [("unbalanced_quote", None, 3), ("unbalanced_quote", "patient_id", 4)]
        assert found == []

    def test_a_verdict_that_disagrees_stops_the_run(self, extracts, tmp_path, monkeypatch):
        def otherwise(*_place, **_named):
            raise AuditError("Great Expectations judges otherwise; nothing is published: x")

        monkeypatch.setattr("expectations.judge.judge", otherwise)
        refused(audit(extracts, tmp_path / "out"), 4, "judges otherwise", out=tmp_path / "out")

    def test_counts_that_do_not_reconcile_stop_the_run(self, extracts, tmp_path, monkeypatch):
        usual = contract.count_rows

        def miscount(con):
            usual(con)
            con.execute("update load_count set rows_read = rows_read + 1 where file_number = 2")

        monkeypatch.setattr(contract, "count_rows", miscount)
        said = ["notes.csv: 4 rows read, but 3 accepted + 0 quarantined + 0 duplicate", "please report"]
        refused(audit(extracts, tmp_path / "out"), 3, *said, out=tmp_path / "out")

    def test_an_interrupt_publishes_nothing(self, extracts, tmp_path, monkeypatch):
        def interrupted(run):
            raise KeyboardInterrupt

        monkeypatch.setattr("flows.run.audit.STAGES", (Stage("extract", interrupted),))
        ran = audit(extracts, tmp_path / "out")
        assert ran.code == 130 and "nothing was published" in ran.err and "Traceback" not in ran.err
        assert published(tmp_path / "out") == ([], None)

    @pytest.fixture
    def heard(self):
        """A shell starts what runs behind it deaf to Ctrl-C."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    @pytest.mark.usefixtures("heard")
    def test_an_interrupt_while_duckdb_works_is_one_too(self, extracts, tmp_path, monkeypatch):
        def working(run):
            Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            with open_database_of(run) as con:
                con.execute("select max(hash(a.range, b.range)) from range(1000000) as a, range(1000000) as b")

        monkeypatch.setattr("flows.run.audit.STAGES", (Stage("extract", working),))
        ran = audit(extracts, tmp_path / "out")
        assert ran.code == 130 and "nothing was published" in ran.err and "internal error" not in ran.err
        assert published(tmp_path / "out") == ([], None)

    def test_a_disk_that_is_full_leaves_nothing_behind(self, extracts, tmp_path, monkeypatch, light_audit):
        def full(*_arguments):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("flows.publishing.write.write_workbook", full)
        ran = audit(extracts, tmp_path / "out")
        refused(ran, 2, "--out", "cannot be written (No space left on device)", out=tmp_path / "out")

    def test_a_second_run_is_told_to_wait(self, extracts, tmp_path):
        out, warehouse = tmp_path / "out", tmp_path / "w.duckdb"
        with only_run(out / ".lock"):
            refused(audit(extracts, out), 75, "another run holds", str(out), "wait", out=out)
        with only_run(tmp_path / "w.duckdb.lock"):
            ran = audit(extracts, out, "--warehouse", warehouse)
            refused(ran, 75, "another run holds", "w.duckdb", "wait", out=out)

    def test_a_rule_that_cannot_be_run_is_named_and_the_others_stand(
        self, extracts, tmp_path, monkeypatch, light_audit
    ):
        usual = recompute.run_model

        def run_model(con, model, *schema):
            if model.name == "claim_line_duplicated":
                raise AuditError("claim_line_duplicated.sql: BinderException")
            usual(con, model, *schema)

        monkeypatch.setattr(recompute, "run_model", run_model)
        ran = audit(extracts, tmp_path / "out", "--json")
        assert ran.code == 1
        assert ran.err.startswith("minutewise: these rules could not be run") and "claim_line_dup" in ran.err
        statuses = {rule["rule_id"]: rule["status"] for rule in json.loads(ran.out)["rules"]}
        assert [rule for rule, status in statuses.items() if status == "error"] == ["claim_line_duplicated"]

    def test_progress_is_shown_on_a_terminal_alone(self, extracts, tmp_path, monkeypatch):
        terminal, end = os.openpty()
        settings = AuditSettings(out=tmp_path, as_of=date.fromisoformat(AS_OF), extracts=extracts)
        run = Run(Asked(settings, tmp_path, PRIVATE))
        with ThreadPoolExecutor(1) as pool:
            # Read while it is written: what a terminal has not read yet is small, and comes in pieces of any size.
            shown = pool.submit(read_to_the_end, terminal)
            with os.fdopen(end, "w") as stream:
                monkeypatch.setattr(sys, "stderr", stream)
                with shown_stage() as run_stage:
                    for stage in (IDENTIFY, *STAGES):
                        run_stage(Stage(stage.name, lambda run: None), run)
            told = shown.result(timeout=60)
        os.close(terminal)
        assert "extract" in told and "reading the extracts ..." in told and run.found.seconds["publish"] == 0


class TestPublishing:
    @pytest.mark.parametrize(
        ("visit", "codes"),
        [
            (day(4), {"never": 0, "review": 0, "warning": 0, "error": 0}),
            (day(4, claims_units=1, minutes=45), {"never": 0, "review": 1, "warning": 1, "error": 0}),
            (day(4, claims_units=4), {"never": 0, "review": 1, "warning": 1, "error": 1}),
        ],
        ids=["honest", "warning", "error"],
    )
    def test_fail_on_looks_at_the_severity_of_findings(self, tmp_path, light_audit, visit, codes):
        extracts, out = write_days(tmp_path / "extracts", day(1), visit), tmp_path / "out"
        for severity, code in codes.items():
            assert audit(extracts, out, "--fail-on", severity).code == code, severity
        assert len(published(out)[0]) == 1, "what makes a run fail does not make it another audit"

    def test_fail_on_new_looks_at_what_the_run_before_did_not_have(self, tmp_path, light_audit):
        out, old, new = tmp_path / "out", day(2, claims_units=4), day(3, claims_units=5)
        first = write_days(tmp_path / "1", day(1), old)
        same = write_days(tmp_path / "2", day(1), old, day(4))
        more = write_days(tmp_path / "3", day(1), old, new, day(4))
        asked = ("--fail-on", "error", "--fail-on-new")
        codes = [audit(extracts, out, *asked).code for extracts in (first, same, more)]
        assert codes == [1, 0, 1]
        again = [audit(extracts, out, *asked) for extracts in (first, same, more)]
        assert [ran.code for ran in again] == codes, "the same audit repeats its exit code"
        assert all("published already" in ran.err for ran in again)
        assert audit(same, out, "--fail-on", "error").code == 1
        for path in (out / "runs").iterdir():
            if json.loads((path / "manifest.json").read_text())["previous_run"] is None:
                shutil.rmtree(path)
        assert audit(same, out, *asked).code == 1, "all findings are new where the run before is gone"

    def test_the_same_audit_again_finds_its_run(self, extracts, tmp_path, light_audit):
        out = tmp_path / "out"
        first = audit(extracts, out, "--json")
        again = audit(extracts, out, "--json")
        assert (first.code, again.code) == (0, 0)
        assert first.out == again.out and first.err == ""
        run = json.loads(first.out)["run_id"]
        assert again.err == f"minutewise: this audit is published already: {out / 'runs' / run}\n"
        assert published(out) == ([run], run)

    def test_every_file_is_on_the_disk_before_it_is_served(self, extracts, tmp_path, light_audit, monkeypatch):
        """Those too that were written while the audit ran, and only moved when it was published."""
        synced, usual = {}, os.fsync

        def fsync(handle):
            synced[os.fstat(handle).st_ino] = os.fstat(handle).st_mtime_ns
            usual(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        assert audit(extracts, tmp_path / "out").code == 0
        run = tmp_path / "out" / "runs" / (tmp_path / "out" / "current").read_text().strip()
        files = [path for path in run.rglob("*") if path.is_file()]
        assert {"claims.parquet", "notes.parquet", "note_blocks.parquet"} <= {path.name for path in files}
        for path in files:
            assert synced.get(path.stat().st_ino) == path.stat().st_mtime_ns, path.name

    def test_json_is_one_document_and_text_says_where_to_look(self, extracts, tmp_path, light_audit):
        told = audit(extracts, tmp_path / "out", "--json")
        document = json.loads(told.out)
        folder = tmp_path / "out" / "runs" / document["run_id"]
        assert (document["folder"], document["exit_code"]) == (str(folder), 0)
        written = json.loads((folder / "manifest.json").read_text())
        assert {key: document[key] for key in written} == written
        shown = audit(extracts, tmp_path / "out").out
        assert shown.startswith("Claim days matched to a note: 100% (3 of 3)")
        assert str(folder / "report.html") in shown and "billed_units_exceed_minutes" in shown

    def test_a_part_of_the_dates_is_published_beside(self, extracts, tmp_path, light_audit):
        out = tmp_path / "out"
        part = json.loads(audit(extracts, out, "--since", "2026-03-02", "--json").out)["run_id"]
        assert published(out) == ([part], None)
        whole = json.loads(audit(extracts, out, "--json").out)["run_id"]
        other = json.loads(audit(extracts, out, "--until", "2026-03-02", "--json").out)["run_id"]
        runs, current = published(out)
        assert current == whole and sorted(runs) == sorted([part, whole, other])

    def test_files_named_by_globs(self, tmp_path, light_audit):
        for number in (1, 2):
            write_days(tmp_path / "in" / str(number), day(number))
        asked = [
            f"--{table}={tmp_path}/in/*/{name}.csv"
            for table, name in (("claims", "claims"), ("notes", "notes"), ("note-blocks", "note_blocks"))
        ]
        ran = minutewise("audit", *asked, "--out", tmp_path / "out", "--as-of", AS_OF, "--json")
        assert ran.code == 0, ran.err
        inputs = json.loads(ran.out)["inputs"]
        assert [(entry["file"], entry["rows_read"]) for entry in inputs[:2]] == [
            ("1/claims.csv", 1),
            ("2/claims.csv", 1),
        ]
        assert len(inputs) == 6

    def test_own_reference_rows_are_in_force(self, tmp_path, light_audit):
        extracts = write_days(tmp_path / "extracts", day(1, claims_units=3, minutes=45))
        method = {"payer_id": "MEDICARE", "counting_method": "cms_8_minute", "timed_units_per_day_cap": 2}
        write_reference(tmp_path / "own", {"payer_method": [method | {"effective_from": "2026-01-01"}]})
        plain = json.loads(audit(extracts, tmp_path / "out", "--json").out)
        own = json.loads(audit(extracts, tmp_path / "out", "--reference", tmp_path / "own", "--json").out)
        assert plain["findings_by_severity"] == {} and own["findings_by_severity"] == {"error": 1}
        assert plain["run_id"] != own["run_id"] and plain["reference_version"] != own["reference_version"]

    def test_extracts_without_a_row_are_an_audit_of_nothing(self, tmp_path, light_audit):
        extracts = write_days(tmp_path / "extracts", day(1))
        for path in extracts.iterdir():
            path.write_text(path.read_text().split("\n")[0] + "\n")
        refused(audit(extracts, tmp_path / "out"), 3, "of 0 claim rows read none", out=tmp_path / "out")
        ran = audit(extracts, tmp_path / "out", "--json", "--override-guard", "no_accepted_claims")
        assert ran.code == 0, ran.err
        assert {rule["status"] for rule in json.loads(ran.out)["rules"]} == {"not_applicable"}

    def test_folders_called_like_columns_are_folders(self, tmp_path, light_audit):
        extracts = write_days(tmp_path / "extracts", day(1), day(2))
        for number, name in enumerate(("discipline=OT", "service_date=2026-05-05", "note_id=7", "site=east")):
            plain = json.loads(audit(extracts, tmp_path / str(number), "--json").out)
            named = audit(extracts, tmp_path / name, "--json")
            assert named.code == 0, named.err
            rows, same = json.loads(named.out)["files"], plain["files"]
            parquet = {file for file in same if file.endswith(".parquet")}
            assert "accepted/note_blocks.parquet" in parquet
            assert {file: rows[file] for file in parquet} == {file: same[file] for file in parquet}

    def test_names_of_other_scripts(self, tmp_path, light_audit):
        extracts = write_days(tmp_path / os.fsdecode(b"\xff \xc3\xbc's [1]*"), day(1))
        out = tmp_path / "aus gäbe 'Ω' [1]* #%"
        assert (ran := audit(extracts, out)).code == 0 and ran.err == ""
        write_days(extracts, day(1), day(2, claims_units=4))
        assert audit(extracts, out, "--fail-on", "review", "--fail-on-new").code == 1
        for name, why in (("a?", "question mark"), (os.fsdecode(b"\xff"), "not UTF-8")):
            refused(audit(extracts, tmp_path / name), 2, "--out", why, "choose another")

    def test_a_warehouse_is_kept_and_replaced_only_by_a_whole_one(self, extracts, tmp_path, light_audit):
        def lines_held() -> int:
            with duckdb.connect(str(kept), read_only=True) as con:
                return con.execute("select count(*) from ok_claims").fetchone()[0]

        out, kept = tmp_path / "out", tmp_path / "kept" / "w.duckdb"
        assert audit(extracts, out).code == 0
        assert audit(extracts, out, "--warehouse", kept).code == 0, "published already, and wanted all the same"
        assert lines_held() == 3
        write(extracts / "notes.csv", "")
        assert audit(extracts, out, "--warehouse", kept).code == 3
        assert lines_held() == 3
        write_days(extracts, day(1), day(2), day(3), day(4))
        assert audit(extracts, out, "--warehouse", kept).code == 0
        assert lines_held() == 4
        assert sorted(path.name for path in kept.parent.iterdir()) == ["w.duckdb", "w.duckdb.lock"]
