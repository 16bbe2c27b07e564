"""Nights on a warehouse as a user has them, Great Expectations and all: here nothing is put in the place of anything.

Most tests of nights judge by the findings alone, which is quick; what they leave out is run here.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.runs.verify import verify
from tests.cli_runs import published
from tests.clinic_nights import Clinic, plain
from tests.nights.told import base, claim, visit
from tests.test_private import KEY, ROOT, needs_extension

pytestmark = pytest.mark.whole_audit

EXCEED = "billed_units_exceed_minutes"
PLANTED = "zqxv-wilhelmina"
#: 30 minutes are 2 units: P2's 4 are too many.
VISITS = base(visit(1, "2026-03-02"), visit(2, "2026-02-10", 4), visit(3, "2026-03-10"))
CORRECTED = {"claims_2.csv": [claim("C2", 2, "2026-02-10", f"{PLANTED}-P2")]}
HISTORY = ("--since", "2026-02-01", "--until", "2026-03-31")


def planted(files: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The same rows under patients' ids that stand nowhere else."""
    named = {
        name: [row | {"patient_id": f"{PLANTED}-{row['patient_id']}"} for row in files[name]]
        for name in ("claims.csv", "notes.csv")
    }
    return files | named


def judged(clinic: Clinic) -> dict[str, bool]:
    """What Great Expectations itself wrote down of the last run: its suites, and whether each was met."""
    results = json.loads((clinic.run / "expectations.json").read_text())
    return {suite: result["success"] for suite, result in results.items()}


def in_clear(clinic: Clinic) -> list[str]:
    """The files outside the runs and the extracts that hold a patient's id in clear."""
    files = [path for path in clinic.folder.rglob("*") if path.is_file() and not {"runs", "extracts"} & {*path.parts}]
    assert clinic.warehouse in files
    return [path.name for path in files if PLANTED.encode() in path.read_bytes()]


def key_file(folder: Path) -> Path:
    path = folder / "house.key"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture(params=["plain", pytest.param("encrypted", marks=needs_extension)])
def clinic(request, tmp_path) -> Clinic:
    """A clinic before its first night; `more` holds the key where its warehouse is to be encrypted."""
    options = ["--warehouse-key-file", key_file(tmp_path)] if request.param == "encrypted" else []
    return Clinic(tmp_path / "clinic", [*options, "--threads", 2, "--memory-limit", "1GB"])


class TestNights:
    def test_a_first_a_second_and_a_rebuild(self, clinic, tmp_path):
        clinic.night(planted(VISITS))
        assert clinic.rules == [EXCEED]
        assert {suite for suite, is_met in judged(clinic).items() if not is_met} == {"rules"}, "P2's finding"
        assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
        clinic.night(CORRECTED)
        assert clinic.rules == [] and all(judged(clinic).values())
        came_to = clinic.state
        clinic.warehouse.unlink()
        ran = clinic.ran(command="rebuild")
        assert ran.code == 0, ran.err
        assert clinic.state == came_to
        assert all(run.is_sound for run in verify(clinic.out, every_run=True))
        is_encrypted = "--warehouse-key-file" in clinic.more
        assert clinic.manifest["warehouse"]["is_encrypted"] is is_encrypted
        assert (in_clear(clinic) == []) is is_encrypted


@needs_extension
def test_an_encrypted_backfill(tmp_path):
    clinic = Clinic(tmp_path / "clinic", ["--warehouse-key-file", key_file(tmp_path)])
    clinic.put(planted(VISITS))
    ran = clinic.ran(*HISTORY, command="backfill")
    assert ran.code == 0, ran.err
    assert clinic.state == plain(tmp_path / "plain", clinic.extracts)
    assert in_clear(clinic) == []


@needs_extension
def test_a_program_without_a_main_file_gets_data_alone_on_stdout(tmp_path):
    """DuckDB then turns its progress bar on, for each connection by itself."""
    clinic = Clinic(tmp_path / "clinic", ["--warehouse-key-file", key_file(tmp_path), "--json"])
    clinic.put(VISITS)
    driver = "import sys; from flows.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", driver, *map(str, clinic.arguments())],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["run_id"] == published(clinic.out)[1]
