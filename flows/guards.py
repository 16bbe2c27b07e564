"""Guards: whether a night looks like a night of this clinic, before anything of it is published.

Each guard warns, stops the run (exit 3) or is off, as its row in guard.csv says; on a first night there is nothing to
compare with, and none stops. What each looks at, and why its limit is what it is: docs/guards.md.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from flows.night_facts import NightFacts, TableRows
from flows.summary import new_inputs
from transforms.contract_fields import TABLES
from transforms.errors import InputRejected, UsageProblem
from transforms.reference import GUARD_UNITS

#: Fewer broken rows of a table than this are a handful of typing errors, whatever share of a small delivery they are.
LEAST_BROKEN_ROWS = 10
#: From so many earlier nights on there is a usual number of rows; the first delivery often holds years.
LEAST_NIGHTS = 3
#: Numbers of rows below this vary by themselves.
LEAST_ROWS = 20
#: At most so many payers, dates and reasons are named in a sentence.
MOST_NAMED = 5


@dataclass(frozen=True)
class GuardResult:
    """What one guard made of a night; the sentence is empty unless it fired."""

    guard: str
    action: str
    did_fire: bool = False
    was_overridden: bool = False
    sentence: str = ""

    @property
    def does_stop(self) -> bool:
        return self.did_fire and self.action == "stop" and not self.was_overridden


def require_known_guards(names: tuple[str, ...]) -> None:
    """Raises UsageProblem where --override-guard names no guard."""
    for name in names:
        if name not in GUARD_UNITS:
            raise UsageProblem(f"--override-guard {name}: no such guard; known are {', '.join(sorted(GUARD_UNITS))}")


def check_guards(
    facts: NightFacts, earlier: list[dict], guards: list[dict], overridden: tuple[str, ...] = ()
) -> list[GuardResult]:
    """One result a guard in force; `earlier` are the manifests of the runs before, newest first, none on a first night.

    Raises UsageProblem for an unknown name in `overridden`.
    """
    require_known_guards(overridden)
    results = []
    for row in guards:
        name, action = row["guard"], row["action"]
        sentence = ""
        if action != "off" and earlier:
            sentence = CHECKS[name](facts, earlier, row["limit"])
        elif action != "off" and name == "no_accepted_claims" and not any(one.accepted for one in facts.rows.values()):
            # Nothing at all: said even on a first night, which no guard may stop.
            action, sentence = "warn", _no_accepted_claims(facts, earlier, None)
        was_overridden = bool(sentence) and action == "stop" and name in overridden
        results.append(GuardResult(name, action, bool(sentence), was_overridden, sentence))
    return results


def stop_or_warn(results: list[GuardResult]) -> None:
    """Raises InputRejected where a guard stops the run, naming each one and how it is overridden."""
    stops = [result for result in results if result.does_stop]
    if not stops:
        return
    options = " ".join(f"--override-guard {result.guard}" for result in stops)
    raise InputRejected(
        "this delivery is not like the earlier ones, so nothing is published: "
        + "; ".join(f"{result.guard}: {result.sentence}" for result in stops)
        + f". Where it is right as it is, go on with {options}"
    )


def manifest_entries(facts: NightFacts, earlier: list[dict], results: list[GuardResult]) -> dict:
    """What a run's manifest keeps for the guards of later nights, and what they made of this one.

    `payers` are all payers ever seen, `new_payers` those of this night; `dates_without_notes` as in NightFacts.
    """
    known = _known_payers(earlier)
    return {
        "is_incremental": facts.is_incremental,
        "payers": sorted(known | facts.payers.keys()),
        "new_payers": sorted(facts.payers.keys() - known),
        "dates_without_notes": {day.isoformat(): count for day, count in facts.dates_without_notes.items()},
        "guards": [asdict(result) for result in results],
    }


def guard_lines(guards: list[dict]) -> list[str]:
    """One line for each guard that fired, from the manifest's `guards`."""
    words = {True: "Guard overridden", False: "Guard"}
    return [
        f"{words[guard['was_overridden']]}: {guard['guard']}: {guard['sentence']}"
        for guard in guards
        if guard["did_fire"]
    ]


def _quarantine_share(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    said = []
    for table, rows in _in_order(facts.rows):
        # A block that comes before its note is taken in when the note comes: a warehouse waits for it.
        waiting = rows.reasons.get("block_without_note", 0) if facts.is_incremental else 0
        broken = rows.quarantined - waiting
        if broken >= LEAST_BROKEN_ROWS and broken > limit * rows.read:
            reasons = ", ".join(f"{reason} {count}" for reason, count in list(rows.reasons.items())[:MOST_NAMED])
            said.append(f"{table}: {broken} of {rows.read} rows set aside ({reasons})")
    advice = f", more than {_number(100 * limit)}%; look for a change of the export, or of the mapping"
    return "; ".join(said) + advice if said else ""


def _rows_below_usual(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    tonight, nights = _rows_by_night(facts, earlier)
    said = []
    for table in TABLES:
        usual = _usual_rows(nights, table, facts.as_of)
        if usual and usual[0] >= LEAST_ROWS and all(tonight.get(table, 0) * limit < rows for rows in usual):
            said.append(f"{table}: {tonight.get(table, 0)} rows, usually {_number(usual[0])}")
    advice = f": more than {_number(limit)} times as many; check that the delivery is complete"
    return "; ".join(said) + advice if said else ""


def _rows_above_usual(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    tonight, nights = _rows_by_night(facts, earlier)
    said = []
    for table in TABLES:
        # A night without the table says nothing of how much comes when it comes.
        usual = _usual_rows({day: rows for day, rows in nights.items() if rows.get(table)}, table, facts.as_of)
        found = tonight.get(table, 0)
        if usual and found >= LEAST_ROWS and all(found > limit * rows for rows in usual):
            said.append(f"{table}: {found} rows, usually {_number(usual[0])}")
    advice = f": more than {_number(limit)} times fewer; check that the delivery holds what it should, and once"
    return "; ".join(said) + advice if said else ""


def _no_notes_for_claims(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    kept = [manifest["dates_without_notes"] for manifest in earlier if "dates_without_notes" in manifest]
    if not kept:
        return ""
    # A date that a published run has been over is known: a day on paper must not stop every night from then on.
    known = {day for dates in kept for day, count in dates.items() if count >= limit}
    new = [
        f"{day} ({count} claim days)"
        for day, count in facts.dates_without_notes.items()
        if count >= limit and day.isoformat() not in known
    ]
    if not new:
        return ""
    more = f" and {len(new) - MOST_NAMED} more dates" if len(new) > MOST_NAMED else ""
    return (
        f"not one note of anybody on {', '.join(new[:MOST_NAMED])}{more}, with at least {_number(limit)} claim days; "
        "check that the notes of these dates were delivered"
    )


def _no_accepted_claims(facts: NightFacts, earlier: list[dict], limit: None) -> str:
    rows = facts.rows.get("claims", TableRows())
    # With a warehouse, a night without claims is a Sunday, and one of claims known already changes nothing.
    if rows.accepted or rows.duplicate or (facts.is_incremental and not rows.read):
        return ""
    return f"of {rows.read} claim rows read none was accepted; check the claims files, and the mapping's filters"


def _payer_never_seen(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    if not any("payers" in manifest for manifest in earlier):
        return ""
    known = _known_payers(earlier)
    new = {payer: of for payer, of in facts.payers.items() if payer not in known and of.lines >= limit}
    if not new:
        return ""
    # Never by name: where a column has slipped, what stands there may be a patient's.
    lines = sum(of.lines for of in new.values())
    return (
        f"payers never seen before: {len(new)}, on {lines} claim lines; check that it is no mistake, and that "
        "payer_method.csv says how they count (new_payers in manifest.json)"
    )


def _reference_check_due(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    due: dict[str, int] = {}
    for (file, day), rows in facts.reference_checks.items():
        if (facts.as_of - day).days > limit:
            due[file] = due.get(file, 0) + rows
    if not due:
        return ""
    files = ", ".join(f"{rows} of {file}" for file, rows in due.items())
    return (
        f"rows last checked more than {_number(limit)} days before the as-of date: {files}; "
        "hold them against their source and renew last_checked_on (shipped ones: take a newer minutewise)"
    )


def _clock_went_back(facts: NightFacts, earlier: list[dict], limit: None) -> str:
    last = date.fromisoformat(earlier[0]["as_of"])
    if facts.as_of >= last:
        return ""
    return f"the as-of date {facts.as_of} lies before {last}, the last published run's; check the clock, or --as-of"


#: Gives each guard's sentence, empty where it does not fire. Called only where there is an earlier run.
CHECKS: dict[str, Callable[[NightFacts, list[dict], Decimal | None], str]] = {
    "quarantine_share": _quarantine_share,
    "rows_below_usual": _rows_below_usual,
    "rows_above_usual": _rows_above_usual,
    "no_notes_for_claims": _no_notes_for_claims,
    "no_accepted_claims": _no_accepted_claims,
    "payer_never_seen": _payer_never_seen,
    "reference_check_due": _reference_check_due,
    "clock_went_back": _clock_went_back,
}


def _rows_by_night(facts: NightFacts, earlier: list[dict]) -> tuple[dict[str, int], dict[date, dict[str, int]]]:
    """Rows read by table, of this night and of each as-of date before it, runs of the other kind left out.

    With a warehouse the deliveries of one date are parts of one night; without, the newest run of a date stands for it.
    """
    nights: dict[date, dict[str, int]] = {}
    for manifest in earlier:
        day = date.fromisoformat(manifest["as_of"])
        if manifest.get("is_incremental", False) != facts.is_incremental or (
            day in nights and not facts.is_incremental
        ):
            continue
        rows = nights.setdefault(day, {})
        for entry in new_inputs(manifest):
            rows[entry["table"]] = rows.get(entry["table"], 0) + entry["rows_read"]
    before = nights.pop(facts.as_of, {})
    tonight = {table: rows.read for table, rows in facts.rows.items()}
    if facts.is_incremental:
        tonight = {table: tonight.get(table, 0) + before.get(table, 0) for table in TABLES}
    return tonight, nights


def _usual_rows(nights: dict[date, dict[str, int]], table: str, as_of: date) -> list:
    """The median over all nights and, where there are any, over those of the same weekday; empty with too few nights.

    A Sunday is held against Sundays too: only what is far from both is unusual.
    """
    if len(nights) < LEAST_NIGHTS:
        return []
    same_weekday = [rows.get(table, 0) for day, rows in nights.items() if day.weekday() == as_of.weekday()]
    usual = [median(rows.get(table, 0) for rows in nights.values())]
    return [Decimal(str(rows)) for rows in (*usual, *([median(same_weekday)] if same_weekday else []))]


def _known_payers(earlier: list[dict]) -> set[str]:
    return {payer for manifest in earlier for payer in manifest.get("payers", [])}


def _in_order(rows: dict[str, TableRows]) -> list[tuple[str, TableRows]]:
    return [(table, rows[table]) for table in TABLES if table in rows]


def _number(value: Decimal) -> str:
    """A number without the zeros that its column holds behind the point."""
    return f"{value.normalize():f}"
