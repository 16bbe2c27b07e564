"""The scripts of `minutewise sql`, run on DuckDB and on a real PostgreSQL: every row that an audit makes, they make."""

import re
import zlib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.case_files import read_cases, write_extracts
from tests.case_files import write_reference as write_case_reference
from tests.cli_runs import minutewise
from tests.postgres_server import postgres_server, why_no_server
from tests.profiles import PROFILE
from tests.spark_rows import laid_together as laid_together_references
from tests.sql_runs import Asked, audited, columns_of, differing, duckdb_database, fill
from tests.strategies import drawn_extracts, write_extract, write_reference
from tests.test_against_oracle import ID_COLUMNS, laid_together
from transforms.dialects.carry import carried
from transforms.reference.crosswalk import COLUMNS
from transforms.scripts import scripts

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
DOCUMENTATION = Path(__file__).parents[1] / "docs" / "sql.md"
SAMPLE_AUDIT = Asked(SAMPLES, date(2026, 11, 10), SAMPLES / "reference")
#: A schema that is made and dropped by each run; the sample audit stands in none.
SCHEMA = "audit_run"
#: What ids begin with in real systems; ordered by bytes they stand elsewhere than in a dictionary.
BEGINNINGS = ("a", "B", "_", "é", "Z'", "10", "9 ", "-", "\\")


@pytest.fixture(scope="module", autouse=True)
def each_model_is_carried_over_once() -> Iterator[None]:
    """It is the same text in every run of this file, and translating takes longer than running it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("transforms.scripts.writing.carried", cache(carried))
        yield


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def database(request) -> Iterator:
    """A database of each kind that the scripts are executed on."""
    if request.param == "duckdb":
        with duckdb_database() as plain:
            plain.dialect = "duckdb"
            yield plain
        return
    if why := why_no_server():
        pytest.skip(why)
    with postgres_server() as server:
        server.dialect = "postgres"
        yield server


def assert_same(database, asked: Asked, folder: Path) -> int:
    """Runs the scripts on the rows that an audit accepts, in a schema of their own, and compares all that it makes.

    Gives the number of findings compared.
    """
    database.run(f"create schema {SCHEMA}")
    try:
        with audited(asked) as con:
            made = scripts(database.dialect, asked.setting, asked.reference, SCHEMA)
            database.run(made[0].text)
            fill(database, con, folder, SCHEMA)
            for script in made:
                database.run(script.text)
            assert differing(database, con, SCHEMA) == {}
            assert database.rows(f"select * from {SCHEMA}.input_problem") == []
            return con.execute("select count(*) from finding").fetchone()[0]
    finally:
        database.run(f"drop schema {SCHEMA} cascade")


def written_scripts(database, folder: Path, *options: object) -> list[str]:
    """The scripts that the command writes, in the order of their names."""
    asked = ("--dialect", database.dialect, "--as-of", SAMPLE_AUDIT.as_of, "--reference", SAMPLE_AUDIT.reference)
    ran = minutewise("sql", *asked, "--out", folder, *options)
    assert (ran.code, ran.err) == (0, "")
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))]


def test_the_sample_audit_run_by_its_scripts_twice(database, tmp_path):
    made = written_scripts(database, tmp_path / "scripts")
    with audited(SAMPLE_AUDIT) as con:
        database.run(made[0])
        fill(database, con, tmp_path)
        for _night in range(2):
            run_in_one_transaction(database, made[1:])
            assert differing(database, con) == {}
        database.run(made[0])
        (accepted,) = con.execute("select cast(count(*) as varchar) from ok_claims").fetchall()
        assert database.rows("select count(*) from ok_claims") == [accepted], "a filled table is left as it is"


def run_in_one_transaction(database, made: list[str]) -> None:
    """Runs a night's scripts as README.md beside them says."""
    if database.dialect == "postgres":
        database.run("".join(made), "--single-transaction")
    else:
        database.run("".join(["begin;\n", *made, "commit;\n"]))


def test_a_published_run_fills_the_tables_as_the_documentation_says(tmp_path, monkeypatch):
    asked = ("--as-of", SAMPLE_AUDIT.as_of, "--reference", SAMPLE_AUDIT.reference)
    ran = minutewise("audit", "--extracts", SAMPLES, "--out", tmp_path / "out", *asked)
    assert ran.code == 0
    run = tmp_path / "out" / "runs" / (tmp_path / "out" / "current").read_text().strip()
    (fill_text,) = re.findall(r"```sql\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    with duckdb_database() as plain:
        plain.dialect = "duckdb"
        made = written_scripts(plain, tmp_path / "scripts")
        plain.run(made[0] + fill_text.replace("RUN/", f"{run}/"))
        run_in_one_transaction(plain, made[1:])
        for table, file in (("finding", "findings"), ("unit_published", "units"), ("rule_result", "rules")):
            columns = ", ".join(columns_of(plain.con, table))
            here, published = (
                sorted(plain.rows(f"select {columns} from {place}"), key=repr)
                for place in (table, f"'{run}/{file}.parquet'")
            )
            assert here == published and len(here) >= 19


def test_only_the_service_dates_asked_for_are_judged(database, tmp_path):
    asked = Asked(
        SAMPLES, SAMPLE_AUDIT.as_of, SAMPLE_AUDIT.reference, since=date(2026, 10, 8), until=date(2026, 10, 21)
    )
    planted = (SAMPLES / "ledger.csv").read_text(encoding="utf-8").count(",finding,")
    assert 0 < assert_same(database, asked, tmp_path) < planted


def test_every_rule_case(database, tmp_path):
    """The cases without a reference of their own lie in one extract, and all others in another, under the references of
    all of them: what they find there is compared, not what they state."""
    plain, own = {}, {}
    for number, case in enumerate(read_cases()):
        (own if case.get("reference") else plain)[f"case{number}-"] = case
    assert len(plain) > 700 and len(own) > 40
    findings = 0
    for name, cases, reference in (("plain", plain, None), ("own", own, laid_together_references(own))):
        extract, tables = tmp_path / name, tmp_path / f"{name}-reference"
        extract.mkdir()
        tables.mkdir()
        write_extracts(cases, extract)
        write_case_reference({"reference": reference} if reference else {}, tables)
        findings += assert_same(database, Asked(extract, date(2026, 11, 20), tables), tmp_path)
    assert findings > 700


@pytest.mark.parametrize("round_number", range(2))
def test_drawn_extracts_under_awkward_ids(database, tmp_path, round_number):
    """In the second round each system has ids of its own, and crosswalks turn them."""
    claims, notes, blocks, as_of, reference = laid_together(
        drawn_extracts(PROFILE.extracts_scripted, 100 + round_number)
    )
    crosswalk = None
    if round_number:
        crosswalk = tmp_path / "crosswalk"
        notes = other_ids(notes, {"patient_id": "patient", "provider_id": "provider"}, crosswalk)
        blocks = other_ids(blocks, {"provider_id": "provider"}, crosswalk)
        claims = other_ids(claims, {"payer_id": "payer"}, crosswalk)
    write_extract(tmp_path / "extract", *(list(map(awkward, rows)) for rows in (claims, notes, blocks)))
    tables = {name: list(map(awkward, rows)) for name, rows in reference.items()}
    write_reference(tmp_path / "reference", tables)
    asked = Asked(tmp_path / "extract", as_of, tmp_path / "reference", crosswalk)
    assert assert_same(database, asked, tmp_path) > PROFILE.extracts_scripted


def other_ids(rows: list[dict], columns: dict[str, str], folder: Path) -> list[dict]:
    """The rows with other ids in these columns, and in `folder` the crosswalks that turn them back (by subject)."""
    folder.mkdir(exist_ok=True)
    for column, subject in columns.items():
        into = COLUMNS[subject][1]
        known = {row[column] for row in rows if row.get(column)}
        file = folder / f"{subject}.csv"
        held = set(file.read_text(encoding="utf-8").splitlines()[1:]) if file.exists() else set()
        held |= {f'"{awkward_id("x" + one)}","{awkward_id(one)}"' for one in known}
        header = f"{next(name for name in COLUMNS[subject] if name != into)},{into}"
        file.write_text("\n".join([header, *sorted(held)]) + "\n", encoding="utf-8")
    return [row | {column: "x" + row[column] for column in columns if row.get(column)} for row in rows]


def awkward(row: dict) -> dict:
    """The row with ids that quoting and ordering go wrong with; one id stays one id wherever it stands."""
    return row | {name: awkward_id(row[name]) for name in ID_COLUMNS if row.get(name) not in (None, "*")}


def awkward_id(value: str) -> str:
    return BEGINNINGS[zlib.crc32(value.encode()) % len(BEGINNINGS)] + value
