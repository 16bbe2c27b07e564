"""The rows of a workbook or a CSV that people wrote their decisions into, as text; it may be hostile or damaged."""

import csv
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.dispositions import workbook_reader as dispositions_workbook
from flows.dispositions.log import unquoted
from flows.failures import system_words
from transforms.errors import InputRejected, UsageProblem

#: Column -> whether a file has to have it. Headings may have spaces for underscores, and any case.
COLUMNS = {
    "finding_id": True,
    "disposition": True,
    "evidence_hash": False,
    "waived_until": False,
    "decided_by": False,
    "decided_on": False,
    "reason": False,
}
MOST_BYTES = 200_000_000
#: A workbook of the most findings that the audit writes unzips to a third of it.
MOST_UNZIPPED_BYTES = 3_000_000_000
#: So many rows may stand above the headings.
_ABOVE_HEADINGS = 20
_ZIP, _OLD_OR_LOCKED = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Row:
    """One row: where it stands, and its cells by column, without blanks around; a column that is not there is empty."""

    place: str
    cells: dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """The rows below the headings of an .xlsx or .csv file.

    Raises UsageProblem where there is no such file, InputRejected where it cannot be read as one.
    """
    kind = path.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        raise UsageProblem(f"--from {path}: is no .xlsx and no .csv; save it as one of them")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as problem:
        raise UsageProblem(f"--from {path}: cannot be read ({system_words(problem)})") from None
    if size > MOST_BYTES:
        raise _rejected(path, f"is larger than {MOST_BYTES // 1_000_000} MB; remove what is not needed")
    return _workbook_rows(path, head) if kind == ".xlsx" else list(_below_headings(path, "", _csv_rows(path)))


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for cells in reader:
                yield reader.line_num, [unquoted(cell.strip()) for cell in cells]
        except UnicodeDecodeError:
            raise _rejected(path, "is not UTF-8; save it as CSV UTF-8") from None
        except csv.Error:
            raise _rejected(path, f"line {reader.line_num}: cannot be read as CSV; look at its quotes") from None


def _workbook_rows(path: Path, head: bytes) -> list[Row]:
    _require_workbook(path, head)
    sheets: dict[str, list[tuple[int, list[str]]]] = {}
    formula, *lines = _read_apart(path)
    if cell := json.loads(formula):
        raise _rejected(path, f"cell {cell} holds a formula whose value is not stored; write the text itself")
    for line in lines:
        name, number, cells = json.loads(line)
        sheets.setdefault(name, []).append((number, [cell.strip() for cell in cells]))
    if not sheets:
        raise _rejected(path, f"has no rows in a sheet {', '.join(dispositions_workbook.SHEETS)}; use a findings.xlsx")
    return [row for name, rows in sheets.items() for row in _below_headings(path, name, rows)]


def _require_workbook(path: Path, head: bytes) -> None:
    if head == _OLD_OR_LOCKED:
        raise _rejected(path, "has a password, or is an old .xls; save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(path) as book:
            parts = book.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _not_read(path) from None
    if head != _ZIP or not any(part.filename.lower() == "xl/workbook.xml" for part in parts):
        raise _not_read(path)
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise _rejected(path, "holds macros; save it as .xlsx without them")
    if sum(part.file_size for part in parts) > MOST_UNZIPPED_BYTES:
        raise _rejected(path, f"unzips to more than {MOST_UNZIPPED_BYTES // 1_000_000} MB; remove what is not needed")


def _read_apart(path: Path) -> list[str]:
    """What the reader prints, in a process whose end is not ours."""
    # -I: nothing from the folder that the user stands in is imported.
    command = [sys.executable, "-I", dispositions_workbook.__file__, str(path.absolute())]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if ran.returncode:
        raise _not_read(path)
    return ran.stdout.decode().splitlines()


def _below_headings(path: Path, sheet: str, rows: Iterator | list) -> Iterator[Row]:
    places = None
    for above, (number, cells) in enumerate(rows):
        if places is None:
            places = _places(path, sheet, number, cells)
            if places is None and above >= _ABOVE_HEADINGS:
                break
            continue
        place = f"{path.name}, sheet {sheet}, row {number}" if sheet else f"{path.name}, line {number}"
        if any(cells):
            yield Row(
                place, {name: cells[at] if at is not None and at < len(cells) else "" for name, at in places.items()}
            )
    if places is None:
        needed = " and ".join(name for name, is_needed in COLUMNS.items() if is_needed)
        where = f"sheet {sheet}: " if sheet else ""
        raise _rejected(path, f"{where}no row of headings with {needed}")


def _places(path: Path, sheet: str, number: int, cells: list[str]) -> dict[str, int | None] | None:
    """Where each column stands; None where the row has not the headings that are needed."""
    headings = ["_".join(cell.casefold().replace("_", " ").split()) for cell in cells]
    if not all(name in headings for name, is_needed in COLUMNS.items() if is_needed):
        return None
    twice = [name for name in COLUMNS if headings.count(name) > 1]
    if twice:
        where = f"sheet {sheet}, row {number}" if sheet else f"line {number}"
        raise _rejected(path, f"{where}: the heading {twice[0]} appears twice")
    return {name: headings.index(name) if name in headings else None for name in COLUMNS}


def _not_read(path: Path) -> InputRejected:
    return _rejected(path, "cannot be read as a workbook; open it in a spreadsheet and save it again as .xlsx")


def _rejected(path: Path, told: str) -> InputRejected:
    return InputRejected(f"{path.name}: {told}. Nothing is recorded")
