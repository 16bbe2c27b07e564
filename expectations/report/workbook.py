"""The report as a workbook: summary, rules and findings; text stays text, whatever it looks like."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from expectations.report import Report, most_dollars, plain

LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575  # a sheet's rows, but for the header

# The columns of findings.parquet, in its order (interface.md section 3), and how wide each is shown.
FINDING_COLUMNS = {
    "finding_id": 18,
    "rule_id": 30,
    "severity": 10,
    "service_date": 12,
    "patient_id": 14,
    "discipline": 10,
    "payer_id": 14,
    "provider_id": 14,
    "billing_provider_id": 14,
    "procedure_code": 10,
    "claim_ids": 18,
    "note_ids": 18,
    "sources": 30,
    "billed_units": 8,
    "expected_units": 9,
    "expected_units_other_method": 9,
    "supported_minutes": 10,
    "double_counted_minutes": 10,
    "cap_units": 8,
    "at_risk_usd": 12,
    "message": 80,
    "clinic_id": 12,
    "reference_key": 24,
    "evidence_hash": 18,
    "citation": 40,
}
RULE_COLUMNS = {
    "rule_id": 34,
    "title": 46,
    "severity": 10,
    "status": 14,
    "in_scope": 10,
    "unjudged": 10,
    "violations": 10,
    "errors": 8,
    "warnings": 9,
    "reviews": 8,
    "at_risk_usd": 12,
    "citation": 50,
    "not_checked": 60,
}
INPUT_COLUMNS = {
    "table": 14,
    "file": 40,
    "rows_read": 12,
    "rows_accepted": 14,
    "rows_quarantined": 16,
    "rows_duplicate": 14,
    "sha256": 66,
}
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_workbook(path: Path, report: Report, limit_rows: int = 20_000) -> None:
    """Writes `report` to `path` as XLSX: the same report gives the same bytes.

    Of the findings the `limit_rows` with most dollars at risk; the first sheet says when there are more.
    """
    findings = most_dollars(report.findings, max(0, min(limit_rows, MOST_ROWS)))
    # Beside the workbook, not in the machine's common folder: the sheets hold patients.
    workbook = xlsxwriter.Workbook(str(path), OPTIONS | {"tmpdir": str(path.parent)})
    # The clock stays out of the bytes.
    workbook.set_properties({"title": "Therapy claim audit", "created": datetime.combine(report.as_of, time())})
    book = _Book(workbook)
    book.lines("Summary", _summary(report, len(findings)))
    book.table("Rules", RULE_COLUMNS, report.rules)
    book.table("Findings", FINDING_COLUMNS, findings)
    book.table("Inputs", INPUT_COLUMNS, report.inputs)
    workbook.close()


def _summary(report: Report, shown: int) -> list[tuple[Any, ...]]:
    in_all = len(report.findings)
    lines: list[tuple[Any, ...]] = [
        ("Therapy claim audit", report.run_id),
        ("as of", report.as_of),
        ("first service date", report.period[0]),
        ("last service date", report.period[1]),
        ("share of claim days that meet a note", report.match.get("claim_day_share")),
        ("share of notes that meet a claim", report.match.get("note_share")),
        ("findings", in_all),
        ("at risk, US$, each billed unit counted once", report.total_at_risk_usd),
    ]
    if shown < in_all:
        told = f"the {shown} with most dollars at risk of {in_all}; all stand in findings.csv"
        lines.append(("findings in this workbook", told))
    lines += [(f"unjudged days: {reason}", days) for reason, days in report.unjudged]
    lines += [(f"therapy days of payer {payer}, counting method not known", n) for payer, n in report.unlisted_payers]
    return lines + [
        (f"reference: {name}", str(report.reference_versions[name])) for name in sorted(report.reference_versions)
    ]


class _Book:
    """Writes rows from top to bottom, as constant memory asks for; each value by its own kind."""

    def __init__(self, workbook: xlsxwriter.Workbook):
        self._workbook = workbook
        self._bold = workbook.add_format({"bold": True, "bg_color": "#EFEFEF", "border": 1, "text_wrap": True})
        self._date = workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._money = workbook.add_format({"num_format": "#,##0.00"})
        self._share = workbook.add_format({"num_format": "0.0###"})

    def lines(self, name: str, lines: Iterable[tuple[Any, ...]]) -> None:
        """A sheet of labels and values."""
        sheet = self._workbook.add_worksheet(name)
        sheet.set_column(0, 0, 56)
        sheet.set_column(1, 1, 70)
        for row, values in enumerate(lines):
            for column, value in enumerate(values):
                self._write(sheet, row, column, value)

    def table(self, name: str, columns: Mapping[str, int], rows: Sequence[Mapping[str, Any]]) -> None:
        """A sheet with a header that stays in sight, filters, and one row a mapping."""
        sheet = self._workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
        for column, (heading, width) in enumerate(columns.items()):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, heading, self._bold)
        for row, values in enumerate(rows, start=1):
            for column, heading in enumerate(columns):
                self._write(sheet, row, column, values.get(heading))

    def _write(self, sheet: Any, row: int, column: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, Decimal):
            sheet.write_number(row, column, value, self._money)
        elif isinstance(value, float):
            sheet.write_number(row, column, value, self._share)
        elif isinstance(value, int) and not isinstance(value, bool):
            sheet.write_number(row, column, value)
        elif isinstance(value, date) and value.year >= 1900:
            sheet.write_datetime(row, column, value, self._date)
        else:
            sheet.write_string(row, column, plain(value, LONGEST_CELL))
