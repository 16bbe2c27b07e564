"""The published state of an incremental warehouse equals a full rebuild, in random sequences of nights."""

import pytest

from tests.nights.proof import TOGETHER, assert_worth_it, chunks, prove


@pytest.mark.parametrize("seeds", chunks(), ids=str)
def test_every_night_publishes_what_a_fresh_audit_of_the_rows_in_force_finds(seeds, tmp_path):
    tally = prove(seeds, tmp_path)
    if len(seeds) == TOGETHER:
        assert_worth_it(tally)
