"""The published state equals a full rebuild: one sequence of nights at a time, and what all of them have covered.

tests.profiles says how many sequences are run. A rebuild ends every sequence. The fresh audit, which takes as long as
a night, is held against the last night and one other (`_telling_night`); the profile `soak` holds it against all."""

from collections import Counter
from pathlib import Path

from tests.profiles import PROFILE, SEED

from .compare import assert_same, outcome
from .draw import draw_nights
from .files import Nights
from .fresh import fresh_audit, is_of_its_time
from .incremental import Warehouse
from .replay import Replay, State

TOGETHER = 10


def chunks() -> list[range]:
    """The seeds to run, ten to a test."""
    end = SEED + PROFILE.night_sequences
    return [range(first, min(first + TOGETHER, end)) for first in range(SEED, end, TOGETHER)]


def prove(seeds: range, folder: Path, make_warehouse=Warehouse) -> Counter:
    """Runs the sequences of these seeds in `folder`; AssertionError names the seed and the night that differ."""
    tally = Counter()
    for seed in seeds:
        _prove_sequence(draw_nights(seed), folder / str(seed), make_warehouse, tally)
    return tally


def assert_worth_it(tally: Counter) -> None:
    """The sequences were no easy ones: most nights have findings, many change something, few recompute every date."""
    assert tally["nights with findings"] > 0.6 * tally["nights"], tally
    assert tally["nights that changed something"] > 0.4 * tally["later nights"], tally
    assert tally["nights that recomputed a part"] > 0.2 * tally["later nights"], tally
    assert tally["fresh audits skipped"] < 0.1 * tally["fresh audits"], tally


def _prove_sequence(sequence: Nights, folder: Path, make_warehouse, tally: Counter) -> None:
    folder.mkdir(parents=True)
    (folder / "reference").mkdir()
    warehouse, replay, before = make_warehouse(folder / "warehouse"), Replay(), None
    compared = {len(sequence.nights), _telling_night(sequence)}
    for number, night in enumerate(sequence.nights, 1):
        where = f"at night {number} of\n{sequence}"
        reference = night.lay_out(folder / "extracts", folder / "reference")
        state = replay.night(night)
        found = warehouse.night(folder / "extracts", night.as_of, reference, list(night.removed))
        assert put_aside(found) == expected_aside(state), f"quarantine differs\n{where}"
        if PROFILE.compares_every_night or number in compared:
            if is_of_its_time(state, night.as_of):
                fresh = fresh_audit(folder / f"fresh {number}", state, night.as_of, reference)
                assert_same(found, fresh, where)
            tally["fresh audits"] += 1
            tally["fresh audits skipped"] += not is_of_its_time(state, night.as_of)
        _count(tally, found, state, before)
        if night.kinds == ("nothing",):
            assert not found.recomputed_dates, f"recomputed, though nothing has changed\n{where}"
        before = outcome(found)
    assert_same(found, warehouse.rebuild(night.as_of, reference), f"after a rebuild, {where}")


#: Blocks that wait for their note: of rows that repeat each other, either may be named.
WAITING = ("block_without_note", "note_quarantined", "clock_off_service_date")


def put_aside(found) -> Counter:
    """The quarantined rows by table, reason and file; of blocks that wait, only whether the file is named."""
    return _counted((row["table_name"], row["reason"], row["file_name"]) for row in found.quarantine)


def expected_aside(state: State) -> Counter:
    """The same, as the replay has them."""
    return _counted((old.row.table, old.reason, old.row.file) for old in state.aside)


def _counted(rows) -> Counter:
    return Counter((table, why, file is not None if why in WAITING else file) for table, why, file in rows)


def _telling_night(sequence: Nights) -> int:
    """The first night that only the clock or a reference row moved, if there is one; else one that the seed chooses."""
    still = [n for n, night in enumerate(sequence.nights, 1) if not night.written and not night.removed]
    return still[0] if still else 1 + sequence.seed % len(sequence.nights)


def _count(tally: Counter, found, state: State, before: tuple | None) -> None:
    dates = {row.values["service_date"] for row in state.standing.values() if row.table != "note_blocks"}
    tally["nights"] += 1
    tally["nights with findings"] += bool(found.findings)
    if before is not None:
        tally["later nights"] += 1
        tally["nights that changed something"] += outcome(found) != before
        tally["nights that recomputed a part"] += len(found.recomputed_dates) < len(dates)
