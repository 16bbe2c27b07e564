"""Whether withheld counts can be found from the sums that are shown: each must be able to be anything from 1 to 10.

The reader to be feared knows that every withheld count lies in 1 to 10, every sum that is shown, and what a finding
is worth, so that dollars are a sum of findings to him. What he then finds is worked out here exactly: within a sum the
counts that carry dollars can take every whole number between a least and a most, and so can sums of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: A withheld count, as the policy has it.
LOW, HIGH = 1, 10


@dataclass(frozen=True)
class Pool:
    """Withheld counts of which the sum `total` is known (None: it is not): so many carry dollars, so many do not."""

    with_dollars: int
    without_dollars: int
    total: int | None = None


def left_open(pools: Sequence[Pool], with_dollars: tuple[int, int] | None = None) -> bool:
    """Whether every withheld count can be 1, 10 and all between; each stands in one pool.

    `with_dollars`: the least and the most findings that the shown dollars make, over the pools' counts with dollars.
    """
    return all(
        _can_be(pools, place, carries, value, with_dollars)
        for place, pool in enumerate(pools)
        for carries, held in ((True, pool.with_dollars), (False, pool.without_dollars))
        if held
        for value in range(LOW, HIGH + 1)
    )


def _can_be(pools: Sequence[Pool], place: int, carries: bool, value: int, with_dollars: tuple[int, int] | None) -> bool:
    """Whether one count of the pool at `place`, with dollars or without, can be `value`."""
    reached = [
        _reached(_without(pool, carries, value), carries * value) if number == place else _reached(pool)
        for number, pool in enumerate(pools)
    ]
    if any(least > most for least, most in reached):
        return False
    if with_dollars is None:
        return True
    return sum(least for least, _ in reached) <= with_dollars[1] and with_dollars[0] <= sum(most for _, most in reached)


def _without(pool: Pool, carries: bool, value: int) -> Pool:
    """The pool when one of its counts is known."""
    total = None if pool.total is None else pool.total - value
    return Pool(pool.with_dollars - carries, pool.without_dollars - (not carries), total)


def _reached(pool: Pool, known: int = 0) -> tuple[int, int]:
    """The least and the most that a pool's counts with dollars make together, `known` added; least > most: none can."""
    least, most = LOW * pool.with_dollars, HIGH * pool.with_dollars
    if pool.total is not None:
        least = max(least, pool.total - HIGH * pool.without_dollars)
        most = min(most, pool.total - LOW * pool.without_dollars)
    return known + least, known + most
