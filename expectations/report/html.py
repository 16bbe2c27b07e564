"""The report as one HTML file: no scripts, nothing loaded, every value escaped."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.report import Report, most_dollars, plain

MOST_FINDINGS = 2_000
LONGEST_CELL = 2_000

# Column of findings.parquet -> heading. The rest stands in findings.csv and the workbook.
COLUMNS = {
    "at_risk_usd": "at risk, US$",
    "severity": "severity",
    "rule_id": "rule",
    "service_date": "date",
    "patient_id": "patient",
    "discipline": "disc.",
    "payer_id": "payer",
    "provider_id": "provider",
    "procedure_code": "code",
    "message": "what is wrong",
    "billed_units": "billed",
    "expected_units": "expected",
    "expected_units_other_method": "other count",
    "supported_minutes": "minutes",
    "double_counted_minutes": "double",
    "cap_units": "cap",
    "claim_ids": "claims",
    "note_ids": "notes",
    "sources": "file and line",
    "finding_id": "finding",
}


def write_html(path: Path, report: Report) -> None:
    """Writes `report` to `path` as a self-contained page: the same report gives the same bytes.

    With more than 2,000 findings the page shows those with most dollars, and says so.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {"share": _share, "kind": _kind}
    page = environment.get_template("report.html.j2").render(
        report=report,
        columns=COLUMNS,
        findings=[_breakable(row) for row in most_dollars(report.findings, MOST_FINDINGS)],
        findings_in_all=len(report.findings),
        reference_versions=sorted(_pairs(report.reference_versions)),
    )
    path.write_bytes(page.encode("utf-8"))


def _breakable(finding: Mapping[str, Any]) -> dict[str, Any]:
    """The finding with room for line breaks in its joined lists, and the start of its id that `explain` takes."""
    joined = {name: (finding.get(name) or "").replace(";", "; ") for name in ("claim_ids", "note_ids", "sources")}
    return {**finding, **joined, "finding_id": str(finding.get("finding_id") or "")[:12]}


def _shown(value: Any) -> Any:
    """Every value passes here before it is escaped."""
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, bool) or value is None:
        return "" if value is None else "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return value.isoformat() if isinstance(value, date) else plain(value, LONGEST_CELL)


def _share(value: Any) -> str:
    """A share as a percentage, cut and never rounded up: 99.96 % is not 100 %."""
    if value is None:
        return "not known"
    tenths = int(Decimal(str(value)) * 1000)
    return f"{tenths // 10}.{tenths % 10} %"


def _kind(value: Any) -> str:
    """A CSS class: digits stand to the right."""
    return "number" if isinstance(value, int | float | Decimal) else "text"


def _pairs(versions: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), str(version)) for name, version in versions.items()]
