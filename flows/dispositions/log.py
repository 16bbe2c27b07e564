"""What people decided of findings: OUT/dispositions.csv, a log that is only ever added to.

One row a decision. It holds for the evidence it was made on (`evidence_hash`), and follows its finding over runs.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from expectations.report import DISPOSITIONS, plain
from flows.disk.durable import write_durably
from flows.disk.rights import PRIVATE, Rights
from flows.failures import system_words
from transforms.dates import FIRST_DAY, LAST_DAY
from transforms.errors import UsageProblem

#: The log's name, in the output folder and in every run that was made with it.
LOG = "dispositions.csv"
WAIVED = "waived"
LONGEST_NAME, LONGEST_REASON = 200, 2_000
FULL_ID = re.compile("[0-9a-f]{64}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: A spreadsheet takes text that begins so for a formula; an apostrophe before it says that it is text.
_FORMULA, _TEXT_FORMULA = re.compile("'*[=+@\uff1d\uff0b\uff20\uff0d-]"), re.compile("'+[=+@\uff1d\uff0b\uff20\uff0d-]")


@dataclass(frozen=True)
class Decision:
    """One row of the log: who decided what of a finding, when and why, on which evidence; `run_id` showed it."""

    recorded_on: date
    finding_id: str
    evidence_hash: str
    rule_id: str
    disposition: str
    waived_until: date | None
    decided_by: str
    decided_on: date
    reason: str
    run_id: str


COLUMNS = tuple(field.name for field in fields(Decision))
_DATES = ("recorded_on", "waived_until", "decided_on")


@dataclass(frozen=True)
class Log:
    """The log as it was read: its bytes, and its decisions from the oldest to the newest."""

    content: bytes = b""
    decisions: tuple[Decision, ...] = ()

    @property
    def digest(self) -> str | None:
        """The sha256 of the log; None where nothing was ever decided."""
        return hashlib.sha256(self.content).hexdigest() if self.content else None


def read_log(out: Path) -> Log:
    """The log of an output folder, empty where there is none; UsageProblem, with the line, where it is damaged."""
    path = out / LOG
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Log()
    except OSError as problem:
        raise UsageProblem(f"{path}: cannot be read ({system_words(problem)}); check its rights") from None
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if tuple(next(reader, ())) != COLUMNS:
            raise _damaged(path, 1, f"the header is not {','.join(COLUMNS)}")
        return Log(content, tuple(_decision(path, reader.line_num, cells) for cells in reader))
    except UnicodeDecodeError as problem:
        line = 1 + content[: problem.start].count(b"\n")
        raise _damaged(path, line, "is not UTF-8") from None
    except csv.Error:
        raise _damaged(path, reader.line_num, "cannot be read as CSV") from None


def append(out: Path, log: Log, decisions: Iterable[Decision]) -> None:
    """Adds decisions to the log that was read: what stood there stays byte for byte, the whole replaced at once.

    Call it under the output folder's lock. Raises UsageProblem where it cannot be written.
    """
    before = log.content.decode("utf-8")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if not before:
        writer.writerow(COLUMNS)
    elif not before.endswith("\n"):  # edited by hand
        text.write("\n")
    for decision in decisions:
        writer.writerow([_cell(getattr(decision, name)) for name in COLUMNS])
    try:
        write_durably("dispositions", out / LOG, before + text.getvalue(), _rights(out))
    except OSError as problem:
        raise UsageProblem(f"{out / LOG}: cannot be written ({system_words(problem)}); nothing was recorded") from None


def parse_day(cell: str) -> date | None:
    """The date of a cell YYYY-MM-DD between FIRST_DAY and LAST_DAY, or None where it is none."""
    try:
        day = date.fromisoformat(cell) if _DAY.fullmatch(cell) else None
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None


def as_text(cell: str) -> str:
    """What a person wrote, on one line and with nothing unseen in it; longer than the longest reason where it is."""
    return " ".join(plain(cell, 2 * LONGEST_REASON).split())


def unquoted(cell: str) -> str:
    """A cell as it was meant: without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if _TEXT_FORMULA.match(cell) else cell


def _cell(value: str | date | None) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return f"'{value}" if value and _FORMULA.match(value) else value or ""


def _decision(path: Path, line: int, cells: list[str]) -> Decision:
    if len(cells) != len(COLUMNS):
        raise _damaged(path, line, f"has {len(cells)} cells, not {len(COLUMNS)}")
    row = {name: unquoted(cell) for name, cell in zip(COLUMNS, cells, strict=True)}
    for name in ("finding_id", "evidence_hash"):
        if not FULL_ID.fullmatch(row[name]):
            raise _damaged(path, line, f"{name} is not 64 characters of 0-9 and a-f")
    if row["disposition"] not in DISPOSITIONS:
        raise _damaged(path, line, f"disposition is not one of {', '.join(DISPOSITIONS)}")
    if bool(row["waived_until"]) != (row["disposition"] == WAIVED):
        raise _damaged(path, line, "waived_until has to be there for waived, and for nothing else")
    for name in ("rule_id", "decided_by", "run_id"):
        if not row[name]:
            raise _damaged(path, line, f"{name} is empty")
    days = {name: parse_day(row[name]) for name in _DATES}
    for name, day in days.items():
        if day is None and (row[name] or name != "waived_until"):
            raise _damaged(path, line, f"{name} is not a date YYYY-MM-DD")
    return Decision(**row | days)


def _damaged(path: Path, line: int, told: str) -> UsageProblem:
    return UsageProblem(f"{path}: line {line}: {told}; put it right, or take the file from a run's folder or a backup")


def _rights(out: Path) -> Rights:
    """Those of `current`: a team that reads the runs reads the decisions too."""
    try:
        held = (out / "current").stat()
    except OSError:
        return PRIVATE
    return Rights(0o640, 0o750, held.st_gid) if held.st_mode & 0o040 else PRIVATE
