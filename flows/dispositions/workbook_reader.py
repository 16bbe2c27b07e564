"""Reads the sheets of a workbook in a process of its own, and prints JSON: a formula without value, then a row a line.

A workbook of a few hundred bytes can name a cell so far down that the reader's memory ends with the process. So this
file is run by itself (flows/dispositions/read_rows.py), within limits, and imports nothing of ours.
"""

import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date

SHEETS = ("Errors", "Warnings", "Reviews")
#: A cell is cut here: longer than anything that is taken.
LONGEST_CELL = 5_000
MOST_BYTES, MOST_SECONDS = 4 << 30, 300
#: A formula that no spreadsheet has worked out yet: its value is not there, and would be taken for an empty cell.
_NO_VALUE = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^<>]*>\s*<f(?:\s[^<>]*)?>[^<]*</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>')
_PART_BYTES, _LONGEST_FORMULA = 1 << 24, 1 << 15


def rows_of(path: str) -> Iterator[list]:
    """[sheet, row number, cells as text] of every row of SHEETS that holds anything; dates as YYYY-MM-DD."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(path) as book:
        for name in SHEETS:
            if name in book.sheet_names:
                for number, cells in enumerate(book.get_sheet_by_name(name).iter_rows(), start=1):
                    if any(cell != "" for cell in cells):
                        yield [name, number, [_text(cell) for cell in cells]]


def formula_without_value(path: str) -> str | None:
    """The first cell, as J5, that holds a formula without its value; None where there is none."""
    with zipfile.ZipFile(path) as book:
        for name in sorted(name for name in book.namelist() if name.startswith("xl/worksheets/")):
            with book.open(name) as sheet:
                held = b""
                while part := sheet.read(_PART_BYTES):
                    held += part
                    if found := _NO_VALUE.search(held):
                        return found[1].decode()
                    held = held[-_LONGEST_FORMULA:]
    return None


def _text(cell: object) -> str:
    if isinstance(cell, date):  # a time of day is left out
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell)[:LONGEST_CELL]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold patients
    print(json.dumps(formula_without_value(sys.argv[1])))
    for one in rows_of(sys.argv[1]):
        print(json.dumps(one))
