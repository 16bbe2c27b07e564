"""The report as one HTML file: nothing loaded, every value escaped, and small enough to open at once."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from expectations.report import (
    CODE_SUMS,
    MOST_SHOWN,
    OF_EACH_RULE,
    UNKNOWN_DOLLARS,
    Report,
    most_telling,
    with_dollars,
    without_dollars,
)
from expectations.report.page.bundle import policy, scripts, styles
from expectations.report.page.findings import FIELDS, opened_that_fit, rows_that_fit
from expectations.report.page.summary import (
    MOST_LISTED,
    changed,
    decided,
    families,
    lacks_minutes,
    missed_units,
    read,
    set_aside,
    violation_share,
)
from expectations.report.values import json_text, money, share, shown, told
from transforms.unjudged import why_unjudged

#: Findings in the table that needs no script.
STATIC_FINDINGS = 50
MOST_BYTES = 4_900_000
MOST_OPENED_BYTES = 3_000_000


def write_html(path: Path, report: Report) -> None:
    """Writes `report` to `path` as a self-contained page: the same report gives the same bytes.

    Of more than MOST_SHOWN findings the page shows the first OF_EACH_RULE of every rule and those with most dollars,
    and says so. Derivations open for as many of them as keep the page under 5 MB.
    """
    from expectations.report.charts.charts import chart_svgs

    rows = rows_that_fit(most_telling(report.findings, MOST_SHOWN, OF_EACH_RULE), with_dollars(report.rules))
    render = _renderer(report, rows, chart_svgs(report))
    room = min(MOST_OPENED_BYTES, MOST_BYTES - len(render([]).encode()))
    texts = opened_that_fit(report.explanations, rows, room)
    path.write_bytes(render(texts).encode())


def _renderer(report: Report, rows: list[list], charts: Sequence[Any]) -> Callable[[list[str]], str]:
    """The page as a function of its derivations, one text of JSON for each row."""
    template = _environment().get_template("report.html.j2")
    titles = [[told(rule["rule_id"]), told(rule.get("title") or rule["rule_id"])] for rule in report.rules]
    unknown = without_dollars(report)
    values = {
        "report": report,
        "policy": policy(),
        "styles": styles(),
        "scripts": scripts(),
        "charts": [(chart, Markup(chart.svg)) for chart in charts],
        "families": families(report),
        "missed_units": missed_units(report),
        "without_dollars": unknown,
        "at_risk": UNKNOWN_DOLLARS if unknown and not report.total_at_risk_usd else money(report.total_at_risk_usd),
        "changes": changed(report),
        "decided": decided(report),
        "lacks_minutes": lacks_minutes(report),
        "read": read(report),
        "set_aside": set_aside(report),
        "most_listed": MOST_LISTED,
        "code_sums": CODE_SUMS,
        "of_each_rule": OF_EACH_RULE,
        "rows": rows,
        "static_rows": [dict(zip(FIELDS, row, strict=True)) for row in rows[:STATIC_FINDINGS]],
        "titles": dict(titles),
        "findings_in_all": len(report.findings),
        "findings_json": Markup(json_text({"fields": FIELDS, "rules": titles, "rows": rows})),
        "reference_versions": sorted((str(name), str(one)) for name, one in report.reference_versions.items()),
    }

    def render(texts: list[str]) -> str:
        told_of = sum(text != "null" for text in texts)
        return template.render(**values, opened_count=told_of, opened_json=Markup(f"[{','.join(texts)}]"))

    return render


@cache
def _environment() -> Environment:
    """Where the page's templates are compiled, once for all runs of a process."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    environment.filters |= {
        "share": share,
        "money": money,
        "violation_share": violation_share,
        "why_unjudged": why_unjudged,
    }
    return environment
