"""Kinds of change that go wrong: rows that break the contract, keys used twice, and what mends them later."""

from datetime import timedelta

from .clinic import Clinic, Parcel

BROKEN_CELLS = {
    "claims": (
        {"billed_units": "two"},
        {"billed_units": "-1"},
        {"billed_units": None},
        {"unit_basis": "MJ"},
        {"service_date": "2026-02-30"},
        {"line_number": None},
        {"service_date": None},
        {"patient_id": None},
    ),
    "notes": (
        {"total_timed_minutes": "all"},
        {"total_timed_minutes": "-8"},
        {"service_date": "2026-02-30"},
        {"patient_id": None},
    ),
    "note_blocks": ({"minutes": "half"}, {"minutes": "-5"}),
}


def broken_again(c: Clinic, parcel: Parcel) -> str | None:
    """A row that is in force, again, and broken: the earlier one stands, and its day cannot be judged."""
    rows = [row for table in BROKEN_CELLS for row in c.standing(table, parcel)]
    if not rows:
        return None
    row = c.d.pick(*rows)
    good = row.cells
    if row.table == "claims" and c.d.one_in(2):
        good = good | {"billed_units": str(int(row.values["billed_units"]) + 1)}
    _send_broken(c, parcel, row.table, good)
    return "broken row of a key in force"


def broken_first(c: Clinic, parcel: Parcel) -> str | None:
    """A visit of which one row is broken at its first coming."""
    rows = c.visits([c.some_place()])
    if not rows:
        return None
    table = c.d.pick(*sorted({table for table, _ in rows}))
    chosen = c.d.pick(*(cells for own, cells in rows if own == table))
    for own, cells in rows:
        if cells is not chosen:
            parcel.add(own, cells)
    _send_broken(c, parcel, table, chosen)
    return "broken row of a new key"


def _send_broken(c: Clinic, parcel: Parcel, table: str, good: dict) -> None:
    odd = good | c.d.pick(*BROKEN_CELLS[table])
    parcel.odd.append((table, odd))
    parcel.remedies.append((table, odd, good))


def key_in_force_used_twice(c: Clinic, parcel: Parcel) -> str | None:
    """Two rows that differ, in one delivery, under a key that is in force."""
    rows = [row for table in BROKEN_CELLS for row in c.standing(table, parcel)]
    if not rows:
        return None
    row = c.d.pick(*rows)
    _send_twins(c, parcel, row.table, row.cells)
    return "key in force used twice in a delivery"


def new_key_used_twice(c: Clinic, parcel: Parcel) -> str | None:
    """A visit of which one row comes twice, and differs."""
    rows = c.visits([c.some_place()])
    if not rows:
        return None
    table = c.d.pick(*sorted({table for table, _ in rows}))
    chosen = c.d.pick(*(cells for own, cells in rows if own == table))
    for own, cells in rows:
        if cells is not chosen:
            parcel.add(own, cells)
    _send_twins(c, parcel, table, chosen)
    return "new key used twice in a delivery"


def _send_twins(c: Clinic, parcel: Parcel, table: str, cells: dict) -> None:
    column = {"claims": "allowed_usd", "notes": "clinic_id", "note_blocks": "goal"}[table]
    twins = [cells | {column: "71.00"}, cells | {column: "72.00"}]
    if c.d.one_in(2):
        twins[0] = cells if cells.get(column) != "72.00" else twins[0]
    parcel.odd += [(table, twin) for twin in twins]
    parcel.remedies += [(table, twin, twins[0]) for twin in twins]


def day_to_come(c: Clinic, parcel: Parcel) -> str | None:
    """A claim line, and its note, of a date that has not come when they are read; they are sent again later."""
    place = (c.d.pick(*c.patients), c.as_of + timedelta(days=c.d.pick(2, 2, 3)))
    rows = c.visits([place])
    if not rows:
        return None
    for table, cells in rows:
        if table == "note_blocks":
            parcel.add(table, cells)
        else:
            parcel.odd.append((table, cells))
    parcel.remedies += [(table, cells, cells) for table, cells in rows if table != "note_blocks"]
    return "date after the as-of date"


def wider_dates(c: Clinic, parcel: Parcel) -> str:
    """Visits, billed and documented, before or after all dates that both extracts cover."""
    rows = [row.values["service_date"] for table in ("claims", "notes") for row in c.standing(table)]
    day = c.as_of + timedelta(days=1)
    if not rows or c.d.one_in(2) or str(day) in rows:
        day = min(c.days) - timedelta(days=c.d.pick(3, 20))
    c.days.insert(0, day)
    sent = set()
    while not {"claims", "notes"} <= sent:
        for table, cells in c.visits([(c.d.pick(*c.patients), day)]):
            sent.add(table)
            parcel.add(table, cells)
    return "covered dates widened"


def mended_elsewhere(c: Clinic, parcel: Parcel) -> str | None:
    """A broken row sent again, sound, in whatever file comes tonight."""
    if not c.remedies:
        return None
    remedy = c.d.pick(*c.remedies)
    parcel.add(remedy[0], remedy[3])
    c.remedies.remove(remedy)
    return "broken row mended in another file"


CHANGES = {
    "broken row of a key in force": broken_again,
    "broken row of a new key": broken_first,
    "key in force used twice in a delivery": key_in_force_used_twice,
    "new key used twice in a delivery": new_key_used_twice,
    "date after the as-of date": day_to_come,
    "covered dates widened": wider_dates,
    "broken row mended in another file": mended_elsewhere,
}
