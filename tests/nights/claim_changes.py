"""Kinds of change to claims. Each takes the clinic and tonight's parcel, and gives the kind of change it made, or
None where nothing in force allows it."""

from datetime import date, timedelta

from .clinic import Clinic, Parcel
from .replay import Row


def new_claims(c: Clinic, parcel: Parcel) -> str:
    """One or two visits, with all that belongs to them."""
    for table, cells in c.visits([c.some_place() for _ in range(c.d.pick(1, 1, 2))]):
        parcel.add(table, cells)
    return "new claims"


def corrected_line(c: Clinic, parcel: Parcel) -> str | None:
    """A line again, under its key, with other units, another payer, code or status."""
    row = _line(c, parcel)
    if row is None:
        return None
    units = int(row.values["billed_units"])
    change = c.d.pick(
        {"billed_units": str(units + c.d.pick(1, 1, 2))},
        {"billed_units": str(max(units - 1, 0))},
        {"billed_units": str(units + 1)},
        {"payer_id": c.d.pick("CMS", "AMA", "CAPPED", "NEWPAY")},
        {"procedure_code": c.d.pick("97110", "97140", "97530", "97010")},
        {"claim_status": "paid" if row.values["claim_status"] == "denied" else "denied"},
        {"rendering_provider_id": c.d.pick("T1", "T2", "T3")},
        {"allowed_usd": c.d.pick("12.50", "99.00")},
        {"patient_id": c.d.pick(*c.patients)},
        {"claim_frequency_code": c.d.pick("0", "1", "2", "6", "9")},
    )
    parcel.add("claims", row.cells | change)
    return "line corrected in place"


def spanning_line(c: Clinic, parcel: Parcel) -> str | None:
    """A line again, over several dates or over its first one alone; dates inside of the span may hold no row at all."""
    row = _line(c, parcel)
    if row is None:
        return None
    day = date.fromisoformat(row.values["service_date"])
    last = min(day + timedelta(days=c.d.pick(1, 2, 3, 7, 40)), c.as_of)
    is_longer = last > day and not (row.values["service_date_to"] and c.d.one_in(2))
    parcel.add("claims", row.cells | {"service_date_to": str(last) if is_longer else None})
    return "line made to span dates"


def renamed_by_payer(c: Clinic, parcel: Parcel) -> str | None:
    """All lines of a claim again, under another number of the payer: none, a new one, or one that another claim bears
    or a correction names."""
    row = _line(c, parcel)
    if row is None:
        return None
    lines = [line.values for line in c.standing("claims")]
    named = [line[name] for line in lines for name in ("payer_claim_id", "original_claim_id", "claim_id") if line[name]]
    number = c.d.pick(None, f"ICN-{row.values['claim_id']}", *named)
    for line in _lines_of(c, parcel, row.values["claim_id"]):
        parcel.add("claims", line.cells | {"payer_claim_id": number})
    return "payer's number of a claim corrected"


def second_payer(c: Clinic, parcel: Parcel) -> str | None:
    """A line again under a new claim, billed to another payer."""
    row = _line(c, parcel, ("1",))
    if row is None:
        return None
    payer_id = c.d.pick(*(payer for payer in ("CMS", "AMA", "OWNCAP") if payer != row.values["payer_id"]))
    parcel.add("claims", row.cells | {"claim_id": c.new_claim_id(), "payer_claim_id": None, "payer_id": payer_id})
    return "day billed to a second payer"


def moved_claim(c: Clinic, parcel: Parcel) -> str | None:
    """All lines of a claim again, under their keys, on another day."""
    row = _line(c, parcel)
    if row is None:
        return None
    old = date.fromisoformat(row.values["service_date"])
    day = other_day(c, old)
    for line in _lines_of(c, parcel, row.values["claim_id"]):
        parcel.add("claims", line.cells | _on(line, day, c.as_of))
    return "claim moved to another month" if (day.year, day.month) != (old.year, old.month) else "claim moved"


def _on(line: Row, day: date, latest: date) -> dict:
    """The cells that put a line on another day; one over several dates keeps its length, as far as days have come."""
    if not line.values["service_date_to"]:
        return {"service_date": str(day)}
    first, last = (date.fromisoformat(line.values[name]) for name in ("service_date", "service_date_to"))
    return {"service_date": str(day), "service_date_to": str(max(day, min(day + (last - first), latest)))}


def other_day(c: Clinic, old: date) -> date:
    """Another date of service, about as often in another month as not."""
    days = [day for day in c.days if day != old]
    near = [day for day in days if (day.year, day.month) == (old.year, old.month)]
    return c.d.pick(*(near if near and c.d.one_in(2) else days))


def voided_claim(c: Clinic, parcel: Parcel) -> str | None:
    """A claim of frequency 8 that names another."""
    row = _line(c, parcel, ("1", "7"))
    if row is None:
        return None
    _send_again(c, parcel, row.values["claim_id"], "8")
    return "claim voided"


def replaced_claim(c: Clinic, parcel: Parcel) -> str | None:
    """A claim of frequency 7 that names an original."""
    row = _line(c, parcel, ("1",))
    if row is None:
        return None
    _send_again(c, parcel, row.values["claim_id"], "7")
    return "claim replaced"


def replaced_replacement(c: Clinic, parcel: Parcel) -> str | None:
    """A claim of frequency 7 that names a replacement."""
    row = _line(c, parcel, ("7",))
    if row is None:
        return None
    _send_again(c, parcel, row.values["claim_id"], "7")
    return "replacement replaced"


def two_replacements(c: Clinic, parcel: Parcel) -> str | None:
    """Two claims of frequency 7 that name one original; the second may come nights later."""
    row = _line(c, parcel, ("1",))
    if row is None:
        return None
    _send_again(c, parcel, row.values["claim_id"], "7")
    second = Parcel()
    _send_again(c, second, row.values["claim_id"], "7", source=parcel)
    if c.d.one_in(2):
        c.held.append(("second replacement came", [("claims", cells) for cells in second.rows["claims"].values()]))
    else:
        for cells in second.rows["claims"].values():
            parcel.add("claims", cells)
    return "two replace one"


def replacement_first(c: Clinic, parcel: Parcel) -> str | None:
    """A visit whose claim comes after the claim that replaces it."""
    rows = c.visits([c.some_place()])
    claims = [cells for table, cells in rows if table == "claims"]
    firsts = [cells for cells in claims if cells.get("claim_frequency_code") not in ("7", "8")]
    if not firsts:
        return None
    own = [cells for cells in claims if cells["claim_id"] == firsts[0]["claim_id"]]
    named = c.d.pick(firsts[0]["claim_id"], firsts[0].get("payer_claim_id") or firsts[0]["claim_id"])
    for table, cells in rows:
        if cells not in own:
            parcel.add(table, cells)
    c.held.append(("original came after its replacement", [("claims", cells) for cells in own]))
    new_id = c.new_claim_id()
    for cells in own:
        parcel.add("claims", _again(c, cells, new_id, "7", named))
    return "replacement before its original"


def _line(c: Clinic, parcel: Parcel, frequencies: tuple = ("1", "7", "8")) -> Row | None:
    rows = c.standing("claims", parcel)
    rows = [row for row in rows if row.values["claim_frequency_code"] in frequencies]
    return c.d.pick(*rows) if rows else None


def _lines_of(c: Clinic, parcel: Parcel, claim_id: str) -> list[Row]:
    return [row for row in c.standing("claims", parcel) if row.values["claim_id"] == claim_id]


def _send_again(c: Clinic, parcel: Parcel, claim_id: str, frequency: str, source: Parcel | None = None) -> None:
    """Sends the lines of a claim under a new claim id that voids or replaces it."""
    new_id = c.new_claim_id()
    lines = _lines_of(c, source or parcel, claim_id)
    names = [claim_id, *(line.values["payer_claim_id"] for line in lines if line.values["payer_claim_id"])]
    named = c.d.pick(*names)
    for line in lines:
        parcel.add("claims", _again(c, line.cells, new_id, frequency, named))


def _again(c: Clinic, cells: dict, claim_id: str, frequency: str, original: str) -> dict:
    units = int(float(cells["billed_units"])) + c.d.pick(0, 0, 1, -1)
    again = {"claim_id": claim_id, "claim_frequency_code": frequency, "original_claim_id": original}
    again["payer_claim_id"] = None
    return cells | again | {"billed_units": str(max(units, 0))}


CHANGES = {
    "new claims": new_claims,
    "line corrected in place": corrected_line,
    "claim moved": moved_claim,
    "claim voided": voided_claim,
    "claim replaced": replaced_claim,
    "replacement replaced": replaced_replacement,
    "two replace one": two_replacements,
    "replacement before its original": replacement_first,
    "line made to span dates": spanning_line,
    "payer's number of a claim corrected": renamed_by_payer,
    "day billed to a second payer": second_payer,
}
