"""Short ways to write nights by hand, and to say what is in force after them."""

from dataclasses import dataclass, field
from datetime import date

from .files import Night, make_file
from .replay import State

AS_OF = "2026-03-20"


def claim(claim_id="C1", units=2, on="2026-03-02", patient="P1", **more) -> dict:
    """A Medicare line of 97110 by therapist T<n> of patient P<n>."""
    row = {"claim_id": claim_id, "line_number": "1", "patient_id": patient, "payer_id": "MEDICARE", "service_date": on}
    row |= {"procedure_code": "97110", "billed_units": str(units), "modifiers": "GP"}
    return row | {"rendering_provider_id": f"T{patient[1:]}"} | more


def note(note_id="N1", on="2026-03-02", patient="P1", **more) -> dict:
    """A signed PT note."""
    row = {"note_id": note_id, "patient_id": patient, "service_date": on, "provider_id": f"T{patient[1:]}"}
    return row | {"discipline": "PT", "status": "signed"} | more


def block(note_id="N1", minutes=30, **more) -> dict:
    """A block of 97110, without clock times."""
    row = {"note_id": note_id, "block_number": "1", "procedure_code": "97110"}
    return row | ({} if minutes is None else {"minutes": str(minutes)}) | more


def visit(number: int, on: str, units=2) -> dict[str, list[dict]]:
    """An honest visit of patient P<number>: 30 minutes are 2 units."""
    patient = f"P{number}"
    return {
        "claims": [claim(f"C{number}", units, on, patient)],
        "notes": [note(f"N{number}", on, patient)],
        "note_blocks": [block(f"N{number}")],
    }


@dataclass(frozen=True)
class After:
    """What is so after a night. `stand`: claims and notes in force as "C1: 2 units", "N1 v1: signed"; `aside`: the
    reasons of the rows in quarantine; `unjudged`: "P1 2026-03-02"; `rules`: the rules that have findings;
    `repeats`: rows counted as duplicates so far, where that is the point."""

    stand: set[str]
    rules: set[str] = field(default_factory=set)
    aside: list[str] = field(default_factory=list)
    unjudged: set[str] = field(default_factory=set)
    repeats: int | None = None


@dataclass(frozen=True)
class Told:
    """A sequence by hand: its nights, each with what is so after it, and the reason why."""

    why: str
    nights: list[tuple[Night, After]]


def night(files: dict[str, list[dict] | None], as_of=AS_OF, removed=(), reference=None) -> Night:
    """A night that writes these files; None deletes one."""
    written = [make_file(name, rows) for name, rows in files.items() if rows is not None]
    deleted = [name for name, rows in files.items() if rows is None]
    return Night(date.fromisoformat(as_of), tuple(written), tuple(deleted), tuple(removed), reference)


def base(*visits: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The visits as claims.csv, notes.csv and note_blocks.csv."""
    tables = ("claims", "notes", "note_blocks")
    return {f"{table}.csv": [row for one in visits for row in one.get(table, [])] for table in tables}


def stand(state: State) -> set[str]:
    """Claims and notes in force, as `After` writes them."""
    claims = {f"{row.values['claim_id']}: {row.values['billed_units']} units" for row in state.rows("claims")}
    notes = state.rows("notes")
    return claims | {f"{n.values['note_id']} v{n.values['note_version']}: {n.values['status']}" for n in notes}


def days(pairs: set[tuple]) -> set[str]:
    """Unjudged days as `After` writes them."""
    return {f"{patient} {day}" for patient, day in pairs}
