"""A small clinic: its two source systems, what they send tonight, and what they hold back for a later night."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.drawing import PATIENTS
from tests.drawing.claims import ClaimDrawer
from tests.drawing.notes import draw_note, draw_together

from .cells import normal, text_of
from .dice import Dice
from .files import KEYS, TABLES
from .replay import Row, State


@dataclass
class Parcel:
    """Rows to be sent tonight: by table and key those that were meant so, and `odd` ones that may repeat a key.
    `remedies` are rows held back until the odd row beside them has been sent: (table, odd cells, good cells)."""

    rows: dict[str, dict[tuple, dict]] = field(default_factory=lambda: {table: {} for table in TABLES})
    odd: list[tuple[str, dict]] = field(default_factory=list)
    remedies: list[tuple[str, dict, dict]] = field(default_factory=list)

    def add(self, table: str, cells: dict) -> None:
        """Sends this row, in place of one of the same key sent tonight."""
        values = normal(table, cells)
        self.rows[table][tuple(values[column] for column in KEYS[table])] = cells

    def __contains__(self, row: Row) -> bool:
        odd = [normal(table, cells) for table, cells in self.odd if table == row.table]
        return row.key[1:] in self.rows[row.table] or any(
            all(values[column] == row.values[column] for column in KEYS[row.table]) for values in odd
        )


class Clinic:
    """What chance needs to know of the clinic: its dates, what the auditor has in force, what it has not sent yet."""

    def __init__(self, d: Dice, as_of: date, overlay: dict):
        self.d, self.as_of, self.overlay = d, as_of, overlay
        self.drawn_notes: list[dict] = []
        self.claim_number = 0
        self.held: list[tuple[str, list[tuple[str, dict]]]] = []
        self.remedies: list[tuple[str, str, dict, dict]] = []
        self.patients = PATIENTS[: d.pick(2, 3, 3)]
        self.days = self._days()
        self.state = State({}, (), False, 0)

    def _days(self) -> list[date]:
        back = [d for d in (1, 2, 3, 4, 5, 6, 8, 12) if self.d.one_in(2)] or [2]
        back += [self.d.pick(20, 25, 31, 33), self.d.pick(40, 58, 62)]
        return [self.as_of - timedelta(days=days) for days in sorted(back, reverse=True)]

    def standing(self, table: str, parcel: Parcel | None = None) -> list[Row]:
        """Rows of a table that are in force and that tonight's parcel says nothing of."""
        return [row for row in self.state.rows(table) if parcel is None or row not in parcel]

    def visits(self, places: list[tuple[str, date]]) -> list[tuple[str, dict]]:
        """Notes, blocks and claims of visits of these patients and dates, as (table, cells)."""
        d, blocks, before = self.d, [], len(self.drawn_notes)
        places = [(*place, d.pick("PT", "PT", "PT", "OT", "SLP")) for place in places]
        for place in places:
            for _ in range(d.pick(1, 1, 1, 1, 1, 2, 0)):
                draw_note(d, self.drawn_notes, blocks, place)
        return self._billed(places, self.drawn_notes[before:], blocks)

    def visit_together(self, patient_id: str, day: date) -> list[tuple[str, dict]]:
        """Notes, blocks and claims of two disciplines that treated a patient together, or nearly."""
        blocks, before = [], len(self.drawn_notes)
        places = draw_together(self.d, self.drawn_notes, blocks, patient_id, day)
        return self._billed(places, self.drawn_notes[before:], blocks)

    def _billed(self, places: list[tuple], notes: list[dict], blocks: list[dict]) -> list[tuple[str, dict]]:
        drawer = ClaimDrawer(self.d, notes, blocks, self.overlay, self.as_of)
        drawer.number = self.claim_number
        claims = drawer.draw_all(places)
        self.claim_number = drawer.number
        for line in claims:
            # A row of a date to come would be set aside.
            line["service_date_to"] = line.get("service_date_to") and max(
                line["service_date"], min(line["service_date_to"], self.as_of)
            )
        self._stamp(notes, blocks)
        drawn = (("claims", claims), ("notes", notes), ("note_blocks", blocks))
        return [(table, text_of(row, table)) for table, rows in drawn for row in rows]

    def _stamp(self, notes: list[dict], blocks: list[dict]) -> None:
        """Writes the times of some notes' blocks as full timestamps: those do not follow a note to another day."""
        for note_id in sorted({note["note_id"] for note in notes}):
            day = next(note["service_date"] for note in notes if note["note_id"] == note_id)
            own = [block for block in blocks if block["note_id"] == note_id and block.get("started_at")]
            if self.d.one_in(6) and all(block["started_at"] <= block["ended_at"] for block in own):
                for block in own:
                    block |= {column: f"{day} {block[column]}" for column in ("started_at", "ended_at")}

    def new_claim_id(self) -> str:
        """A claim id that was not used before; by its letter it may come before older ones."""
        self.claim_number += 1
        return f"{self.d.pick('C', 'A')}{self.claim_number:03}"

    def some_place(self) -> tuple[str, date]:
        """A patient and a date, mostly a recent one."""
        return self.d.pick(*self.patients), self.d.pick(*self.days, *self.days[-3:], *self.days[-2:])

    def pass_to(self, as_of: date) -> None:
        """A later night: the days that have come are days of service too."""
        self.days += [
            self.as_of + timedelta(days=days)
            for days in range(1, (as_of - self.as_of).days + 1)
            if self.as_of + timedelta(days=days) not in self.days and self.d.one_in(2)
        ]
        self.as_of = as_of
