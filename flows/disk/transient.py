"""Tells a fault of the machine, which may pass, from a mistake, which will not."""

import errno
import os

import duckdb

#: A disk, share or network that fails for a moment. A missing file is a mistake, and a full disk stays full.
PASSING = frozenset(
    getattr(errno, name)
    for name in (
        "EAGAIN",
        "EBUSY",
        "ECONNABORTED",
        "ECONNREFUSED",
        "ECONNRESET",
        "EHOSTDOWN",
        "EHOSTUNREACH",
        "EINTR",
        "EIO",
        "EMFILE",
        "ENETDOWN",
        "ENETRESET",
        "ENETUNREACH",
        "ENFILE",
        "ENOLCK",
        "ENOTCONN",
        "EREMOTEIO",
        "ESTALE",
        "ETIMEDOUT",
        "ETXTBSY",
    )
    if hasattr(errno, name)
)
_PASSING_TEXTS = tuple(os.strerror(number) for number in sorted(PASSING))


def passing_fault(problem: BaseException | None) -> str | None:
    """The system's words for the passing fault behind an exception, else None; never the exception's own.

    A reader tells a fault in one line as an AuditError, and Python keeps the fault itself as its context: so
    the whole chain is looked at.
    """
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in PASSING:
            return os.strerror(problem.errno)
        if isinstance(problem, TimeoutError | ConnectionError):
            return "no answer in time"
        if isinstance(problem, duckdb.IOException):
            # DuckDB gives no number, only the system's words behind a path.
            return next((words for words in _PASSING_TEXTS if str(problem).endswith(words)), None)
        problem = problem.__cause__ or problem.__context__
    return None
