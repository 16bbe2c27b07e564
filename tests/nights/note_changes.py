"""Kinds of change to notes and their blocks, and visits whose parts come on different nights."""

from datetime import date, timedelta

from .claim_changes import other_day
from .clinic import Clinic, Parcel
from .replay import Row

#: A visit of which only some tables come at once: the kind, what is held back, and the kind of the night it comes.
IN_PARTS = {
    "claim before its note": (("notes", "note_blocks"), "late note"),
    "note before its claim": (("claims",), "late claim"),
    "block before its note": (("notes",), "note came after its blocks"),
    "note before its blocks": (("note_blocks",), "late blocks"),
}


def in_parts(kind: str):
    """A change that makes a visit and sends only a part of it tonight."""
    held_back, later = IN_PARTS[kind]

    def change(c: Clinic, parcel: Parcel) -> str | None:
        rows = c.visits([c.some_place()])
        held = [(table, cells) for table, cells in rows if table in held_back]
        sent = [(table, cells) for table, cells in rows if table not in held_back]
        if not held or not sent or (kind == "block before its note" and "note_blocks" not in dict(sent)):
            return None
        for table, cells in sent:
            parcel.add(table, cells)
        c.held.append((later, held))
        return kind

    return change


def unbilled_visits(c: Clinic) -> list[tuple[str, dict]]:
    """Notes and blocks of a date that comes due for billing in the next nights: only time makes them findings."""
    lag = c.overlay["parameters"][0]["value"]
    day = c.as_of - timedelta(days=max(lag - c.d.pick(0, 1, 1, 2, 3), 0))
    rows = c.visits([(patient, day) for patient in c.d.several(c.patients)])
    return [(table, cells) for table, cells in rows if table != "claims"]


def unbilled(c: Clinic, parcel: Parcel) -> str:
    """Visits that nobody bills."""
    for table, cells in unbilled_visits(c):
        parcel.add(table, cells)
    return "documented and not billed"


def treated_together(c: Clinic, parcel: Parcel) -> str:
    """A visit of two disciplines at one time, billed by one or both; sometimes another patient's beside it."""
    patient_id, day = c.some_place()
    rows = c.visit_together(patient_id, day)
    if c.d.one_in(2):
        rows += c.visit_together(c.d.pick(*c.patients), day)
    for table, cells in rows:
        parcel.add(table, cells)
    return "two disciplines treated together"


def amended_note(c: Clinic, parcel: Parcel) -> str | None:
    """A higher version of a note, with blocks of its own, with none, or with blocks that name no version."""
    row = _note(c, parcel)
    if row is None:
        return None
    version = str(max(int(other.values["note_version"]) for other in _versions(c, row)) + 1)
    total = c.d.pick(None, None, "23", "38", "45")
    change = {"note_version": version, "status": c.d.pick("amended", "amended", "signed"), "total_timed_minutes": total}
    parcel.add("notes", row.cells | change)
    for block in _blocks(c, parcel, row):
        if not c.d.one_in(4):
            minutes = c.d.pick(block.cells.get("minutes"), "8", "15", "22", "23", "30")
            parcel.add("note_blocks", block.cells | {"note_version": version, "minutes": minutes})
    return "amended note"


def note_in_place(c: Clinic, parcel: Parcel) -> str | None:
    """The same version of a note with new content."""
    row = _note(c, parcel)
    if row is None:
        return None
    change = c.d.pick(
        {"total_timed_minutes": c.d.pick("8", "23", "38", "53")},
        {"total_timed_minutes": c.d.pick("15", "30", "60")},
        {"cap_justification": "Two regions treated." if not row.values["cap_justification"] else None},
        {"is_billable": "false" if row.values["is_billable"] == "true" else "true"},
        {"discipline": c.d.pick("PT", "OT", "SLP")},
        {"provider_id": c.d.pick("T1", "T2", "T3")},
        {"patient_id": c.d.pick(*c.patients)},
        {"narrative": c.d.pick("Gait training for 15 minutes.", "Tolerated well.")},
    )
    parcel.add("notes", row.cells | change)
    return "note amended in place"


def signed_note(c: Clinic, parcel: Parcel) -> str | None:
    """A draft signed, under its own version."""
    drafts = [row for row in c.standing("notes", parcel) if row.values["status"] == "draft"]
    if not drafts:
        return None
    parcel.add("notes", c.d.pick(*drafts).cells | {"status": "signed"})
    return "signed after draft"


def voided_note(c: Clinic, parcel: Parcel) -> str | None:
    """A note taken back: its version marked void, or a higher version that is void."""
    row = _note(c, parcel, ("signed", "amended", None))
    if row is None:
        return None
    version = row.values["note_version"]
    if c.d.one_in(2):
        version = str(max(int(other.values["note_version"]) for other in _versions(c, row)) + 1)
    parcel.add("notes", row.cells | {"note_version": version, "status": "void"})
    return "note voided"


def moved_note(c: Clinic, parcel: Parcel) -> str | None:
    """All versions of a note on another day; its blocks are not sent again."""
    row = _note(c, parcel)
    if row is None:
        return None
    old = date.fromisoformat(row.values["service_date"])
    day = other_day(c, old)
    for version in _versions(c, row):
        if version not in parcel:
            parcel.add("notes", version.cells | {"service_date": str(day)})
    return "note moved to another month" if (day.year, day.month) != (old.year, old.month) else "note moved"


def corrected_block(c: Clinic, parcel: Parcel) -> str | None:
    """A block again, under its key, with other minutes, another code or another way of delivery."""
    blocks = c.standing("note_blocks", parcel)
    if not blocks:
        return None
    row = c.d.pick(*blocks)
    change = c.d.pick(
        {"minutes": c.d.pick("7", "8", "22", "23", "37", "38")},
        {"minutes": c.d.pick("15", "30", "60")},
        {"procedure_code": c.d.pick("97110", "97140", "97530")},
        {"delivery": "group" if row.values["delivery"] == "one_on_one" else "one_on_one"},
        {"provider_id": c.d.pick("T1", "T2", "T3")},
    )
    parcel.add("note_blocks", row.cells | change)
    return "block corrected in place"


def _note(c: Clinic, parcel: Parcel, statuses: tuple | None = None) -> Row | None:
    rows = c.standing("notes", parcel)
    rows = [row for row in rows if statuses is None or row.values["status"] in statuses]
    return c.d.pick(*rows) if rows else None


def _versions(c: Clinic, row: Row) -> list[Row]:
    return [other for other in c.standing("notes") if other.values["note_id"] == row.values["note_id"]]


def _blocks(c: Clinic, parcel: Parcel, row: Row) -> list[Row]:
    of_note = [block for block in c.standing("note_blocks", parcel) if block.values["note_id"] == row.values["note_id"]]
    return [block for block in of_note if block.values["note_version"] in (None, row.values["note_version"])]


CHANGES = {
    **{kind: in_parts(kind) for kind in IN_PARTS},
    "documented and not billed": unbilled,
    "two disciplines treated together": treated_together,
    "amended note": amended_note,
    "note amended in place": note_in_place,
    "signed after draft": signed_note,
    "note voided": voided_note,
    "note moved": moved_note,
    "block corrected in place": corrected_block,
}
