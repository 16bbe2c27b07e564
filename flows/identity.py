"""The run id: the same audit of the same inputs by the same code has the same id."""

import hashlib
import json
import os
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flows.settings import AuditSettings
from transforms.contract.fields import CONTRACT_FOLDER
from transforms.errors import UsageProblem
from transforms.extract import InputFile
from transforms.reference.tables import REFERENCE

_ROOT = Path(__file__).resolve().parents[1]
_CODE = (*(_ROOT / name for name in ("flows", "transforms", "expectations")), CONTRACT_FOLDER)
#: The shape of what a run publishes; it moves when a column or a file changes its meaning.
SCHEMA_VERSION = 1


def package_version() -> str:
    """The version of the installed distribution, or 0 where the code runs without being installed."""
    try:
        return version("minutewise")
    except PackageNotFoundError:
        return "0"


def folder_digest(*folders: Path, pattern: str = "**/*") -> str:
    """One sha256 over the names and bytes of the folders' files, by name; UsageProblem where one cannot be read."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                name = os.fsencode(path.relative_to(folder).as_posix())
                digest.update(name + b"\0" + _bytes(path) + b"\0")
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageProblem(f"{path}: cannot be read ({problem.strerror}); check its rights") from None


@cache
def code_version() -> str:
    """The version and a digest of the code itself, read once: a changed rule is another audit."""
    return f"{package_version()}+{folder_digest(*_CODE)[:12]}"


def reference_version(overlay: Path | None) -> str:
    """A digest of the shipped reference tables and the user's own."""
    return folder_digest(*(folder for folder in (REFERENCE, overlay) if folder), pattern="*.csv")[:12]


def audit_digest(
    settings: AuditSettings, files: list[InputFile], held: list[dict], removed: list[int], dispositions: str | None
) -> str:
    """A digest of inputs, reference, options, dispositions (the log's own digest, if any) and code version.

    `held` are a warehouse's files, `files` the new ones.
    """
    delivery = 1 + max((file["delivery_number"] for file in held), default=0)
    inputs = [
        [file["delivery_number"], file["table_name"], file["file_name"], file["sha256"]]
        for file in held
        if file["file_number"] not in removed
    ]
    inputs += [[delivery, file.table_name, file.file_name, file.sha256] for file in files]
    asked = {
        "inputs": inputs,
        "warehouse": settings.warehouse is not None,
        "code": code_version(),
        "schema": SCHEMA_VERSION,
        "reference": reference_version(settings.reference),
        "crosswalk": folder_digest(settings.crosswalk, pattern="*.csv") if settings.crosswalk else None,
        # A warehouse keeps rows as they were read: another mapping says something of new files only.
        "mapping": _mapping(settings.mapping) if settings.mapping and not settings.warehouse else None,
        "as_of": settings.as_of.isoformat(),
        "since": settings.since and settings.since.isoformat(),
        "until": settings.until and settings.until.isoformat(),
        "claims_only": settings.claims_only,
        "allow_low_match": settings.allow_low_match,
        "override_guard": sorted(set(settings.override_guard)),
        "workbook_rows": settings.workbook_rows,
        # Both engines find the same; Spark's run holds more files.
        "engine": settings.engine,
        "spark_output": settings.spark_output,
        "dispositions": dispositions,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _mapping(path: Path) -> str:
    return hashlib.sha256(_bytes(path)).hexdigest()


def run_id(as_of: date, digest: str, run_before: str | None) -> str:
    """The as-of date and a digest of the audit, and of the run before where what is said rests on it."""
    whole = hashlib.sha256(f"{digest}/{run_before or ''}".encode()).hexdigest()
    return f"{as_of.isoformat()}-{whole[:12]}"
