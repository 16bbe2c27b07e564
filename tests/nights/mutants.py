"""Histories with one flaw each, of the kind that a program may have: the sequences drawn must tell them apart."""

from dataclasses import replace

from .cells import normal
from .files import KEYS, File, Night
from .replay import Aside, Delivery, Replay, State


def _without(file: File, is_gone) -> File:
    """The file without the rows for which `is_gone(key, values)` holds; its digest stays."""

    def goes(cells):
        values = normal(file.table, cells)
        return is_gone((file.table, *(values[column] for column in KEYS[file.table])), values)

    return replace(file, rows=tuple(cells for cells in file.rows if not goes(cells)))


class LosesFiles(Replay):
    """Reads only those versions of files that `keeps` says."""

    def keeps(self, file: File) -> bool:
        raise NotImplementedError

    def state(self) -> State:
        history = self.deliveries
        kept = [{name: file for name, file in old.files.items() if self.keeps(file)} for old in history]
        self.deliveries = [Delivery(files, old.last_date) for files, old in zip(kept, history, strict=True)]
        try:
            return super().state()
        finally:
            self.deliveries = history


class LosesAbsentRows(LosesFiles):
    """a file delivered again takes away the rows it no longer has"""

    def state(self) -> State:
        self.current = self.latest()
        return super().state()

    def keeps(self, file: File) -> bool:
        return file.digest == self.current[file.name]


class LosesDeletedFiles(LosesFiles):
    """a file gone from the folder takes its rows away"""

    def keeps(self, file: File) -> bool:
        return file.name in self.folder


class RemovesLatestVersion(Replay):
    """of a removed file only the latest version goes"""

    def _forget(self, name: str) -> None:
        having = [delivery for delivery in self.deliveries if name in delivery.files]
        having[-1].files.pop(name)


class GivesNothingBack(Replay):
    """a removed file does not give back what its rows had taken the place of"""

    def _forget(self, name: str) -> None:
        gone = {key for key, row in self.state().standing.items() if row.file == name}
        super()._forget(name)
        for delivery in self.deliveries:
            files = {other: _without(file, lambda key, _: key in gone) for other, file in delivery.files.items()}
            delivery.files.update(files)


class ForgetsRepeats(Replay):
    """a row that repeats one in force is not kept, and goes with the file of the first"""

    def night(self, night: Night) -> State:
        standing, count = self.state().standing, len(self.deliveries)
        super().night(night)
        for delivery in self.deliveries[count:]:
            for name, file in delivery.files.items():
                known = {key: row.values for key, row in standing.items() if row.file != name}
                delivery.files[name] = _without(file, lambda key, values, known=known: known.get(key) == values)
        return self.state()


class KnowsEveryVersion(Replay):
    """a file that says again what it said before its last change is not read"""

    def is_new(self, file: File) -> bool:
        return all(delivery.files.get(file.name, None) != file for delivery in self.deliveries)


class SettlesByFile(Replay):
    """a broken row's file delivered again settles it"""

    def is_settled(self, old: Aside, sound, broken) -> bool:
        last = self.latest()[old.row.file]
        versions = [
            file for delivery in self.deliveries for name, file in delivery.files.items() if name == old.row.file
        ]
        is_past = all(old.row.cells not in file.rows for file in versions if file.digest == last)
        return is_past or super().is_settled(old, sound, broken)


class SettlesBySoundRows(Replay):
    """only a sound row settles a broken one of its key"""

    def is_settled(self, old: Aside, sound, broken) -> bool:
        return old.row.key in sound


class NeverSettles(Replay):
    """a row put aside stays so"""

    def is_settled(self, old: Aside, sound, broken) -> bool:
        return False


class BrokenTakesAway(Replay):
    """a broken row takes the row in force away"""

    def state(self) -> State:
        state = super().state()
        gone = {old.row.key for old in state.aside}
        return replace(state, standing={key: row for key, row in state.standing.items() if key not in gone})


class LastTwinStands(Replay):
    """of rows of one key in one delivery the last stands"""

    def read(self, delivery: Delivery):
        sound, broken, repeats = super().read(delivery)
        twins = [old for old in broken if old.reason == "key_used_twice"]
        return sound | {old.row.key: old.row for old in twins}, [old for old in broken if old not in twins], repeats


class LaysBlocksOnce(Replay):
    """a block that fits no note when it comes never does"""

    def __init__(self):
        super().__init__()
        self.lost: set[tuple] = set()

    def state(self) -> State:
        state = super().state()
        self.lost |= {old.row.key for old in state.aside if old.reason == "block_without_note"}
        return replace(state, standing={key: row for key, row in state.standing.items() if key not in self.lost})


class JudgesDatesAgain(Replay):
    """a date is judged anew by every night's as-of date"""

    def state(self) -> State:
        latest = self.deliveries[-1].last_date if self.deliveries else None
        self.deliveries = [replace(delivery, last_date=latest) for delivery in self.deliveries]
        return super().state()


MUTANTS = (
    LosesAbsentRows,
    LosesDeletedFiles,
    RemovesLatestVersion,
    GivesNothingBack,
    ForgetsRepeats,
    KnowsEveryVersion,
    SettlesByFile,
    SettlesBySoundRows,
    NeverSettles,
    BrokenTakesAway,
    LastTwinStands,
    LaysBlocksOnce,
    JudgesDatesAgain,
)
