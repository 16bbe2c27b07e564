"""Files that a night shares with the run before: each is read again in its turn, and what cannot be read is told so."""

from datetime import date, timedelta

import duckdb
import pytest

from flows.publishing.months import Months, _due
from flows.publishing.write import _unread

TODAY = date(2026, 3, 20)


def months(*days_ago: int) -> Months:
    """Linked files that were last read so many days ago."""
    names = [f"accepted/claims/{2000 + number}-01.parquet" for number in range(len(days_ago))]
    checked = {name: (TODAY - timedelta(days=ago)).isoformat() for name, ago in zip(names, days_ago, strict=True)}
    return Months(linked=dict.fromkeys(names, "sha"), checked=checked)


def ages(found: set[str], of: Months) -> list[int]:
    return sorted((TODAY - date.fromisoformat(of.checked[name])).days for name in found)


@pytest.mark.parametrize(
    ("days_ago", "days", "read_again"),
    [
        ((), 7, []),
        ((6,), 7, [6]),  # a seventh of one file is one file
        ((1, 2, 3, 4, 5, 6, 6), 7, [6]),
        ((1, 2, 3, 4, 5, 6, 6, 6), 7, [6, 6]),  # eight files in seven nights are two on some
        ((7, 7, 7, 1), 7, [7, 7, 7]),  # a machine that was off for a week
        ((1, 1, 1), 1, [1, 1, 1]),  # every night all of them
        ((-3, 1, 2), 7, [-3, 2]),  # read on a date to come: the clock went back
    ],
)
def test_the_longest_unread_come_first_and_none_waits_longer(days_ago, days, read_again):
    held = months(*days_ago)
    assert ages(_due(held, TODAY, days), held) == read_again


def test_in_a_week_of_nights_every_file_is_read(held_files=40):
    held, read = months(*[0] * held_files), set()
    for night in range(1, 8):
        due = _due(held, TODAY + timedelta(days=night), 7)
        assert len(due) == 6, "40 files in 7 nights"
        held.checked |= dict.fromkeys(due, (TODAY + timedelta(days=night)).isoformat())
        read |= due
    assert read == set(held.linked)


def test_a_file_that_no_run_says_of_when_it_was_read_is_read():
    held = Months(linked={"a": "sha", "b": "sha"}, checked={"a": TODAY.isoformat()})
    assert "b" in _due(held, TODAY, 7)


@pytest.mark.parametrize(
    ("problem", "is_of_reading"),
    [
        (OSError(5, "Input/output error"), True),
        (OSError("Corrupt snappy compressed data."), True),  # as Arrow says it
        (OSError(13, "Permission denied"), False),
        (OSError(30, "Read-only file system"), False),
        (duckdb.IOException('IO Error: Could not read from file "w.duckdb": Input/output error'), True),
        (duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match 2"), True),
        (duckdb.IOException('IO Error: Could not write file "w.duckdb": Permission denied'), False),
    ],
)
def test_a_fault_of_reading_is_not_told_as_one_of_writing(problem, is_of_reading):
    assert bool(_unread(problem)) == is_of_reading
