"""Tells a full disk from a fault of the program, whoever met it first: Python, DuckDB, or a rule's model."""

import errno
import os
import sys

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TEXTS = tuple(os.strerror(number) for number in _NO_ROOM)
#: What DuckDB raises where a file cannot be written; its own text names the file and the system's words, no row.
_RAISED = ("IOException", "TransactionException", "FatalException")


def full_disk(problem: BaseException | None) -> str | None:
    """The system's words where a full disk, quota or file is behind an exception, else None."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in _NO_ROOM:
            return os.strerror(problem.errno)
        if _is_of_duckdb(problem):
            return next((words for words in _TEXTS if words in str(problem)), None)
        problem = problem.__cause__ or problem.__context__
    return None


def _is_of_duckdb(problem: BaseException) -> bool:
    # Not imported here: the command line asks before there is any need of DuckDB.
    duckdb = sys.modules.get("duckdb")
    return duckdb is not None and isinstance(problem, tuple(getattr(duckdb, name) for name in _RAISED))
