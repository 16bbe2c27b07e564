"""What a person, or a broken disk, has changed in a published run: told with file and key by whoever reads it next."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.cli_runs import Ran, audit, day, minutewise, published, refused, write, write_days

DIGITS = "9" * 5_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Two nights of one clinic as they were published; the second found one more day with a unit too many."""
    place = tmp_path_factory.mktemp("edited")
    for name, days in (("first", 5), ("second", 6)):
        extracts = write_days(place / name, *(day(number, claims_units=3) for number in range(1, days)))
        assert audit(extracts, place / "out").code in (0, 1)
    return place


@pytest.fixture
def place(kept, tmp_path, monkeypatch) -> Path:
    shutil.copytree(kept, tmp_path / "clinic")
    return tmp_path / "clinic"


def run_of(place: Path) -> Path:
    return place / "out" / "runs" / published(place / "out")[1]


def finding_of(place: Path) -> str:
    return pq.read_table(run_of(place) / "findings.parquet", columns=["finding_id"])["finding_id"][0].as_py()


def before(place: Path) -> str:
    return next(run for run in published(place / "out")[0] if run != run_of(place).name)


#: Every command that reads a run's manifest; each is given the folder of the clinic.
READERS: dict[str, Callable[[Path], Ran]] = {
    "explain": lambda place: minutewise("explain", place / "out", finding_of(place)),
    "explain a day": lambda place: minutewise("explain", place / "out", "P1", "2026-03-01"),
    "evidence": lambda place: minutewise("evidence", place / "out", finding_of(place), "--to", place / "packet"),
    "diff": lambda place: minutewise("diff", before(place), run_of(place).name, "--out", place / "out"),
    "summary": lambda place: minutewise("summary", place / "out"),
    "summary --json": lambda place: minutewise("summary", place / "out", "--json"),
    "summary --shareable": lambda place: minutewise("summary", place / "out", "--shareable"),
    "quarantine": lambda place: minutewise("quarantine", place / "out"),
    "the same audit": lambda place: audit(place / "second", place / "out"),
    "the next audit": lambda place: audit(place / "first", place / "out", "--as-of", "2026-03-21"),
    "a night on a warehouse": lambda place: audit(place / "first", place / "out", "--warehouse", place / "w.duckdb"),
}
#: What stands in the file -> what is said of it.
CONTENTS = {
    "": "is not JSON (line 1, column 1)",
    '{"run_id": 1,': "is not JSON (line 1, column 14)",
    '{"run_id": "a\0b"}': "is not JSON (line 1, column 14)",
    b"\xff\xfe{}": "is not UTF-8",
    "[]": "the document must be an object",
    "{}": "key run_id is missing",
    '"text"': "the document must be an object",
    '{"run_id": NaN}': "NaN",
    f'{{"schema_version": {DIGITS}}}': "a number of 5,000 digits",
    "[" * 200_000: "is nested too deeply",
}
#: Key, what stands there now (... where it is gone) -> what is said.
EDITS = [
    (("run_id",), "../..", "key run_id must be a run's id, and no path"),
    (("run_id",), "a\0b", "key run_id must be a text"),
    (("previous_run",), "../../elsewhere", "key previous_run must be a run's id, and no path"),
    (("as_of",), "yesterday", "key as_of must be a date"),
    (("as_of",), ..., "key as_of is missing"),
    (("finished_at",), "2026-03-20", "key finished_at must be a date and time"),
    (("since",), 5, "key since must be a date"),
    (("period",), [], "key period must be an object"),
    (("period", "first"), "2026-3-1", "key period.first must be a date"),
    (("at_risk_usd",), 12.5, "key at_risk_usd must be dollars as text"),
    (("at_risk_usd",), "1e999999999", "key at_risk_usd must be dollars as text"),
    (("inputs",), {}, "key inputs must be a list"),
    (("inputs", 1, "file_number"), None, "key inputs[1].file_number must be a whole number"),
    (("inputs", 0, "rows_read"), "12", "key inputs[0].rows_read must be a whole number"),
    (("inputs", 0, "rows_read"), True, "key inputs[0].rows_read must be a whole number"),
    (("inputs", 0, "rows_read"), 2**63, "key inputs[0].rows_read must be a whole number"),
    (("inputs", 0, "table"), "payments", "key inputs[0].table must be one of claims, note_blocks, notes"),
    (("inputs", 0, "file"), "\ud800", "key inputs[0].file must be a text"),
    (("inputs", 0, "cells_set_aside"), [1], "key inputs[0].cells_set_aside must be an object"),
    (("rules",), [], "key rules must be a list of 1 or more"),
    (("rules", 0, "violations"), -1, "key rules[0].violations must be a whole number from 0"),
    (("rules", 0, "status"), "fine", "key rules[0].status must be one of"),
    (("rules", 2), "rule", "key rules[2] must be an object"),
    (("rules", 2, "unjudged"), ..., "key rules[2].unjudged is missing"),
    (("match", "claim_day_share"), "all", "key match.claim_day_share must be a number"),
    (("match", "measured_notes"), ..., "key match.measured_notes is missing"),
    (("payers_without_method",), ["P1"], "key payers_without_method must be an object"),
    (("claims_only",), "no", "key claims_only must be true or false"),
    (("guards", 0, "did_fire"), ..., "key guards[0].did_fire is missing"),
    (("warehouse",), {}, "key warehouse.path is missing"),
    (("files", "../../../secret"), "0" * 64, "key files.* must be a path that stays within the run's folder"),
    (("files", "findings.parquet"), "abc", "key files.* must be a sha256"),
    (("mapped_columns",), {"claims": 1}, "key mapped_columns.* must be an object"),
]


def edit(path: Path, key: tuple, value: object) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    held = document
    for part in key[:-1]:
        held = held[part]
    if value is ...:
        del held[key[-1]]
    else:
        held[key[-1]] = value
    path.write_text(json.dumps(document), encoding="utf-8")


class TestManifest:
    @pytest.mark.parametrize("reader", READERS)
    def test_every_reader_names_file_and_key(self, place, reader):
        path = run_of(place) / "manifest.json"
        edit(path, ("rules", 0, "violations"), "3")
        held = published(place / "out")
        refused(READERS[reader](place), 2, f"{path}: key rules[0].violations must be a whole number", "backup")
        assert published(place / "out") == held and not (place / "packet").exists()

    @pytest.mark.parametrize(("content", "said"), CONTENTS.items(), ids=CONTENTS.values())
    def test_what_is_no_manifest(self, place, content, said):
        path = write(run_of(place) / "manifest.json", content)
        for reader in ("summary", "explain", "diff", "quarantine", "the next audit"):
            refused(READERS[reader](place), 2, f"{path}: ", said)
        ran = minutewise("verify", place / "out")
        assert ran.code == 3 and f"manifest.json: {said}" in ran.out.replace("holds ", "").replace("contains ", "")

    def test_one_key_at_a_time(self, place):
        path = run_of(place) / "manifest.json"
        whole = path.read_bytes()
        for key, value, said in EDITS:
            edit(path, key, value)
            for reader in ("summary", "explain", "diff", "the next audit"):
                refused(READERS[reader](place), 2, f"{path}: {said}")
            assert f"manifest.json: {said}" in minutewise("verify", place / "out").out
            path.write_bytes(whole)

    def test_the_manifest_of_another_run(self, place):
        path = run_of(place) / "manifest.json"
        shutil.copy(place / "out" / "runs" / before(place) / "manifest.json", path)
        for reader in ("summary", "evidence", "the next audit"):
            refused(READERS[reader](place), 2, f"{path}: is the manifest of another run")

    def test_one_of_an_earlier_night_is_passed_over(self, place):
        """The guards do with fewer nights; what is compared with it is not."""
        path = write(place / "out" / "runs" / before(place) / "manifest.json", "[" * 200_000)
        refused(READERS["diff"](place), 2, f"{path}: is nested too deeply")
        assert audit(place / "second", place / "out", "--as-of", "2026-03-21").code in (0, 1)

    def test_who_needs_none_of_it_goes_on(self, place):
        write(run_of(place) / "manifest.json", "[" * 200_000)
        assert minutewise("open", place / "out", "--print").code == 0
        assert minutewise("retention", place / "out", "--older-than", "2026-03-01", "--dry-run").code == 0


class TestSummary:
    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            (("rules",), {}, "key rules must be a list"),
            (("rules", 0, "violations"), "3", "key rules[0].violations must be a whole number"),
            (("families", "overbilling", "at_risk_usd"), "1e99999", "key families.*.at_risk_usd must be dollars"),
            (("rows", "claims", "read"), ..., "key rows.*.read is missing"),
            (("as_of",), ["2026-03-20"], "key as_of must be a date"),
        ],
    )
    def test_it_names_file_and_key(self, place, key, value, said):
        path = run_of(place) / "summary.json"
        edit(path, key, value)
        for option in ("--json", "--shareable"):
            refused(minutewise("summary", place / "out", option), 2, f"{path}: {said}")

    @pytest.mark.parametrize(("content", "said"), [(c, s) for c, s in CONTENTS.items() if c != "{}"][:6])
    def test_what_is_no_summary(self, place, content, said):
        path = write(run_of(place) / "summary.json", content)
        refused(minutewise("summary", place / "out", "--json"), 2, f"{path}: {said}")


class TestCurrent:
    @pytest.mark.parametrize("content", [b"../..", b"../../elsewhere", b"a\0b", b"\xff", b"/etc", b".hidden", b"a\nb"])
    def test_what_is_no_run_is_never_followed(self, place, content):
        path, finding = write(place / "out" / "current", content), "abcdef"
        for command in (
            ("explain", place / "out", finding),
            ("evidence", place / "out", finding),
            ("summary", place / "out"),
            ("quarantine", place / "out"),
            ("open", place / "out", "--print"),
            ("verify", place / "out"),
            ("retention", place / "out", "--older-than", "2026-03-01"),
        ):
            refused(minutewise(*command), 2, f"{path.parent}")
        refused(READERS["the next audit"](place), 2, f"{path}: cannot be read as a run id")


class TestTables:
    """A published table whose bytes are gone: no reader ends with an error of its own."""

    @pytest.mark.parametrize("name", ["findings", "rules", "units", "quarantine", "accepted/claims"])
    def test_a_table_that_is_none(self, place, name):
        finding, current = finding_of(place), run_of(place)
        write(current / f"{name}.parquet", "PAR1")
        for command in (
            ("explain", place / "out", finding),
            ("evidence", place / "out", finding, "--to", place / "packet"),
            ("summary", place / "out", "--shareable"),
            ("diff", before(place), current.name, "--out", place / "out"),
            ("quarantine", place / "out"),
            ("dispose", place / "out", write(place / "d.csv", "finding_id,disposition\n"), "--by", "A. Biller"),
            ("audit", "--extracts", place / "first", "--out", place / "out", "--as-of", "2026-03-21"),
        ):
            ran = minutewise(*command)
            assert ran.code in (0, 1, 2, 3), (command, ran.err)
            assert "Traceback" not in ran.err and "internal error" not in ran.err


#: What somebody did to a published table, and what `explain` and `evidence` come to: 0 where it bears on neither.
TABLE_EDITS = {
    "another rule": ("findings", "update t set rule_id = 'nonsense'", 0),
    "no message": ("findings", "alter table t drop message", 2),
    "no ids": ("findings", "update t set finding_id = null", 2),
    "no reason": ("quarantine", "alter table t drop reason", 2),
    "no minutes": ("accepted/note_blocks", "alter table t drop minutes", 2),
    "a rule's sums": ("rules", "update t set violations = 99", 0),
    "no units": ("units", "update t set billed_units = null", 0),
}


@pytest.mark.parametrize(("table", "edit", "code"), TABLE_EDITS.values(), ids=TABLE_EDITS)
def test_an_edited_table_is_told_as_damage_and_never_as_a_fault_of_the_program(place, table, edit, code):
    wanted, path = finding_of(place), run_of(place) / f"{table}.parquet"
    with duckdb.connect() as con:
        con.execute("create table t as select * from read_parquet(?)", [str(path)])
        con.execute(edit)
        con.execute(f"copy t to '{path}' (format parquet)")
    for words in (["explain", place / "out", wanted], ["evidence", place / "out", wanted, "--to", place / "packet"]):
        ran = minutewise(*words)
        assert ran.code == code and "Traceback" not in ran.err, ran.err
        assert code == 0 or run_of(place).name in ran.err
    assert minutewise("verify", place / "out").code == 3


def test_a_fault_over_sound_files_stays_a_fault_of_the_program(place, monkeypatch):
    monkeypatch.setattr("flows.explanation.terminal.text.explain_text", lambda derivation: derivation["nowhere"])
    ran = minutewise("explain", place / "out", finding_of(place))
    assert ran.code == 4 and "internal error (KeyError" in ran.err
