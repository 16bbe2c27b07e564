"""Nights on a warehouse that are killed, at every named point and at any time: the next one comes to what an
undisturbed night comes to, and nothing is lost, doubled or half published."""

import json
import random
import shutil
from pathlib import Path

import duckdb
import pytest

from flows.disk.faults import PUBLISHING, points
from flows.runs.verify import verify
from tests.cli_runs import day, published, write_days
from tests.kill_points import Commands
from tests.profiles import PROFILE, kill_points

#: What a night publishes in full, and what depends on nothing but its rows.
SAME = ("findings.parquet", "rules.parquet", "quarantine.parquet", "finding_history.parquet")
FIRST, SECOND, THIRD = "2026-03-20", "2026-03-21", "2026-03-22"


@pytest.fixture(scope="module")
def commands():
    with Commands() as started:
        yield started


def extracts_of(folder: Path, night: int) -> Path:
    """The extracts as they stand on a night: each adds a file, and the second corrects a line of the first."""
    place = folder / "extracts"
    if night == 1:
        write_days(place, day(1), day(2), day(3, claims_units=4))
    if night == 2:
        late = write_days(folder / "late", day(3, claims_units=2), day(4, claims_units=3), day(5))
        for path in late.iterdir():
            shutil.copy(path, place / f"{path.stem}_late.csv")
    return place


def night(commands: Commands, folder: Path, as_of: str, **limits):
    out, warehouse = folder / "out", folder / "clinic.duckdb"
    asked = ("--extracts", folder / "extracts", "--out", out, "--warehouse", warehouse, "--as-of", as_of)
    return commands.run("audit", *asked, **limits)


@pytest.fixture(scope="module")
def base(commands, tmp_path_factory):
    """A warehouse after its first night, with the second night's files there to be read."""
    folder = tmp_path_factory.mktemp("base")
    extracts_of(folder, 1)
    ended = night(commands, folder, FIRST)
    assert ended.code == 0, ended.err
    extracts_of(folder, 2)
    return folder


@pytest.fixture(scope="module")
def undisturbed(commands, base, tmp_path_factory):
    """What the second and the third night come to where nothing is killed."""
    folder = copied(base, tmp_path_factory.mktemp("undisturbed"))
    return [state(commands, folder, as_of) for as_of in (SECOND, THIRD)]


def copied(base: Path, folder: Path) -> Path:
    shutil.copytree(base, folder, dirs_exist_ok=True)
    return folder


def state(commands: Commands, folder: Path, as_of: str) -> dict[str, str]:
    """A whole night, and the hashes of all that it published but reports and times."""
    ended = night(commands, folder, as_of)
    assert ended.code == 0, ended.err
    (runs, current) = published(folder / "out")
    assert current in runs
    assert [name for name in runs if name.startswith(".")] == []
    assert all(run.is_sound for run in verify(folder / "out", None, True))
    assert not (folder / "out" / ".publishing").exists()
    assert committed(folder) == current
    files = json.loads((folder / "out" / "runs" / current / "manifest.json").read_text())["files"]
    return {name: digest for name, digest in files.items() if name in SAME or name.startswith(("accepted/", "units."))}


def committed(folder: Path) -> str:
    with duckdb.connect(str(folder / "clinic.duckdb"), read_only=True) as con:
        return con.execute("select run_id from house_state").fetchone()[0]


def assert_served(folder: Path) -> None:
    """Whatever was killed: `current` names a run that is whole."""
    _, current = published(folder / "out")
    assert current is not None
    assert all(run.is_sound for run in verify(folder / "out", current, False))


@pytest.mark.parametrize("point", kill_points(tuple(points(PUBLISHING))))
def test_a_night_killed_at_a_named_point(commands, base, undisturbed, tmp_path, point):
    folder = copied(base, tmp_path)
    ended = night(commands, folder, SECOND, fault=f"{point}:kill")
    assert ended.was_killed, ended.err
    assert_served(folder)
    assert state(commands, folder, SECOND) == undisturbed[0]
    if point.startswith(("warehouse", "run_folder_after", "current")):
        assert state(commands, folder, THIRD) == undisturbed[1]


@pytest.mark.parametrize("number", range(PROFILE.nights_killed))
def test_a_night_killed_at_any_time(commands, base, undisturbed, tmp_path, number):
    folder = copied(base, tmp_path)
    night(commands, folder, SECOND, seconds=random.Random(number).uniform(0.05, 2.5))
    assert_served(folder)
    assert state(commands, folder, SECOND) == undisturbed[0]


def test_a_night_that_was_killed_and_the_next_one_at_once(commands, base, tmp_path, undisturbed):
    """The third night, without the second being repeated, takes in what the second one read."""
    for point in ("run_folder_after_rename", "warehouse_before_commit", "warehouse_after_commit"):
        folder = copied(base, tmp_path / point)
        assert night(commands, folder, SECOND, fault=f"{point}:kill").was_killed
        came_to = state(commands, folder, THIRD)
        kept = ("findings.parquet", "rules.parquet")
        assert {name: came_to[name] for name in kept} == {name: undisturbed[1][name] for name in kept}
