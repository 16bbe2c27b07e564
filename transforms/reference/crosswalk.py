"""Crosswalk tables: the same patient, provider or payer as two systems name them."""

import csv
import unicodedata
from pathlib import Path

import duckdb
import pyarrow as pa

from transforms.contract.cell_sql import BLANKS
from transforms.errors import UsageProblem

# File -> (column of the id that is turned, column of the id it becomes).
COLUMNS = {
    "patient": ("notes_id", "claims_id"),
    "provider": ("notes_id", "claims_id"),
    "payer": ("claims_id", "reference_id"),
}
#: The tables that they become.
CROSSWALKS = tuple(f"crosswalk_{subject}" for subject in COLUMNS)


def load_crosswalk(connection: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    """Makes crosswalk_patient, crosswalk_provider and crosswalk_payer (from_id, to_id), empty without a
    folder.

    patient.csv and provider.csv turn the notes system's id into the claims system's, payer.csv the claims'
    payer id into the reference tables'. Several ids may become one. Raises UsageProblem naming file and line
    when one id would become several, a cell is blank, or a file or column is unknown.
    """
    paths = _paths(Path(folder)) if folder is not None else {}
    for subject in COLUMNS:
        pairs = _pairs(paths[subject], subject) if subject in paths else {}
        connection.execute(f"CREATE OR REPLACE TABLE crosswalk_{subject} (from_id VARCHAR, to_id VARCHAR)")
        if pairs:
            _insert(connection, subject, pairs)


def _insert(connection: duckdb.DuckDBPyConnection, subject: str, pairs: dict[str, str]) -> None:
    names, ids = ["from_id", "to_id"], (pairs.keys(), pairs.values())
    rows = pa.Table.from_arrays([pa.array(column, pa.string()) for column in ids], names)
    connection.register("crosswalk_rows", rows)
    connection.execute(f"INSERT INTO crosswalk_{subject} SELECT from_id, to_id FROM crosswalk_rows ORDER BY from_id")
    connection.unregister("crosswalk_rows")


def _paths(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "no such folder"
        raise UsageProblem(
            f"{folder}: {problem}: --crosswalk names a folder with patient.csv, provider.csv or payer.csv"
        )
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as problem:
        raise UsageProblem(f"{folder}: cannot be read ({problem.strerror}): check its rights") from None
    for path in files:
        if path.name not in {f"{subject}.csv" for subject in COLUMNS}:
            raise UsageProblem(f"{path}: not a crosswalk file: known are patient.csv, provider.csv and payer.csv")
    if not files:
        raise UsageProblem(f"{folder}: holds none of patient.csv, provider.csv and payer.csv: add one of them")
    return {path.stem: path for path in files}


def _pairs(path: Path, subject: str) -> dict[str, str]:
    rows = _rows(path)
    if not rows:
        raise UsageProblem(f"{path}: is empty: a header row with {' and '.join(COLUMNS[subject])} is needed")
    line, header = rows[0]
    places = _places(path, line, [cell.lower() for cell in header], COLUMNS[subject])
    pairs: dict[str, str] = {}
    first_line: dict[str, int] = {}
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            raise UsageProblem(f"{path}: line {line}: has {len(cells)} cells, the header {len(header)}: correct it")
        from_id, to_id = (cells[place] for place in places)
        if not from_id or not to_id:
            blank = COLUMNS[subject][0 if not from_id else 1]
            raise UsageProblem(f"{path}: line {line}: {blank} is blank: fill it in or remove the line")
        if pairs.setdefault(from_id, to_id) != to_id:
            raise UsageProblem(
                f"{path}: line {line}: the {COLUMNS[subject][0]} of line {first_line[from_id]} again, "
                f"with another {COLUMNS[subject][1]}: keep one of the two"
            )
        first_line.setdefault(from_id, line)
    return pairs


def _places(path: Path, line: int, header: list[str], wanted: tuple[str, str]) -> list[int]:
    if sorted(header) != sorted(wanted):
        raise UsageProblem(
            f"{path}: line {line}: its columns must be {' and '.join(sorted(wanted))}, "
            "comma-separated: correct the header"
        )
    return [header.index(column) for column in wanted]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The file's rows, cells trimmed, each with the line it starts on; blank lines left out."""
    rows, start = [], 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            for cells in reader:
                if any("\n" in cell or "\r" in cell or "\x00" in cell for cell in cells):
                    raise UsageProblem(f"{path}: line {start}: a cell holds a line break or NUL: correct its quotes")
                # In the form that extracts are compared by.
                trimmed = [unicodedata.normalize("NFC", cell.strip(BLANKS)) for cell in cells]
                if any(trimmed) or len(trimmed) > 1:
                    rows.append((start, trimmed))
                start = reader.line_num + 1
    except UnicodeDecodeError:
        raise UsageProblem(f"{path}: is not UTF-8: save it as CSV UTF-8") from None
    except csv.Error:
        raise UsageProblem(f"{path}: line {start}: cannot be read as CSV: correct its quotes") from None
    except OSError as problem:
        raise UsageProblem(f"{path}: cannot be read ({problem.strerror}): check its rights") from None
    return rows
