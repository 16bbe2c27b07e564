"""What a run publishes: every file and column that interface section 3 names, and the same bytes every time."""

import csv
import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from flows.run.stages import IDENTIFY, STAGES
from tests.cli_runs import minutewise, published
from tests.harness import audit_folder
from tests.stand_ins import judged_by_findings

pytestmark = pytest.mark.whole_audit

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples"
AS_OF = "2026-11-10"
TABLES = ("claims", "notes", "note_blocks")
COLUMNS = {
    "findings": (
        "finding_id rule_id severity service_date patient_id discipline payer_id provider_id billing_provider_id "
        "procedure_code claim_ids note_ids sources billed_units expected_units expected_units_other_method "
        "supported_minutes double_counted_minutes cap_units at_risk_usd billed_codes documented_codes message "
        "clinic_id reference_key evidence_hash citation"
    ),
    "units": (
        "patient_id service_date discipline payer_id counting_method procedure_code is_timed written_minutes "
        "credited_minutes double_counted_minutes day_supported_minutes day_sure_minutes day_units_cms "
        "day_units_ama expected_units billed_units is_documented is_tie is_decidable"
    ),
    "rules": "rule_id status in_scope unjudged violations errors warnings reviews at_risk_usd",
    "quarantine": "table_name file_name line_number column_name reason row",
}
SAME_BYTES = (
    "findings.parquet",
    "findings.csv",
    "units.parquet",
    "rules.parquet",
    "quarantine.parquet",
    "report.html",
    "findings.xlsx",
    "summary.json",
)
#: The same audit in another process, without Great Expectations; its arguments are the command line's.
DRIVER = """
import sys
import expectations.judge
from tests.stand_ins import judged_by_findings
expectations.judge.judge = judged_by_findings
from flows.cli import main
main()
"""


def asked(out: Path) -> list:
    reference = SAMPLES / "reference"
    return ["audit", "--extracts", SAMPLES, "--reference", reference, "--as-of", AS_OF, "--out", out, "--json"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of the samples' run, as the command line publishes it, Great Expectations and all."""
    out = tmp_path_factory.mktemp("published") / "out"
    ran = minutewise(*asked(out))
    assert (ran.code, ran.err) == (0, "")
    return Path(json.loads(ran.out)["folder"])


@pytest.fixture(scope="module")
def manifest(run) -> dict:
    return json.loads((run / "manifest.json").read_text(encoding="utf-8"))


def rows(path: Path) -> list[tuple]:
    with duckdb.connect() as con:
        return con.execute("select * from read_parquet(?)", [str(path)]).fetchall()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestTheRun:
    def test_current_names_it_and_nothing_else_is_there(self, run):
        out = run.parent.parent
        assert published(out) == ([run.name], run.name)
        assert run.name.startswith(f"{AS_OF}-")
        assert sorted(path.name for path in out.iterdir()) == [".lock", "current", "great_expectations", "runs"]

    def test_it_is_complete(self, run, manifest):
        held = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
        assert held == {*manifest["files"], "manifest.json"}
        assert {*SAME_BYTES, "expectations.json", *(f"accepted/{table}.parquet" for table in TABLES)} <= held

    def test_it_is_closed_to_others(self, run):
        for path in [run.parent.parent, run.parent, run, *run.rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, path

    def test_manifest_says_what_the_interface_names(self, run, manifest):
        named = {"run_id", "as_of", "code_version", "schema_version", "reference_version", "inputs", "rows"}
        assert named | {"rules", "seconds", "files"} <= manifest.keys()
        assert (manifest["run_id"], manifest["as_of"]) == (run.name, AS_OF)
        assert manifest["files"] == {name: sha256(run / name) for name in manifest["files"]}
        assert list(manifest["seconds"]) == [stage.name for stage in (IDENTIFY, *STAGES)]
        assert all(seconds >= 0 for seconds in manifest["seconds"].values())

    @pytest.mark.parametrize("part", ["judge_import", "publish_workbook"])
    def test_manifest_says_what_of_a_stage_does_not_grow_with_the_rows(self, manifest, part):
        stage = part.partition("_")[0]
        assert 0 <= manifest["seconds_within"][part] <= manifest["seconds"][stage]

    def test_manifest_counts_every_row_of_every_input(self, run, manifest):
        assert [entry["table"] for entry in manifest["inputs"]] == list(TABLES)
        for entry in manifest["inputs"]:
            path = SAMPLES / entry["file"]
            assert entry["sha256"] == sha256(path)
            with path.open(encoding="utf-8", newline="") as file:
                assert entry["rows_read"] == sum(1 for _ in csv.reader(file)) - 1
            counts = [entry[f"rows_{fate}"] for fate in ("accepted", "quarantined", "duplicate")]
            assert entry["rows_read"] == sum(counts)
            assert len(rows(run / "accepted" / f"{entry['table']}.parquet")) == entry["rows_accepted"]
        assert len(rows(run / "quarantine.parquet")) == sum(entry["rows_quarantined"] for entry in manifest["inputs"])

    def test_manifest_counts_findings_as_the_files_do(self, run, manifest):
        with duckdb.connect() as con:
            found = dict(
                con.execute(
                    "select rule_id, count(*) from read_parquet(?) group by all", [str(run / "findings.parquet")]
                ).fetchall()
            )
        told = {rule["rule_id"]: rule["violations"] for rule in manifest["rules"]}
        assert {rule: count for rule, count in told.items() if count} == found
        assert sum(manifest["findings_by_severity"].values()) == sum(found.values())
        for rule in manifest["rules"]:
            assert rule["violations"] == rule["errors"] + rule["warnings"] + rule["reviews"]
            assert (rule["status"] == "failed") == (rule["violations"] > 0)

    def test_great_expectations_agrees_with_the_rules(self, run, manifest):
        results = json.loads((run / "expectations.json").read_text(encoding="utf-8"))
        judged = {one["expectation_config"]["meta"]["rule_id"]: one["success"] for one in results["rules"]["results"]}
        assert judged == {rule["rule_id"]: rule["status"] != "failed" for rule in manifest["rules"]}
        assert manifest["contract_ok"] and manifest["contract_failures"] == []


class TestTables:
    @pytest.mark.parametrize("table", COLUMNS)
    def test_the_columns_named_are_there_by_name(self, run, table):
        names = pq.read_schema(run / f"{table}.parquet").names
        wanted = COLUMNS[table].split()
        assert names[: len(wanted)] == wanted
        assert len(set(names)) == len(names)

    def test_types_are_dates_whole_numbers_and_decimals(self, run):
        findings, units = (pq.read_schema(run / f"{name}.parquet") for name in ("findings", "units"))
        assert findings.field("service_date").type == pa.date32()
        assert pa.types.is_decimal(findings.field("at_risk_usd").type)
        for schema in (findings, units):
            for name in ("billed_units", "expected_units", "double_counted_minutes"):
                assert pa.types.is_integer(schema.field(name).type), name
        for name in ("is_timed", "is_tie", "is_decidable"):
            assert units.field(name).type == pa.bool_()
        assert pa.types.is_decimal(pq.read_schema(run / "rules.parquet").field("at_risk_usd").type)

    def test_csv_is_the_same_as_parquet(self, run):
        with duckdb.connect() as con:
            cursor = con.execute("select * from read_parquet(?)", [str(run / "findings.parquet")])
            names = [column[0] for column in cursor.description]
            as_text = [["" if cell is None else str(cell) for cell in row] for row in cursor.fetchall()]
        with (run / "findings.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        assert header == names
        assert lines == as_text and len(lines) > 50

    def test_findings_are_whole(self, run):
        """Each names its subject, its proof and its source; ids are distinct; lists are sorted."""
        with duckdb.connect() as con:
            table = con.execute("select * from read_parquet(?)", [str(run / "findings.parquet")])
            names = [column[0] for column in table.description]
            findings = [dict(zip(names, row, strict=True)) for row in table.fetchall()]
        assert len({finding["finding_id"] for finding in findings}) == len(findings)
        for finding in findings:
            for name in ("rule_id", "severity", "service_date", "sources", "message", "evidence_hash", "citation"):
                assert finding[name], (finding["rule_id"], name)
            assert finding["patient_id"] or finding["provider_id"]
            for name in ("claim_ids", "note_ids"):
                listed = (finding[name] or "").split(";")
                assert listed == sorted(set(listed))
            for source in finding["sources"].split(";"):
                file, line = source.rsplit(":", 1)
                assert (SAMPLES / file).is_file() and int(line) > 1

    def test_sources_name_lines_of_the_claims_and_notes_found(self, run):
        lines = {f"{table}.csv": (SAMPLES / f"{table}.csv").read_text().split("\n") for table in TABLES}
        with duckdb.connect() as con:
            found = con.execute(
                "select sources, claim_ids, note_ids, patient_id from read_parquet(?) "
                "where rule_id <> 'therapist_in_two_places'",  # its proof is another patient's block
                [str(run / "findings.parquet")],
            ).fetchall()
        for sources, claim_ids, note_ids, patient_id in found:
            for source in sources.split(";"):
                file, line = source.rsplit(":", 1)
                text = lines[file][int(line) - 1]
                ids = (claim_ids if file == "claims.csv" else note_ids) or ""
                assert any(one in text.split(",") for one in ids.split(";")), source
                assert patient_id is None or file == "note_blocks.csv" or patient_id in text.split(",")

    def test_quarantine_holds_the_row_as_the_file_has_it(self, run):
        with duckdb.connect() as con:
            held = con.execute(
                "select table_name, file_name, line_number, column_name, reason, row from read_parquet(?)",
                [str(run / "quarantine.parquet")],
            ).fetchall()
        assert {row[4] for row in held} == {"not_whole", "units_are_minutes", "unreadable_date"}
        for table, file, line, column, _, row in held:
            with (SAMPLES / file).open(encoding="utf-8", newline="") as handle:
                records = list(csv.reader(handle))
            kept = json.loads(row)
            assert (table, list(kept)) == (file.removesuffix(".csv"), records[0]) and column in kept
            assert [cell or "" for cell in kept.values()] == records[line - 1]

    def test_accepted_rows_are_typed_and_say_where_they_came_from(self, run):
        claims = pq.read_table(run / "accepted" / "claims.parquet")
        assert claims.schema.field("service_date").type == pa.date32()
        assert pa.types.is_integer(claims.schema.field("billed_units").type)
        assert set(claims.column("source_file").to_pylist()) == {"claims.csv"}
        assert {"claim_id", "line_number", "source_line"} <= set(claims.column_names)
        assert pq.read_table(run / "accepted" / "notes.parquet").num_rows > 300
        assert pq.read_table(run / "accepted" / "note_blocks.parquet").num_rows > 700

    @pytest.mark.parametrize(
        ("table", "keys"),
        [
            ("claims", ("claim_id", "line_number")),
            ("notes", ("note_id", "note_version")),
            ("note_blocks", ("note_id", "note_version", "block_number")),
        ],
    )
    def test_accepted_rows_stand_by_date_and_then_by_key(self, run, table, keys):
        held = pq.read_table(run / "accepted" / f"{table}.parquet").select(["service_date", *keys]).to_pylist()
        # A block without a version comes before those that have one.
        order = [tuple(-1 if value is None else value for value in row.values()) for row in held]
        assert order == sorted(order) and len(set(order)) == len(order) > 300


def same_bytes(folder: Path) -> dict[str, str]:
    accepted = (f"accepted/{table}.parquet" for table in TABLES)
    return {name: sha256(folder / name) for name in (*SAME_BYTES, *accepted)}


class TestSameBytes:
    """Over thread counts, time zones, locales, hash seeds and the folder: the same bytes as the module's run."""

    @pytest.mark.parametrize(
        ("threads", "zone"), [(1, "Asia/Kathmandu"), (4, "America/Los_Angeles"), (2, "Pacific/Kiritimati")]
    )
    def test_threads_and_time_zones(self, run, tmp_path, monkeypatch, threads, zone):
        monkeypatch.setattr("expectations.judge.judge", judged_by_findings)
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            ran = minutewise(*asked(tmp_path / "elsewhere"), "--threads", threads)
        finally:
            monkeypatch.undo()
            time.tzset()
        folder = Path(json.loads(ran.out)["folder"])
        assert folder.name == run.name
        assert same_bytes(folder) == same_bytes(run)

    def test_locale_hash_seed_and_working_folder(self, run, tmp_path):
        other = {
            "LANG": "tr_TR.UTF-8",
            "LC_ALL": "tr_TR.UTF-8",
            "TZ": "Africa/Cairo",
            "PYTHONHASHSEED": "7",
            "PYTHONPATH": str(ROOT),
            "PATH": os.defpath,
        }
        command = [sys.executable, "-c", DRIVER, *map(str, asked(tmp_path / "out"))]
        ran = subprocess.run(command, capture_output=True, text=True, env=other, cwd=tmp_path)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert same_bytes(Path(json.loads(ran.stdout)["folder"])) == same_bytes(run)


def compared(findings: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name != "sources"} for row in findings]


@pytest.fixture(scope="module")
def plain():
    """The samples audited in one pass, from CSV."""
    return audit_folder(SAMPLES, date.fromisoformat(AS_OF), reference=SAMPLES / "reference")


class TestSameFindings:
    def test_the_harness_and_the_command_line_agree(self, plain, run):
        with duckdb.connect() as con:
            ids = con.execute("select finding_id from read_parquet(?) order by all", [str(run / "findings.parquet")])
            assert [row["finding_id"] for row in plain.findings] == [row[0] for row in ids.fetchall()]

    @pytest.mark.parametrize("kind", ["text", "typed", "pandas", "several files"])
    def test_from_parquet(self, plain, tmp_path, kind):
        for table in TABLES:
            write_parquet(SAMPLES / f"{table}.csv", tmp_path / f"{table}.parquet", kind)
        other = audit_folder(tmp_path, date.fromisoformat(AS_OF), reference=SAMPLES / "reference")
        assert compared(other.findings) == compared(plain.findings)
        assert other.units == plain.units
        assert other.rules == plain.rules
        assert [row["reason"] for row in other.quarantine] == [row["reason"] for row in plain.quarantine]

    def test_one_service_date_a_pass(self, plain):
        day = date.fromisoformat(AS_OF)
        other = audit_folder(SAMPLES, day, reference=SAMPLES / "reference", rows_per_pass=1)
        assert other.findings == plain.findings
        assert other.units == plain.units
        assert other.rules == plain.rules


def write_parquet(source: Path, target: Path, kind: str) -> None:
    """The same rows as Parquet: as text, as Arrow or pandas would type them, or as two files of one table."""
    if kind == "pandas":  # whole numbers with gaps become doubles
        import pandas as pd

        pd.read_csv(source).to_parquet(target, index=False)
        return
    options = pa.csv.ConvertOptions(strings_can_be_null=True)
    if kind != "typed":
        names = pa.csv.read_csv(source).column_names
        text = dict.fromkeys(names, pa.string())
        options = pa.csv.ConvertOptions(strings_can_be_null=True, column_types=text)
    table = pa.csv.read_csv(source, convert_options=options)
    if kind == "several files":
        half = table.num_rows // 2
        pq.write_table(table.slice(0, half), target.with_stem(f"{target.stem}_1"))
        pq.write_table(table.slice(half), target.with_stem(f"{target.stem}_2"))
    else:
        pq.write_table(table, target)
