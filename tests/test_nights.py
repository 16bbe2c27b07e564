"""The generator of nights and the plain model of what is in force: held against sequences whose outcome was written
by reasoning, and against the oracle of the rule book."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import islice

import pytest

from tests.nights import by_hand, by_hand_notes
from tests.nights.cells import typed
from tests.nights.draw import KINDS, MORE_KINDS, draw_nights
from tests.nights.files import TABLES
from tests.nights.fresh import fresh_audit, is_of_its_time
from tests.nights.incremental import Warehouse
from tests.nights.mutants import MUTANTS
from tests.nights.replay import Replay, doubts
from tests.nights.told import days, stand
from tests.oracle import audit
from tests.test_against_oracle import PUBLISHED, compared, unit_rows

TOLD = [
    *by_hand.TAKING_PLACE,
    *by_hand.REMOVING,
    *by_hand.BREAKING,
    *by_hand_notes.DOCUMENTING,
    *by_hand_notes.CORRECTING,
    *by_hand_notes.SECOND_EDITION,
    *by_hand_notes.MOVING,
]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.why)
def test_what_is_in_force_is_what_was_reasoned(told):
    replay = Replay()
    for number, (night, after) in enumerate(told.nights, 1):
        state = replay.night(night)
        assert (number, stand(state)) == (number, after.stand)
        assert (number, sorted(old.reason for old in state.aside)) == (number, sorted(after.aside))
        assert after.repeats in (None, state.repeats), number


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.why)
def test_the_warehouse_publishes_what_was_reasoned(told, tmp_path):
    (tmp_path / "reference").mkdir()
    warehouse = Warehouse(tmp_path / "warehouse")
    for number, (night, after) in enumerate(told.nights, 1):
        reference = night.lay_out(tmp_path / "extracts", tmp_path / "reference")
        found = warehouse.night(tmp_path / "extracts", night.as_of, reference, list(night.removed))
        assert (number, {row["rule_id"] for row in found.findings}) == (number, after.rules)
        assert (number, sorted(row["reason"] for row in found.quarantine)) == (number, sorted(after.aside))
        assert (number, days(found.unjudged)) == (number, after.unjudged)


@pytest.mark.parametrize("first_seed", range(0, 60, 10))
def test_findings_of_the_rows_in_force_are_the_oracles(first_seed, tmp_path):
    for seed in range(first_seed, first_seed + 10):
        replay, folder = Replay(), tmp_path / str(seed)
        (folder / "reference").mkdir(parents=True)
        for night in draw_nights(seed).nights:
            state, reference = replay.night(night), night.lay_out(folder / "extracts", folder / "reference")
        # The oracle knows of no extract without blocks, and of no shipped reference.
        if is_of_its_time(state, night.as_of) and state.blocks_were_given and night.reference:
            break
    else:
        pytest.fail("no sequence of these ends in what the oracle knows")
    found = fresh_audit(folder / "fresh", state, night.as_of, reference)
    rows = [[typed(table, row.values) for row in state.rows(table)] for table in TABLES]
    expected = audit(*rows, as_of=night.as_of, reference=night.reference, **doubts(state))
    assert found.unjudged == set(expected.unjudged)
    assert compared(found.findings, PUBLISHED) == compared(expected.findings, {})
    assert unit_rows(found.units) == unit_rows(expected.units)


def test_every_kind_of_change_is_drawn_by_the_suites_seeds():
    counted = Counter(kind for seed in range(100) for night, _ in _drawn(seed) for kind in set(night.kinds))
    assert {kind: counted[kind] for kind in (*KINDS, *MORE_KINDS) if counted[kind] < 2} == {}
    assert set(counted) - {"first night"} == {*KINDS, *MORE_KINDS}


def test_a_seed_draws_the_same_nights_in_any_process():
    script = "from tests.nights.draw import draw_nights; import hashlib; " + DIGEST.format(seed=7)
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": value},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for value in ("1", "2")
    ]
    nights = draw_nights(7).nights
    told = str(draw_nights(7)) + "".join(file.digest for night in nights for file in night.written)
    assert said == [hashlib.sha256(told.encode()).hexdigest()] * 2


DIGEST = (
    "q = draw_nights({seed}); "
    "told = str(q) + ''.join(f.digest for n in q.nights for f in n.written); "
    "print(hashlib.sha256(told.encode()).hexdigest())"
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__doc__)
def test_a_history_with_a_flaw_is_told_from_a_right_one(mutant):
    seeds = list(islice((seed for seed in range(300) if _leads_elsewhere(mutant, seed)), 3))
    assert len(seeds) == 3, f"only the seeds {seeds} show it"


def _leads_elsewhere(mutant, seed: int) -> bool:
    wrong = mutant()
    return any(ours != _content(wrong.night(night)) for night, ours in _drawn(seed))


@cache
def _drawn(seed: int) -> list[tuple]:
    """The nights of a seed, each with the content of the right history after it."""
    right = Replay()
    return [(night, _content(right.night(night))) for night in draw_nights(seed).nights]


def _content(state) -> tuple:
    rows = {key: tuple(row.values.items()) for key, row in state.standing.items()}
    return rows, Counter((old.row.key, tuple(old.row.values.items())) for old in state.aside)
