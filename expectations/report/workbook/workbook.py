"""The report as a workbook to work in: a summary, a sheet of findings a severity, and what explains them."""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter

from expectations.report import UNKNOWN_DOLLARS, Report, most_dollars, with_dollars, without_dollars
from expectations.report.workbook.columns import (
    CODE_COLUMNS,
    CODES_SHEET,
    DECISION_COLUMNS,
    DICTIONARY_COLUMNS,
    FINDING_COLUMNS,
    INPUT_COLUMNS,
    RESOLVED_COLUMNS,
    RULE_COLUMNS,
    SET_ASIDE_COLUMNS,
    dictionary_rows,
)
from expectations.report.workbook.decisions import TAB_COLOURS, add_checks, add_colours
from expectations.report.workbook.findings import (
    DECISIONS,
    Findings,
    Part,
    by_sheet,
    parts,
    with_decisions,
    with_most_dollars,
)
from expectations.report.workbook.sheets import Book
from expectations.report.workbook.summary import FAMILIES, OTHER_FAMILY, share_raised, summary_lines

MOST_ROWS = 1_048_575  # a sheet's rows, but for the header
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
SUMMARY_WIDTHS = (58, 24, 18, 18, 12)


def write_workbook(path: Path, report: Report, limit_rows: int = 20_000) -> None:
    """Writes `report` to `path` as XLSX: the same report gives the same bytes.

    Of the findings, and of those resolved, the `limit_rows` with most dollars at risk; the first sheet says when there
    are more. Memory holds some thousand rows at a time, besides the report.
    """
    limit = max(0, min(limit_rows, MOST_ROWS))
    sheets = by_sheet(with_most_dollars(report.findings, limit))
    resolved = most_dollars(report.resolved, limit)
    titles = {rule.get("rule_id"): rule.get("title") for rule in report.rules}
    # Beside the workbook, not in the machine's common folder: the sheets hold patients.
    workbook = xlsxwriter.Workbook(str(path), OPTIONS | {"tmpdir": str(path.parent)})
    # The clock stays out of the bytes.
    workbook.set_properties({"title": "Therapy claim audit", "created": datetime.combine(report.as_of, time())})
    book = Book(workbook)
    here = {name: len(findings) for name, findings in sheets.items()}
    book.lines("Summary", summary_lines(report, here, len(resolved)), SUMMARY_WIDTHS)
    for name, findings in sheets.items():
        _findings(book, name, findings, titles, report)
    unknown = without_dollars(report)
    book.table("Rules", RULE_COLUMNS, [_rule(rule, unknown) for rule in report.rules])
    sheet = book.sheet("Resolved", RESOLVED_COLUMNS, len(resolved))
    book.rows(sheet, RESOLVED_COLUMNS, _titled(resolved, titles, with_dollars(report.rules)))
    book.table("Set aside", SET_ASIDE_COLUMNS, [*map(_set_aside, report.set_aside), *map(_filtered, report.filtered)])
    book.table(CODES_SHEET, CODE_COLUMNS, report.codes)
    book.table("Inputs", INPUT_COLUMNS, [_input(entry) for entry in report.inputs])
    book.table("Data dictionary", DICTIONARY_COLUMNS, dictionary_rows())
    workbook.close()


def _findings(book: Book, name: str, findings: Findings, titles: Mapping[Any, Any], report: Report) -> None:
    """A sheet of findings to decide on."""
    sheet = book.sheet(name, FINDING_COLUMNS, len(findings), to_fill_in=len(DECISION_COLUMNS))
    sheet.set_tab_color(TAB_COLOURS[name])
    add_colours(book, sheet, FINDING_COLUMNS, len(findings))
    add_checks(sheet, len(findings), report.as_of)
    book.rows(sheet, FINDING_COLUMNS, map(with_decisions, _titled(findings, titles, with_dollars(report.rules))))


def _titled(findings: Findings, titles: Mapping[Any, Any], at_risk: Container[str]) -> Iterator[Part]:
    """The findings' columns with the title of each one's rule, and dollars that nobody knows told as unknown."""
    # Headings that no finding has are asked for too, and filled in later.
    names = dict.fromkeys([*(column.name for column in FINDING_COLUMNS), *DECISIONS.values()])
    for part in parts(findings, list(names)):
        known = zip(part["at_risk_usd"], part["rule_id"], strict=True)
        dollars = [UNKNOWN_DOLLARS if usd is None and rule in at_risk else usd for usd, rule in known]
        yield {**part, "rule_title": [titles.get(rule_id) for rule_id in part["rule_id"]], "at_risk_usd": dollars}


def _rule(rule: Mapping[str, Any], unknown: Container[Any]) -> dict[str, Any]:
    is_unknown = rule.get("at_risk_usd") is None and rule["rule_id"] in unknown
    return {
        **rule,
        "family": FAMILIES.get(rule.get("family"), OTHER_FAMILY),
        "status": str(rule.get("status") or "").replace("_", " "),
        "violated_share": share_raised(rule.get("violations"), rule.get("in_scope")),
    } | ({"at_risk_usd": UNKNOWN_DOLLARS} if is_unknown else {})


def _set_aside(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "why": row["meaning"], "what to do": row["what_to_do"], "rows": 1}


def _filtered(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "reason": "filtered", "why": entry["filter"] or "a filter of the mapping"}


def _input(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "new to this run": "yes" if entry.get("is_new", True) else "no"}
