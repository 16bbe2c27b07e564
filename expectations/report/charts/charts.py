"""The charts of a report, each as SVG and as a table, in the order in which the page shows them."""

from expectations.report import Report
from expectations.report.charts.bars import names_chart, weeks_chart
from expectations.report.charts.clock import clock_charts
from expectations.report.charts.minutes import unit_minutes_chart
from expectations.report.charts.sums import by_name, by_week, finding_columns
from expectations.report.charts.svg import Chart
from expectations.report.charts.units import clinicians_chart

#: By what the findings are summed: the chart's name, the column, its word, and what null is called.
_NAMED = (
    ("rules", "rule_id", "rule", "not given"),
    ("clinics", "clinic_id", "clinic", "not given"),
    ("clinicians", "provider_id", "clinician", "not given"),
    ("payers", "payer_id", "payer", "not given"),
    ("codes", "procedure_code", "code", "not given"),
)
_WHOLE_DAY = "A finding of a whole day names no code. "


def chart_svgs(report: Report) -> list[Chart]:
    """The charts of `report`; one without data is left out. The same report gives the same bytes."""
    units = (clinicians_chart(report.clinicians), unit_minutes_chart(report.unit_minutes))
    return [*_finding_charts(report), *(chart for chart in units if chart), *clock_charts(report.derivations)]


def _finding_charts(report: Report) -> list[Chart]:
    findings = finding_columns(report.findings)
    weeks, earlier = by_week(findings)
    charts = [weeks_chart(weeks, earlier)] if weeks else []
    rule_titles = {rule["rule_id"]: rule.get("title") or rule["rule_id"] for rule in report.rules}
    for name, column, word, missing in _NAMED:
        is_rule = column == "rule_id"
        sums = by_name(findings, column, missing, rule_titles if is_rule else {})
        hint = _WHOLE_DAY if any(one.name == "not given" for one in sums) else ""
        if sums:
            charts.append(names_chart(name, word, sums, hint, is_wide=is_rule))
    return charts
