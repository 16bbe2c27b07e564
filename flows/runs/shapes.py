"""What a JSON document must look like: small checks that are put together, each of which says where and what is wrong.

What is wrong is said by the name of a key, never by a value: a document that somebody edited may hold anything.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from flows.failures import system_words

#: Raises Misshapen where a value under a key is not what it has to be.
Check = Callable[[Any, str], None]
#: No whole number of ours is beyond what DuckDB's bigint holds.
_MOST = 2**63 - 1
_MOST_DIGITS = len(str(_MOST))
_DOLLARS = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,4})?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Misshapen(ValueError):
    """What is wrong with a document: its place and what is to stand there, no value of it."""


def read_document(path: Path, check: Check) -> Any:
    """The JSON document in a file, checked; Misshapen where it is not as it has to be, FileNotFoundError where none is
    there."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_int=_whole, parse_constant=_no_number)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Misshapen(f"cannot be read ({system_words(problem)})") from None
    except UnicodeDecodeError:
        raise Misshapen("is not UTF-8") from None
    except json.JSONDecodeError as problem:
        raise Misshapen(f"is not JSON (line {problem.lineno}, column {problem.colno})") from None
    except RecursionError:
        raise Misshapen("is nested too deeply to be read") from None
    check(document, "")
    return document


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS + 1:
        raise Misshapen(f"holds a number of {len(digits):,} digits; {_MOST_DIGITS} are the most")
    return int(digits)


def _no_number(_word: str):
    raise Misshapen("contains NaN or Infinity, which are not JSON")


def _must(is_so: bool, key: str, what: str) -> None:
    if not is_so:
        raise Misshapen(f"{f'key {key}' if key else 'the document'} must be {what}")


def a_text(value: Any, key: str) -> None:
    """Text that can be written down: without NUL, and without halves of characters."""
    _must(isinstance(value, str) and "\0" not in value and not re.search("[\ud800-\udfff]", value), key, "a text")


def a_count(value: Any, key: str) -> None:
    """A whole number from 0, in 64 bits."""
    _must(type(value) is int and 0 <= value <= _MOST, key, "a whole number from 0")


def a_number(value: Any, key: str) -> None:
    """A number from 0: seconds, a share."""
    _must(type(value) in (int, float) and isfinite(value) and value >= 0, key, "a number from 0")


def a_flag(value: Any, key: str) -> None:
    """True or false."""
    _must(isinstance(value, bool), key, "true or false")


def a_day(value: Any, key: str) -> None:
    """A date as 2026-03-31."""
    _must(isinstance(value, str) and len(value) == len("2026-03-31") and _is(date, value), key, "a date (YYYY-MM-DD)")


def a_moment(value: Any, key: str) -> None:
    """A date with its time and time zone."""
    is_one = isinstance(value, str) and _is(datetime, value) and datetime.fromisoformat(value).tzinfo is not None
    _must(is_one, key, "a date and time with its time zone")


def _is(kind: type[date], value: str) -> bool:
    try:
        kind.fromisoformat(value)
    except ValueError:
        return False
    return True


def dollars(value: Any, key: str) -> None:
    """Dollars as text: 1240.00."""
    _must(isinstance(value, str) and bool(_DOLLARS.fullmatch(value)), key, 'dollars as text, such as "1240.00"')


def a_sha256(value: Any, key: str) -> None:
    """A file's hash."""
    _must(isinstance(value, str) and bool(_SHA256.fullmatch(value)), key, "a sha256 (64 of the characters 0-9, a-f)")


def a_name(value: Any, key: str) -> None:
    """The name of a run's folder: no path that leads elsewhere, nothing hidden."""
    a_text(value, key)
    is_name = Path(value).name == value and value.isprintable() and not value.startswith(".")
    _must(is_name, key, "a run's id, and no path")


def a_path_inside(value: Any, key: str) -> None:
    """A path below the run's folder."""
    a_text(value, key)
    path = PurePosixPath(value)
    is_inside = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    _must(is_inside, key, "a path that stays within the run's folder")


def one_of(*words: str) -> Check:
    """One of these words."""
    return lambda value, key: _must(
        isinstance(value, str) and value in words, key, f"one of {', '.join(sorted(words))}"
    )


def maybe(check: Check) -> Check:
    """The same, or null."""
    return lambda value, key: None if value is None else check(value, key)


def each(check: Check, least: int = 0) -> Check:
    """A list, of at least so many."""

    def check_list(value: Any, key: str) -> None:
        _must(isinstance(value, list), key, "a list")
        _must(len(value) >= least, key, f"a list of {least} or more")
        for place, one in enumerate(value):
            check(one, f"{key}[{place}]")

    return check_list


def by_name(check: Check, names: Check = a_text) -> Check:
    """An object of any names, all with the same kind of value; a name may be somebody's, and is not told."""

    def check_values(value: Any, key: str) -> None:
        _must(isinstance(value, dict), key, "an object")
        for name, one in value.items():
            names(name, f"{key}.*")
            check(one, f"{key}.*")

    return check_values


def record(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys; further ones may stand there, as another version writes them."""

    def check_record(value: Any, key: str) -> None:
        _must(isinstance(value, dict), key, "an object")
        within = f"{key}." if key else ""
        for name in needed:
            if name not in value:
                raise Misshapen(f"key {within}{name} is missing")
        for name, check in {**needed, **(optional or {})}.items():
            if name in value:
                check(value[name], within + name)

    return check_record


def needing(check: Check, needs: Callable[[dict], Iterable[str]]) -> Check:
    """The same, and further keys that what stands there makes needed."""

    def check_needs(value: Any, key: str) -> None:
        check(value, key)
        for name in needs(value):
            if name not in value:
                raise Misshapen(f"key {f'{key}.' if key else ''}{name} is missing")

    return check_needs
