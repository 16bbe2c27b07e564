"""What the parts of a shareable summary have in common: its patients, and what of it is withheld."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.summary.shareable.patients_behind import PatientsBehind
from flows.summary.shareable.steps import step_below

#: The least cell of the policy.
LEAST = 11
#: A withheld count may be anything in a range of so many values at the least.
LEAST_RANGE = 10


@dataclass
class Page:
    """A summary on its way out: its patients, and what of it is withheld."""

    summary: Mapping
    behind: PatientsBehind
    withheld: list[str] = field(default_factory=list)

    def cell(self, path: str, value, is_safe: bool):
        """The value, or None and its path among the withheld ones."""
        if is_safe:
            return value
        self.withheld.append(path)
        return None

    def holds(self, count: int, kind: str) -> bool:
        """Whether so many subjects of a kind are 0, or at least 11 and surely of at least 11 patients."""
        return count == 0 or (count >= LEAST and count > self.behind.ten_most.get(kind, count))

    def size(self, path: str, count: int, kind: str) -> int | None:
        """The step that a size reaches; 0 is shown, and what lies below the first step is not."""
        step = step_below(count)
        return self.cell(path, step, step is not None and self.holds(count, kind))


def is_large(count: int, people: int) -> bool:
    """Whether a count is 0, or at least 11 and of at least 11 patients."""
    return count == 0 or (count >= LEAST and people >= LEAST)
