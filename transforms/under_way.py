"""What was being worked on when an unforeseen error came: a file, a table or a model; noted on the error itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Problem = TypeVar("Problem", bound=BaseException)
_NOTED = "minutewise_under_way"


@contextmanager
def under_way(what: str) -> Iterator[None]:
    """Notes on any error that leaves the block what was being worked on: a name of ours or of a file, never a value."""
    try:
        yield
    except Exception as problem:
        setattr(problem, _NOTED, (what, *noted(problem)))
        raise


def noted(problem: BaseException) -> tuple[str, ...]:
    """What was noted on an error, the outermost first."""
    return getattr(problem, _NOTED, ())


def passed_on(problem: BaseException, new: Problem) -> Problem:
    """The error that is raised in the place of another, with what was noted on that."""
    setattr(new, _NOTED, noted(problem))
    return new
