"""What became of the findings between two published runs, one by one: new, reopened, resolved, changed."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.changes.compare import MOVING, TOLD, moved_findings
from flows.runs.manifest_facts import dollars
from flows.runs.names import MANIFEST
from flows.runs.read import manifest_of
from transforms.errors import UsageProblem

CHANGES = ("new", "reopened", "resolved", "changed")
#: Characters of a finding's id that are shown; `minutewise explain` takes them.
SHORT_ID = 12
_WORDS = {
    "billed_units": "billed units",
    "expected_units": "expected units",
    "expected_units_other_method": "expected units by the other method",
    "supported_minutes": "minutes",
    "double_counted_minutes": "double-counted minutes",
    "cap_units": "cap",
    "at_risk_usd": "at risk",
}
#: Told by name only: ids stand in findings.csv, and a message repeats the numbers.
_NAMED = {"claim_ids": "claims", "note_ids": "notes", "message": "wording"}


@dataclass(frozen=True)
class Moved:
    """One finding that is not as it was: the kind of change, why it is open again, what moved in it.

    `finding` is as it stands, or as it last stood where it is resolved. moved: column -> (before, now).
    """

    change: str
    finding: dict[str, Any]
    moved: dict[str, tuple[Any, Any]]
    because: str | None


@dataclass(frozen=True)
class Difference:
    """Two runs by their manifests, the service dates compared (None: open), and every finding that moved."""

    run_a: dict
    run_b: dict
    since: str | None
    until: str | None
    findings: list[Moved]

    @property
    def counts(self) -> dict[str, int]:
        """Findings by kind of change."""
        held = Counter(one.change for one in self.findings)
        return {change: held[change] for change in CHANGES}

    @property
    def by_rule(self) -> dict[str, dict[str, int]]:
        """The same for each rule with a change."""
        rules: dict[str, dict[str, int]] = {}
        for one in self.findings:
            rules.setdefault(one.finding["rule_id"], dict.fromkeys(CHANGES, 0))[one.change] += 1
        return rules

    def at_risk(self, change: str) -> Decimal:
        """The dollars of a kind of change; of changed ones by how much they moved. Each finding with all its units."""
        zero = Decimal(0)
        if change != "changed":
            return sum((one.finding["at_risk_usd"] or zero for one in self.findings if one.change == change), zero)
        moves = (one.moved.get("at_risk_usd", (zero, zero)) for one in self.findings if one.change == change)
        return sum(((now or zero) - (before or zero) for before, now in moves), zero)


def compare_runs(run_a: str, run_b: str, out: Path | None = None) -> Difference:
    """What moved from run A to run B; each is a run's folder, or its id below `out`.

    Where one of them judged a part of the dates, the part that both judged is compared. Raises UsageProblem where a run
    is not there or its files cannot be read.
    """
    folder_a, folder_b = _folder(run_a, out), _folder(run_b, out)
    a, b = manifest_of(folder_a), manifest_of(folder_b)
    since = max((day for day in (a.get("since"), b.get("since")) if day), default=None)
    until = min((day for day in (a.get("until"), b.get("until")) if day), default=None)
    try:
        rows = moved_findings(folder_a, folder_b, since, until)
    except (OSError, pa.ArrowException):
        raise UsageProblem(
            f"{folder_a}, {folder_b}: a file of these runs is missing or damaged; look with `minutewise verify`"
        ) from None
    return Difference(a, b, since, until, [_moved(row) for row in rows])


def _folder(run: str, out: Path | None) -> Path:
    places = [Path(run)]
    if out and Path(run).name == run:
        places.insert(0, out / "runs" / run)
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    advice = (
        f"there is no such run below {out / 'runs'}" if out else "is not a run's folder; give a run id with --out OUT"
    )
    raise UsageProblem(f"{run}: {advice}")


def _moved(row: dict) -> Moved:
    now, before = row["now"], row["before"]
    # A full join gives a row of nulls where one side has none.
    is_in_both = now["finding_id"] and before["finding_id"]
    moved = {name: (before[name], now[name]) for name in MOVING if before[name] != now[name]} if is_in_both else {}
    because = _why_open_again(now, before, is_in_both)
    change = "reopened" if because else row["change"]
    return Moved(change, now if now["finding_id"] else before, moved, because or _was_resolved(row["change"]))


def _why_open_again(now: dict, before: dict, is_in_both: bool) -> str | None:
    """Why a decision that held holds no more."""
    if not is_in_both or before["disposition_status"] != "holds" or now["disposition_status"] == "holds":
        return None
    if now["disposition_status"] == "waiver expired":
        return f"waived until {now['waived_until']}"
    if now["disposition_status"] == "evidence changed":
        return f"{now['disposition']} on other evidence"
    return f"was {before['disposition']}, and no decision is known"


def _was_resolved(change: str | None) -> str | None:
    return "was resolved before" if change == "reopened" else None


def difference_text(difference: Difference) -> str:
    """For a terminal: the runs, a table by rule, then one line a finding. Finding ids, but no ids of patients."""
    a, b = difference.run_a, difference.run_b
    lines = [_about("A", a), _about("B", b)]
    if difference.since or difference.until:
        lines.append(f"Service dates {difference.since or '...'} to {difference.until or '...'} only")
    if not difference.findings:
        return "\n".join([*lines, "No finding is new, reopened, resolved or changed"])
    lines += ["", *_table(difference)]
    for change in CHANGES:
        held = [one for one in difference.findings if one.change == change]
        if held:
            lines += ["", f"{change} ({len(held)})", *(f"  {_line(one)}" for one in held)]
    return "\n".join(lines)


def _about(name: str, manifest: dict) -> str:
    findings = sum(rule["violations"] for rule in manifest["rules"])
    at_risk = dollars(manifest["at_risk_usd"])
    return f"Run {name}  {manifest['run_id']}  as of {manifest['as_of']}  findings {findings}, at risk {at_risk}"


def _table(difference: Difference) -> list[str]:
    rules = difference.by_rule
    width = max(len(name) for name in ("dollars", *rules))
    amounts = [dollars(difference.at_risk(change)).replace("$-", "-$") for change in CHANGES]
    rows = [("rule", CHANGES), ("-" * width, ["-" * 10] * 4)]
    rows += [(rule, counts.values()) for rule, counts in rules.items()]
    rows += [("all", difference.counts.values()), ("dollars", amounts)]
    return ["  ".join([first.ljust(width), *(str(cell).rjust(10) for cell in cells)]) for first, cells in rows]


def _line(one: Moved) -> str:
    finding = one.finding
    cells = [finding["finding_id"][:SHORT_ID], finding["rule_id"], str(finding["service_date"])]
    if finding["procedure_code"]:
        cells.append(finding["procedure_code"])
    if not one.moved:
        units = [("billed", finding["billed_units"]), ("expected", finding["expected_units"])]
        cells.append(", ".join(f"{name} {count}" for name, count in units if count is not None))
        cells.append(dollars(finding["at_risk_usd"]))
    told = ", ".join(_words(one.moved))
    return "  ".join(cell for cell in (*cells, told, one.because and f"({one.because})") if cell)


def _words(moved: dict[str, tuple[Any, Any]]) -> list[str]:
    """What moved, in words; the wording of the message only where nothing else did."""
    words = [
        f"{_WORDS.get(name, name)} {_value(name, was)} -> {_value(name, now)}"
        for name, (was, now) in moved.items()
        if name not in _NAMED
    ]
    named = [told for name, told in _NAMED.items() if name in moved and (name != "message" or len(moved) == 1)]
    return words + ([f"other {' and '.join(named)}"] if named else [])


def _value(name: str, value: Any) -> str:
    if name == "at_risk_usd":
        return dollars(value)
    if value is None and name == "supported_minutes":
        return "not known"
    return "-" if value is None else str(value)


def difference_json(difference: Difference) -> dict:
    """The same as one document; dollars as text."""
    return {
        "run_a": difference.run_a["run_id"],
        "run_b": difference.run_b["run_id"],
        "since": difference.since,
        "until": difference.until,
        "counts": difference.counts,
        "at_risk_usd": {change: str(difference.at_risk(change)) for change in CHANGES},
        "rules": difference.by_rule,
        "findings": [
            {
                "change": one.change,
                "because": one.because,
                **{name: _plain(one.finding[name]) for name in ("finding_id", "rule_id", *TOLD, *_WORDS)},
                "moved": {name: [_plain(was), _plain(now)] for name, (was, now) in one.moved.items()},
            }
            for one in difference.findings
        ],
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value
