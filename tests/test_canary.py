"""Canaries: strings that stand for patients' ids, names and notes lie in a run's private files and nowhere else.

500 of them are planted, and looked for after a success, a failure and a kill.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flows.run.stages import STAGES, Stage
from tests.cli_runs import AS_OF, Ran, day, minutewise, write_days
from tests.stand_ins import judged_by_findings

pytestmark = pytest.mark.whole_audit

ROOT = Path(__file__).parent.parent
#: In every id, name and phrase of the extracts, whatever its case; in nothing else on this machine.
CANARY = "zqxv"
#: In the header of a column that nobody reads: the manifest names it, nothing else does.
HEADER_CANARY = "Wkjbcolumn"
#: What a run's folder may hold rows in; all of it is closed to others.
PRIVATE = ("findings.", "units.parquet", "quarantine.parquet", "accepted/", "report.html")
#: So many patients, each with an id and a phrase in the note of its own.
PATIENTS = 250
#: Two runs in one process, so that Prefect's temporary server is started once: one sound, one that breaks.
DRIVER = """
import json, sys
from dataclasses import asdict
from tests.cli_runs import minutewise
from flows.run.stages import STAGES, Stage
import flows.run.audit

def broken(run):
    raise ValueError("{canary} of patient {canary}-P1")

options = sys.argv[1:]
told = [asdict(minutewise("audit", *options, "--prefect"))]
flows.run.audit.STAGES = (*STAGES[:2], Stage("recompute", broken))
told.append(asdict(minutewise("audit", *options, "--prefect", "--allow-low-match")))
print("TOLD" + json.dumps(told))
"""


def visit(number: int, **claim) -> tuple[dict, dict, dict]:
    """A visit whose every id and text holds the canary."""
    line, note, block = day(number, claims_units=4)
    named = {"patient_id": f"{CANARY.upper()}-P{number}", "clinic_id": f"{CANARY}-clinic"}
    line |= named | {
        "claim_id": f"{CANARY}-C{number}",
        "rendering_provider_id": f"{CANARY}-T{number}",
        "billing_provider_id": f"{CANARY}-B",
        "diagnosis_codes": f"{CANARY}-M54",
    }
    note |= named | {
        "note_id": f"{CANARY}-N{number}",
        "provider_id": f"{CANARY}-T{number}",
        "narrative": f"Wilhelmina {CANARY}son says her knee {CANARY}es",
        "cap_justification": f"because of {CANARY}",
    }
    block |= {"note_id": f"{CANARY}-N{number}", "description": f"{CANARY} steps", "goal": f"{CANARY} stairs"}
    return line | claim, note, block


def planted(number: int) -> tuple[dict, dict, dict]:
    """The visit of patient `number` of many: two canaries that stand nowhere else, each with CANARY within."""
    line, note, block = visit(1 + number % 18)
    own = {"patient_id": f"{CANARY}-P{number:03d}x"}
    claim = own | {"claim_id": f"C{number}{CANARY}"}
    text = {"note_id": f"N{number}{CANARY}", "narrative": f"Phrase {CANARY}-T{number:03d}x of her day"}
    return line | claim, note | own | text, block | {"note_id": text["note_id"]}


#: What `planted` plants: 500 strings.
PLANTED = [f"{CANARY}-{kind}{number:03d}x" for kind in "PT" for number in range(PATIENTS)]


def write_extracts(folder: Path) -> Path:
    """Visits with findings, rows that break the contract in many ways, and a column that nobody reads."""
    visits = [visit(number) for number in range(1, 7)]
    broken = {
        "billed_units": f"two {CANARY}",
        "service_date": f"3 {CANARY} 2026",
        "procedure_code": f"{CANARY}7",
        "claim_frequency_code": f"{CANARY}",
        "charge_usd": f"${CANARY}",
        "patient_id": f"{CANARY}\x01",
    }
    visits += [visit(7 + place, **{column: cell}) for place, (column, cell) in enumerate(broken.items())]
    visits += [visit(6, allowed_usd="61.00"), visit(6, allowed_usd="62.00")]
    visits += [planted(number) for number in range(PATIENTS)]
    write_days(folder, *visits)
    claims = folder / "claims.csv"
    header, *lines = claims.read_text().splitlines()
    lines = [f"{line},Wilhelmina {CANARY}" for line in lines]
    lines += [f"{CANARY},too,few", f'"{CANARY},"unbalanced",1', header + f",{HEADER_CANARY}", f"{CANARY}," * 60]
    claims.write_text("\n".join([f"{header},{HEADER_CANARY}", *lines]) + "\n")
    with (folder / "notes.csv").open("ab") as file:
        file.write(f"{CANARY}-N1,\xff{CANARY},2026-03-01,x,PT\n".encode("latin-1"))
    return folder


@pytest.fixture
def extracts(tmp_path) -> Path:
    return write_extracts(tmp_path / "extracts")


def assert_silent(ran: Ran, code: int) -> None:
    assert ran.code == code, ran.err
    for text in (ran.out, ran.err):
        for canary in (CANARY, HEADER_CANARY.lower()):
            assert canary not in text.lower()
    assert "Traceback" not in ran.err


def holders(folder: Path, canary: str) -> list[str]:
    """The files below a folder that hold the canary, in their bytes or in a Parquet file's cells, or in their name."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        held = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".parquet":
            held += str(pq.read_table(path).to_pylist()).encode()
        if canary.lower().encode() in held.lower() or canary.lower() in name.lower():
            found.append(name)
    return found


def is_private(name: str) -> bool:
    """Whether a file of the output folder is one that may hold rows: those of a published run."""
    parts = name.split("/", 2)
    return parts[0] == "runs" and not parts[1].startswith(".") and parts[2].startswith(PRIVATE)


def assert_kept_in(out: Path) -> None:
    """The canaries lie in a run's private files only, and the ids of findings too: they are as private."""
    held = holders(out, CANARY)
    assert [name for name in held if not is_private(name)] == []
    with duckdb.connect() as con:
        files = [str(path) for path in out.glob("runs/*/findings.parquet")]
        ids = con.execute("select finding_id from read_parquet(?)", [files]).fetchall() if files else []
    for (finding_id,) in ids[:3]:
        assert [name for name in holders(out, finding_id[:12]) if not is_private(name)] == []
    named = [name for name in holders(out, HEADER_CANARY) if not is_private(name)]
    assert all(name.endswith("/manifest.json") for name in named)


def scratch(tmp_path: Path) -> dict[str, str]:
    """An environment whose home, temporary and working folders are empty ones."""
    places = {name: tmp_path / name.lower() for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    for place in places.values():
        place.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {name: str(place) for name, place in places.items()} | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def under_prefect(tmp_path_factory):
    """A sound run and one that breaks within, both under Prefect: (what they said, output folder, scratch)."""
    at = tmp_path_factory.mktemp("prefect")
    extracts = write_extracts(at / "extracts")
    (at / "work").mkdir()
    options = ["--extracts", extracts, "--out", at / "out", "--as-of", AS_OF]
    ended = subprocess.run(
        [sys.executable, "-c", DRIVER.replace("{canary}", CANARY), *map(str, options)],
        capture_output=True,
        text=True,
        env=scratch(at),
        cwd=at / "work",
    )
    assert ended.returncode == 0, ended.stderr
    before, _, told = ended.stdout.partition("TOLD")
    assert CANARY not in (before + ended.stderr).lower()
    return [Ran(**one) for one in json.loads(told)], at


class TestUnderPrefect:
    def test_nothing_is_said(self, under_prefect):
        (sound, broken), _ = under_prefect
        assert_silent(sound, 0)
        assert "billed_units_exceed_minutes" in sound.out
        assert_silent(broken, 4)
        assert broken.err.startswith("minutewise: internal error (ValueError") and broken.out == ""

    def test_nothing_is_kept_but_in_the_run(self, under_prefect):
        _, at = under_prefect
        out = at / "out"
        held = holders(out, CANARY)
        for name in ("findings.parquet", "findings.csv", "quarantine.parquet", "accepted/notes.parquet"):
            assert any(one.endswith(name) for one in held), name
        assert {path.name for path in out.iterdir()} >= {".prefect", "great_expectations", "runs"}
        assert len(list(out.glob("runs/*"))) == 1
        assert len(list(out.glob("great_expectations/**/*.html"))) > 5
        assert any(path.suffix == ".db" for path in (out / ".prefect").rglob("*"))
        assert_kept_in(out)

    def test_nothing_is_left_in_home_temporary_or_working_folders(self, under_prefect):
        _, at = under_prefect
        for name in ("home", "tmpdir", "xdg_cache_home", "xdg_config_home", "work"):
            assert holders(at / name, CANARY) == []
            assert holders(at / name, HEADER_CANARY) == []


class TestFailures:
    """A run that fails says nothing of a row, and leaves no row behind."""

    def fails(self, tmp_path, code: int, *options: object) -> Ran:
        out = tmp_path / "out"
        ran = minutewise("audit", "--out", out, "--as-of", AS_OF, *options)
        assert_silent(ran, code)
        assert ran.out == "" and ran.err.count("\n") == 1
        assert not (out / "runs").exists() or list((out / "runs").iterdir()) == []
        assert holders(out, CANARY) == []
        return ran

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("claims.csv", lambda text: text.replace(b"billed_units", HEADER_CANARY.encode())),
            ("claims.csv", lambda text: text.partition(b"\n")[2]),
            ("claims.csv", lambda text: text.replace(b",", b";")),
            ("claims.csv", lambda text: text.replace(b"claim_id", HEADER_CANARY.encode(), 1)),
            ("claims.csv", lambda text: b'"' + text),
            ("claims.csv", lambda text: text.replace(b"\n", b"")),
            ("notes.csv", lambda text: text.replace(b"patient_id", f"{CANARY}ü".encode("latin-1"))),
            ("notes.csv", lambda text: text.replace(b"patient_id", f"{CANARY}\0".encode())),
            ("notes.parquet", lambda text: b"PAR1" + text + b"PAR1"),
            ("note_blocks.csv", lambda text: f"{CANARY}\n".encode()),
            ("note_blocks.csv", lambda text: f"{CANARY},{CANARY}\n".encode()),
        ],
    )
    def test_an_extract_that_is_refused(self, tmp_path, extracts, name, change):
        held = extracts / name.replace(".parquet", ".csv")
        content = held.read_bytes()
        held.unlink()
        (extracts / name).write_bytes(change(content))
        self.fails(tmp_path, 3, "--extracts", extracts)

    def test_a_low_match(self, tmp_path, extracts):
        notes = extracts / "notes.csv"
        notes.write_bytes(notes.read_bytes().replace(b"-P", b"-Q"))
        assert "few claims and notes match" in self.fails(tmp_path, 3, "--extracts", extracts).err

    def test_a_broken_crosswalk(self, tmp_path, extracts):
        for content in (f"notes_id,claims_id\n{CANARY},1\n{CANARY},2\n", f"notes_id,claims_id\n{CANARY},\n"):
            (tmp_path / "x").mkdir(exist_ok=True)
            (tmp_path / "x" / "patient.csv").write_text(content)
            self.fails(tmp_path, 2, "--extracts", extracts, "--crosswalk", tmp_path / "x")

    def test_a_mapping_that_does_not_fit(self, tmp_path, extracts):
        mapping = tmp_path / "map.toml"
        mapping.write_text('[claims.columns]\npatient_id = "member"\n')
        self.fails(tmp_path, 3, "--extracts", extracts, "--mapping", mapping)

    @pytest.mark.parametrize(
        ("stage", "kind"), [(0, "value"), (1, "value"), (2, "system"), (3, "key"), (4, "value"), (4, "system")]
    )
    def test_an_internal_error_in_any_stage(self, tmp_path, extracts, monkeypatch, stage, kind):
        def broken(run):
            if kind == "key":
                return {}[f"{CANARY}-P1"]
            if kind == "system":
                raise OSError(5, f"{CANARY}", f"/{CANARY}")
            raise ValueError(f"{CANARY} of patient {CANARY}-P1")

        monkeypatch.setattr("expectations.judge.judge", judged_by_findings)
        broken_stage = Stage(STAGES[stage].name, broken)
        monkeypatch.setattr("flows.run.audit.STAGES", (*STAGES[:stage], broken_stage, *STAGES[stage + 1 :]))
        ran = self.fails(tmp_path, 4, "--extracts", extracts)
        assert "internal error" in ran.err

    def test_an_error_of_duckdb_that_quotes_a_cell(self, tmp_path, extracts, monkeypatch):
        def broken(run):
            with duckdb.connect(str(run.asked.database)) as con:
                con.execute("select cast(narrative as integer) from ok_notes").fetchall()

        monkeypatch.setattr("flows.run.audit.STAGES", (*STAGES[:2], Stage("recompute", broken)))
        ran = self.fails(tmp_path, 4, "--extracts", extracts)
        assert "ConversionException" in ran.err

    def test_an_error_while_publishing(self, tmp_path, extracts, monkeypatch):
        def full(path, *_more):
            raise OSError(28, f"{CANARY} left", str(path))

        monkeypatch.setattr("expectations.judge.judge", judged_by_findings)
        monkeypatch.setattr("flows.publishing.write.write_html", full)
        self.fails(tmp_path, 2, "--extracts", extracts, "--warehouse", tmp_path / "out" / "w.duckdb")

    def test_great_expectations_breaks(self, tmp_path, extracts, monkeypatch):
        def broken(*_place, **_named):
            raise RuntimeError(f"{CANARY} of patient {CANARY}-P1")

        monkeypatch.setattr("expectations.judge._results", broken)
        assert "RuntimeError" in self.fails(tmp_path, 4, "--extracts", extracts).err


#: Runs the command line on local files. `how` says what the last stage does: end as usual, break, or wait to be killed.
ENDED = """
import sys, time
import expectations.judge, flows.run.audit
from flows.cli import main
from flows.run.stages import STAGES, Stage
from tests.stand_ins import judged_by_findings

def last(run):
    if how == "breaks":
        raise ValueError("{canary} of patient {canary}-P1")
    print("READY", file=sys.stderr, flush=True)
    time.sleep(600)

how = sys.argv.pop(1)
expectations.judge.judge = judged_by_findings
if how != "ends":
    flows.run.audit.STAGES = (*STAGES[:-1], Stage(STAGES[-1].name, last))
main()
"""


@contextmanager
def titles_of(process: subprocess.Popen):
    """Collects what the process list shows of a process and of those below it, while the block lasts."""
    seen: set[bytes] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            for number in below(process.pid):
                for name in ("cmdline", "comm", "task/*/comm"):
                    for place in Path(f"/proc/{number}").glob(name):
                        try:
                            seen.add(place.read_bytes())
                        except OSError:  # it has ended since
                            continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def below(number: int) -> list[int]:
    """A process and all its descendants."""
    found = [number]
    for task in Path(f"/proc/{number}/task").glob("*/children"):
        try:
            found += [one for child in task.read_text().split() for one in below(int(child))]
        except OSError:
            continue
    return found


class TestEveryEnd:
    """A success, a failure and a kill of one command, watched from outside: its streams, its titles, its folders."""

    def run(self, at: Path, how: str) -> tuple[int, str, set[bytes]]:
        """The exit code, both streams, and what the process list showed of it."""
        place = at / how
        place.mkdir()
        for name in ("work", "extracts"):
            (place / name).mkdir()
        command = [sys.executable, "-c", ENDED.replace("{canary}", CANARY), how, "audit", "--as-of", AS_OF]
        command += ["--extracts", write_extracts(place / "extracts"), "--out", place / "out"]
        with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
            process = subprocess.Popen(
                list(map(str, command)), stdout=out, stderr=err, env=scratch(place), cwd=place / "work"
            )
            with titles_of(process) as titles:
                if how == "killed":
                    while b"READY" not in (place / "stderr").read_bytes() and process.poll() is None:
                        threading.Event().wait(0.05)
                    process.kill()
                code = process.wait(timeout=120)
        return code, (place / "stdout").read_text() + (place / "stderr").read_text(), titles

    def assert_nowhere_else(self, place: Path) -> None:
        for name in ("home", "tmpdir", "xdg_cache_home", "xdg_config_home", "work"):
            assert holders(place / name, CANARY) == []
        assert {path.name for path in place.iterdir()} == {
            *("extracts", "out", "work", "stdout", "stderr", "home", "tmpdir", "xdg_cache_home", "xdg_config_home")
        }

    @pytest.mark.parametrize(("how", "code"), [("ends", 0), ("breaks", 4), ("killed", -9)])
    def test_no_stream_no_title_and_no_other_folder_holds_one(self, tmp_path, how, code):
        ended, told, titles = self.run(tmp_path, how)
        place = tmp_path / how
        assert ended == code, told
        # Each canary holds CANARY, so to look for that is to look for all 500.
        assert len(set(PLANTED)) == 500 and all(CANARY in one for one in PLANTED)
        assert CANARY not in told.lower()
        shown = b"\n".join(titles).replace(CANARY.encode() + b" of patient " + CANARY.encode(), b"")  # the driver's own
        assert titles and CANARY.encode() not in shown.lower()
        self.assert_nowhere_else(place)
        if how != "killed":
            assert_kept_in(place / "out")
            assert not (place / "out" / ".work").exists()
        if how == "ends":
            self.assert_read(place / "out")
        if how == "killed":
            self.assert_cleared(place)

    def assert_read(self, out: Path) -> None:
        (run,) = (out / "runs").iterdir()
        held = str([pq.read_table(run / f"accepted/{name}.parquet").to_pylist() for name in ("claims", "notes")])
        assert [one for one in PLANTED if one not in held] == []

    def assert_cleared(self, place: Path) -> None:
        """What a kill leaves is in one folder closed to others, and the next run clears it."""
        out = place / "out"
        left = [name for name in holders(out, CANARY) if not is_private(name)]
        assert left and all(name.startswith(".work/") for name in left)
        assert all(path.stat().st_mode & 0o077 == 0 for path in (out / ".work", *(out / ".work").rglob("*")))
        command = [sys.executable, "-c", ENDED, "ends", "audit", "--as-of", AS_OF, "--out", out]
        command += ["--extracts", place / "extracts"]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {"PYTHONPATH": str(ROOT)}
        again = subprocess.run(list(map(str, command)), capture_output=True, env=kept, cwd=place, timeout=120)
        assert again.returncode == 0, again.stderr
        assert not (out / ".work").exists()
        assert_kept_in(out)
