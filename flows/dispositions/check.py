"""Holds the rows that people wrote against the findings of a run and the log: all that is wrong, or what to record."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from expectations.report import DISPOSITIONS
from flows.dispositions.log import (
    FULL_ID,
    LONGEST_NAME,
    LONGEST_REASON,
    WAIVED,
    Decision,
    Log,
    as_text,
    parse_day,
)
from flows.dispositions.read_rows import Row

SHORTEST_PREFIX = 4


class Findings:
    """The findings of a run by id: (rule id, evidence hash)."""

    def __init__(self, found: dict[str, tuple[str, str]]):
        self._found, self._ids = found, sorted(found)

    def __getitem__(self, finding_id: str) -> tuple[str, str]:
        return self._found[finding_id]

    def begin_so(self, prefix: str) -> list[str]:
        """The ids that begin so, at most two of them."""
        at = bisect_left(self._ids, prefix)
        return [one for one in self._ids[at : at + 2] if one.startswith(prefix)]


@dataclass(frozen=True)
class Defaults:
    """What holds where a row says nothing: who decided and when; the day of recording; the run that was looked at."""

    decided_by: str
    decided_on: date
    recorded_on: date
    run_id: str


@dataclass
class Checked:
    """What came of the rows: decisions to record, problems (place and what is wrong), and rows that record nothing.

    blank: rows without a disposition. standing: rows equal to the decision that stands. superseded: rows equal to an
    earlier decision, since when another was made. other_evidence: of the decisions, those made on other evidence
    than the run's.
    """

    decisions: list[Decision] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    blank: int = 0
    standing: int = 0
    superseded: int = 0
    other_evidence: int = 0


class Check:
    """Takes rows one by one; `checked` is what came of them."""

    def __init__(self, findings: Findings, log: Log, defaults: Defaults):
        self.checked = Checked()
        self._findings, self._defaults = findings, defaults
        self._seen: dict[str, tuple[str, Decision]] = {}
        self._before: dict[str, list[Decision]] = {}
        for decision in log.decisions:
            self._before.setdefault(decision.finding_id, []).append(decision)

    def take(self, rows: Iterable[Row]) -> Checked:
        """Looks at every row, whatever is wrong with those before it."""
        for row in rows:
            if row.cells["disposition"]:
                problems: list[str] = []
                decision = self._read(row, problems)
                self._sort(row, decision, problems)
                self.checked.problems += [f"{row.place}, {problem}" for problem in problems]
            else:
                self.checked.blank += 1
        return self.checked

    def _read(self, row: Row, problems: list[str]) -> Decision | None:
        """The decision as the row has it; None where there are problems."""
        finding_id = self._finding_id(row.cells["finding_id"].lower(), problems)
        rule_id, evidence = self._findings[finding_id] if finding_id else ("", "")
        made_on = row.cells["evidence_hash"].lower() or evidence
        if made_on and not FULL_ID.fullmatch(made_on):
            problems.append("evidence hash: is not 64 characters of 0-9 and a-f; copy it whole, or leave it empty")
        disposition = " ".join(row.cells["disposition"].casefold().replace("_", " ").split())
        if disposition not in DISPOSITIONS:
            problems.append(f"disposition: is not one of {', '.join(DISPOSITIONS)}")
        decided_on = self._day(row, "decided_on", problems) or self._defaults.decided_on
        if decided_on > self._defaults.recorded_on:
            problems.append(f"decided on: lies after {self._defaults.recorded_on}, the day of recording")
        waived_until = self._day(row, "waived_until", problems)
        if row.cells["waived_until"] and disposition in DISPOSITIONS and disposition != WAIVED:
            problems.append(f"waived until: goes with {WAIVED} only; clear it")
        elif disposition == WAIVED and not row.cells["waived_until"]:
            problems.append("waived until: is empty; a waiver needs its last day")
        elif waived_until and waived_until < decided_on:
            problems.append("waived until: lies before the day of the decision")
        return Decision(
            recorded_on=self._defaults.recorded_on,
            finding_id=finding_id,
            evidence_hash=made_on,
            rule_id=rule_id,
            disposition=disposition,
            waived_until=waived_until,
            decided_by=self._who(row, problems),
            decided_on=decided_on,
            reason=_text(row, "reason", LONGEST_REASON, problems),
            run_id=self._defaults.run_id,
        )

    def _finding_id(self, given: str, problems: list[str]) -> str:
        if len(given) < SHORTEST_PREFIX:
            problems.append(f"finding id: is shorter than {SHORTEST_PREFIX} characters")
            return ""
        found = self._findings.begin_so(given)
        if not found:
            problems.append(
                f"finding id: run {self._defaults.run_id} has no such finding; name the run that has it with --run"
            )
        elif len(found) > 1:
            problems.append("finding id: several findings begin so; give more characters")
        return found[0] if len(found) == 1 else ""

    def _who(self, row: Row, problems: list[str]) -> str:
        who = _text(row, "decided_by", LONGEST_NAME, problems) or self._defaults.decided_by
        if not who:
            problems.append("decided by: is empty; fill it in, or give --by NAME")
        return who

    def _day(self, row: Row, column: str, problems: list[str]) -> date | None:
        day = parse_day(row.cells[column])
        if row.cells[column] and day is None:
            problems.append(
                f"{column.replace('_', ' ')}: is not a date; write it as YYYY-MM-DD, for example 2026-10-31"
            )
        return day

    def _sort(self, row: Row, decision: Decision, problems: list[str]) -> None:
        """Records the decision, or says why it is not to be recorded."""
        if problems:
            return
        if decision.finding_id in self._seen:
            place, other = self._seen[decision.finding_id]
            if _content(other) != _content(decision) or other.evidence_hash != decision.evidence_hash:
                problems.append(f"finding id: {place} decides of this finding otherwise; keep one of the two")
            return
        self._seen[decision.finding_id] = row.place, decision
        before = self._before.get(decision.finding_id, [])
        stands = standing(before, decision.evidence_hash)
        if stands and _repeats(row, decision, stands):
            self.checked.standing += 1
        elif any(_is_again(decision, one) for one in before):
            self.checked.superseded += 1
        elif stands and row.cells["decided_on"] and _has_old_date(decision, stands):
            problems.append("decided on: is that of the earlier decision; give the day of this one, or clear it")
        else:
            self.checked.decisions.append(decision)
            self.checked.other_evidence += decision.evidence_hash != self._findings[decision.finding_id][1]


def standing(decisions: list[Decision], evidence_hash: str) -> Decision | None:
    """The last decision made on this evidence; where there is none, the last on the finding, whatever its evidence.

    dispositions_table.FINDINGS says the same in SQL.
    """
    own = [one for one in decisions if one.evidence_hash == evidence_hash]
    return (own or decisions or [None])[-1]


def _content(decision: Decision) -> tuple:
    return (
        decision.disposition,
        decision.waived_until,
        decision.decided_by,
        decision.decided_on,
        decision.reason,
    )


def _repeats(row: Row, decision: Decision, stands: Decision) -> bool:
    """Whether the row says what stands. A cell that a workbook was filled with decides nothing of new evidence; a row
    that names no day says the same on every day, of the evidence it was said of."""
    if row.cells["decided_on"]:
        return _content(decision) == _content(stands)
    is_same = _content(replace(decision, decided_on=stands.decided_on)) == _content(stands)
    return is_same and decision.evidence_hash == stands.evidence_hash


def _is_again(decision: Decision, earlier: Decision) -> bool:
    return decision.evidence_hash == earlier.evidence_hash and _content(decision) == _content(earlier)


def _has_old_date(decision: Decision, stands: Decision) -> bool:
    """Whether who and when are those of the decision that stands, on a later day: then only the rest was changed."""
    was = (stands.decided_by, stands.decided_on)
    return (decision.decided_by, decision.decided_on) == was and decision.decided_on < decision.recorded_on


def _text(row: Row, column: str, longest: int, problems: list[str]) -> str:
    text = as_text(row.cells[column])
    if len(text) > longest:
        problems.append(f"{column.replace('_', ' ')}: is longer than {longest} characters; shorten it")
    return text
