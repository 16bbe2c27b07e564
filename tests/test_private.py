"""What a run publishes is its owner's alone, or a team's; a warehouse can be encrypted; no socket is opened."""

import grp
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from flows.disk.rights import PRIVATE, rights_for
from tests.cli_runs import AS_OF, as_nobody, day, write_days
from transforms.database.duckdb_file import ENCRYPTED_NAME, open_database
from transforms.database.encryption import attach_encrypted, extension_file, read_key
from transforms.errors import UsageProblem

ROOT = Path(__file__).parent.parent
KEY = "correct horse battery staple"
CANARY = b"zqxv-wilhelmina"
needs_extension = pytest.mark.skipif(
    find_spec("duckdb_extension_httpfs") is None, reason="the package duckdb-extension-httpfs is not installed"
)


def modes(folder: Path) -> dict[str, str]:
    found = [folder, *folder.rglob("*")]
    return {path.relative_to(folder).as_posix(): oct(path.lstat().st_mode & 0o777)[2:] for path in found}


@pytest.fixture
def tree(tmp_path):
    """A run's folder with files of all kinds of rights, and links out of it."""
    folder = tmp_path / "run"
    (folder / "accepted").mkdir(parents=True)
    for name, mode in (("report.html", 0o644), ("accepted/claims.parquet", 0o666), ("manifest.json", 0o600)):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
    (tmp_path / "outside").mkdir(mode=0o755)
    (tmp_path / "outside/file").write_text("another's")
    (tmp_path / "outside/file").chmod(0o604)
    (folder / "link").symlink_to(tmp_path / "outside/file")
    (folder / "accepted/folder").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe", 0o644)
    return folder


class TestRights:
    def test_by_default_the_owner_alone_reads(self, tree):
        rights_for(None).apply(tree)
        assert rights_for(None) == PRIVATE
        held = modes(tree)
        assert {held[name] for name in (".", "accepted")} == {"700"}
        assert {held[name] for name in ("report.html", "accepted/claims.parquet", "manifest.json")} == {"600"}

    def test_with_a_group_its_members_read_and_nobody_writes(self, tree):
        own = grp.getgrgid(os.getegid())
        rights_for(own.gr_name).apply(tree)
        held = modes(tree)
        assert {held[name] for name in (".", "accepted")} == {"750"}
        assert {held[name] for name in ("report.html", "accepted/claims.parquet", "manifest.json")} == {"640"}
        assert {path.lstat().st_gid for path in (tree, tree / "manifest.json")} == {own.gr_gid}

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to any group")
    def test_the_files_are_the_groups(self, tree):
        team = next(one for one in grp.getgrall() if one.gr_gid not in (0, os.getegid()))
        rights_for(team.gr_name).apply(tree)
        assert {path.stat().st_gid for path in (tree, tree / "accepted", tree / "report.html")} == {team.gr_gid}
        assert (tree.parent / "outside/file").stat().st_gid != team.gr_gid

    def test_links_and_what_is_no_file_are_left_alone(self, tree):
        rights_for(None).apply(tree)
        assert modes(tree.parent)["outside/file"] == "604" and modes(tree.parent)["outside"] == "755"
        assert modes(tree)["pipe"] == "644"
        rights_for(None).apply(tree / "link")
        assert modes(tree.parent)["outside/file"] == "604"

    def test_the_way_to_a_run_is_opened_and_nothing_beside_it(self, tree):
        out = tree.parent
        (out / "work").mkdir(mode=0o700)
        out.chmod(0o700)
        rights_for(grp.getgrgid(os.getegid()).gr_name).open_way(out, tree / "accepted")
        held = modes(out)
        assert (held["."], held["run"], held["run/accepted"], held["work"]) == ("750", "750", "755", "700")

    @pytest.mark.parametrize("name", ["no-such-group-here", "", "a\0b", "0", "wheel; rm -rf /"])
    def test_an_unknown_group(self, name):
        with pytest.raises(UsageProblem, match="no such group") as problem:
            rights_for(name)
        assert "\n" not in str(problem.value) and "\0" not in str(problem.value)

    def test_a_group_that_the_user_is_not_in(self):
        with as_nobody():
            own = {os.getegid(), *os.getgroups()}
            team = next(one for one in grp.getgrall() if one.gr_gid not in own)
            with pytest.raises(UsageProblem, match="you are not in it"):
                rights_for(team.gr_name)


class TestKeyFile:
    def write(self, tmp_path, content: bytes, mode: int = 0o600) -> Path:
        file = tmp_path / "house.key"
        file.write_bytes(content)
        file.chmod(mode)
        return file

    def test_the_key_is_its_one_line(self, tmp_path):
        assert read_key(self.write(tmp_path, f"  {KEY}\r\n".encode())) == KEY
        assert read_key(self.write(tmp_path, KEY.encode(), 0o400)) == KEY

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o777])
    def test_a_key_that_others_can_read(self, tmp_path, mode):
        with pytest.raises(UsageProblem, match="chmod 600"):
            read_key(self.write(tmp_path, KEY.encode(), mode))

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"", "shorter"),
            (b" \n\n", "shorter"),
            (b"fifteen letters", "shorter"),
            (KEY.encode() + b"\nand more of it", "more than one line"),
            (KEY.encode() * 1000, "more than one line"),
            (KEY.encode() + b"\0", "more than one line"),
            (b"\xff\xfe" + KEY.encode(), "UTF-8"),
        ],
    )
    def test_a_key_that_is_none(self, tmp_path, content, told):
        with pytest.raises(UsageProblem, match=told) as problem:
            read_key(self.write(tmp_path, content))
        assert "horse" not in str(problem.value) and "fifteen" not in str(problem.value)
        assert "house.key" in str(problem.value)

    def test_no_file_at_all(self, tmp_path):
        os.mkfifo(tmp_path / "pipe", 0o600)
        for place, told in (("nothing", "cannot be read"), (".", "regular file"), ("pipe", "regular file")):
            with pytest.raises(UsageProblem, match=told):
                read_key(tmp_path / place)

    def test_anothers_key(self, tmp_path):
        file = self.write(tmp_path, KEY.encode())
        for folder in tmp_path.parents[:2]:
            folder.chmod(0o755)
        tmp_path.chmod(0o755)
        if os.geteuid() != 0:
            pytest.skip("only root can give a file to somebody else")
        with as_nobody(), pytest.raises(UsageProblem, match="cannot be read"):
            read_key(file)


class TestWithoutTheExtension:
    def test_a_key_is_refused_and_nothing_is_written_in_clear(self, tmp_path, monkeypatch):
        monkeypatch.setattr("transforms.database.encryption.find_spec", lambda name: None)
        with pytest.raises(UsageProblem, match=f"install duckdb-extension-httpfs=={duckdb.__version__}") as problem:
            open_database(tmp_path / "house.duckdb", key=KEY)
        assert KEY not in str(problem.value)
        assert list(tmp_path.iterdir()) == []

    def test_an_extension_of_another_version_is_none(self, monkeypatch):
        monkeypatch.setattr("duckdb.__version__", "1.5.4")
        with pytest.raises(UsageProblem, match=r"==1\.5\.4"):
            extension_file()


@needs_extension
class TestEncrypted:
    def house(self, tmp_path, **more):
        con = open_database(tmp_path / "house.duckdb", key=KEY, temp_directory=tmp_path / "tmp", **more)
        con.execute(f"create table if not exists t as select '{CANARY.decode()}' as a, range as b from range(1000)")
        return con

    def test_rows_are_kept_and_stand_nowhere_in_clear(self, tmp_path):
        with self.house(tmp_path) as con:
            con.execute("create schema part")
            con.execute("set search_path = 'part,main'")
            con.execute("create table u as select a from t")
            con.execute("checkpoint")
            con.execute("insert into t select a, b from t")  # stands in the log
            held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert held and CANARY not in held and KEY.encode() not in held
        with self.house(tmp_path) as con:
            assert con.execute("select count(*) from t").fetchone() == (2000,)
            assert con.execute("select current_database(), current_schema()").fetchone() == (ENCRYPTED_NAME, "main")

    def test_what_memory_does_not_hold_is_encrypted_too(self, tmp_path):
        with self.house(tmp_path, memory_limit="100MB", threads=2) as con:
            assert con.execute("select current_setting('temp_file_encryption')").fetchone() == (True,)

    def test_the_key_is_told_to_nobody(self, tmp_path):
        with self.house(tmp_path) as con:
            told = str(con.execute("select * from duckdb_databases()").fetchall())
            told += str(con.execute("select * from duckdb_settings()").fetchall())
            told += str(con.execute("select * from duckdb_variables()").fetchall())
            told += str(con.execute("select * from duckdb_secrets()").fetchall())
        assert KEY not in told

    def test_a_warehouse_beside_an_encrypted_working_file(self, tmp_path):
        with open_database(tmp_path / "work.duckdb", key="a key of this night", writes=[tmp_path]) as con:
            attach_encrypted(con, tmp_path / "house.duckdb", KEY, "house")
            con.execute("create table house.t as select 1 as a")
            con.execute("create table own as select a from house.t")
            con.execute("detach house")
            attach_encrypted(con, tmp_path / "house.duckdb", KEY, "house", read_only=True)
            with pytest.raises(duckdb.Error, match="read-only"):
                con.execute("insert into house.t values (2)")

    def test_it_opens_nothing_else(self, tmp_path):
        with self.house(tmp_path / ".", reads=[]) as con:
            for refused in ("read_text('/etc/passwd')", "read_parquet('https://localhost:9/a.parquet')"):
                with pytest.raises(duckdb.PermissionException):
                    con.execute(f"select * from {refused}")

    def test_another_key_a_plain_file_and_no_database(self, tmp_path):
        self.house(tmp_path).close()
        duckdb.connect(str(tmp_path / "plain.duckdb")).execute("create table t as select 1 as a").close()
        (tmp_path / "junk.duckdb").write_bytes(b"junk" * 5000)
        for name, told in (("house", "another key"), ("plain", "is not encrypted"), ("junk", "cannot be opened")):
            with pytest.raises(UsageProblem, match=told) as problem:
                open_database(tmp_path / f"{name}.duckdb", key="another key, quite another")
            assert "quite another" not in str(problem.value) and "\n" not in str(problem.value)

    def test_great_expectations_can_be_shown_it_without_the_key(self, tmp_path):
        from sqlalchemy import create_engine, inspect

        from expectations.suites.keyed import URL, unlocked

        self.house(tmp_path).close()
        with unlocked(tmp_path / "house.duckdb", KEY) as arguments:
            assert KEY not in str(arguments)
            engine = create_engine(URL, connect_args=arguments)
            with engine.connect() as con:
                assert inspect(con).has_table("t")
                assert con.exec_driver_sql("select count(*) from t").fetchone() == (1000,)
                with pytest.raises(Exception, match="read-only"):
                    con.exec_driver_sql("delete from judged.main.t")
            engine.dispose()
        assert {path.name for path in tmp_path.iterdir()} <= {"house.duckdb", "tmp"}
        self.house(tmp_path).close()  # the file is free again


DRIVER = """
import json, sys
heard = []
def hear(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        heard.append(event + " " + repr(arguments[1:]))
sys.addaudithook(hear)
from flows.cli import main
code = 0
try:
    main()
except SystemExit as end:
    code = end.code or 0
print("HEARD" + json.dumps([code, heard]), file=sys.stderr)
"""


def tools(calls: Path) -> tuple[list[str], bool]:
    """The commands before the audit's: without any network, where that may be had, and traced; whether it is."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    trace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=socket,connect,bind", "-o", str(calls)]
    found = []
    for tool in (alone, trace):
        is_there = shutil.which(tool[0]) and not subprocess.run([*found, *tool, "true"], capture_output=True).returncode
        found += tool if is_there else []
    return found, trace[0] in found


class TestSockets:
    """An audit of local files, Great Expectations and all, speaks to nobody."""

    def test_no_socket_is_opened_where_there_is_no_network_at_all(self, tmp_path):
        extracts = write_days(tmp_path, *(day(number) for number in range(1, 4)))
        before, is_traced = tools(tmp_path / "calls")
        options = ["audit", "--extracts", extracts, "--out", tmp_path / "out", "--as-of", AS_OF]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        ran = subprocess.run(
            [*before, sys.executable, "-c", DRIVER, *map(str, options)],
            capture_output=True,
            text=True,
            env=kept | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
            timeout=300,
        )
        # What Python tells of is known on every machine, what native code does only where it can be traced.
        code, heard = json.loads(ran.stderr.partition("HEARD")[2])
        assert (code, heard) == (0, []), ran.stderr
        calls = (tmp_path / "calls").read_text().splitlines() if is_traced else []
        assert [line for line in calls if "AF_INET" in line] == []
