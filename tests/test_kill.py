"""Audits that are killed, at every named point and at any time, and audits on a full or locked disk.

Night after night, each killed: the old run stays served, and the next night goes on by itself.
"""

import random
import shutil
import subprocess
import time
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.disk.faults import PUBLISHING, points
from flows.runs.verify import verify
from tests.cli_runs import as_nobody, audit, day, published, write_days
from tests.kill_points import Commands, Ended
from tests.profiles import PROFILE, kill_points

#: Where an audit without a warehouse can be stopped.
POINTS = tuple(name for name in points(PUBLISHING) if not name.startswith("warehouse"))
FROM_HERE_ON_PLACED = POINTS[POINTS.index("run_folder_after_rename") :]
FROM_HERE_ON_SERVED = POINTS[POINTS.index("current_after_rename") :]
#: What the next start does to a run that stands there and is not served yet.
AT_RECOVERY = ("run_folder_before_folder_fsync", *points((("current", "rename"), ("journal", "remove"))))
#: All that a night may say on stderr after one that was killed.
MENDED = ("finished publishing run", "removed run", "this audit is published already")
#: After so many killed nights one is left alone, and must come to what it would have come to without them.
WHOLE_NIGHT_EVERY = 8


class Nights:
    """One output folder, audited night after night over two extracts in turn."""

    def __init__(self, commands: Commands, folder: Path, undisturbed: list[list[dict]] | None = None):
        self.commands, self.out, self.number = commands, folder / "out", 0
        self.extracts, self.undisturbed = [folder / "0", folder / "1"], undisturbed

    @property
    def as_of(self) -> str:
        """The as-of date of the last night, with which its run's name begins."""
        return (date(2026, 3, 20) + timedelta(days=self.number)).isoformat()

    def night(self, **limits) -> Ended:
        """The next night's audit; then what is served is checked, whatever became of it."""
        self.number += 1
        extracts = self.extracts[self.number % 2]
        ended = self.commands.run("audit", "--extracts", extracts, "--out", self.out, "--as-of", self.as_of, **limits)
        assert self.undisturbed is None or served_is_sound(self.out)
        return ended

    def whole_night(self) -> None:
        """A night that nothing disturbs: all that was left behind is gone, and its findings are right."""
        ended = self.night()
        assert ended.code == 0, ended.err
        assert all(any(told in line for told in MENDED) for line in ended.err.splitlines()), ended.err
        assert findings(self.out) == self.undisturbed[self.number % 2]
        assert no_leftovers(self.out)
        assert all(run.is_sound for run in verify(self.out, every_run=True))


def findings(out: Path) -> list[dict]:
    """The findings of the run that is served."""
    return pq.read_table(out / "runs" / published(out)[1] / "findings.parquet").to_pylist()


def served_is_sound(out: Path) -> bool:
    """Whether `current` names a run that stands there, whole and unchanged."""
    return all(run.is_sound for run in verify(out))


def no_leftovers(out: Path) -> bool:
    """Whether there is nothing beside the runs, `current` and the lock."""
    assert sorted(path.name for path in out.iterdir()) == [".lock", "current", "runs"]
    return not list((out / "runs").glob(".*"))


@pytest.fixture(scope="module")
def commands():
    """The process that commands are run by."""
    with Commands() as running:
        yield running


@pytest.fixture(scope="module")
def first_nights(commands, tmp_path_factory) -> Nights:
    """An output folder after an undisturbed night of each extract, and what they came to."""
    folder = tmp_path_factory.mktemp("nights")
    for number, wrong in enumerate((day(3, claims_units=4), day(4, claims_units=1, minutes=45))):
        write_days(folder / str(number), day(1), day(2), wrong)
    nights, undisturbed = Nights(commands, folder), {}
    for _ in nights.extracts:
        assert nights.night().code == 0
        undisturbed[nights.number % 2] = findings(nights.out)
    nights.undisturbed = [undisturbed[0], undisturbed[1]]
    assert undisturbed[0] != undisturbed[1] and all(nights.undisturbed)
    return nights


@pytest.fixture
def nights(commands, first_nights, tmp_path) -> Nights:
    """A copy of it, to go on with."""
    shutil.copytree(first_nights.out.parent, tmp_path, dirs_exist_ok=True)
    nights = Nights(commands, tmp_path, first_nights.undisturbed)
    nights.number = first_nights.number
    return nights


class TestKilled:
    def test_at_every_named_point(self, nights):
        for point in kill_points(POINTS):
            before = published(nights.out)[1]
            assert nights.night(fault=f"{point}:kill").was_killed, point
            runs, current = published(nights.out)
            assert current.startswith(nights.as_of) if point in FROM_HERE_ON_SERVED else current == before, point
            assert any(name.startswith(nights.as_of) for name in runs) == (point in FROM_HERE_ON_PLACED), point
            if point in FROM_HERE_ON_PLACED:
                # The same audit again: it stands there, and only its last steps are taken.
                nights.number -= 1
                nights.whole_night()
        nights.whole_night()

    def test_at_every_named_point_of_finishing_the_run_before(self, nights):
        for point in kill_points(AT_RECOVERY):
            assert nights.night(fault="run_folder_after_rename:kill").was_killed
            half_published = nights.as_of
            assert nights.night(fault=f"{point}:kill").was_killed, point
            nights.whole_night()
            assert any(name.startswith(half_published) for name in published(nights.out)[0]), point

    def test_at_any_time(self, nights):
        started = time.monotonic()
        nights.whole_night()
        usual, kills, whole = time.monotonic() - started, 0, 0
        while kills < PROFILE.audits_killed:
            before = published(nights.out)[1]
            ended = nights.night(seconds=random.uniform(0, usual))
            assert ended.was_killed or ended.code == 0, ended.err
            kills += ended.was_killed
            whole += not ended.was_killed
            assert published(nights.out)[1] >= before, "runs are served in the order of their nights"
            if kills % WHOLE_NIGHT_EVERY == 0:
                nights.whole_night()
        nights.whole_night()

    def test_the_same_audit_again_where_the_first_was_not_published(self, nights):
        assert nights.night(fault="run_folder_before_rename:kill").was_killed
        nights.number -= 1
        nights.whole_night()


class TestFullDisk:
    @pytest.mark.parametrize("point", ["run_file_before_fsync", "journal_before_rename", "current_before_rename"])
    def test_before_the_swap_nothing_is_published(self, nights, point):
        before = published(nights.out)
        ended = nights.night(fault=f"{point}:full")
        assert ended.code == 2 and ended.err.count("\n") == 1
        assert f"--out {nights.out}: cannot be written (No space left on device)" in ended.err
        assert published(nights.out) == before and no_leftovers(nights.out)
        nights.whole_night()

    def test_after_the_swap_the_run_is_served_and_finished_later(self, nights):
        ended = nights.night(fault="current_after_rename:full")
        assert ended.code == 2 and "repeat the audit, which finishes" in ended.err
        nights.number -= 1
        nights.whole_night()

    @pytest.mark.parametrize("most_bytes", [0, 5_000, 60_000, 150_000])
    def test_files_that_cannot_grow(self, nights, most_bytes):
        self.full_or_right(nights, nights.out, most_bytes=most_bytes)
        nights.whole_night()

    @pytest.mark.parametrize("spare_kilobytes", [300, 5_000, 8_000, 12_000])
    def test_a_disk_that_is_really_full(self, nights, tmp_path, spare_kilobytes):
        disk = tmp_path / "disk"
        disk.mkdir()
        pages = sum(1 + path.stat().st_size // 4096 for path in nights.out.rglob("*"))
        kilobytes = 4 * pages + spare_kilobytes
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", disk], capture_output=True
        ).returncode:
            pytest.skip("a disk of its own needs the right to mount one")
        try:
            shutil.copytree(nights.out, disk / "out")
            self.full_or_right(nights, disk / "out")
        finally:
            subprocess.run(["umount", disk], check=True)

    def full_or_right(self, nights: Nights, out: Path, **limits) -> None:
        """The next night says in one line that there is no room, and all is as it was; or it had room enough."""
        before, nights.out = published(out), out
        ended = nights.night(**limits)
        if ended.code == 0:
            assert findings(out) == nights.undisturbed[nights.number % 2]
        else:
            assert ended.code == 2, ended.err
            assert ended.err.startswith("minutewise: ") and ended.err.count("\n") == 1
            said = ("No space left on device", "File too large", "is the disk full?", "cannot be opened or written")
            assert any(one in ended.err for one in said), ended.err
            assert published(out) == before
        assert no_leftovers(out)


def test_as_an_ordinary_user_in_a_folder_that_is_locked(first_nights, tmp_path, monkeypatch):
    out = Path(shutil.copytree(first_nights.out, tmp_path / "out"))
    before = published(out)
    # Whose user may not read this environment has to find every module loaded.
    assert audit(first_nights.extracts[0], tmp_path / "own").code == 0
    (out / "runs").chmod(0o500)
    try:
        with as_nobody():
            ran = audit(first_nights.extracts[0], out)
    finally:
        (out / "runs").chmod(0o700)
    assert ran.code == 2 and ran.err.count("\n") == 1
    assert published(out) == before and served_is_sound(out)
