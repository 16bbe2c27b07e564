"""The ways a run can end badly, each with its exit code. A message says what, where and what to do, in one line."""


class AuditError(Exception):
    """An internal error: nothing is published (exit 4)."""

    exit_code = 4


class UsageProblem(AuditError):
    """An option, a path, a mapping or a reference row is wrong (exit 2)."""

    exit_code = 2


class InputRejected(AuditError):
    """An extract cannot be read as its table, the counts do not reconcile, or the match is too low (exit 3)."""

    exit_code = 3


class Busy(AuditError):
    """Another run holds the output folder (exit 75)."""

    exit_code = 75
