"""Which files an audit needs beside the code, and which of them are not there."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import expectations.report
from transforms.contract.fields import TABLES as EXTRACTS
from transforms.reference.definitions import TABLES
from transforms.shipped import DATA, IS_INSTALLED, RULE_BOOK

TEMPLATES = Path(expectations.report.__file__).parent / "templates"
TEMPLATE_NAMES = (
    "packet.css",
    "packet.html.j2",
    "packet.typ",
    "page.css",
    "page.js",
    "page_changes.html.j2",
    "page_charts.html.j2",
    "page_codes.html.j2",
    "page_findings.html.j2",
    "page_foot.html.j2",
    "page_opened.js",
    "page_read.html.j2",
    "page_top.html.j2",
    "page_verdict.html.j2",
    "report.html.j2",
)
#: What it is called -> the files, each where it must be.
NEEDED = {
    "reference tables": [DATA / "reference" / f"{table.name}.csv" for table in TABLES],
    "contracts": [DATA / "contracts" / f"{table}.csv" for table in EXTRACTS],
    "mappings": [DATA / "mappings" / "tuva_medical_claim.toml"],
    "samples": [
        *(DATA / "samples" / f"{table}.csv" for table in EXTRACTS),
        *(DATA / "samples" / "reference" / f"{table}.csv" for table in ("code_cap", "payer_method")),
    ],
    "rule book": [RULE_BOOK],
    "templates": [TEMPLATES / name for name in TEMPLATE_NAMES],
}


def missing_files() -> dict[str, list[str]]:
    """Per kind of file the paths of those that are not there, kinds with none left out."""
    missing = {kind: [str(path) for path in files if not path.is_file()] for kind, files in NEEDED.items()}
    named = {path for paths in missing.values() for path in paths}
    missing["code and models"] = [path for path in _recorded() if path not in named and not Path(path).is_file()]
    return {kind: paths for kind, paths in missing.items() if paths}


def _recorded() -> list[str]:
    """The files that the wheel laid down, as its own record lists them; none for a checkout."""
    if not IS_INSTALLED:
        return []
    try:
        listed = distribution("minutewise").files or []
    except PackageNotFoundError:
        return []
    # The command itself lies outside the packages, where an installer may have moved it.
    return [str(path.locate()) for path in listed if path.suffix != ".pyc" and path.parts[0] != ".."]
