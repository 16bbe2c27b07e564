"""What the workbook's sheets of findings help with: a list to choose from, dates checked, colours by what stands."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from expectations.report import DISPOSITIONS
from expectations.report.workbook.columns import DECISION_COLUMNS, Column
from expectations.report.workbook.sheets import Book
from transforms.dates import FIRST_DAY

_GREEN, _BLUE, _GREY, _AMBER, _RED, _VIOLET = "#D5EBD8", "#D6E6F7", "#E2E4E8", "#FFE3B8", "#F8D5D2", "#E6DBF3"
#: Column -> value -> colour: what is new or open again stands out, what is settled steps back.
_COLOURS = {
    "disposition": {
        "accepted": _GREEN,
        "disputed": _AMBER,
        "corrected claim sent": _BLUE,
        "false alarm": _GREY,
        "waived": _VIOLET,
    },
    "disposition_status": {"holds": _GREEN, "evidence changed": _AMBER, "waiver expired": _AMBER},
    "since_last_run": {"new": _BLUE, "reopened": _RED, "changed": _AMBER},
    "severity": {"error": _RED, "warning": _AMBER, "review": _GREY},
}
_TO_FILL_IN, _BAR = "#FFF8E1", "#9DB7D5"
TAB_COLOURS = {"Errors": "#C0392B", "Warnings": "#E0A030", "Reviews": "#8A929E"}


def add_colours(book: Book, sheet: Any, columns: Sequence[Column], rows: int) -> None:
    """Colours cells by value, shades the empty ones to fill in, and draws a bar for dollars."""
    last = max(rows, 1)
    places = {column.name: place for place, column in enumerate(columns)}
    for name, colours in _COLOURS.items():
        for value, colour in colours.items():
            rule = {"type": "cell", "criteria": "==", "value": f'"{value}"', "format": book.format(bg_color=colour)}
            sheet.conditional_format(1, places[name], last, places[name], rule)
    shade = {"type": "blanks", "format": book.format(bg_color=_TO_FILL_IN)}
    sheet.conditional_format(1, 0, last, len(DECISION_COLUMNS) - 1, shade)
    bar = {"type": "data_bar", "bar_color": _BAR, "bar_solid": True, "min_type": "num", "min_value": 0}
    sheet.conditional_format(1, places["at_risk_usd"], last, places["at_risk_usd"], bar)


def add_checks(sheet: Any, rows: int, as_of: date) -> None:
    """A list to choose a disposition from, and dates that must be dates, on every row of findings."""
    checks = {
        "disposition": {
            "validate": "list",
            "source": list(DISPOSITIONS),
            "input_title": "Disposition",
            "input_message": "Choose what was decided. A waiver needs the last day on which it holds.",
            "error_title": "Not in the list",
            "error_message": f"Choose one of: {', '.join(DISPOSITIONS)}.",
        },
        "decided on": {
            "validate": "date",
            "criteria": "between",
            "minimum": FIRST_DAY,
            "maximum": "=TODAY()",
            "input_title": "Decided on",
            "input_message": "The day of the decision, as a date. Empty: the day on which it is recorded.",
            "error_title": "Not such a date",
            "error_message": "Give a date that is not in the future.",
        },
        "waived until": {
            "validate": "date",
            "criteria": ">=",
            "value": as_of,
            "input_title": "Waived until",
            "input_message": "For waived only: the last day on which it holds. The day after, the finding reopens.",
            "error_title": "Not such a date",
            "error_message": f"Give a date from {as_of.isoformat()} on: an earlier waiver holds no more.",
        },
    }
    for place, column in enumerate(DECISION_COLUMNS):
        if column.name in checks:
            sheet.data_validation(1, place, max(rows, 1), place, checks[column.name])
