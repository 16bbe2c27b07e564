"""Publishing one run: the order of its steps, and what is left when any of them is the last one.

Small folders and a text file for the warehouse: a process of its own dies at every point, and again while it recovers.
"""

import os
import signal
from pathlib import Path

import pytest

from flows.disk import faults
from flows.disk.durable import link_or_copy
from flows.disk.faults import FAULT, FAULT_POINTS, PUBLISHING, TAKING_BACK, fault_point, points
from flows.disk.rights import Rights
from flows.publishing.placing import publish_folder, recover
from transforms.errors import UsageProblem

AT_PUBLISHING = points(PUBLISHING)
#: What a start does that finishes a run or takes it back.
FINISHING = [
    one for one in PUBLISHING if one[0] == "current" or one[1] == "remove" or one == ("run_folder", "folder_fsync")
]
AT_RECOVERY = points((*FINISHING, *TAKING_BACK))
FROM_HERE_ON_PLACED = AT_PUBLISHING[AT_PUBLISHING.index("run_folder_after_rename") :]
FROM_HERE_ON_COMMITTED = AT_PUBLISHING[AT_PUBLISHING.index("warehouse_after_commit") :]
FROM_HERE_ON_SERVED = AT_PUBLISHING[AT_PUBLISHING.index("current_after_rename") :]


class Place:
    """An output folder with one published run, `old`, and a warehouse that tells its last committed run."""

    def __init__(self, folder: Path, has_warehouse: bool = True):
        self.out, self.warehouse = folder / "out", folder / "w" if has_warehouse else None
        self.out.mkdir()
        self.publish("old")

    def publish(self, run_id: str, moves_current: bool = True) -> str:
        def fill(folder: Path) -> str:
            (folder / "accepted").mkdir()
            (folder / "accepted" / "claims.parquet").write_text(run_id)
            (folder / "manifest.json").write_text(run_id)
            return run_id

        commit = (lambda: self.warehouse.write_text(run_id)) if self.warehouse else None
        return publish_folder(self.out, run_id, fill, moves_current, commit, self.warehouse)

    def recover(self) -> str | None:
        return recover(self.out, self.warehouse.read_text if self.warehouse else None, warehouse=self.warehouse)

    @property
    def current(self) -> str:
        return (self.out / "current").read_text().strip()

    @property
    def runs(self) -> list[str]:
        """What readers see, each run checked for being whole."""
        seen = sorted(path.name for path in (self.out / "runs").glob("[!.]*"))
        for name in seen:
            held = {path.read_text() for path in (self.out / "runs" / name).rglob("*") if path.is_file()}
            assert held == {name} and len(list((self.out / "runs" / name).rglob("*"))) == 3
        return seen

    @property
    def leftovers(self) -> list[str]:
        hidden = [*self.out.glob(".*"), *(self.out / "runs").glob(".*")]
        return sorted(path.name for path in hidden)

    @property
    def is_agreed(self) -> bool:
        """Whether the pointer and the warehouse speak of the same run."""
        return self.warehouse is None or self.warehouse.read_text() == self.current


def dies(at: str, does) -> bool:
    """Runs `does` in a process that is killed at this point; false where it never came there."""
    child = os.fork()
    if not child:
        os.environ[FAULT] = f"{at}:kill"
        try:
            does()
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        return False
    assert os.WTERMSIG(status) == signal.SIGKILL
    return True


@pytest.fixture
def steps(monkeypatch) -> list[tuple[str, Path]]:
    """The steps taken from now on, in order."""
    taken = []
    monkeypatch.setattr(faults, "OBSERVERS", [lambda operation, path: taken.append((operation, path))])
    return taken


@pytest.fixture
def memory_only(monkeypatch):
    """A killed process loses nothing that the system has taken: these tests need not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


#: Where a run with a warehouse, and one without, can be stopped: without one there is no commit.
CASES = [(True, point) for point in AT_PUBLISHING]
CASES += [(False, point) for point in AT_PUBLISHING if not point.startswith("warehouse")]


@pytest.mark.usefixtures("memory_only")
@pytest.mark.parametrize(("has_warehouse", "point"), CASES)
class TestKilled:
    def test_at_every_point_and_again_while_recovering(self, tmp_path, has_warehouse, point):
        for number, again in enumerate(AT_RECOVERY):
            folder = tmp_path / str(number)
            folder.mkdir()
            place = Place(folder, has_warehouse)
            assert dies(point, lambda place=place: place.publish("new"))
            assert place.current == ("new" if point in FROM_HERE_ON_SERVED else "old")
            assert place.runs == (["new", "old"] if point in FROM_HERE_ON_PLACED else ["old"])
            dies(again, place.recover)
            assert place.current in place.runs
            place.recover()
            counts = point in (FROM_HERE_ON_COMMITTED if has_warehouse else FROM_HERE_ON_PLACED)
            assert (place.current, place.runs) == (("new", ["new", "old"]) if counts else ("old", ["old"]))
            assert place.leftovers == [] and place.is_agreed
            place.publish("next")
            assert place.current == "next" and place.leftovers == [] and place.is_agreed

    def test_a_full_disk_at_every_point(self, tmp_path, monkeypatch, has_warehouse, point):
        place = Place(tmp_path, has_warehouse)
        monkeypatch.setenv(FAULT, f"{point}:full")
        in_force = FROM_HERE_ON_COMMITTED if has_warehouse else FROM_HERE_ON_SERVED
        if point.startswith("journal_") and point.endswith("_remove"):
            assert place.publish("new") == "new", "all is done by then"
        elif point in in_force:
            with pytest.raises(UsageProblem, match=r"No space left.* run new; .*repeat the audit"):
                place.publish("new")
        else:
            with pytest.raises(OSError, match=r"No space left"):
                place.publish("new")
            assert (place.current, place.runs, place.leftovers) == ("old", ["old"], [])
        monkeypatch.delenv(FAULT)
        place.recover()
        assert place.current == ("new" if point in in_force else "old")
        assert place.leftovers == [] and place.is_agreed


class TestOrder:
    def test_everything_is_on_the_disk_before_the_next_step(self, tmp_path, steps):
        place = Place(tmp_path)
        steps.clear()
        place.publish("new")
        out, aside = place.out, place.out / "runs" / ".new.partial"
        assert steps == [
            ("write", aside),
            ("fsync", aside / "accepted" / "claims.parquet"),
            ("fsync", aside / "manifest.json"),
            ("fsync", aside / "accepted"),
            ("fsync", aside),
            ("fsync", out / ".publishing.partial"),
            ("rename", out / ".publishing"),
            ("folder_fsync", out),
            ("rename", out / "runs" / "new"),
            ("folder_fsync", out / "runs"),
            ("commit", place.warehouse),
            ("fsync", out / ".current.partial"),
            ("rename", out / "current"),
            ("folder_fsync", out),
            ("remove", out / ".publishing"),
        ]

    def test_nothing_is_written_after_it_was_synced(self, tmp_path, monkeypatch):
        synced, usual = {}, os.fsync

        def fsync(handle):
            synced[os.fstat(handle).st_ino] = os.fstat(handle).st_mtime_ns
            usual(handle)

        place = Place(tmp_path)
        monkeypatch.setattr(os, "fsync", fsync)
        place.publish("new")
        files = [path for path in (place.out / "runs" / "new").rglob("*") if path.is_file()]
        for path in (*files, place.out / "current"):
            assert synced.get(path.stat().st_ino) == path.stat().st_mtime_ns, path

    def test_a_file_shared_with_a_published_run_is_not_synced_again(self, tmp_path, steps):
        place = Place(tmp_path)
        shared = place.out / "runs" / "old" / "accepted" / "claims.parquet"
        steps.clear()
        publish_folder(place.out, "new", lambda folder: link_or_copy(shared, folder / "claims.parquet"))
        there = place.out / "runs" / "new" / "claims.parquet"
        assert there.samefile(shared)
        assert "claims.parquet" not in {path.name for operation, path in steps if operation == "fsync"}

    def test_without_hard_links_the_file_is_copied_and_synced(self, tmp_path, steps, monkeypatch):
        def refused(*_paths):
            raise OSError(18, "Invalid cross-device link")

        place = Place(tmp_path)
        shared = place.out / "runs" / "old" / "manifest.json"
        monkeypatch.setattr(Path, "hardlink_to", refused)
        steps.clear()
        publish_folder(place.out, "new", lambda folder: link_or_copy(shared, folder / "m"))
        assert (place.out / "runs" / "new" / "m").read_text() == "old"
        assert "m" in {path.name for operation, path in steps if operation == "fsync"}


class TestPlaces:
    def test_a_part_of_the_dates_does_not_move_current(self, tmp_path):
        place = Place(tmp_path)
        assert dies("run_folder_after_rename", lambda: place.publish("part", moves_current=False))
        place.warehouse.write_text("part")
        assert "part" in place.recover()
        assert (place.current, place.runs) == ("old", ["old", "part"])

    def test_a_whole_run_of_that_id_is_kept(self, tmp_path):
        place = Place(tmp_path)
        place.publish("new")
        before = (place.out / "runs" / "new" / "manifest.json").stat().st_ino
        place.publish("new")
        assert (place.out / "runs" / "new" / "manifest.json").stat().st_ino == before
        assert dies("warehouse_before_commit", lambda: place.publish("old"))
        assert place.recover() is None and place.runs == ["new", "old"], "it was there before, so it stays"

    def test_a_folder_in_the_way_is_not_overwritten(self, tmp_path):
        place = Place(tmp_path)
        (place.out / "runs" / "new").mkdir()
        with pytest.raises(UsageProblem, match=r"in the way.*remove it"):
            place.publish("new")
        assert place.current == "old"

    def test_what_the_run_raises_is_passed_on_and_nothing_is_left(self, tmp_path):
        place = Place(tmp_path)

        def interrupted(folder: Path):
            (folder / "half").write_text("half")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            publish_folder(place.out, "new", interrupted)
        assert (place.current, place.runs, place.leftovers) == ("old", ["old"], [])

    def test_a_commit_without_its_warehouse_is_not_guessed(self, tmp_path):
        place = Place(tmp_path)
        assert dies("warehouse_after_commit", lambda: place.publish("new"))
        with pytest.raises(UsageProblem, match=r"again with that --warehouse"):
            recover(place.out)
        with pytest.raises(UsageProblem, match=r"again with that --warehouse"):
            recover(place.out, lambda: None, warehouse=tmp_path / "another")
        assert place.runs == ["new", "old"]
        assert "finished publishing run new" in place.recover()

    def test_a_journal_that_is_none_is_told(self, tmp_path):
        place = Place(tmp_path)
        for content in ("", "[]", "{}", '{"run_id": "..", "x": 1}'):
            (place.out / ".publishing").write_text(content)
            with pytest.raises(UsageProblem, match=r"\.publishing: cannot be read"):
                place.recover()
        assert (place.current, place.runs) == ("old", ["old"])

    def test_rights_are_given_before_the_run_is_seen(self, tmp_path):
        place = Place(tmp_path)
        publish_folder(place.out, "new", lambda folder: (folder / "f").touch(), rights=Rights(0o640, 0o750))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (place.out / "runs").rglob("*")}
        assert (modes["new"], modes["f"], modes["old"]) == (0o750, 0o640, 0o700)
        assert (place.out / "current").stat().st_mode & 0o777 == 0o640


def test_a_fault_must_be_one_of_those_named(monkeypatch):
    assert len(set(FAULT_POINTS)) == len(FAULT_POINTS)
    with pytest.raises(ValueError, match="not in FAULT_POINTS"):
        fault_point("elsewhere")
    for asked in ("elsewhere:kill", "current_before_rename", "current_before_rename:burn"):
        monkeypatch.setenv(FAULT, asked)
        with pytest.raises(UsageProblem, match="unset it"):
            fault_point("journal_before_fsync")
