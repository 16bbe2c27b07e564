"""How a failure of Spark is told: what failed, in one line, never a Java trace and never a value."""

import os
import re
from contextlib import contextmanager

from transforms.engines import EngineFault
from transforms.errors import AuditError

#: The conditions that Spark names where a statement is at fault, not a machine: [CAST_INVALID_INPUT] and its like.
_CONDITION = re.compile(r"\[([A-Z][A-Z_]+)[\].]")
_MACHINE = ("OutOfMemory", "No space left", "Connection", "lost", "SparkContext was shut down", "GC overhead")


@contextmanager
def told_in_one_line(what: str):
    """Turns what Spark, py4j or gRPC raise into AuditError (the statement) or EngineFault (Spark itself)."""
    try:
        yield
    except AuditError:
        raise
    except Exception as problem:
        if os.environ.get("MINUTEWISE_TRACEBACK") or not _is_sparks(problem):
            raise
        text = str(problem)
        condition = _condition(problem, text)
        if condition and not any(word in text for word in _MACHINE):
            raise AuditError(f"Spark refuses {_place(what)}: {condition}") from None
        raise EngineFault(
            f"Spark failed at {_place(what)} ({_kind(text, problem)}); nothing was published: look at the logs of the "
            "cluster, or give the driver more memory with --spark-conf spark.driver.memory=4g"
        ) from None


def _is_sparks(problem: Exception) -> bool:
    return type(problem).__module__.split(".")[0] in ("pyspark", "py4j", "grpc") or isinstance(problem, ConnectionError)


def _condition(problem: Exception, text: str) -> str | None:
    named = getattr(problem, "getCondition", None) or getattr(problem, "getErrorClass", None)
    try:
        condition = named() if named else None
    except Exception:  # the JVM behind it may be gone
        condition = None
    found = _CONDITION.search(text)
    return condition or (found.group(1) if found else None)


def _kind(text: str, problem: Exception) -> str:
    return next((word for word in _MACHINE if word in text), type(problem).__name__)


def _place(what: str) -> str:
    """A table's name, or the first words of a statement; values of a statement come after its first words."""
    return " ".join(what.split()[:3])[:60]
