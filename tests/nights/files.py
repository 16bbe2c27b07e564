"""Files of an extracts folder, and nights: which files come, go and are named as removed before one run."""

import csv
import hashlib
import io
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow
import pyarrow.parquet

from tests.extract_files import COLUMNS, write_reference

TABLES = ("claims", "notes", "note_blocks")
KEYS = {
    "claims": ("claim_id", "line_number"),
    "notes": ("note_id", "note_version"),
    "note_blocks": ("note_id", "note_version", "block_number"),
}
#: What a file's header must have to be read at all.
REQUIRED = {
    "claims": (*KEYS["claims"], "patient_id", "payer_id", "service_date", "procedure_code", "billed_units"),
    "notes": ("note_id", "patient_id", "service_date", "provider_id", "discipline"),
    "note_blocks": ("note_id", "block_number", "procedure_code"),
}


def table_of(file_name: str) -> str:
    """The table a file holds, by the first part of its name."""
    return next(table for table in TABLES if file_name.startswith(table))


@dataclass(frozen=True)
class File:
    """One file: its name, its rows as cells (a dict of text by column; empty cells may be absent) and its bytes."""

    name: str
    rows: tuple[dict, ...]
    content: bytes

    @property
    def table(self) -> str:
        return table_of(self.name)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def make_file(name: str, rows: list[dict]) -> File:
    """The rows as CSV or Parquet, by the ending of the name; optional columns that no row fills are left out."""
    table = table_of(name)
    filled = {column for row in rows for column in row if row[column]}.union(REQUIRED[table])
    columns = [column for column in COLUMNS[table] if column in filled]
    encode = _parquet if name.endswith(".parquet") else _csv
    return File(name, tuple(dict(row) for row in rows), encode(columns, rows))


def _csv(columns: list[str], rows: list[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[row.get(column) or "" for column in columns] for row in rows])
    return text.getvalue().encode()


def _parquet(columns: list[str], rows: list[dict]) -> bytes:
    cells = {column: pyarrow.array([row.get(column) or None for row in rows], pyarrow.string()) for column in columns}
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(cells), sink)
    return sink.getvalue()


@dataclass(frozen=True)
class Night:
    """What has happened when a run starts: files written (new, or over one of the same name) and deleted since the
    night before, names given as removed, the user's whole reference tables (None: no overlay), and the as-of date.
    `kinds` says what kinds of change were drawn."""

    as_of: date
    written: tuple[File, ...] = ()
    deleted: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reference: dict | None = None
    kinds: tuple[str, ...] = ()

    def lay_out(self, extracts: Path, reference: Path) -> Path | None:
        """Brings the folder of extracts to this night's state; gives the reference folder, None without overlay."""
        extracts.mkdir(parents=True, exist_ok=True)
        for name in self.deleted:
            (extracts / name).unlink()
        for file in self.written:
            (extracts / file.name).write_bytes(file.content)
        for old in sorted(reference.glob("*.csv")):
            old.unlink()
        if self.reference is None:
            return None
        write_reference(reference, self.reference)
        return reference


@dataclass(frozen=True)
class Nights:
    """A sequence of nights, and the seed that draws it again."""

    seed: int
    nights: tuple[Night, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "\n".join(f"seed {self.seed}, night {number}: {told(n)}" for number, n in enumerate(self.nights, 1))


def told(night: Night) -> str:
    """A night in one line: its date, its kinds of change and its files."""
    parts = [f"as of {night.as_of}", ", ".join(night.kinds)]
    parts += [
        f"{verb} {' '.join(names)}"
        for verb, names in (
            ("writes", [file.name for file in night.written]),
            ("deletes", night.deleted),
            ("--removed", night.removed),
        )
        if names
    ]
    return "; ".join(parts)
