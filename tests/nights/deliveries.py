"""Tonight's files: a parcel laid into files, and the kinds of change that are made to files as such."""

from .cells import normal
from .clinic import Clinic, Parcel
from .files import KEYS, TABLES, File, make_file, table_of
from .replay import Replay


class Delivery:
    """The extracts folder on the way to tonight's state."""

    def __init__(self, c: Clinic, replay: Replay, number: int):
        self.c, self.d, self.replay, self.number = c, c.d, replay, number
        self.written: dict[str, File] = {}
        self.deleted: list[str] = []
        self.removed: list[str] = []

    def untouched(self, table: str | None = None) -> list[str]:
        """Names of files in the folder that nothing has happened to tonight."""
        names = sorted(self.replay.folder.keys() - self.written.keys() - set(self.deleted))
        return [name for name in names if table in (None, table_of(name))]

    def write(self, name: str, rows: list[dict]) -> None:
        """Writes a file of these rows."""
        self.written[name] = make_file(name, rows)

    def delete(self, name: str) -> bool:
        """Takes a file out of the folder, unless it is the last one of claims."""
        if table_of(name) == "claims":
            new = any(table_of(other) == "claims" for other in self.written)
            if not new and len(self.untouched("claims")) == 1:
                return False
        self.deleted.append(name)
        return True

    def new_name(self, table: str, mark: str = "") -> str:
        """A name not used before."""
        return f"{table}_{self.number:02}{mark}{'.parquet' if self.d.one_in(6) else '.csv'}"

    def lay(self, parcel: Parcel) -> None:
        """Puts the parcel's rows into files: a new one, two, or over one that has them or others of their table."""
        for table in TABLES:
            rows = list(parcel.rows[table].values()) + [cells for own, cells in parcel.odd if own == table]
            if not rows:
                continue
            old = self.untouched(table)
            if old and self.d.one_in(3):
                self._lay_over(parcel, table, self.d.pick(*old), rows)
            elif len(rows) > 1 and self.d.one_in(3):
                half = self.d.pick(1, len(rows) // 2, len(rows) - 1)
                self._put(parcel, self.new_name(table, "a"), rows[:half])
                self._put(parcel, self.new_name(table, "b"), rows[half:])
            else:
                self._put(parcel, self.new_name(table), rows)

    def _lay_over(self, parcel: Parcel, table: str, name: str, rows: list[dict]) -> None:
        """Rewrites a file: its rows of other keys stay, those of the keys sent now give way."""
        sent = {_key(table, cells) for cells in rows}
        kept = [cells for cells in self.replay.folder[name].rows if _key(table, cells) not in sent]
        self._put(parcel, name, kept + rows)

    def _put(self, parcel: Parcel, name: str, rows: list[dict]) -> None:
        self.write(name, rows)
        self.c.remedies += [
            (table, name, odd, good) for table, odd, good in parcel.remedies if any(odd is cells for cells in rows)
        ]


def _key(table: str, cells: dict) -> tuple:
    values = normal(table, cells)
    return tuple(values[column] for column in KEYS[table])


def sent_unchanged(night: Delivery) -> str | None:
    """A file written again with the same bytes, or back in the folder after it was taken out."""
    files = {name: file for delivery in night.replay.deliveries for name, file in delivery.files.items()}
    gone = sorted(files.keys() - night.replay.folder.keys() - night.written.keys())
    names = gone if gone and night.d.one_in(2) else night.untouched()
    if not names:
        return None
    name = night.d.pick(*names)
    night.written[name] = files[name]
    return "file sent again unchanged"


def sent_changed(night: Delivery) -> str | None:
    """A file written again with some rows missing and some changed."""
    names = [name for name in night.untouched() if len(night.replay.folder[name].rows) > 1]
    if not names:
        return None
    name = night.d.pick(*names)
    rows = [_changed(night, table_of(name), cells) for cells in night.replay.folder[name].rows if not night.d.one_in(3)]
    night.write(name, rows)
    return "file sent again with changes and rows missing"


def _changed(night: Delivery, table: str, cells: dict) -> dict:
    if not night.d.one_in(3):
        return cells
    column = {"claims": "billed_units", "notes": "total_timed_minutes", "note_blocks": "minutes"}[table]
    values = {"claims": ("1", "2", "3", "4"), "notes": ("23", "38", "53"), "note_blocks": ("8", "15", "23", "30")}
    return cells | {column: night.d.pick(*values[table])}


def sent_in_other_writing(night: Delivery) -> str | None:
    """The same rows in another order and written otherwise, under the same name or a new one: all are repeats."""
    names = [name for name in night.untouched() if night.replay.folder[name].rows]
    if not names:
        return None
    name = night.d.pick(*names)
    table = table_of(name)
    rows = [_otherwise(table, cells) for cells in reversed(night.replay.folder[name].rows)]
    night.write(name if night.d.one_in(2) else night.new_name(table, "w"), rows)
    return "file sent again in other writing"


def _otherwise(table: str, cells: dict) -> dict:
    first = KEYS[table][0]
    other = {first: f" {cells[first]} "} if cells.get(first) else {}
    if table != "notes" and cells.get("procedure_code", "").isdigit():
        other["procedure_code"] = f"{cells['procedure_code']}.0"
    if table == "claims":
        other["claim_type"] = cells.get("claim_type") or "professional"
    return cells | other


def full_dump(night: Delivery) -> str | None:
    """All rows of a table under a new name; sometimes the older files go."""
    table = night.d.pick(*TABLES)
    rows = [row.cells for row in night.c.state.rows(table)]
    if not rows:
        return None
    old = night.untouched(table)
    night.write(night.new_name(table, "full"), rows)
    if night.d.one_in(2):
        for name in old:
            night.delete(name)
    return "full dump under a new name"


def older_version(night: Delivery) -> str | None:
    """A file as it was before its last change: what it says now is said latest."""
    versions = [(name, file) for delivery in night.replay.deliveries for name, file in sorted(delivery.files.items())]
    latest = night.replay.latest()
    old = [file for name, file in versions if file.digest != latest[name] and name not in night.written]
    old = [file for file in old if file.name not in night.deleted]
    if not old:
        return None
    file = night.d.pick(*old)
    night.written[file.name] = file
    return "older version of a file again"


def deleted_only(night: Delivery) -> str | None:
    """A file no longer in the folder, and not named: that changes nothing."""
    names = night.untouched()
    if not names or not night.delete(night.d.pick(*names)):
        return None
    return "file gone from the folder"


def removed(night: Delivery) -> str | None:
    """A file taken out of the folder, tonight or before, and named as removed."""
    known = night.replay.latest()
    gone = sorted(known.keys() - night.replay.folder.keys() - night.written.keys()) + sorted(night.deleted)
    named = {name.rpartition(":")[2] for name in night.removed}
    names = [name for name in night.untouched() + gone if name not in named]
    shared = [name for name in names if _shares_keys(night.replay, name)]
    names = shared if shared and not night.d.one_in(4) else names
    if not names:
        return None
    name = night.d.pick(*names)
    if name not in gone and not night.delete(name):
        return None
    night.removed.append(f"{table_of(name)}:{name}" if night.d.one_in(3) else name)
    return "file named as removed"


def _shares_keys(replay: Replay, name: str) -> bool:
    """True where rows of the file stand whose keys another file has brought too."""
    keys = {row.key[1:] for row in replay.state().standing.values() if row.file == name}
    files = [file for delivery in replay.deliveries for other, file in delivery.files.items() if other != name]
    return any(_key(file.table, cells) in keys for file in files if file.table == table_of(name) for cells in file.rows)


def mended_in_place(night: Delivery) -> str | None:
    """The file of a broken row again, the row mended."""
    choices = [remedy for remedy in night.c.remedies if remedy[1] in night.untouched()]
    if not choices:
        return None
    table, name, odd, good = night.d.pick(*choices)
    rows = [
        cells
        for cells in night.replay.folder[name].rows
        if _key(table, cells) not in (_key(table, odd), _key(table, good))
    ]
    night.write(name, [*rows, good])
    night.c.remedies = [remedy for remedy in night.c.remedies if remedy[1] != name or remedy[3] is not good]
    return "broken row mended in its file"


CHANGES = {
    "file sent again unchanged": sent_unchanged,
    "file sent again with changes and rows missing": sent_changed,
    "file sent again in other writing": sent_in_other_writing,
    "full dump under a new name": full_dump,
    "older version of a file again": older_version,
    "file gone from the folder": deleted_only,
    "file named as removed": removed,
    "broken row mended in its file": mended_in_place,
}
