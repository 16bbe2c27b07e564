"""The command line: every mistake gets one clear line and its exit code, and publishes nothing."""

import json
import shutil
from pathlib import Path
from tempfile import mkdtemp

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli_runs import (
    AS_OF,
    as_nobody,
    audit,
    day,
    minutewise,
    published,
    refused,
    write,
    write_days,
)

METHOD = "payer_id,counting_method,follows_mue,effective_from,effective_to,citation,last_checked_on\n"
CAP = "procedure_code,cap_units,effective_from,effective_to,citation,last_checked_on\n"
PARAMETER = "name,value,effective_from,citation,last_checked_on\n"


@pytest.fixture
def extracts(tmp_path) -> Path:
    """Three honest visits."""
    return write_days(tmp_path / "extracts", day(1), day(2), day(3))


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
            (["units", "97112"], "'97112' is not CODE=MINUTES, say 97112=24, 97112=7.75 or 97112=7:45"),
            (["units", "97112=24,5"], "'97112=24,5' is not CODE=MINUTES"),
            (["units", "97112=7:60"], "'97112=7:60' is not CODE=MINUTES"),
            (["units", "97112=1e2"], "'97112=1e2' is not CODE=MINUTES"),
            (["units", "--", "97112=-5"], "'97112=-5' is not CODE=MINUTES"),
            (["units", "97112=" + "9" * 5000], "is not CODE=MINUTES"),
            (["units", "=24"], "'=24' is not CODE=MINUTES"),
            (["units", "97112=24", "97112=3"], "97112 is given twice; add its minutes up"),
            (["units", "97112=1000", "97110=441"], "a day has 1440 minutes"),
            (["units", "97112=1000", "97110=440:01"], "a day has 1440 minutes"),
            (["units", "97112=24", "--date", "today"], "'today' is not a date"),
            (["units", "99213=24"], "99213: is not a therapy code on"),
            (["units", "97799=24"], "97799: unlisted on"),
            (["units", "97161=24"], "97161: is untimed"),
            (["units", "96125=24"], "96125: is other length"),
            (["units", "97112=24", "--date", "1980-01-01"], "97112: unlisted on 1980-01-01"),
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
            extracts.chmod(0o700)
            shutil.rmtree(folder)

    def test_a_warehouse_that_no_audit_made_stays_as_it_is(self, extracts, tmp_path):
        with duckdb.connect(str(tmp_path / "mine.duckdb")) as con:
            con.execute("create table my_own as select 1 as a")
        before = (tmp_path / "mine.duckdb").read_bytes()
        ran = audit(extracts, tmp_path / "out", "--warehouse", tmp_path / "mine.duckdb")
        refused(ran, 2, "mine.duckdb", "was not made by an audit", out=tmp_path / "out")
        assert (tmp_path / "mine.duckdb").read_bytes() == before

    def test_what_an_earlier_run_left_damaged_is_named(self, extracts, tmp_path):
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
            ("payer_methods.csv", METHOD, ["payer_methods.csv is not a reference table", "payer_method.csv"]),
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

    def test_a_low_match_stops_and_may_be_allowed(self, tmp_path):
        strangers = [(claim | {"patient_id": "X"}, note, block) for claim, note, block in (day(1), day(2))]
        extracts, out = write_days(tmp_path / "extracts", day(3), *strangers), tmp_path / "out"
        ran = audit(extracts, out)
        refused(ran, 3, "1 of 3 claim days", "1 of 3 notes", "--crosswalk", "--allow-low-match", out=out)
        assert audit(extracts, out, "--allow-low-match").code == 0
        assert len(published(out)[0]) == 1

    def test_claims_without_a_row_are_said_to_be_so(self, tmp_path):
        extracts = write_days(tmp_path / "extracts", day(1))
        claims = extracts / "claims.csv"
        claims.write_text(claims.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
        refused(audit(extracts, tmp_path / "out"), 3, "the claims have no billed line", out=tmp_path / "out")

    def test_claims_alone_meet_nothing(self, tmp_path):
        claims = write_days(tmp_path / "extracts", day(1)) / "claims.csv"
        asked = ["audit", "--claims", claims, "--out", tmp_path / "out", "--as-of", AS_OF]
        refused(minutewise(*asked), 3, "0 of 1 claim days", "--allow-low-match", out=tmp_path / "out")
        ran = minutewise(*asked, "--allow-low-match", "--json")
        assert ran.code == 0
        assert [entry["table"] for entry in json.loads(ran.out)["inputs"]] == ["claims"]
