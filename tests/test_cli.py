"""The command line: every mistake gets one clear line and its exit code, and publishes nothing."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.lock import only_run
from flows.progress import shown_stage
from flows.settings import AuditSettings
from flows.stages import Run, Stage
from tests.cli_runs import AS_OF, as_nobody, day, judged_by_findings, minutewise, published, write_days
from tests.extract_files import write_reference
from transforms.errors import AuditError

METHOD = "payer_id,counting_method,follows_mue,effective_from,effective_to,citation,last_checked_on\n"
CAP = "procedure_code,cap_units,effective_from,effective_to,citation,last_checked_on\n"
PARAMETER = "name,value,effective_from,citation,last_checked_on\n"
HEAVY = ("duckdb", "prefect", "great_expectations", "pandas", "pyarrow", "sqlalchemy", "rich", "xlsxwriter")


@pytest.fixture
def extracts(tmp_path) -> Path:
    """Three honest visits."""
    return write_days(tmp_path / "extracts", day(1), day(2), day(3))


@pytest.fixture
def quick(monkeypatch):
    """Great Expectations takes seconds, and these tests are not about it."""
    monkeypatch.setattr("expectations.judge.judge", judged_by_findings)


def audit(extracts: Path, out: Path, *more: object):
    return minutewise("audit", "--extracts", extracts, "--out", out, "--as-of", AS_OF, *more)


def refused(ran, code: int, *said: str, out: Path | None = None) -> None:
    """The command ended with this code and one line that holds all of `said`, and published nothing."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert ran.err.startswith("minutewise: ") and ran.err.endswith("\n")
    assert ran.err.count("\n") == 1 and "Traceback" not in ran.err
    for part in said:
        assert part in ran.err, ran.err
    if out:
        assert published(out) == ([], None)


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class TestOptions:
    """Mistakes on the command line itself: exit 2."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["audit"], "Missing option '--out'"),
            (["audit", "--out", "o"], "give --extracts DIR, or --claims PATH"),
            (["audit", "--extracts", "e", "--out", ""], "'--out': is empty; give a path"),
            (["audit", "--extracts", " ", "--out", "o"], "'--extracts': is empty"),
            (["audit", "--extracts", "e", "--out", "o", "--since", "31.10.2026"], "write it as YYYY-MM-DD"),
            (
                ["audit", "--extracts", "e", "--out", "o", "--as-of", "2026-02-30"],
                "'2026-02-30' is not a date",
            ),
            (
                ["audit", "--extracts", "e", "--out", "o", "--as-of", "0001-01-01"],
                "must lie between 1990-01-01",
            ),
            (["audit", "--extracts", "e", "--out", "o", "--as-of", "9999-12-31"], "must lie between"),
            (
                ["audit", "--extracts", "e", "--out", "o", "--since", "2026-10-02", "--until", "2026-10-01"],
                "--since 2026-10-02 is after --until 2026-10-01",
            ),
            (["audit", "--extracts", "e", "--out", "o", "--fail-on", "fatal"], "'fatal' is not one of"),
            (["audit", "--extracts", "e", "--out", "o", "--fail-on-new"], "--fail-on-new needs --fail-on"),
            (
                ["audit", "--extracts", "e", "--out", "o", "--workbook-rows", "many"],
                "'many' is not a valid int",
            ),
            (["audit", "--extracts", "e", "--out", "o", "--workbook-rows", "0"], "must be 1 or more"),
            (["audit", "--extracts", "e", "--out", "o", "--workbook-rows", "2000000"], "1,000,000 at most"),
            (["audit", "--extract", "e", "--out", "o"], "Did you mean '--extracts'?"),
            (["audit", "e", "--out", "o"], "unexpected extra argument (e)"),
            (["audti"], "No such command 'audti'"),
            (["units"], "Missing argument 'CODE=MINUTES"),
            (["units", "97112"], "'97112' is not CODE=MINUTES with whole minutes, say 97112=24"),
            (["units", "97112=24.5"], "'97112=24.5' is not CODE=MINUTES"),
            (["units", "--", "97112=-5"], "'97112=-5' is not CODE=MINUTES"),
            (["units", "97112=" + "9" * 5000], "is not CODE=MINUTES"),
            (["units", "=24"], "'=24' is not CODE=MINUTES"),
            (["units", "97112=24", "97112=3"], "97112 is given twice; add its minutes up"),
            (["units", "97112=1000", "97110=441"], "a day has 1440 minutes"),
            (["units", "97112=24", "--date", "today"], "'today' is not a date"),
            (["units", "99213=24"], "99213: not a therapy code in scope"),
            (["units", "97161=24"], "97161: is untimed"),
            (["units", "96125=24"], "96125: is other length"),
            (["units", "97112=24", "--date", "1980-01-01"], "not a therapy code in scope on 1980-01-01"),
            (["units", "97112=24", "--payer", "x" * 201], "longer than 200 characters"),
            (["units", "97112=24", "--reference", "none"], "--reference none: no such folder"),
        ],
    )
    def test_a_wrong_one_is_named(self, tmp_path, monkeypatch, arguments, said):
        monkeypatch.chdir(tmp_path)
        refused(minutewise(*arguments), 2, said, out=tmp_path / "o")
        assert list(tmp_path.iterdir()) == []

    def test_no_command_shows_the_help_and_is_a_mistake(self):
        ran = minutewise()
        assert (ran.code, ran.out) == (2, "")
        assert "Usage: minutewise" in ran.err and "Traceback" not in ran.err


class TestPaths:
    """Files and folders that are not what an option takes: exit 2."""

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda at: ["--extracts", at / "none"], ["none: no such folder", "--extracts names"]),
            (lambda at: ["--extracts", write(at / "claims.csv", "")], ["claims.csv", "is a file"]),
            (
                lambda at: ["--extracts", write(at / "e" / "lines.csv", "").parent],
                ["no claims*.csv", "it holds lines.csv"],
            ),
            (
                lambda at: ["--extracts", write(at / "e" / "claims.csv.gz", "").parent],
                ["claims.csv.gz", "unpack"],
            ),
            (lambda at: ["--claims", at / "c*.csv"], ["--claims", "no such file", "glob"]),
            (lambda at: ["--claims", at], ["is a folder", "give a file or a glob"]),
            (lambda at: ["--mapping", at / "map.toml"], ["map.toml", "check --mapping"]),
            (lambda at: ["--mapping", at], ["--mapping", "is a directory"]),
            (lambda at: ["--mapping", write(at / "map.toml", "[claims\n")], ["map.toml"]),
            (
                lambda at: ["--mapping", write(at / "map.toml", '[claims.columns]\ncolour = "x"\n')],
                ["map.toml", "colour"],
            ),
            (
                lambda at: ["--mapping", write(at / "map.toml", '[claims]\ncolumn = "x"\n')],
                ["map.toml", "claims.column", "unknown"],
            ),
            (lambda at: ["--crosswalk", at / "none"], ["none: no such folder", "patient.csv"]),
            (
                lambda at: ["--crosswalk", write(at / "x" / "patients.csv", "").parent],
                ["patients.csv", "known are patient.csv"],
            ),
            (
                lambda at: [
                    "--crosswalk",
                    write(at / "x" / "patient.csv", "notes_id,claims_id\n1,2\n1,3\n").parent,
                ],
                ["patient.csv: line 3", "keep one of the two"],
            ),
            (lambda at: ["--warehouse", at], ["--warehouse", "is a directory"]),
            (
                lambda at: ["--warehouse", write(at / "mine.csv", "a,b\n1,2\n")],
                ["mine.csv", "choose another name"],
            ),
        ],
    )
    def test_a_wrong_one_is_named(self, extracts, tmp_path, make, said):
        refused(audit(extracts, tmp_path / "out", *make(tmp_path)), 2, *said, out=tmp_path / "out")

    def test_the_output_folder_is_a_file_or_below_one(self, extracts, tmp_path):
        file = write(tmp_path / "file", "mine")
        refused(audit(extracts, file), 2, str(file), "is a file")
        refused(audit(extracts, file / "out"), 2, f"{file / 'out'}: cannot write there", "choose another folder")
        assert file.read_text() == "mine"

    def test_a_folder_without_rights_is_named(self):
        folder = Path(mkdtemp())
        minutewise("audit", "--extracts", folder / "none", "--out", folder / "none")  # imports what it needs
        try:
            folder.chmod(0o755)
            extracts = write_days(folder / "extracts", day(1))
            closed = folder / "closed"
            closed.mkdir(mode=0o500)
            (folder / "open").mkdir()
            (folder / "open").chmod(0o777)
            (folder / "open" / "runs").mkdir(mode=0o555)
            with as_nobody():
                refused(audit(extracts, closed / "out"), 2, "closed", "Permission denied", "choose another")
                refused(audit(extracts, folder / "open"), 2, "open/runs: cannot be written")
                refused(
                    audit(extracts, folder / "open2", "--warehouse", closed / "w.duckdb"),
                    2,
                    "Permission denied",
                )
            (extracts / "claims.csv").chmod(0)
            (folder / "open" / "runs").rmdir()
            with as_nobody():
                ran = audit(extracts, folder / "open")
                refused(ran, 2, "claims.csv: cannot be read (Permission denied)", "rights", out=folder / "open")
            extracts.chmod(0)
            with as_nobody():
                refused(audit(extracts, folder / "open"), 2, "extracts", "is not readable")
        finally:
            shutil.rmtree(folder)

    def test_a_warehouse_that_no_audit_made_stays_as_it_is(self, extracts, tmp_path):
        import duckdb

        with duckdb.connect(str(tmp_path / "mine.duckdb")) as con:
            con.execute("create table my_own as select 1 as a")
        before = (tmp_path / "mine.duckdb").read_bytes()
        ran = audit(extracts, tmp_path / "out", "--warehouse", tmp_path / "mine.duckdb")
        refused(ran, 2, "mine.duckdb", "was not made by an audit", out=tmp_path / "out")
        assert (tmp_path / "mine.duckdb").read_bytes() == before

    def test_what_an_earlier_run_left_damaged_is_named(self, extracts, tmp_path, quick):
        out = tmp_path / "out"
        assert audit(extracts, out).code == 0
        run = published(out)[1]
        write(out / "runs" / run / "manifest.json", "{")
        refused(audit(extracts, out), 2, "manifest.json", "remove the run's folder")
        (out / "current").write_bytes(b"\xff\xfe")
        refused(audit(extracts, out), 2, "current", "remove it")


class TestReferenceRows:
    """A broken row of a user's own reference tables is named by file, line and key: exit 2."""

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("payer_methods.csv", METHOD, ["payer_methods.csv is no reference table", "payer_method.csv"]),
            ("notes.txt", "x", ["holds no reference table"]),
            ("audit_rules.csv", "rule_id\n", ["audit_rules.csv", "remove this file"]),
            (
                "payer_method.csv",
                METHOD.replace("follows_mue", "colour"),
                ["line 1", "'colour'", "known are"],
            ),
            ("payer_method.csv", METHOD.replace("citation,", ""), ["line 1: column citation is missing"]),
            (
                "payer_method.csv",
                METHOD + "A,either,,2026-01-01,,,2026-01-01\n",
                ["payer_method.csv, line 2, key A, column citation: is empty"],
            ),
            (
                "payer_method.csv",
                METHOD + "A,either,,2026-01-01,,me,2026-01-01\nB,halves,,2026-01-01,,me,2026-01-01\n",
                ["line 3, key B, column counting_method", "must be one of cms_8_minute"],
            ),
            (
                "payer_method.csv",
                METHOD + "A,either,,1.1.2026,,me,2026-01-01\n",
                ["line 2, key A, column effective_from", "YYYY-MM-DD"],
            ),
            ("payer_method.csv", METHOD + "A,either,,,,me,2026-01-01\n", ["column effective_from: is empty"]),
            (
                "payer_method.csv",
                METHOD + "A,either,,2026-01-01,2026-01-01,me,2026-01-01\n",
                ["line 2, key A", "is not after effective_from"],
            ),
            (
                "payer_method.csv",
                METHOD + "A,either,,2026-01-01,2026-02-01,me,2026-01-01\nA,either,,2026-01-31,,me,2026-01-01\n",
                ["payer_method.csv, line 3, key A", "overlaps", "line 2"],
            ),
            (
                "payer_method.csv",
                METHOD + "A,either,,2026-01-01,2026-02-01,me,2026-01-01\nA,either,,2026-02-02,,me,2026-01-01\n",
                ["payer_method.csv, line 3, key A", "gap", "line 2"],
            ),
            ("payer_method.csv", METHOD + "A,either\n", ["line 2, key A", "not as many cells as the header"]),
            ("payer_method.csv", METHOD + ",either,,2026-01-01,,me,2026-01-01\n", ["line 2, key (empty)"]),
            ("payer_method.csv", METHOD.encode("utf-16"), ["payer_method.csv", "UTF-8"]),
            ("payer_method.csv", METHOD + 'A,"either,,2026-01-01,,me,2026-01-01\n', ["payer_method.csv"]),
            ("payer_method.csv", "", ["payer_method.csv, line 1"]),
            (
                "code_cap.csv",
                CAP + "97110,minus one,2026-01-01,,me,2026-01-01\n",
                ["code_cap.csv, line 2, key 97110, column cap_units", "whole number"],
            ),
            (
                "code_cap.csv",
                CAP + "97110,99999999999,2026-01-01,,me,2026-01-01\n",
                ["code_cap.csv, line 2, key 97110, column cap_units"],
            ),
            (
                "parameter.csv",
                PARAMETER + "provider_day_minutes,1e30,2026-01-01,me,2026-01-01\n",
                ["parameter.csv, line 2, key provider_day_minutes, column value"],
            ),
            (
                "parameter.csv",
                PARAMETER + "minimum_match_share,50,2026-01-01,me,2026-01-01\n",
                ["parameter.csv, line 2, key minimum_match_share, column value"],
            ),
            (
                "parameter.csv",
                PARAMETER + "billing_lag,5,2026-01-01,me,2026-01-01\n",
                ["line 2, key billing_lag, column name", "billing_lag_days"],
            ),
        ],
    )
    def test_it_is_named(self, extracts, tmp_path, name, content, said):
        folder = write(tmp_path / "own" / name, content).parent
        ran = audit(extracts, tmp_path / "out", "--reference", folder)
        refused(ran, 2, *said, out=tmp_path / "out")

    def test_no_folder_or_a_file(self, extracts, tmp_path):
        refused(audit(extracts, tmp_path / "out", "--reference", tmp_path / "none"), 2, "no such folder")
        refused(audit(extracts, tmp_path / "out", "--reference", extracts / "claims.csv"), 2, "is a file")


class TestInputRejected:
    """Extracts that cannot be read as their table, or that do not meet: exit 3."""

    @pytest.mark.parametrize(
        ("name", "change", "said"),
        [
            ("claims.csv", lambda text: b"", ["is empty"]),
            ("claims.csv", lambda text: text.replace(b"patient_id", b"person"), ["patient_id", "missing"]),
            ("notes.csv", lambda text: text.replace(b"provider_id,", b"", 1), ["provider_id", "missing"]),
            ("claims.csv", lambda text: text.replace(b",", b";"), ["semicolon"]),
            ("claims.csv", lambda text: text.decode().encode("utf-16"), ["UTF-16", "save it as UTF-8"]),
            ("claims.csv", lambda text: text.replace(b"payer_id", b"claim_id"), ["have the same name"]),
            ("claims.csv", lambda text: text.split(b"\n", 1)[1], ["header"]),
            ("claims.csv", lambda text: b"PAR1" + text, ["is Parquet inside: name it .parquet"]),
            ("claims.csv", lambda text: b"PK\x03\x04" + text, ["workbook"]),
            ("note_blocks.parquet", lambda text: text, ["is not Parquet inside", "name it .csv"]),
            ("note_blocks.parquet", lambda text: b"PAR1" + text, ["is cut off"]),
            ("note_blocks.parquet", lambda text: b"PAR1" + text + b"\x10\x00\x00\x00PAR1", ["Parquet"]),
            ("note_blocks.parquet", lambda text: b"", ["is empty"]),
        ],
    )
    def test_a_file_that_is_not_its_table(self, extracts, tmp_path, name, change, said):
        held = extracts / name.replace(".parquet", ".csv")
        content = held.read_bytes()
        held.unlink()
        write(extracts / name, change(content))
        refused(audit(extracts, tmp_path / "out"), 3, f"{name}: ", *said, out=tmp_path / "out")

    def test_parquet_without_a_required_column(self, extracts, tmp_path):
        (extracts / "notes.csv").unlink()
        pq.write_table(pa.table({"note_id": ["N1"], "patient_id": ["P1"]}), extracts / "notes.parquet")
        refused(audit(extracts, tmp_path / "out"), 3, "notes.parquet: ", "service_date", out=tmp_path / "out")

    def test_a_low_match_stops_and_may_be_allowed(self, tmp_path, quick):
        strangers = [(claim | {"patient_id": "X"}, note, block) for claim, note, block in (day(1), day(2))]
        extracts, out = write_days(tmp_path / "extracts", day(3), *strangers), tmp_path / "out"
        ran = audit(extracts, out)
        refused(ran, 3, "1 of 3 claim days", "1 of 3 notes", "--crosswalk", "--allow-low-match", out=out)
        assert audit(extracts, out, "--allow-low-match").code == 0
        assert len(published(out)[0]) == 1

    def test_claims_alone_meet_nothing(self, tmp_path, quick):
        claims = write_days(tmp_path / "extracts", day(1)) / "claims.csv"
        asked = ["audit", "--claims", claims, "--out", tmp_path / "out", "--as-of", AS_OF]
        refused(minutewise(*asked), 3, "0 of 1 claim days", "--allow-low-match", out=tmp_path / "out")
        ran = minutewise(*asked, "--allow-low-match", "--json")
        assert ran.code == 0
        assert [entry["table"] for entry in json.loads(ran.out)["inputs"]] == ["claims"]


class TestTroubleOnTheWay:
    def test_an_internal_error_is_told_without_its_text(self, extracts, tmp_path, monkeypatch):
        def broken(run):
            raise ValueError("the secret of P1")

        monkeypatch.setattr("flows.audit.STAGES", (Stage("extract", broken),))
        ran = audit(extracts, tmp_path / "out")
        refused(ran, 4, "internal error (ValueError in test_cli.py:", "doctor", out=tmp_path / "out")
        assert "secret" not in ran.err
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".lock"]

    def test_a_verdict_that_disagrees_stops_the_run(self, extracts, tmp_path, monkeypatch):
        def otherwise(*_place, **_named):
            raise AuditError("Great Expectations judges otherwise; nothing is published: x")

        monkeypatch.setattr("expectations.judge.judge", otherwise)
        refused(audit(extracts, tmp_path / "out"), 4, "judges otherwise", out=tmp_path / "out")

    def test_an_interrupt_publishes_nothing(self, extracts, tmp_path, monkeypatch):
        def interrupted(run):
            raise KeyboardInterrupt

        monkeypatch.setattr("flows.audit.STAGES", (Stage("extract", interrupted),))
        ran = audit(extracts, tmp_path / "out")
        assert ran.code == 130 and "nothing was published" in ran.err and "Traceback" not in ran.err
        assert published(tmp_path / "out") == ([], None)

    def test_a_disk_that_is_full_leaves_nothing_behind(self, extracts, tmp_path, monkeypatch, quick):
        def full(*_arguments):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("flows.publish.write_workbook", full)
        ran = audit(extracts, tmp_path / "out")
        refused(ran, 2, "--out", "cannot be written (No space left on device)", out=tmp_path / "out")

    def test_a_second_run_is_told_to_wait(self, extracts, tmp_path):
        out, warehouse = tmp_path / "out", tmp_path / "w.duckdb"
        with only_run(out / ".lock"):
            refused(audit(extracts, out), 75, "another run holds", str(out), "wait", out=out)
        with only_run(tmp_path / "w.duckdb.lock"):
            ran = audit(extracts, out, "--warehouse", warehouse)
            refused(ran, 75, "another run holds", "w.duckdb", "wait", out=out)

    def test_a_rule_that_cannot_be_run_is_named_and_the_others_stand(self, extracts, tmp_path, monkeypatch, quick):
        from transforms import recompute

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
        run = Run(AuditSettings(out=tmp_path, as_of=date.fromisoformat(AS_OF), extracts=extracts), tmp_path)
        with os.fdopen(end, "w") as stream:
            monkeypatch.setattr(sys, "stderr", stream)
            with shown_stage() as run_stage:
                run_stage(Stage("extract", lambda run: None), run)
            stream.flush()
            shown = os.read(terminal, 10_000).decode()
        os.close(terminal)
        assert "extract" in shown and "reading the extracts ..." in shown and run.seconds == {"extract": 0.0}

    def test_a_reader_that_stops_reading_is_no_error(self):
        command = [sys.executable, "-c", "from flows.cli import main; main()", "rules"]
        ran = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ran.stdout.close()
        assert ran.stderr.read() == b"" and ran.wait() == 0
        ran.stderr.close()


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
    def test_fail_on_looks_at_the_severity_of_findings(self, tmp_path, quick, visit, codes):
        extracts, out = write_days(tmp_path / "extracts", day(1), visit), tmp_path / "out"
        for severity, code in codes.items():
            assert audit(extracts, out, "--fail-on", severity).code == code, severity
        assert len(published(out)[0]) == 1, "what makes a run fail does not make it another audit"

    def test_fail_on_new_looks_at_what_the_run_before_did_not_have(self, tmp_path, quick):
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

    def test_the_same_audit_again_finds_its_run(self, extracts, tmp_path, quick):
        out = tmp_path / "out"
        first = audit(extracts, out, "--json")
        again = audit(extracts, out, "--json")
        assert (first.code, again.code) == (0, 0)
        assert first.out == again.out and first.err == ""
        run = json.loads(first.out)["run_id"]
        assert again.err == f"minutewise: this audit is published already: {out / 'runs' / run}\n"
        assert published(out) == ([run], run)

    def test_json_is_one_document_and_text_says_where_to_look(self, extracts, tmp_path, quick):
        told = audit(extracts, tmp_path / "out", "--json")
        document = json.loads(told.out)
        folder = tmp_path / "out" / "runs" / document["run_id"]
        assert (document["folder"], document["exit_code"]) == (str(folder), 0)
        written = json.loads((folder / "manifest.json").read_text())
        assert {key: document[key] for key in written} == written
        shown = audit(extracts, tmp_path / "out").out
        assert shown.startswith("Claim days that meet a note: 100% (3 of 3)")
        assert str(folder / "report.html") in shown and "billed_units_exceed_minutes" in shown

    def test_a_part_of_the_dates_is_published_beside(self, extracts, tmp_path, quick):
        out = tmp_path / "out"
        part = json.loads(audit(extracts, out, "--since", "2026-03-02", "--json").out)["run_id"]
        assert published(out) == ([part], None)
        whole = json.loads(audit(extracts, out, "--json").out)["run_id"]
        other = json.loads(audit(extracts, out, "--until", "2026-03-02", "--json").out)["run_id"]
        runs, current = published(out)
        assert current == whole and sorted(runs) == sorted([part, whole, other])

    def test_files_named_by_globs(self, tmp_path, quick):
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

    def test_own_reference_rows_are_in_force(self, tmp_path, quick):
        extracts = write_days(tmp_path / "extracts", day(1, claims_units=3, minutes=45))
        method = {"payer_id": "MEDICARE", "counting_method": "cms_8_minute", "timed_units_per_day_cap": 2}
        write_reference(tmp_path / "own", {"payer_method": [method | {"effective_from": "2026-01-01"}]})
        plain = json.loads(audit(extracts, tmp_path / "out", "--json").out)
        own = json.loads(audit(extracts, tmp_path / "out", "--reference", tmp_path / "own", "--json").out)
        assert plain["findings_by_severity"] == {} and own["findings_by_severity"] == {"error": 1}
        assert plain["run_id"] != own["run_id"] and plain["reference_version"] != own["reference_version"]

    def test_extracts_without_a_row_are_an_audit_of_nothing(self, tmp_path, quick):
        extracts = write_days(tmp_path / "extracts", day(1))
        for path in extracts.iterdir():
            path.write_text(path.read_text().split("\n")[0] + "\n")
        ran = audit(extracts, tmp_path / "out", "--json")
        assert ran.code == 0, ran.err
        assert {rule["status"] for rule in json.loads(ran.out)["rules"]} == {"not_applicable"}

    def test_names_of_other_scripts(self, tmp_path, quick):
        extracts = write_days(tmp_path / os.fsdecode(b"\xff \xc3\xbc's [1]*"), day(1))
        out = tmp_path / "aus gäbe 'Ω' [1]* #%"
        assert (ran := audit(extracts, out)).code == 0 and ran.err == ""
        write_days(extracts, day(1), day(2, claims_units=4))
        assert audit(extracts, out, "--fail-on", "review", "--fail-on-new").code == 1
        for name, why in (("a?", "question mark"), (os.fsdecode(b"\xff"), "not UTF-8")):
            refused(audit(extracts, tmp_path / name), 2, "--out", why, "choose another")

    def test_a_warehouse_is_kept_and_replaced_only_by_a_whole_one(self, extracts, tmp_path, quick):
        import duckdb

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


class TestUnits:
    def test_json_is_exactly_both_counts_and_every_split(self):
        ran = minutewise("units", "97112=24", "97110=23", "--date", "2026-03-02", "--json")
        assert (ran.code, ran.err) == (0, "")
        assert json.loads(ran.out) == {
            "cms_8_minute": {"units": 3, "splits": [{"97112": 2, "97110": 1}]},
            "ama_midpoint": {"units": 4, "splits": [{"97112": 2, "97110": 2}]},
        }
        assert '"97112": 2,\n' in ran.out, "the code with most units comes first"

    @pytest.mark.parametrize(
        ("minutes", "cms", "ama"),
        [
            (
                ["97112=20", "97110=20"],
                (3, [{"97110": 2, "97112": 1}, {"97110": 1, "97112": 2}]),
                (2, [{"97110": 1, "97112": 1}]),
            ),
            (["97110=33", "97140=7"], (3, [{"97110": 2, "97140": 1}]), (2, [{"97110": 2}])),
            (["97112=7", "97110=7", "97140=7"], (1, [{"97110": 1}, {"97112": 1}, {"97140": 1}]), (0, [{}])),
            (["97112=20", "97110=18"], (3, [{"97112": 2, "97110": 1}]), (2, [{"97112": 1, "97110": 1}])),
            (["97112=0"], (0, [{}]), (0, [{}])),
            (["97112=7"], (0, [{}]), (0, [{}])),
            (["97112=8"], (1, [{"97112": 1}]), (1, [{"97112": 1}])),
            (["97129=10", "97130=10"], (1, [{"97129": 1}]), (1, [{"97129": 1}])),
            (["97112=1440"], (96, [{"97112": 96}]), (96, [{"97112": 96}])),
        ],
    )
    def test_ties_and_bounds(self, minutes, cms, ama):
        told = json.loads(minutewise("units", *minutes, "--date", "2026-03-02", "--json").out)
        for method, (units, splits) in (("cms_8_minute", cms), ("ama_midpoint", ama)):
            assert told[method]["units"] == units
            assert {tuple(sorted(split.items())) for split in told[method]["splits"]} == {
                tuple(sorted(split.items())) for split in splits
            }
            assert len(told[method]["splits"]) == len(splits)

    def test_a_payer_brings_its_method_and_caps(self):
        asked = ["units", "97112=75", "--payer", "MEDICARE", "--date", "2026-03-02"]
        told = json.loads(minutewise(*asked, "--json").out)
        assert told["counting_method"] == "cms_8_minute"
        assert [(cap["procedure_code"], cap["cap_units"]) for cap in told["caps"]] == [("97112", 4)]
        shown = minutewise(*asked).out
        assert "97112: at most 4 units a day unless the record justifies more" in shown
        assert "no method is known" in minutewise("units", "97112=24", "--payer", "NEW", "--date", AS_OF).out

    def test_a_terminal_that_cannot_show_a_letter(self):
        command = [sys.executable, "-c", "from flows.cli import main; main()"]
        command += ["units", "97112=24", "--payer", "Ω", "--date", AS_OF]
        western = os.environ | {"PYTHONIOENCODING": "latin-1"}
        ran = subprocess.run(command, capture_output=True, env=western, check=True)
        assert ran.stderr == b"" and rb"Payer \u03a9 on" in ran.stdout

    def test_text_can_be_checked_with_a_pencil(self):
        shown = minutewise("units", "97112=20", "97110=20", "--date", "2026-03-02").out
        assert "40 min lies in 38-52, so 3 units" in shown
        assert "2 splits are lawful (a tie)" in shown
        assert "97112  20 min, so 1 unit " in shown
        assert "add --payer ID" in shown


class TestOtherCommands:
    def test_rules_are_a_table_and_a_document(self):
        document = json.loads(minutewise("rules", "--json").out)
        assert len(document) == 19 and {"rule_id", "severity", "citation"} <= document[0].keys()
        shown = minutewise("rules").out
        assert all(row["rule_id"] in shown for row in document)

    @pytest.mark.parametrize("address", [None, "http://x:y/api", "nonsense", "http://localhost:1/api"])
    def test_doctor_says_what_is_here(self, monkeypatch, address):
        monkeypatch.delenv("PREFECT_API_URL", raising=False)
        if address:
            monkeypatch.setenv("PREFECT_API_URL", address)
        ran = minutewise("doctor", "--json")
        found = json.loads(ran.out)
        assert (ran.code, ran.err, found["ok"]) == (0, "", True)
        assert found["packages"]["duckdb"] and found["prefect_server"]
        assert minutewise("doctor").out.startswith("minutewise ")

    def test_doctor_misses_a_package(self, monkeypatch):
        monkeypatch.setattr("flows.doctor.PACKAGES", ("duckdb", "no-such-package"))
        ran = minutewise("doctor")
        assert ran.code == 2 and "no-such-package MISSING" in ran.out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nowhere", "abcdef"], ["no run is published there", "minutewise audit"]),
            (["out", "no such id"], ["0-9 and a-f"]),
            (["out", "abcdef", "--run", "none"], ["no such run", "--run"]),
            (["out"], ["FINDING_ID"]),
        ],
    )
    def test_explain_names_what_is_not_there(self, tmp_path, monkeypatch, quick, arguments, said):
        monkeypatch.chdir(tmp_path)
        if arguments[0] == "out":
            write(tmp_path / "out" / "runs" / "2026-03-20-0" / "manifest.json", "{}")
            write(tmp_path / "out" / "current", "2026-03-20-0\n")
        refused(minutewise("explain", *arguments), 2, *said)


class TestHelp:
    @pytest.mark.parametrize("command", [None, "audit", "units", "explain", "rules", "doctor"])
    def test_every_command_shows_examples(self, command):
        ran = minutewise(*([command] if command else []), "--help")
        assert (ran.code, ran.err) == (0, "")
        assert "Example" in ran.out and f"  minutewise {command or 'audit'}" in ran.out

    def test_it_answers_at_once(self):
        """Counts modules, not seconds: what is not imported takes no time on any machine."""
        code = (
            "import sys; from flows.cli import main; sys.argv = ['minutewise', 'audit', '--help']\n"
            "try: main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        modules = ran.stderr.split()
        assert not {name.split(".")[0] for name in modules} & set(HEAVY)
        assert len(modules) < 250
