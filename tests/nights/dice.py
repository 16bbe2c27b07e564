"""Chance from one seed: what `tests.drawing` asks of Hypothesis, over random.Random, so that a seed says it all."""

from random import Random


class Dice:
    """`pick`, `one_in` and `several`, as the drawers of notes and claims use them."""

    def __init__(self, seed: int):
        self._random = Random(seed)

    def pick(self, *options):
        """One of the options."""
        return self._random.choice(options)

    def one_in(self, n: int) -> bool:
        """True once in n."""
        return self._random.randrange(n) == 0

    def several(self, options) -> list:
        """A non-empty list of distinct options, in their order."""
        options = list(options)
        chosen = self._random.sample(range(len(options)), self._random.randint(1, len(options)))
        return [options[index] for index in sorted(chosen)]

    def up_to(self, n: int) -> int:
        """A whole number from 0 to n."""
        return self._random.randint(0, n)
