"""Sizes told in steps: 20, 50, 100, 200, 500, 1000 and so on, so that sizes within each other give nothing away."""

from itertools import count

_FIRST = 20


def step_below(size: int) -> int | None:
    """The greatest step that a size reaches; 0 of nothing, None below the first."""
    if size == 0:
        return 0
    reached = None
    for step in _steps():
        if step > size:
            return reached
        reached = step


def step_end(step: int) -> int:
    """The greatest size that reaches this step and not the next one."""
    return next(higher for higher in _steps() if higher > step) - 1


def _steps():
    return (digit * 10**power for power in count(1) for digit in (1, 2, 5) if digit * 10**power >= _FIRST)
