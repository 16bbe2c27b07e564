"""Guards: whether a night looks like a night of this clinic, before anything of it is published.

Each guard warns, stops the run (exit 3) or is off, as its row in guard.csv says; on a first night there is nothing to
compare with, and only those of FIRST_NIGHT are asked. What each looks at, and why its limit is what it is:
docs/guards.md.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from flows.guards.facts import NightFacts, TableRows
from flows.runs.earlier import Night, earlier_nights, with_night
from flows.settings import require_known_guards
from transforms.contract.fields import TABLES, remedy
from transforms.errors import InputRejected

#: Fewer broken rows of a table than this are a handful of typing errors, whatever share of a small delivery they are.
LEAST_BROKEN_ROWS = 10
#: From so many earlier nights on there is a usual number of rows; the first delivery often holds years.
LEAST_NIGHTS = 3
#: Numbers of rows below this vary by themselves.
LEAST_ROWS = 20
#: At most so many payers, dates and reasons are named in a sentence.
MOST_NAMED = 5
#: What is asked on a first night too: it compares with nothing.
FIRST_NIGHT = ("no_accepted_claims", "no_accepted_notes", "empty_delivery")


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
        if action != "off" and (earlier or name in FIRST_NIGHT):
            sentence = CHECKS[name](facts, earlier, row["limit"])
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
        "this delivery does not look right, so nothing is published: "
        + "; ".join(f"{result.guard}: {result.sentence}" for result in stops)
        + f". Where it is right as it is, go on with {options}"
    )


def manifest_entries(facts: NightFacts, earlier: list[dict], results: list[GuardResult]) -> dict:
    """What a run's manifest keeps for the guards of later nights, and what they made of this one.

    `payers` are all payers ever seen, `new_payers` those of this night; `nights` are those before it, so that they are
    known when their runs are removed. The rest as in NightFacts.
    """
    known = _known_payers(earlier)
    return {
        "is_incremental": facts.is_incremental,
        "payers": sorted(known | facts.payers.keys()),
        "new_payers": sorted(facts.payers.keys() - known),
        "dates_without_notes": _by_iso_date(facts.dates_without_notes),
        "notes": facts.notes,
        "notes_with_blocks": facts.notes_with_blocks,
        "dates_without_blocks": _by_iso_date(facts.dates_without_blocks),
        "asked_for_rows": facts.asked_for_rows,
        "nights": [night.entry() for night in earlier_nights(earlier)],
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
            said.append(f"{table}: {broken} of {rows.read} rows set aside{_reasons(rows)}")
    advice = f", more than {_number(100 * limit)}%; look for a change of the export, or of the mapping"
    return "; ".join(said) + advice if said else ""


def _rows_below_usual(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    tonight, nights = _rows_by_night(facts, earlier)
    said = []
    for table in TABLES:
        usual = _usual_rows(nights, table, facts.as_of)
        if usual and usual[0] >= LEAST_ROWS and all(tonight.get(table, 0) * limit < rows for rows in usual):
            said.append(f"{table}: {tonight.get(table, 0)} rows came, {_number(usual[0])} are usual")
    advice = f" (fewer than 1 in {_number(limit)}); check that the delivery is complete"
    return "; ".join(said) + advice if said else ""


def _rows_above_usual(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    tonight, nights = _rows_by_night(facts, earlier)
    said = []
    for table in TABLES:
        # A night without the table says nothing of how much comes when it comes.
        usual = _usual_rows({day: rows for day, rows in nights.items() if rows.get(table)}, table, facts.as_of)
        found = tonight.get(table, 0)
        if usual and found >= LEAST_ROWS and all(found > limit * rows for rows in usual):
            said.append(f"{table}: {found} rows came, {_number(usual[0])} are usual")
    advice = f" (more than {_number(limit)} times as many); check that the delivery holds what it should, and once"
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
    return (
        f"not one note of anybody on {_named(new)}, with at least {_number(limit)} claim days; "
        "check that the notes of these dates were delivered"
    )


def _no_accepted_claims(facts: NightFacts, earlier: list[dict], limit: None) -> str:
    rows = facts.rows.get("claims", TableRows())
    # On a warehouse that holds some, a night without claims is a Sunday, and claims known already change nothing.
    if rows.accepted or rows.duplicate or (facts.has_history and not rows.read):
        return ""
    return (
        f"of {rows.read} claim rows read none was accepted{_reasons(rows)}{_remedy(rows)}; check the claims files, and "
        "the mapping's filters"
    )


def _no_accepted_notes(facts: NightFacts, earlier: list[dict], limit: None) -> str:
    # Where no note was read at all, nothing meets, and the match stops the run.
    rows = facts.rows.get("notes", TableRows())
    if rows.accepted or rows.duplicate or not rows.read:
        return ""
    return (
        f"of {rows.read} note rows read none was accepted{_reasons(rows)}{_remedy(rows)}; check the notes files, and "
        "the mapping's filters"
    )


def _no_blocks_for_notes(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    nights = earlier_nights(earlier)
    before, with_blocks = sum(night.notes for night in nights), sum(night.notes_with_blocks for night in nights)
    if not with_blocks:
        return ""
    # So many of the notes would have blocks if tonight were as the nights before: where few notes ever have them, a
    # date on which none has is no sign.
    share = Decimal(with_blocks) / before
    known = {day for manifest in earlier for day in manifest.get("dates_without_blocks", ())}
    new = {day: notes for day, notes in facts.dates_without_blocks.items() if day.isoformat() not in known}
    few = {} if facts.notes_with_blocks or sum(new.values()) * share < limit else new
    bare = {day: notes for day, notes in new.items() if notes * share >= limit} or few
    if not bare:
        return ""
    dates = _named([f"{day} ({notes} notes)" for day, notes in bare.items()])
    return (
        f"not one block of anybody on {dates}, where {int(share * 100)}% of the notes before had blocks; "
        "check that the blocks of these dates were delivered"
    )


def _empty_delivery(facts: NightFacts, earlier: list[dict], limit: Decimal) -> str:
    tonight, nights = _rows_by_night(facts, earlier)
    if not facts.asked_for_rows or any(tonight.values()):
        return ""
    empty = 1
    for day in sorted((day for day in nights if day < facts.as_of), reverse=True):
        if any(nights[day].values()):
            last = f"the last rows came on {day}"
            break
        empty += 1
    else:
        last = "no earlier night is known that brought any"
    if empty < limit:
        return ""
    return (
        f"nothing was delivered: no new or changed file holds a row (nights in a row: {empty}; {last}); check that the "
        "extracts are written, and that their folder is the right one: a share that is not mounted is an empty folder"
    )


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
        f"payers never seen before: {len(new)}, on {lines} claim lines; check that this is correct, and that "
        "payer_method.csv has their counting method (new_payers in manifest.json)"
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


#: Gives each guard's sentence, empty where it does not fire. Called where there is an earlier run, or by FIRST_NIGHT.
CHECKS: dict[str, Callable[[NightFacts, list[dict], Decimal | None], str]] = {
    "quarantine_share": _quarantine_share,
    "rows_below_usual": _rows_below_usual,
    "rows_above_usual": _rows_above_usual,
    "no_notes_for_claims": _no_notes_for_claims,
    "no_accepted_claims": _no_accepted_claims,
    "no_accepted_notes": _no_accepted_notes,
    "no_blocks_for_notes": _no_blocks_for_notes,
    "empty_delivery": _empty_delivery,
    "payer_never_seen": _payer_never_seen,
    "reference_check_due": _reference_check_due,
    "clock_went_back": _clock_went_back,
}


def _rows_by_night(facts: NightFacts, earlier: list[dict]) -> tuple[dict[str, int], dict[date, dict[str, int]]]:
    """Rows read by table, of this night and of each as-of date before it, runs of the other kind left out.

    What a warehouse took in on this date before is a part of this night.
    """
    tonight = Night(facts.as_of, facts.is_incremental, {table: rows.read for table, rows in facts.rows.items()})
    of_its_kind = [one for one in earlier_nights(earlier) if one.is_incremental == facts.is_incremental]
    nights = {night.as_of: night.rows for night in with_night(of_its_kind, tonight)}
    return nights.pop(facts.as_of), nights


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


def _by_iso_date(counts: dict[date, int]) -> dict[str, int]:
    return {day.isoformat(): count for day, count in counts.items()}


def _reasons(rows: TableRows) -> str:
    told = ", ".join(f"{reason} {count}" for reason, count in list(rows.reasons.items())[:MOST_NAMED])
    return f" ({told})" if told else ""


def _remedy(rows: TableRows) -> str:
    """What to do about the commonest reason, which is very likely the whole file's."""
    return f": {remedy(next(iter(rows.reasons))).removesuffix('.')}" if rows.reasons else ""


def _named(dates: list[str]) -> str:
    more = f" and {len(dates) - MOST_NAMED} more dates" if len(dates) > MOST_NAMED else ""
    return ", ".join(dates[:MOST_NAMED]) + more


def _in_order(rows: dict[str, TableRows]) -> list[tuple[str, TableRows]]:
    return [(table, rows[table]) for table in TABLES if table in rows]


def _number(value: Decimal) -> str:
    """A number without the zeros that its column holds behind the point."""
    return f"{value.normalize():f}"
