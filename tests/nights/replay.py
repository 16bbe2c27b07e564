"""What is in force after a number of nights, by the plain definition: a list of deliveries, folded from the first.

Nothing here comes from the program. A file is known by its name; the files new to a night are one delivery. Within a
delivery exact repeats are one row, and rows of one key that still differ are all put aside. The sound row of the
latest delivery stands. A broken row takes nothing away and stays aside until a later delivery brings any row of its
key, or its file is removed; one without a readable key is counted once when its file brings it again. A removed file
is as if it had never come. Blocks are laid on the notes in force now."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from .cells import normal, problem_of
from .files import KEYS, TABLES, File, Night, table_of


@dataclass(frozen=True)
class Row:
    """A row as it was delivered: its cells as the file had them, and their normal values."""

    table: str
    file: str
    cells: dict
    values: dict

    @property
    def key(self) -> tuple:
        return self.table, *(self.values[column] for column in KEYS[self.table])

    @property
    def has_key(self) -> bool:
        """True where every part of the key can be read; a block may name no version."""
        return all(self.values[column] is not None for column in KEYS[self.table] if column != "note_version")


@dataclass(frozen=True)
class Aside:
    """A row in quarantine, and why."""

    row: Row
    reason: str


@dataclass(frozen=True)
class State:
    """The rows that count and those put aside, after a night. `blocks_were_given`: some file of blocks is in force."""

    standing: dict[tuple, Row]
    aside: tuple[Aside, ...]
    blocks_were_given: bool
    repeats: int

    def rows(self, table: str) -> list[Row]:
        """The rows of a table that stand, in the order of their keys."""
        return sorted((row for row in self.standing.values() if row.table == table), key=lambda row: repr(row.key))


@dataclass(frozen=True)
class Delivery:
    """The files new to one night, by name, and the last service date that a row of them may have."""

    files: dict[str, File]
    last_date: date


class Replay:
    """The history of one warehouse. `night` takes what has happened and gives what is in force then."""

    def __init__(self):
        self.folder: dict[str, File] = {}
        self.deliveries: list[Delivery] = []

    def night(self, night: Night) -> State:
        """The state after one more night."""
        for name in night.deleted:
            del self.folder[name]
        self.folder |= {file.name: file for file in night.written}
        for named in night.removed:
            self._forget(named.rpartition(":")[2])
        new = {name: file for name, file in self.folder.items() if self.is_new(file)}
        if new:
            self.deliveries.append(Delivery(new, night.as_of + timedelta(days=1)))
        return self.state()

    def latest(self) -> dict[str, str]:
        """The digest of the latest version of every file in force, by name."""
        return {name: file.digest for delivery in self.deliveries for name, file in delivery.files.items()}

    def is_new(self, file: File) -> bool:
        """True where the latest version of that name that is in force has other bytes, or there is none."""
        return self.latest().get(file.name) != file.digest

    def _forget(self, name: str) -> None:
        assert name not in self.folder and name in self.latest()
        for delivery in self.deliveries:
            delivery.files.pop(name, None)

    def state(self) -> State:
        """What is in force now."""
        standing, aside, repeats = {}, [], 0
        for delivery in self.deliveries:
            sound, broken, copies = self.read(delivery)
            aside = [old for old in aside if not self.is_settled(old, sound, broken)] + broken
            same = {key for key, row in sound.items() if key in standing and standing[key].values == row.values}
            standing |= {key: row for key, row in sound.items() if key not in same}
            repeats += copies + len(same)
        laid, off = lay_blocks(standing, aside)
        return State(laid, (*aside, *off), any(table_of(name) == "note_blocks" for name in self.latest()), repeats)

    def read(self, delivery: Delivery) -> tuple[dict[tuple, Row], list[Aside], int]:
        """(sound rows by key, rows put aside, repeats within the delivery)."""
        return read_delivery(delivery)

    def is_settled(self, old: Aside, sound: dict[tuple, Row], broken: list[Aside]) -> bool:
        """True where a later delivery, of these sound and broken rows, says that a row put aside is past."""
        if old.row.has_key:
            return old.row.key in sound or any(new.row.key == old.row.key for new in broken)
        return any((new.row.file, new.row.cells) == (old.row.file, old.row.cells) for new in broken)


def read_delivery(delivery: Delivery) -> tuple[dict[tuple, Row], list[Aside], int]:
    """(sound rows by key, rows put aside, repeats within the delivery)."""
    same_key, broken, repeats = defaultdict(list), [], 0
    for name in sorted(delivery.files, key=lambda name: (TABLES.index(delivery.files[name].table), name)):
        file = delivery.files[name]
        for cells in file.rows:
            row = Row(file.table, name, cells, normal(file.table, cells))
            reason = problem_of(file.table, row.values, delivery.last_date)
            if reason:
                broken.append(Aside(row, reason))
            elif any(row.values == other.values for other in same_key[row.key]):
                repeats += 1
            else:
                same_key[row.key].append(row)
    for rows in same_key.values():
        if len(rows) > 1:
            broken += [Aside(row, "key_used_twice") for row in rows]
    return {key: rows[0] for key, rows in same_key.items() if len(rows) == 1}, broken, repeats


def lay_blocks(standing: dict[tuple, Row], aside: list[Aside]) -> tuple[dict[tuple, Row], list[Aside]]:
    """(the rows that stand without the blocks that fit no note, those blocks)."""
    notes = {row.key[1:]: row for row in standing.values() if row.table == "notes"}
    doubtful = {old.row.values["note_id"] for old in aside if old.row.table == "notes"}
    laid, off = {}, []
    for key, row in standing.items():
        reason = _misfit(row, notes, doubtful) if row.table == "note_blocks" else None
        if reason:
            off.append(Aside(row, reason))
        else:
            laid[key] = row
    return laid, off


def _misfit(block: Row, notes: dict[tuple, Row], doubtful: set) -> str | None:
    note_id, version = block.values["note_id"], block.values["note_version"]
    if note_id in doubtful and (version is None or (note_id, version) not in notes):
        return "note_quarantined"
    note = notes.get((note_id, version if version is not None else counting_version(note_id, notes)))
    if note is None:
        return "block_without_note"
    stamps = [block.values[column] for column in ("started_at", "ended_at")]
    if any(stamp and len(stamp) > 8 and stamp[:10] != note.values["service_date"] for stamp in stamps):
        return "clock_off_service_date"
    return None


def counting_version(note_id: str, notes: dict[tuple, Row]) -> str | None:
    """The version of a note that counts: drafts aside, the highest; of drafts alone, the highest."""
    versions = [row for key, row in notes.items() if key[0] == note_id]
    chosen = [row for row in versions if row.values["status"] != "draft"] or versions
    return max((row.values["note_version"] for row in chosen), key=int, default=None)


def doubts(state: State) -> dict[str, set]:
    """What the rows put aside leave in doubt, as the oracle takes it: patient and date pairs of theirs and of the rows
    of their claim or note; patients of rows whose date nobody can read; dates of rows without a patient."""
    pairs, patients, unread = set(), set(), {"claims": set(), "notes": set()}
    for old in state.aside:
        values, table = old.row.values, old.row.table
        if table != "note_blocks":
            day = None if old.reason in ("unreadable_date", "date_out_of_range") else values["service_date"]
            if values["patient_id"] is None:
                unread[table].add(day)
            elif day is None:
                patients.add(values["patient_id"])
            else:
                pairs.add((values["patient_id"], day))
        pairs |= {(row["patient_id"], row["service_date"]) for row in _beside(values, table, state)}
    known = {row.values["patient_id"] for row in state.standing.values() if row.table != "note_blocks"}
    return {
        "unjudged": {pair for pair in pairs if pair[0] in known},
        "unjudged_patients": patients & known,
        "dates_with_unread_claim": unread["claims"] - {None},
        "dates_with_unread_note": unread["notes"] - {None},
    }


def _beside(values: dict, table: str, state: State) -> list[dict]:
    """The rows that stand of a put-aside row's note or claim, and of the claim that it corrects."""
    rows = [row.values for row in state.rows("claims" if table == "claims" else "notes")]
    if table != "claims":
        return [row for row in rows if row["note_id"] == values["note_id"]]
    is_correction = values["claim_frequency_code"] in ("6", "7", "8")
    named = values["original_claim_id"] if is_correction else None
    names = {values["claim_id"], named}
    return [row for row in rows if row["claim_id"] in names or (named and row["payer_claim_id"] == named)]
