"""Draws a sequence of nights from a seed. The same seed draws the same nights, on every machine."""

from datetime import date, timedelta

from . import claim_changes, deliveries, note_changes, odd_changes
from .clinic import Clinic, Parcel
from .deliveries import Delivery
from .dice import Dice
from .files import Night, Nights
from .overlay import draw_overlay, new_cap, other_kind, other_lag, other_method
from .replay import Replay, State

ROW_CHANGES = {**claim_changes.CHANGES, **note_changes.CHANGES, **odd_changes.CHANGES}
REFERENCE_CHANGES = ("new cap row", "payer method changed", "kind of a code changed", "billing lag changed")
MENDED = ("broken row mended in another file", "broken row mended in its file")
LATE = ("file named as removed", "file named as removed", "older version of a file again")
QUIET = ("as-of date moved only", "nothing")
#: Every kind that a night can be asked for; some nights bring more kinds by themselves (see `Night.kinds`).
KINDS = (*ROW_CHANGES, *deliveries.CHANGES, *REFERENCE_CHANGES, *QUIET)
#: Kinds that follow from others.
MORE_KINDS = (
    "claim moved to another month",
    "note moved to another month",
    "late note",
    "late claim",
    "note came after its blocks",
    "late blocks",
    "original came after its replacement",
    "second replacement came",
    "first file of blocks",
    "first reference rows",
    "as-of date went back",
    "removed file gave back rows it had replaced",
    "removed file whose rows another repeats",
)


def draw_nights(seed: int) -> Nights:
    """The sequence of this seed: 3 to 7 nights."""
    return Nights(seed, tuple(_Sequence(seed).draw()))


class _Sequence:
    def __init__(self, seed: int):
        self.seed, self.d, self.replay = seed, Dice(seed), Replay()
        start = date(2026, 2, 10) + timedelta(days=self.d.up_to(60))
        self.c = Clinic(self.d, start, draw_overlay(self.d))
        self.overlay_from = self.d.pick(*[1] * 7, 3)
        self.night: Delivery = None
        self.kinds: list[str] = []

    def draw(self):
        """Night after night."""
        for number in range(1, self.d.pick(3, 4, 4, 5, 5, 6, 7) + 1):
            self.night, self.kinds = Delivery(self.c, self.replay, number), []
            if number == 1:
                self._first()
            else:
                self._later(number)
            yield self._close(number)

    def _first(self) -> None:
        """The history that is there when the warehouse is new."""
        parcel, rows = Parcel(), []
        while "claims" not in {table for table, _ in rows}:
            rows = self.c.visits([self.c.some_place() for _ in range(self.d.pick(4, 5, 6, 7))])
        rows += note_changes.unbilled_visits(self.c)
        if self.d.one_in(6):
            blocks = [(table, cells) for table, cells in rows if table == "note_blocks"]
            rows = [(table, cells) for table, cells in rows if table != "note_blocks"]
            self.c.held.append(("late blocks", blocks))
        for table, cells in rows:
            parcel.add(table, cells)
        self.night.lay(parcel)

    def _later(self, number: int) -> None:
        wanted = KINDS[(self.seed * 5 + number) % len(KINDS)]
        step = self.d.pick(1, 1, 1, 1, 2, 3, 9) if not self.d.one_in(15) else self.d.pick(0, -1, -2)
        step = self.d.pick(1, 2, 3, 4) if wanted == QUIET[0] else step
        self.c.pass_to(self.c.as_of + timedelta(days=0 if wanted == "nothing" else step))
        if step < 0 and wanted != "nothing":
            self.kinds.append("as-of date went back")
        if wanted in QUIET:
            return
        parcel = Parcel()
        self._release(parcel)
        self._change(wanted, parcel)
        more = [self.d.pick(*KINDS) for _ in range(self.d.pick(0, 0, 1, 1, 2))]
        more += [self.d.pick(*MENDED)] if self.c.remedies and self.d.one_in(3) else []
        more += [self.d.pick(*LATE)] if number > 3 and self.d.one_in(2) else []
        for kind in more:
            self._change(kind, parcel)
        self.night.lay(parcel)

    def _change(self, kind: str, parcel: Parcel) -> None:
        made = None
        if kind in ROW_CHANGES:
            made = ROW_CHANGES[kind](self.c, parcel)
        elif kind in deliveries.CHANGES:
            made = deliveries.CHANGES[kind](self.night)
        elif kind in REFERENCE_CHANGES and self.overlay_from == 1:
            made = self._change_overlay(kind)
        self.kinds += [made] if made else []

    def _change_overlay(self, kind: str) -> str:
        c, day = self.c, self.d.pick(*self.c.days)
        if kind == "new cap row":
            codes = [row.values["procedure_code"] for row in c.standing("claims")] or ["97110"]
            c.overlay = new_cap(self.d, c.overlay, codes, day)
        elif kind == "payer method changed":
            c.overlay = other_method(self.d, c.overlay, day)
        elif kind == "kind of a code changed":
            c.overlay = other_kind(self.d, c.overlay, day)
        else:
            c.overlay = other_lag(self.d, c.overlay)
        return kind

    def _release(self, parcel: Parcel) -> None:
        """Sends some of what was held back."""
        for held in list(self.c.held):
            if self.d.one_in(2):
                self.c.held.remove(held)
                self.kinds.append(held[0])
                for table, cells in held[1]:
                    parcel.add(table, cells)

    def _close(self, number: int) -> Night:
        """The night as drawn, its kinds completed by what it did."""
        before, night = self.c.state, self.night
        reference = self.c.overlay if number >= self.overlay_from else None
        if number == self.overlay_from > 1:
            self.kinds.append("first reference rows")
        changed = night.written or night.deleted or night.removed or self.kinds
        if number > 1 and not changed:
            self.kinds.append(QUIET[0] if self.replay.deliveries and self._moved() else QUIET[1])
        drawn = Night(
            self.c.as_of, tuple(night.written.values()), tuple(night.deleted), tuple(night.removed), reference
        )
        self.as_of = self.c.as_of
        self.c.state = self.replay.night(drawn)
        self.kinds += _seen(drawn, before, self.c.state) if number > 1 else ["first night"]
        return Night(**{**vars(drawn), "kinds": tuple(self.kinds)})

    def _moved(self) -> bool:
        return self.c.as_of != self.as_of


def _seen(night: Night, before: State, after: State) -> list[str]:
    """Kinds that show only in what became of the rows."""
    kinds = ["first file of blocks"] if after.blocks_were_given and not before.blocks_were_given else []
    gone = {name.rpartition(":")[2] for name in night.removed}
    tonight = {file.name for file in night.written}
    for row in before.standing.values():
        back = after.standing.get(row.key)
        if row.file in gone and back and back.file not in tonight:
            is_same = back.values == row.values
            kinds.append(MORE_KINDS[-1] if is_same else MORE_KINDS[-2])
    return sorted(set(kinds))
