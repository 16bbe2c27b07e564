"""DuckDB as a run opens it: what it may open, what it may not, and that nothing can be set again."""

from datetime import date
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.database.duckdb_file import (
    checked_memory_limit,
    checked_threads,
    database_share,
    glob_free,
    open_database,
)
from transforms.database.sql_values import literal, row_values
from transforms.errors import UsageProblem


def parquet(path, value=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": [value]}), path)
    return path


def scan(path) -> str:
    return "select a from read_parquet('{}')".format(glob_free(path).replace("'", "''"))


@pytest.fixture
def places(tmp_path):
    """A run's folders: extracts to read, an output folder to write in, a warehouse, and a folder that is none of it."""
    for name in ("extracts", "out/.work", "kept", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    parquet(tmp_path / "extracts/claims.parquet")
    parquet(tmp_path / "elsewhere/secret.parquet", 7)
    return tmp_path


def opened(places, **more):
    return open_database(
        places / "out/.work/audit.duckdb",
        reads=[places / "extracts/claims.parquet"],
        writes=[places / "out", places / "kept/house.duckdb"],
        temp_directory=places / "out/.work/tmp",
        **more,
    )


class TestWhatARunNeeds:
    def test_it_reads_its_extracts_and_writes_its_output(self, places):
        with opened(places) as con:
            con.execute("create table t as " + scan(places / "extracts/claims.parquet"))
            con.execute(f"copy t to '{places}/out/t.parquet' (format parquet)")
            con.execute(f"copy t to '{places}/out/t.csv' (format csv, header)")
            assert con.execute(scan(places / "out/t.parquet")).fetchall() == [(1,)]

    def test_a_warehouse_is_attached_written_and_checkpointed(self, places):
        with opened(places) as con:
            con.execute(f"attach '{places}/kept/house.duckdb' as house")
            con.execute("begin")
            con.execute("create table house.t as select range as a from range(300000)")
            con.execute("commit")
            con.execute("checkpoint house")
            con.execute("insert into house.t select 1")
            con.execute("detach house")
        assert {path.name for path in (places / "kept").iterdir()} == {"house.duckdb"}

    def test_a_warehouse_that_was_killed_is_replayed(self, places):
        # What a killed run leaves is a log beside the file: it must be readable too.
        with duckdb.connect(str(places / "aside.duckdb")) as con:
            con.execute("create table t as select 1 as a")
            con.execute("checkpoint")
            con.execute("insert into t values (2)")
            for end in ("", ".wal"):
                held = (places / f"aside.duckdb{end}").read_bytes()
                (places / f"kept/house.duckdb{end}").write_bytes(held)
        with opened(places) as con:
            con.execute(f"attach '{places}/kept/house.duckdb' as house")
            assert con.execute("select sum(a) from house.t").fetchone() == (3,)

    def test_schemas_are_changed_under_the_lock(self, places):
        with opened(places) as con:
            con.execute("create schema part")
            con.execute("set search_path = 'part,main'")
            con.execute("create table only_here as select 1 as a")
            con.execute("set search_path = 'main'")
            assert con.execute("select a from part.only_here").fetchone() == (1,)

    @pytest.mark.parametrize("name", ["a [1]*?.parquet", "o'clock;--.parquet", 'a"b.parquet', "line\nfeed.parquet"])
    def test_awkward_names_are_only_names(self, places, name):
        path = parquet(places / "o'x [y]" / name)
        with open_database(reads=[path]) as con:
            assert con.execute(scan(path)).fetchall() == [(1,)]
            with pytest.raises(duckdb.PermissionException):
                con.execute(scan(places / "extracts/claims.parquet"))

    def test_what_memory_does_not_hold_goes_to_the_working_folder_only(self, places, monkeypatch):
        monkeypatch.chdir(places / "elsewhere")
        before = sorted(places.rglob("*"))
        with opened(places, memory_limit="100MB", threads=2) as con:
            con.execute("create table t as select md5(range::varchar) as b from range(1500000) order by b")
            assert (places / "out/.work/tmp").is_dir()  # DuckDB makes it when it needs it
        left = {path for path in places.rglob("*") if path not in before}
        assert {path.relative_to(places).parts[:2] for path in left} == {("out", ".work")}

    def test_a_database_in_memory_writes_nothing_down(self, places, monkeypatch):
        monkeypatch.chdir(places / "elsewhere")
        with (
            open_database(memory_limit="100MB", threads=1) as con,
            pytest.raises(duckdb.OutOfMemoryException),
        ):
            con.execute("create table t as select md5(range::varchar) as b from range(9000000) order by b")
        assert [path.name for path in (places / "elsewhere").iterdir()] == ["secret.parquet"]


class TestWhatNoRunNeeds:
    @pytest.mark.parametrize(
        "statement",
        [
            "select a from read_parquet('{at}/elsewhere/secret.parquet')",
            "select a from read_parquet('{at}/out/../elsewhere/secret.parquet')",
            "select a from '{at}/elsewhere/secret.parquet'",
            "select * from read_csv('/etc/passwd')",
            "select * from read_text('/etc/passwd')",
            "select * from read_blob('/proc/self/environ')",
            "select * from glob('/*')",
            "copy (select 1 as a) to '{at}/elsewhere/new.parquet' (format parquet)",
            "attach '{at}/elsewhere/new.duckdb' as other",
            "export database '{at}/elsewhere/all'",
            "import database '{at}/elsewhere/all'",
            "select a from read_parquet('https://localhost:9/a.parquet')",
            "select a from read_parquet('s3://bucket/a.parquet')",
            "install httpfs",
            "load httpfs",
            "load '{at}/elsewhere/secret.parquet'",
            "install spatial from community",
            "create persistent secret s (type s3, key_id 'a', secret 'b')",
        ],
    )
    def test_it_is_refused(self, places, statement):
        with opened(places) as con, pytest.raises(duckdb.Error):
            con.execute(statement.replace("{at}", str(places))).fetchall()
        assert [path.name for path in (places / "elsewhere").iterdir()] == ["secret.parquet"]

    def test_a_link_in_the_output_folder_leads_nowhere(self, places):
        (places / "out/link.parquet").symlink_to(places / "elsewhere/secret.parquet")
        with opened(places) as con, pytest.raises(duckdb.PermissionException):
            con.execute(scan(places / "out/link.parquet"))

    def test_a_variable_of_the_program_is_no_table(self, places):
        rows = pa.table({"a": [1]})
        with opened(places) as con, pytest.raises(duckdb.CatalogException):
            con.execute("select a from rows").fetchall()
        assert rows.num_rows == 1

    @pytest.mark.parametrize(
        "statement",
        [
            "set enable_external_access = true",
            "set lock_configuration = false",
            "reset lock_configuration",
            "set allowed_directories = ['/']",
            "set allowed_paths = ['/etc/passwd']",
            "set autoload_known_extensions = true",
            "set allow_unsigned_extensions = true",
            "set memory_limit = '100GB'",
            "set threads = 64",
            "set temp_directory = '/tmp'",
            "set TimeZone = 'Asia/Tokyo'",
            "set log_query_path = '/tmp/q.sql'",
        ],
    )
    def test_no_setting_is_taken_back(self, places, statement):
        with opened(places) as con, pytest.raises(duckdb.Error):
            con.execute(statement)

    def test_naming_nothing_leaves_nothing_open(self, places):
        with open_database(reads=[]) as con, pytest.raises(duckdb.PermissionException):
            con.execute(scan(places / "extracts/claims.parquet"))

    def test_no_extension_comes_by_itself(self):
        with open_database() as con:
            named = "'autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions', "
            named += "'allow_unsigned_extensions', 'allow_persistent_secrets'"
            settings = con.execute(f"select value from duckdb_settings() where name in ({named})").fetchall()
        assert settings == [("false",)] * 5


class TestLimits:
    @pytest.mark.parametrize("limit", ["4GB", "512MiB", "1.5 GB", "100MB", "2tb"])
    def test_a_size_is_taken(self, limit):
        assert checked_memory_limit(limit) == limit
        with open_database(memory_limit=limit, reads=[]) as con:
            assert con.execute("select current_setting('memory_limit')").fetchone()[0].endswith("iB")

    @pytest.mark.parametrize(
        "limit", ["", "4", "GB", "-1GB", "0GB", "99MB", "80%", "4 GB'; drop table x;--", "1e3GB", "4GB\n8GB", "none"]
    )
    def test_anything_else_is_refused(self, limit):
        with pytest.raises(UsageProblem, match="--memory-limit"):
            checked_memory_limit(limit)
        with pytest.raises(UsageProblem):
            open_database(memory_limit=limit)

    @pytest.mark.parametrize(
        ("limit", "kilobytes"), [("4GB", 3_000_000), ("1.5 gb", 1_125_000), ("512MiB", 384_000), ("110MB", 100_000)]
    )
    def test_a_run_keeps_a_quarter_of_its_memory_beside_the_database(self, limit, kilobytes):
        assert database_share(limit) == f"{kilobytes} kB"
        with open_database(memory_limit=database_share(limit), reads=[]) as con:
            number, unit = con.execute("select current_setting('memory_limit')").fetchone()[0].split()
        held = float(number) * {"MiB": 1024**2, "GiB": 1024**3}[unit]
        assert held == pytest.approx(kilobytes * 1000, rel=0.05)

    def test_a_file_of_more_than_the_limit_is_opened_again(self, tmp_path):
        asked = {"memory_limit": "100MB", "threads": 1, "reads": [], "writes": [tmp_path], "is_thrown_away": True}
        path, spill = tmp_path / "audit.duckdb", tmp_path / "spill"
        with open_database(path, temp_directory=spill, **asked | {"memory_limit": None}) as con:
            con.execute("create table held (words varchar)")
            for _ in range(30):  # each too few for a row group, so the log holds them
                con.execute("insert into held select repeat(md5(range::varchar), 2) from range(100000)")
        with open_database(path, temp_directory=spill, **asked) as con:
            assert con.execute("select count(distinct words), count(*) from held").fetchone() == (100_000, 3_000_000)

    @pytest.mark.parametrize("threads", [0, -1, 1025])
    def test_threads_are_a_small_whole_number(self, threads):
        with pytest.raises(UsageProblem, match="--threads"):
            checked_threads(threads)
        assert [checked_threads(None), checked_threads(1), checked_threads(1024)] == [None, 1, 1024]

    def test_threads_are_what_was_asked(self):
        with open_database(threads=1) as con:
            assert con.execute("select current_setting('threads')").fetchone() == (1,)


class TestValuesInStatements:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            False,
            0,
            -1,
            10**15,
            Decimal("0.5"),
            Decimal("1E+3"),
            date(1990, 1, 1),
            date(9999, 12, 31),
            "",
            "it's '' -- ; /* %s ? $1 {x} \\",
            "'); drop table t; --",
            "ends\0 here",
            "\n\t\u00a0Ω\U0001f9d1",
        ],
    )
    def test_a_literal_is_the_value_itself(self, value):
        with open_database() as con:
            assert con.execute(f"select {literal(value)}").fetchone() == (value,)

    def test_rows_keep_their_order_and_their_nulls(self):
        rows = [(2, "b", None), (1, None, date(2026, 1, 2))]
        with open_database() as con:
            con.execute("create table t (number integer, word varchar, day date)")
            con.execute(f"insert into t values {row_values(rows)}")
            assert con.execute("select * from t").fetchall() == rows
