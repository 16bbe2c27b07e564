"""`minutewise sql` as a user meets it: what it writes, what it says, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from flows.commands.sql import DIALECTS
from tests.cli_runs import as_nobody, minutewise, refused, write
from tests.sql_runs import duckdb_database
from transforms.scripts.writing import DATABASES, EXECUTED

SHIPPED = Path(__file__).parents[1] / "data" / "reference"
PAYERS = "payer_id,counting_method,effective_from,citation,last_checked_on\n"
#: What a payer may be called that breaks out of careless quotes.
HOSTILE = ("O'Brien", "x'); drop table finding; --", "back\\slash'", "{{payer}}", "/* */", "ünï\u2028code", "$$", '"q"')


def written(folder: Path, dialect: str, *options: object) -> dict[str, str]:
    """Runs the command and gives what it wrote, by file name, in the order in which it told the paths."""
    ran = minutewise("sql", "--dialect", dialect, "--out", folder, *options)
    assert (ran.code, ran.err) == (0, "")
    paths = [Path(line) for line in ran.out.splitlines()]
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_script_says_whether_it_was_executed(tmp_path, dialect):
    files = written(tmp_path / "scripts", dialect, "--as-of", "2026-11-10")
    readme = files.pop("README.md")
    assert list(files) == sorted(files) and len(files) == 11
    for name, text in files.items():
        assert text.startswith(f"-- {name}: ") and f"for {DATABASES[dialect]}." in text.splitlines()[1]
        assert f"`{name}`" in readme
    for text in (readme, *files.values()):
        told = [line for line in text.splitlines()[:4] if "executed" in line.lower()]
        assert len(told) == 1
        assert ("NOT EXECUTED" in told[0] and "not executed" in told[0]) == (dialect not in EXECUTED)
    assert "2026-11-10" in files["03_settings.sql"]
    assert not any("2026-11-10" in text for name, text in files.items() if name != "03_settings.sql")


def test_the_choices_are_the_databases():
    assert tuple(DATABASES) == DIALECTS


def test_the_same_question_gives_the_same_bytes(tmp_path):
    asked = ("postgres", "--as-of", "2026-11-10", "--schema", "audit")
    assert written(tmp_path / "a", *asked) == written(tmp_path / "b", *asked)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_values_of_reference_tables_are_quoted(tmp_path, dialect):
    rows = "".join(
        '"{}",either,2026-01-01,"it\'s \\ ""ours""",2026-01-01\n'.format(name.replace('"', '""')) for name in HOSTILE
    )
    write(tmp_path / "own" / "payer_method.csv", PAYERS + rows)
    files = written(tmp_path / "scripts", dialect, "--reference", tmp_path / "own")
    payers = []
    for statement in sqlglot.parse(files["02_reference.sql"], read=dialect):
        if isinstance(statement, exp.Insert) and statement.find(exp.Table).name == "ref_payer_method":
            payers += [row.expressions[0].name for row in statement.expression.expressions]
    assert set(HOSTILE) <= set(payers) and "MEDICARE" in payers
    if dialect == "duckdb":
        with duckdb_database() as plain:
            plain.run(files["02_reference.sql"])
            held = {row[0] for row in plain.rows("select payer_id from ref_payer_method")}
            assert set(HOSTILE) <= held


@pytest.fixture(scope="module")
def scripts_of_duckdb(tmp_path_factory):
    return written(tmp_path_factory.mktemp("sql") / "scripts", "duckdb", "--as-of", "2026-11-10")


class TestInputChecks:
    """What a user filled wrongly is counted by column and problem, by the queries that every database gets."""

    GOOD = """
        insert into delivered_file values (1, 'claims', 'c'), (2, 'notes', 'n'), (3, 'note_blocks', 'b');
        insert into ok_claims (claim_id, line_number, patient_id, payer_id, service_date, procedure_code, billed_units,
            claim_type, service_date_basis, claim_frequency_code, claim_status, payer_order, file_number, source_line)
            values ('C1', 1, 'P1', 'MEDICARE', '2026-03-02', '97110', 2, 'professional', 'line', '1', 'paid', 1, 1, 1);
        insert into ok_notes (note_id, patient_id, service_date, provider_id, discipline, note_version, is_billable,
            has_minutes_in_prose, file_number, source_line)
            values ('N1', 'P1', '2026-03-02', 'T1', 'PT', 1, true, false, 2, 1);
        insert into ok_note_blocks (note_id, block_number, procedure_code, delivery, service_date, minutes,
            start_second, end_second, has_minutes_in_prose, file_number, source_line)
            values ('N1', 1, '97110', 'one_on_one', '2026-03-02', 7.75, 32400, 32865, false, 3, 1);"""

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ("", []),
            ("update ok_claims set claim_status = 'PAID'", [("ok_claims", "claim_status", "not an allowed value")]),
            ("update ok_claims set procedure_code = '97110 '", [("ok_claims", "procedure_code", "blank")]),
            ("update ok_claims set procedure_code = 'g0283'", [("ok_claims", "procedure_code", "small letters")]),
            ("update ok_claims set modifiers = ''", [("ok_claims", "modifiers", "blank")]),
            ("update ok_claims set billed_units = -1", [("ok_claims", "billed_units", "outside its limits")]),
            (
                "update ok_claims set service_date = '2026-11-12'",
                [("ok_claims", "service_date", "after the day after")],
            ),
            ("update ok_claims set service_date = '2026-11-11'", []),
            ("update ok_claims set source_line = 1000000000", [("ok_claims", "source_line", "outside its limits")]),
            (
                "insert into ok_notes select * replace ('N2' as note_id) from ok_notes",
                [("ok_notes", "piece", "used twice")],
            ),
            ("update ok_claims set file_number = 7", [("ok_claims", "file_number", "not in delivered_file")]),
            (
                "insert into ok_claims select * from ok_claims",
                [("ok_claims", "line_number", "used twice"), ("ok_claims", "piece", "used twice")],
            ),
            ("update ok_note_blocks set note_id = 'N2'", [("ok_note_blocks", "note_id", "not in ok_notes")]),
            ("update ok_note_blocks set end_second = 32399", [("ok_note_blocks", "end_second", "before its start")]),
            ("update ok_note_blocks set start_second = -1", [("ok_note_blocks", "start_second", "on another day")]),
            (
                "update ok_note_blocks set start_second = 86400, end_second = 86400",
                [("ok_note_blocks", "start_second", "on another day")],
            ),
            (
                "update ok_claims set claim_frequency_code = '10'",
                [("ok_claims", "claim_frequency_code", "not an allowed value")],
            ),
            (
                "update ok_claims set service_date_to = '2026-03-01'",
                [("ok_claims", "service_date_to", "before service_date")],
            ),
            ("update ok_claims set service_date_to = '2026-03-02'", []),
            (
                "insert into crosswalk_payer values ('a', 'b'), ('a', 'c')",
                [("crosswalk_payer", "from_id", "used twice")],
            ),
        ],
    )
    def test_a_row_that_an_audit_would_not_accept(self, scripts_of_duckdb, change, found):
        with duckdb_database() as plain:
            plain.run(scripts_of_duckdb["01_input_tables.sql"] + self.GOOD + change)
            plain.run(scripts_of_duckdb["03_settings.sql"] + scripts_of_duckdb["04_input_checks.sql"])
            rows = plain.rows("select table_name, column_name, problem, row_count from input_problem order by all")
        assert len(rows) == len(found)
        for (table, column, problem, count), wanted in zip(rows, found, strict=True):
            assert (table, column, count) == (*wanted[:2], "1") and wanted[2] in problem


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--out", "new"], ["--dialect"]),
            (["--dialect", "postgres"], ["--out"]),
            (["--dialect", "oracle", "--out", "new"], ["oracle", "snowflake", "postgres"]),
            (["--dialect", "duckdb", "--out", ""], ["--out", "empty"]),
            (["--dialect", "duckdb", "--out", "full"], ["full", "is not empty", "new folder"]),
            (["--dialect", "duckdb", "--out", "full/file"], ["full/file", "is a file"]),
            (["--dialect", "duckdb", "--out", "full/file/below"], ["cannot be written", "another folder"]),
            (["--dialect", "duckdb", "--out", "new", "--schema", "a; drop"], ["--schema", "letters"]),
            (["--dialect", "duckdb", "--out", "new", "--schema", ""], ["--schema", "letters"]),
            (["--dialect", "duckdb", "--out", "new", "--as-of", "1989-12-31"], ["--as-of", "1990-01-01"]),
            (["--dialect", "duckdb", "--out", "new", "--as-of", "soon"], ["soon", "YYYY-MM-DD"]),
            (["--dialect", "duckdb", "--out", "new", "--since", "2026-02-02", "--until", "2026-02-01"], ["swap"]),
            (["--dialect", "duckdb", "--out", "new", "--reference", "none"], ["none", "no such folder"]),
            (
                ["--dialect", "duckdb", "--out", "new", "--reference", "broken"],
                ["payer_method.csv, line 2", "counting"],
            ),
            (["--dialect", "duckdb", "--out", "new", "--reference", "nul"], ["--reference nul", "NUL"]),
        ],
    )
    def test_a_mistake_is_told_in_one_line(self, tmp_path, monkeypatch, options, said):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "full" / "file", "kept")
        write(tmp_path / "nul" / "payer_method.csv", PAYERS + "AC\0ME,either,2026-01-01,contract,2026-01-01\n")
        write(tmp_path / "broken" / "payer_method.csv", PAYERS + "ACME,any,2026-01-01,contract,2026-01-01\n")
        refused(minutewise("sql", *options), 2, *said)
        assert not (tmp_path / "new").exists(), "nothing is written where something is wrong"
        assert (tmp_path / "full" / "file").read_text() == "kept"

    def test_a_folder_that_may_not_be_written(self, tmp_path):
        tmp_path.chmod(0o755)
        for folder in tmp_path.parents:
            if folder.stat().st_uid == tmp_path.stat().st_uid and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        (tmp_path / "shut").mkdir(mode=0o555)
        with as_nobody():
            refused(minutewise("sql", "--dialect", "duckdb", "--out", tmp_path / "shut"), 2, "cannot be written")


def test_the_parser_is_loaded_by_this_command_alone():
    code = "import sys; import flows.cli; import flows.commands.sql; print('sqlglot' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
