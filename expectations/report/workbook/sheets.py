"""Writes the sheets of a workbook: every cell by its column's kind, and text stays text, whatever it looks like."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import Worksheet

from expectations.report import plain
from expectations.report.workbook.columns import DAY, MONEY, SHARE, TEXT, WHOLE, Column

LONGEST_CELL = 32_767  # a cell's most characters, in UTF-16
LONGEST_WIDE_CELL = LONGEST_CELL // 2
FIRST_DAY = date(1901, 1, 1)  # spreadsheets hold 1900 for a leap year
DAY_ZERO = date(1899, 12, 30).toordinal()
FORMATS = {
    # Cells of text are of the format text, so that one that looks like a formula stays text when somebody edits it.
    TEXT: {"num_format": "@"},
    WHOLE: {"num_format": "#,##0"},
    MONEY: {"num_format": '"$"#,##0.00'},
    SHARE: {"num_format": "0.00%"},
    DAY: {"num_format": "yyyy-mm-dd", "align": "left"},
}
_EDGE = {"border": 1, "border_color": "#B8BEC8"}
HEADING = _EDGE | {"bold": True, "bg_color": "#E4E7EC", "text_wrap": True, "valign": "top"}
# What a workbook would read as a character of its own, as _x000D_.
_ESCAPE = re.compile("_(?=x[0-9a-fA-F]{4}_)")


def inert(value: Any) -> str:
    """The value as a cell's text: no control characters, no hidden change of direction, not too long."""
    text = value if isinstance(value, str) else str(value)
    # Printable is what holds no control, format, separator or unassigned character: most cells, and quick to tell.
    if len(text) > LONGEST_WIDE_CELL or not text.isprintable():
        longest = LONGEST_CELL if len(text) > LONGEST_WIDE_CELL and max(text) <= "\uffff" else LONGEST_WIDE_CELL
        text = plain(text, longest)
    return text


class Sheet(Worksheet):
    """A worksheet that writes text as text.

    In constant memory xlsxwriter writes a text that begins with <r> and ends with </r> as it stands, markup and all:
    a patient's name could then bring a formula. This way is also the quicker one, and there are millions of cells.
    """

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        kind = type(cell).__name__
        if kind not in ("String", "Number"):
            super()._write_cell(row, col, cell)
            return
        own = cell.format or (self.col_info[col].column_format if col in self.col_info else None)
        style = f' s="{own._get_xf_index()}"' if own else ""
        start = f'<c r="{xl_rowcol_to_cell_fast(row, col)}"{style}'
        if kind == "Number":
            self.fh.write(f"{start}><v>{cell.number:.16G}</v></c>")
            return
        text = cell.string.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if "_x" in text:
            text = _ESCAPE.sub("_x005F_", text)
        space = "" if text == text.strip() else ' xml:space="preserve"'
        self.fh.write(f'{start} t="inlineStr"><is><t{space}>{text}</t></is></c>')


class Book:
    """Writes sheets one after the other, each from top to bottom, as constant memory asks for."""

    def __init__(self, workbook: xlsxwriter.Workbook):
        self._workbook = workbook
        self._heading = workbook.add_format(HEADING)
        self._to_fill_in = workbook.add_format(HEADING | {"bg_color": "#FFE8A3"})
        self._kinds = {kind: workbook.add_format(properties) for kind, properties in FORMATS.items()}

    def format(self, **properties: Any) -> Any:
        """A cell format of this workbook."""
        return self._workbook.add_format(properties)

    def sheet(self, name: str, columns: Sequence[Column], rows: int, to_fill_in: int = 0) -> Any:
        """A sheet with a header that stays in sight, and filters over `rows` rows; its first columns are to fill in."""
        sheet = self._workbook.add_worksheet(name, Sheet)
        last = len(columns) - 1
        # Only one column stays at the left: more would leave a laptop no room for the rest.
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(rows, 1), last)
        sheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, max(rows, 1), last)})
        sheet.set_landscape()
        sheet.repeat_rows(0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, self._kinds[column.kind])
            sheet.write_string(0, place, column.name, self._to_fill_in if place < to_fill_in else self._heading)
        return sheet

    def rows(self, sheet: Any, columns: Sequence[Column], parts: Iterable[Mapping[str, Sequence[Any]]]) -> None:
        """Writes the rows of `parts` (columns by heading) below the header of `sheet`."""
        writers = [(place, _writer(sheet, column.kind)) for place, column in enumerate(columns)]
        row = 0
        for part in parts:
            for values in zip(*(part[column.name] for column in columns), strict=True):
                row += 1
                for (place, write), value in zip(writers, values, strict=True):
                    if value is not None:
                        write(row, place, value)

    def table(self, name: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """A sheet of a few rows."""
        sheet = self.sheet(name, columns, len(rows))
        self.rows(sheet, columns, [{column.name: [row.get(column.name) for row in rows] for column in columns}])

    def lines(self, name: str, lines: Iterable[tuple[str, Sequence[Any]]], widths: Sequence[int]) -> None:
        """A sheet of lines, each a style (title, heading, columns or empty) and its cells."""
        sheet = self._workbook.add_worksheet(name, Sheet)
        for place, width in enumerate(widths):
            sheet.set_column(place, place, width)
        styles = {
            "title": self.format(bold=True, font_size=16),
            "heading": self.format(bold=True, font_size=12, bottom=1),
            "columns": self._heading,
            "": self.format(align="left"),
        }
        for row, (style, values) in enumerate(lines):
            for place, value in enumerate(values):
                if isinstance(value, str):
                    sheet.write_string(row, place, inert(value), styles[style])
                elif value is not None:
                    kind, number = _number(value)
                    sheet.write_number(row, place, number, self._kinds[kind])


def _writer(sheet: Any, kind: str) -> Callable[[int, int, Any], Any]:
    """How a cell of this kind is written: called some million times, so that it asks as little as it can."""
    write_string, write_number = sheet.write_string, sheet.write_number

    def text(row: int, place: int, value: Any) -> None:
        write_string(row, place, inert(value))

    def day(row: int, place: int, value: Any) -> None:
        if isinstance(value, date) and value >= FIRST_DAY:
            write_number(row, place, value.toordinal() - DAY_ZERO)
        else:
            write_string(row, place, inert(value))

    def money(row: int, place: int, value: Any) -> None:
        # Dollars that nobody knows are a word.
        if isinstance(value, str):
            text(row, place, value)
        else:
            number(row, place, value)

    def number(row: int, place: int, value: Any) -> None:
        write_number(row, place, float(value))

    return {TEXT: text, DAY: day, MONEY: money}.get(kind, number)


def _number(value: Any) -> tuple[str, float]:
    """(kind, number) of a day, an amount, a share or a count."""
    if isinstance(value, date):
        return DAY, value.toordinal() - DAY_ZERO
    if isinstance(value, Decimal):
        return MONEY, float(value)
    return (SHARE, value) if isinstance(value, float) else (WHOLE, value)
