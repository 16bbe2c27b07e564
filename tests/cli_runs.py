"""Runs the command line inside the test's process, and makes small extracts for it."""

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from flows.cli import main
from tests.extract_files import write_extract

RULES = Path(__file__).parent.parent / "data" / "reference" / "audit_rules.csv"
NOBODY = 65534
AS_OF = "2026-03-20"


@dataclass(frozen=True)
class Ran:
    """What a user gets from one command: its exit code and both streams."""

    code: int
    out: str
    err: str


def rule_ids() -> list[str]:
    """The rules of the registry."""
    with RULES.open(encoding="utf-8", newline="") as file:
        return [row["rule_id"] for row in csv.DictReader(file)]


def minutewise(*arguments: object) -> Ran:
    """Runs `minutewise arguments...` here; what native code writes is caught too."""
    asked = sys.argv
    sys.argv = ["minutewise", *(str(argument) for argument in arguments)]
    try:
        with _caught(1, "stdout") as out, _caught(2, "stderr") as err:
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
    finally:
        sys.argv = asked
    return Ran(code, out[0], err[0])


@contextmanager
def _caught(number: int, name: str) -> Iterator[list[str]]:
    """Catches a stream and its file descriptor: the text is in the list when the block has ended."""
    text: list[str] = []
    usual, descriptor = getattr(sys, name), os.dup(number)
    errors = "strict" if number == 1 else "backslashreplace"  # as Python has them
    with TemporaryFile() as file, os.fdopen(os.dup(file.fileno()), "w", encoding="utf-8", errors=errors) as stream:
        os.dup2(file.fileno(), number)
        setattr(sys, name, stream)
        try:
            yield text
        finally:
            stream.flush()
            setattr(sys, name, usual)
            os.dup2(descriptor, number)
            os.close(descriptor)
            file.seek(0)
            text.append(file.read().decode("utf-8", "backslashreplace"))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Runs the block without root's rights: only then do a folder's rights hold."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


def day(number: int, claims_units: int = 2, minutes: int = 30, code: str = "97110") -> tuple[dict, dict, dict]:
    """Patient `number`'s visit as a claim line, a note and a block: honest as it stands."""
    patient, on = f"P{number}", f"2026-03-{number:02d}"
    claim = {
        "claim_id": f"C{number}",
        "line_number": 1,
        "patient_id": patient,
        "payer_id": "MEDICARE",
        "service_date": on,
        "procedure_code": code,
        "billed_units": claims_units,
        "rendering_provider_id": f"T{number}",
        "modifiers": "GP",
        "allowed_usd": "60.00",
    }
    note = {"note_id": f"N{number}", "patient_id": patient, "service_date": on, "provider_id": f"T{number}"}
    block = {"note_id": f"N{number}", "block_number": 1, "procedure_code": code, "minutes": minutes}
    return claim, note | {"discipline": "PT", "status": "signed"}, block


def write_days(folder: Path, *days: tuple[dict, dict, dict]) -> Path:
    """Writes the visits as claims.csv, notes.csv and note_blocks.csv, and gives the folder."""
    write_extract(folder, *zip(*days, strict=True))
    return folder


def published(out: Path) -> tuple[list[str], str | None]:
    """The names of what is below runs/, hidden things too, and what `current` says."""
    runs = sorted(path.name for path in (out / "runs").iterdir()) if (out / "runs").is_dir() else []
    current = out / "current"
    return runs, current.read_text().strip() if current.is_file() else None


def audit(extracts: Path, out: Path, *more: object) -> Ran:
    """Runs `minutewise audit` as of AS_OF, with more options."""
    return minutewise("audit", "--extracts", extracts, "--out", out, "--as-of", AS_OF, *more)


def refused(ran: Ran, code: int, *said: str, out: Path | None = None) -> None:
    """The command ended with this code and one line that holds all of `said`, and published nothing."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert ran.err.startswith("minutewise: ") and ran.err.endswith("\n")
    assert ran.err.count("\n") == 1 and "Traceback" not in ran.err
    for part in said:
        assert part in ran.err, ran.err
    if out:
        assert published(out) == ([], None)


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file of any content, its folders too, and gives its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
