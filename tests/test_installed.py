"""The wheel: built without a network, installed beside the checkout, it does everything from an empty folder."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.commands.backends.shipped_files import NEEDED, TEMPLATE_NAMES, TEMPLATES
from flows.identity import code_version, reference_version
from transforms.shipped import DATA

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("flows", "transforms", "expectations", "data", "pyproject.toml", "setup.py", "README.md", "docs/rules.md")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
ALONE = ["--no-index", "--no-deps"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel is installed; the libraries are those of this environment."""
    place = tmp_path_factory.mktemp("installed")
    source = place / "source"
    source.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (source / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    wheels = place / "wheels"
    _ended([*PIP, "wheel", *ALONE, "--no-build-isolation", "--no-cache-dir", "-w", str(wheels), str(source)])
    (wheel,) = wheels.iterdir()
    _ended([*PIP, "install", *ALONE, "--no-compile", "--target", str(place / "site"), str(wheel)])
    shutil.rmtree(source)
    return place / "site"


def _ended(words, **more):
    ran = subprocess.run(words, capture_output=True, text=True, timeout=300, **more)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran


@pytest.fixture(scope="module")
def command(installed, tmp_path_factory):
    """Runs the installed command in an empty folder and gives (exit code, stdout, stderr)."""
    here = tmp_path_factory.mktemp("empty")
    home = tmp_path_factory.mktemp("home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PREFECT"))}
    environment |= {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)}

    def run(*words, site=installed):
        given = [sys.executable, "-P", str(site / "bin" / "minutewise"), *map(str, words)]
        own = environment | {"PYTHONPATH": str(site)}
        ran = subprocess.run(given, cwd=here, env=own, capture_output=True, text=True, timeout=300)
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, ran.stdout, ran.stderr

    run.here = here
    return run


@pytest.fixture(scope="module")
def audited(command, installed):
    """The output folder of an audit of the packaged samples."""
    samples = installed / "minutewise_data" / "samples"
    words = ["--extracts", samples, "--reference", samples / "reference", "--as-of", "2026-11-10", "--out", "out"]
    code, out, err = command("audit", *words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_wheel_holds_what_the_code_reads(installed):
    """Not a file of the checkout's tables, contracts, mappings, samples and templates is left behind."""
    for kind, pattern in (("reference", "*.csv"), ("contracts", "*.csv"), ("mappings", "*"), ("samples", "**/*.csv")):
        names = {path.relative_to(DATA).as_posix() for path in (DATA / kind).glob(pattern)}
        assert names
        assert {name for name in names if not (installed / "minutewise_data" / name).is_file()} == set()
    there = {path.name for path in (installed / "expectations" / "report" / "templates").iterdir()}
    assert there == {path.name for path in TEMPLATES.iterdir()} == set(TEMPLATE_NAMES)


def test_nothing_else_lies_beside_the_packages(installed):
    """No folder with a name that anybody could use: `data`, `tests`, `docs`."""
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {
        "bin",
        "expectations",
        "flows",
        "minutewise_data",
        "transforms",
    }


def test_it_is_the_installed_code_that_runs(command, installed, audited):
    """Code and tables have the digests of the checkout: a file forgotten in the wheel would change them."""
    doctor = json.loads(command("doctor", "--json")[1])
    assert doctor["files"] == str(installed / "minutewise_data")
    assert doctor["minutewise"] == code_version()
    run = next((command.here / "out" / "runs").iterdir())
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert str(code_version()) in json.dumps(manifest)
    assert reference_version(installed / "minutewise_data" / "samples" / "reference") in json.dumps(manifest)


def test_the_packaged_samples_give_what_the_ledger_says(command, audited):
    """The ledger was written by reasoning; the installed code must find exactly its findings."""
    named = [row for row in _rows(DATA / "samples" / "ledger.csv") if row["kind"] == "finding"]
    found = _rows(next((command.here / "out" / "runs").iterdir()) / "findings.csv")
    assert len(found) > 50
    assert sorted(map(_about, found)) == sorted(map(_about, named))


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _about(row):
    return row["rule_id"], row["severity"], row["service_date"], row["patient_id"]


def finding_id(command):
    found = (next((command.here / "out" / "runs").iterdir()) / "findings.csv").read_text(encoding="utf-8")
    return found.splitlines()[1].split(",")[0][:12]


#: Every command that answers from a run or from the code alone; what it must say.
COMMANDS = [
    (("--version",), "minutewise"),
    (("doctor",), "Ready."),
    (("rules",), "billed_units_exceed_minutes"),
    (("units", "97112=24", "97110=23", "--date", "2026-11-10"), "97112"),
    (("summary", "out"), "Findings"),
    (("verify", "out"), ""),
    (("open", "out", "--print"), "report.html"),
    (("bench", "--visits", "100", "--sizes", "1", "--csv-visits", "0", "--pandas-visits", "0"), "floor"),
    (("explain", "out", "FINDING"), "Citation"),
    (("evidence", "out", "FINDING", "--pdf"), "out/evidence/evidence-"),
    (("sql", "--dialect", "snowflake", "--as-of", "2026-11-10", "--out", "out/scripts"), ""),
]


@pytest.mark.parametrize(("words", "said"), COMMANDS, ids=[words[0] for words, _ in COMMANDS])
def test_every_command_runs_from_an_empty_folder(command, audited, words, said):
    code, out, err = command(*(finding_id(command) if word == "FINDING" else word for word in words))
    assert code == 0, err
    assert said in out + err


def test_every_command_is_there_and_says_how_it_is_called(command):
    shown = command("--help")[1]
    names = [
        line.split()[0]
        for line in shown.split("Commands:")[1].split("\n\n")[0].splitlines()
        if line.startswith("  ") and line[2] != " "
    ]
    assert len(names) > 10
    for name in names:
        code, out, _ = command(name, "--help")
        assert (code, out[:6]) == (0, "Usage:"), name


def test_the_shipped_mapping_is_read_where_doctor_says(command, installed):
    """No claim file of its own: the mapping is read first, and what is missing is the extract."""
    mapping = installed / "minutewise_data" / "mappings" / "tuva_medical_claim.toml"
    code, _, err = command("audit", "--extracts", "nowhere", "--mapping", mapping, "--out", "out/other")
    assert code in (2, 3) and "nowhere" in err and str(mapping) not in err


def test_nothing_is_written_into_the_folder_one_stands_in(command, audited):
    assert {path.name for path in command.here.iterdir()} == {"out"}


@pytest.mark.parametrize(
    "gone",
    [
        "minutewise_data/reference/code_cap.csv",
        "minutewise_data/contracts/notes.csv",
        "minutewise_data/mappings/tuva_medical_claim.toml",
        "minutewise_data/samples/claims.csv",
        "minutewise_data/docs/rules.md",
        "expectations/report/templates/packet.typ",
        "transforms/findings/units_exceed_day_cap.sql",
    ],
)
def test_doctor_names_what_is_missing(command, installed, tmp_path, gone):
    site = tmp_path / "site"
    shutil.copytree(installed, site)
    (site / gone).unlink()
    code, out, _ = command("doctor", site=site)
    assert code == 2
    assert f": {site / gone}" in out and out.count("MISSING, of") == 1
    assert "install minutewise again" in out and "Ready." not in out


def test_every_needed_file_is_here():
    assert {kind: [path.name for path in paths if not path.is_file()] for kind, paths in NEEDED.items()} == {
        kind: [] for kind in NEEDED
    }
