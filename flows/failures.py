"""How a failure is told: its kind and place, never its own text, for that may quote a patient's row."""

import os
from contextlib import contextmanager, nullcontext
from pathlib import Path

from transforms.database.full_disk import full_disk
from transforms.errors import AuditError, UsageProblem
from transforms.under_way import noted, passed_on, under_way

#: Set by who looks for a bug on data that may be shown: errors keep their text and traceback.
TRACEBACK = "MINUTEWISE_TRACEBACK"
#: DuckDB's Python client tells a signal to the process so, and not as the exception that it is elsewhere.
STOPPED_IN_DUCKDB = "Query interrupted"


class Interrupted(AuditError):
    """A signal ended a query of DuckDB: Ctrl-C, or Prefect's when a flow's time is up (exit 130)."""

    exit_code = 130


@contextmanager
def told_without_values(place: str | None = None):
    """Turns every unforeseen error into AuditError, so that no log and no Prefect database holds its text.

    What DuckDB says of a signal while it works becomes Interrupted. AuditError passes as it is. OSError stays one,
    without its text: only then is it known for a fault that may pass. `place` (a stage) is named in every error of
    exit code 4, with what was being worked on.
    """
    try:
        with under_way(place) if place else nullcontext():
            yield
    except Exception as problem:
        if type(problem) is RuntimeError and str(problem) == STOPPED_IN_DUCKDB:
            raise Interrupted("stopped; nothing was published") from None
        is_told = isinstance(problem, AuditError) and problem.exit_code != AuditError.exit_code
        if not is_told and (words := full_disk(problem)):
            raise UsageProblem(
                f"a file cannot be written ({words}), so nothing is published; make room where --out and --warehouse "
                "are, and audit again"
            ) from None
        if isinstance(problem, AuditError):
            if place and not is_told:
                raise AuditError(": ".join([*_parts(problem), str(problem)])) from None
            raise
        if os.environ.get(TRACEBACK):
            raise
        if isinstance(problem, OSError):
            raise passed_on(problem, OSError(problem.errno, system_words(problem))) from None
        raise AuditError(internal_error(problem)) from None


def system_words(problem: OSError) -> str:
    """What the system calls an error, whatever text the exception itself carries."""
    return os.strerror(problem.errno) if problem.errno else "a fault of the machine"


def internal_error(problem: Exception) -> str:
    """One line about an unforeseen error: its kind, the line of code, what was being worked on, and what to do."""
    kind = type(problem).__name__
    if isinstance(problem, OSError):
        kind = f"{kind}: {system_words(problem)}"
    return (
        f"internal error ({kind}{_place(problem)}){_under_way(problem)}; nothing was published. Please report it with "
        f"the output of `minutewise doctor`; {TRACEBACK}=1 shows the traceback, which may hold data"
    )


def _under_way(problem: Exception) -> str:
    """The stage and, where it is known, the file, table or model."""
    return f" in {', '.join(parts)}" if (parts := _parts(problem)) else ""


def _parts(problem: Exception) -> list[str]:
    """What was noted on an error; what a file is named must not forge a line."""
    return [part if part.isprintable() else ascii(part) for part in noted(problem)]


def _place(problem: Exception) -> str:
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f" in {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
