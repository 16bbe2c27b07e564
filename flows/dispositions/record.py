"""Takes back what people decided of a run's findings into the log: all of a file's rows, or none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.report import DISPOSITIONS
from flows.disk.lock import only_run
from flows.dispositions.check import Check, Checked, Defaults, Findings
from flows.dispositions.log import LOG, LONGEST_NAME, append, as_text, read_log
from flows.dispositions.read_rows import read_rows
from flows.failures import told_without_values
from flows.runs.choose import choose_run
from transforms.errors import InputRejected, UsageProblem

MOST_PROBLEMS = 20


class DecisionsRejected(InputRejected):
    """Rows that cannot be recorded, so none of the file was; `lines` name the first of them, each with its place."""

    def __init__(self, path: Path, problems: Sequence[str]):
        count, more = len(problems), len(problems) - MOST_PROBLEMS
        told = f"{count} problem{'s' if count > 1 else ''}" + (f", {more} of them not shown" if more > 0 else "")
        super().__init__(f"{path.name}: {told}; nothing is recorded. Put right what is said above, and dispose again")
        self.lines = list(problems[:MOST_PROBLEMS])


@dataclass(frozen=True)
class Recorded:
    """What was recorded, of which run and where."""

    run_id: str
    log: Path
    checked: Checked

    @property
    def counts(self) -> dict[str, int]:
        """Decisions recorded by disposition, in the order of DISPOSITIONS."""
        held = Counter(decision.disposition for decision in self.checked.decisions)
        return {name: held[name] for name in DISPOSITIONS if held[name]}


def dispose(
    out: Path, source: Path, *, by: str | None, on: date | None, as_of: date, run_id: str | None = None
) -> Recorded:
    """Adds the decisions in `source` to the log of `out`; `by` and `on` hold for rows that do not say who and when.

    Raises UsageProblem (a path, a run, a damaged log), DecisionsRejected (a row), InputRejected (the file), Busy.
    """
    choose_run(out, run_id)  # before the lock, which would make the folder
    who = as_text(by or "")
    if by is not None and not 0 < len(who) <= LONGEST_NAME:
        raise UsageProblem(f"--by: must be a name of 1 to {LONGEST_NAME} characters")
    if on and on > as_of:
        raise UsageProblem(f"--on {on}: lies after {as_of}, the day of recording")
    rows = read_rows(source)
    with told_without_values(), only_run(out / ".lock"):
        folder = choose_run(out, run_id)
        log = read_log(out)
        check = Check(_findings(folder), log, Defaults(who, on or as_of, as_of, folder.name))
        checked = check.take(rows)
        if checked.problems:
            raise DecisionsRejected(source, checked.problems)
        if checked.decisions:
            append(out, log, checked.decisions)
    return Recorded(folder.name, out / LOG, checked)


def _findings(folder: Path) -> Findings:
    path = folder / "findings.parquet"
    try:
        table = pq.read_table(path, columns=["finding_id", "rule_id", "evidence_hash"])
    except (OSError, pa.ArrowException):
        raise UsageProblem(f"{path}: is missing or damaged; choose another run with --run") from None
    ids, rules, hashes = (column.to_pylist() for column in table.columns)
    return Findings(dict(zip(ids, zip(rules, hashes, strict=True), strict=True)))


def recorded_text(recorded: Recorded) -> str:
    """What was recorded, what was passed over and why, and what comes next."""
    checked, count = recorded.checked, len(recorded.checked.decisions)
    kinds = ", ".join(f"{name} {number}" for name, number in recorded.counts.items())
    lines = [f"Recorded {_many(count, 'decision')} on run {recorded.run_id}{': ' if kinds else ''}{kinds}"]
    told = {
        "without a disposition": checked.blank,
        "whose decision is recorded already": checked.standing,
        "that repeat a decision since when another was made (give them a new date to decide so again)": (
            checked.superseded
        ),
    }
    lines += [f"Passed over {_many(rows, 'row')} {why}" for why, rows in told.items() if rows]
    if checked.other_evidence:
        lines.append(
            f"Of the decisions {checked.other_evidence} were made on other evidence than run {recorded.run_id} has: "
            "they hold for that evidence alone"
        )
    if count:
        lines.append(f"They stand in {recorded.log}; the next audit shows them")
    return "\n".join(lines)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def recorded_json(recorded: Recorded) -> dict:
    """The same as one document."""
    checked = recorded.checked
    return {
        "run_id": recorded.run_id,
        "log": str(recorded.log),
        "recorded": len(checked.decisions),
        "recorded_by_disposition": recorded.counts,
        "on_other_evidence": checked.other_evidence,
        "rows_without_disposition": checked.blank,
        "rows_standing_already": checked.standing,
        "rows_superseded": checked.superseded,
    }
