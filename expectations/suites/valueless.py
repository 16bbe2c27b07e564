"""What is kept of a validation result: counts and verdicts, never a row's value.

Import this module only inside a function: it imports Great Expectations, which takes seconds.
"""

import builtins
import json
import re

import duckdb
import sqlalchemy.exc
from great_expectations.data_context.store.tuple_store_backend import TupleFilesystemStoreBackend

# Our own errors begin like this; every other error text may quote a row and is never stored.
OWN_ERROR = "minutewise: "

NOTHING_IN_SCOPE = "not applicable: nothing in scope"


class ValuelessStore(TupleFilesystemStoreBackend):
    """Stores validation results as JSON files without row values and without foreign error text."""

    def _set(self, key, value, **options):
        kept = json.dumps(without_values(json.loads(value)), indent=2, sort_keys=True)
        return super()._set(key, kept, **options)


def without_values(suite_result: dict) -> dict:
    """The JSON form of a suite's results with counts, verdicts and our own error texts only."""
    results = [_result_without_values(one) for one in suite_result["results"]]
    errored = sum(one["exception_info"]["raised_exception"] for one in results)
    return suite_result | {
        "results": results,
        "statistics": suite_result["statistics"] | {"errored_expectations": errored},
    }


def raised(exception_info: dict | None) -> dict | None:
    """The first raised exception of a result's `exception_info`, flat or nested by metric; else None."""
    if not exception_info:
        return None
    if "raised_exception" in exception_info:
        return exception_info if exception_info["raised_exception"] else None
    nested = (one for one in exception_info.values() if isinstance(one, dict))
    return next((one for one in nested if one.get("raised_exception")), None)


def error_text(exception: dict) -> str:
    """What may be told of a raised exception: our own sentence, or the kind of error alone."""
    message = str(exception.get("exception_message") or "")
    if message.startswith(OWN_ERROR):
        return message
    names = re.findall(r"\b[A-Z]\w+(?:Error|Exception)\b", f"{message} {exception.get('exception_traceback') or ''}")
    kind = next((name for name in names if name in _ERROR_NAMES), "an error")
    return f"{OWN_ERROR}the check itself ended in {kind}; its text is left out, for it may quote a row"


def _result_without_values(one: dict) -> dict:
    exception = raised(one.get("exception_info"))
    told = {
        "raised_exception": exception is not None,
        "exception_message": error_text(exception) if exception else None,
        "exception_traceback": "left out" if exception else None,
    }
    counts = {key: value for key, value in one.get("result", {}).items() if _is_count(value)}
    verdict = one.get("result", {}).get("details", {}).get("verdict")
    if verdict:
        counts["details"] = {"verdict": verdict}
    if verdict == "not_applicable":
        # Data Docs know no third colour: the words say it.
        counts["observed_value"] = NOTHING_IN_SCOPE
    return one | {"result": counts, "exception_info": told}


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _error_names() -> set[str]:
    spaces = (builtins, duckdb, sqlalchemy.exc)
    named = ((name, getattr(space, name)) for space in spaces for name in dir(space))
    return {name for name, held in named if isinstance(held, type) and issubclass(held, Exception)}


_ERROR_NAMES = _error_names()
