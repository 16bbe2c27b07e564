"""What is imported before the work begins, counted in modules: what is not imported takes no time on any machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
#: What reads and computes: an audit cannot do without, a question about the command line can.
ENGINES = {"duckdb", "numpy", "pyarrow"}
#: What only the judgement, the page, the workbook, the metrics or the scheduler need. Between a tenth of a second and
#: several seconds each.
HEAVY = {
    "altair",
    "fastapi",
    "great_expectations",
    "itables",
    "jinja2",
    "jsonschema",
    "pandas",
    "prefect",
    "prometheus_client",
    "pydantic",
    "pyspark",
    "python_calamine",
    "requests",
    "rich",
    "scipy",
    "sqlalchemy",
    "sqlglot",
    "typst",
    "vl_convert",
    "xlsxwriter",
}
#: The modules of click are 13; ours are one a command, and some ten that all of them share.
MOST_MODULES_OF_HELP = 60
BEFORE_THE_JUDGEMENT = ("start", "identify", "extract", "contract", "recompute", "guard")

_RUN = """
import sys
from flows.cli import main
sys.argv = ["minutewise", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\n", *sys.modules)
"""
#: The same, with what each stage of an audit imports first; "start" is all that was imported before the stages.
_AUDIT = """
import json, sys
from contextlib import nullcontext
from pathlib import Path
from flows import cli
from flows.watch import progress
from flows.run import stages

imported = {}

def told(stage, run):
    before = set(sys.modules)
    imported.setdefault("start", sorted(before))
    stages.timed(stage, run)
    imported[stage.name] = sorted(set(sys.modules) - before)

progress.shown_stage = lambda: nullcontext(told)
file, sys.argv = sys.argv[1], ["minutewise", *sys.argv[2:]]
try:
    cli.main()
except SystemExit as end:
    assert not end.code, end.code
Path(file).write_text(json.dumps(imported))
"""


def _python(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _libraries(modules: list[str]) -> set[str]:
    return {module.split(".")[0].lstrip("_") for module in modules}


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """The modules that the interpreter itself begins with."""
    return set(_python("import sys; print(*sys.modules)").split())


@pytest.fixture(scope="module", params=["alone", "with a warehouse"])
def imported(request, tmp_path_factory) -> dict[str, list[str]]:
    """The modules that each stage of the sample audit is the first to import."""
    folder = tmp_path_factory.mktemp("start")
    asked = ["audit", "--extracts", SAMPLES, "--reference", SAMPLES / "reference", "--as-of", "2026-11-10"]
    asked += ["--warehouse", folder / "clinic.duckdb"] if request.param != "alone" else []
    _python(_AUDIT, folder / "imported.json", *asked, "--out", folder / "out")
    return json.loads((folder / "imported.json").read_text())


def _modules_of(*arguments: str) -> list[str]:
    return _python(_RUN, *arguments).splitlines()[-1].split()


class TestCommands:
    @pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["--version"]])
    def test_help_imports_click_and_ourselves_only(self, bare, arguments):
        ours = [one for one in _modules_of(*arguments) if one not in bare]
        foreign = [one for one in ours if one.split(".")[0] not in sys.stdlib_module_names]
        assert _libraries(foreign) == {"click", "flows", "transforms"}
        assert len(foreign) <= MOST_MODULES_OF_HELP

    def test_the_rule_table_needs_no_engine(self):
        assert not _libraries(_modules_of("rules")) & (HEAVY | ENGINES)

    @pytest.mark.parametrize("arguments", [["units", "97112=24", "--payer", "MEDICARE"], ["doctor"]])
    def test_a_quick_answer_needs_the_engines_alone(self, arguments):
        libraries = _libraries(_modules_of(*arguments))
        assert "duckdb" in libraries
        assert not libraries & HEAVY


class TestTheSampleAudit:
    @pytest.mark.parametrize("stage", BEFORE_THE_JUDGEMENT)
    def test_nothing_heavy_is_imported_before_the_judgement(self, imported, stage):
        assert not _libraries(imported[stage]) & HEAVY, (
            "bound parameters of DuckDB and Arrow arrays of Python's values import pandas: see sql_values.py"
        )

    def test_great_expectations_is_imported_by_the_judgement(self, imported):
        assert [stage for stage, modules in imported.items() if "great_expectations" in modules] == ["judge"]

    def test_the_page_and_the_workbook_are_imported_by_publishing(self, imported):
        for library in ("vl_convert", "xlsxwriter"):
            assert [stage for stage, modules in imported.items() if library in modules] == ["publish"]

    def test_what_no_stage_needs_is_never_imported(self, imported):
        every = {module for modules in imported.values() for module in modules}
        assert not _libraries(every) & {"prefect", "fastapi", "pyspark", "typst", "prometheus_client", "rich"}
        # Named by Great Expectations, read by nobody.
        assert "scipy.stats" in every
        assert not [module for module in every if module.startswith("scipy.stats.")]
