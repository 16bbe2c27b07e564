"""Reads a mapping file (TOML): how a foreign extract becomes the canonical one. docs/mapping.md is its
manual."""

import difflib
import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from transforms.contract.fields import TABLES, contract_fields
from transforms.errors import UsageProblem
from transforms.extract.csv.encoding import ENCODINGS, UTF_8
from transforms.extract.mapping.date_formats import format_problem
from transforms.extract.mapping.patterns import pattern_problem

KINDS = ("from", "constant", "first_of", "join", "by_first_of", "number_within")
CELL_OPTIONS = ("strip", "replace", "values", "other", "date_formats", "split", "last_characters", "where")
# What may stand beside each kind.
OPTIONS = {
    "from": CELL_OPTIONS,
    "first_of": CELL_OPTIONS,
    "constant": ("where",),
    "join": ("with", "where"),
    "by_first_of": (),
    "number_within": (),
}
TESTS = ("is", "is_not", "is_blank", "matches", "matches_not")


@dataclass(frozen=True)
class Condition:
    """Keeps a row by one foreign column; exactly one of the tests is set."""

    column: str
    is_in: tuple[str, ...] | None = None
    is_not_in: tuple[str, ...] | None = None
    is_blank: bool | None = None
    matches: str | None = None
    matches_not: str | None = None

    @property
    def test(self) -> str:
        """The test as a mapping names it."""
        held = (self.is_in, self.is_not_in, self.is_blank, self.matches, self.matches_not)
        return next(test for test, value in zip(TESTS, held, strict=True) if value is not None)


@dataclass(frozen=True)
class Source:
    """Where one canonical column comes from. `columns` are foreign names; `labels` belong to by_first_of, and
    `replaced` are patterns, each with the text that takes the place of what it matches."""

    kind: str
    columns: tuple[str, ...] = ()
    constant: str = ""
    labels: tuple[str, ...] = ()
    separator: str = ";"
    replaced: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    other: str | None = None
    date_formats: tuple[str, ...] = ()
    is_split: bool = False
    last_characters: int | None = None
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class TableMapping:
    """One table's part of a mapping file."""

    files: str | None = None
    delimiter: str = ","
    encoding: str = UTF_8
    columns: dict[str, Source] = field(default_factory=dict)
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """A mapping file, checked; `content` are its bytes, and `sha256` their digest."""

    file_name: str
    content: bytes
    sha256: str
    tables: dict[str, TableMapping]

    def files(self, table_name: str) -> str | None:
        """The glob for a table's files, if the mapping says one."""
        return self.table(table_name).files

    def table(self, table_name: str) -> TableMapping:
        """A table's mapping; an empty one when the file is silent about it."""
        return self.tables.get(table_name, TableMapping())


def load_mapping(path: Path | str) -> Mapping:
    """Reads and checks a mapping file; raises UsageProblem naming the file and the key."""
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise UsageProblem(f"{path}: mapping cannot be read ({problem.strerror}): check --mapping") from None
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UsageProblem(f"{path}: mapping is not UTF-8: save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise UsageProblem(f"{path}: mapping is not TOML: {problem}") from None
    except ValueError:  # the parser leaves numbers of thousands of digits to Python, which refuses them
        raise UsageProblem(f"{path}: mapping holds a number of thousands of digits: write it as text") from None
    try:
        _refuse_nul(document, "")
        _known(document, TABLES, "")
        tables = {table: _table(table, part) for table, part in document.items()}
    except _Wrong as wrong:
        raise UsageProblem(f"{path}: {wrong}") from None
    return Mapping(path.name, content, hashlib.sha256(content).hexdigest(), tables)


class _Wrong(Exception):
    """A key is wrong; the message names the key and what to do."""


def _table(table: str, part) -> TableMapping:
    _is_table(part, table)
    for key in (key for key in part if key in CELL_OPTIONS and key != "where"):
        raise _Wrong(
            f"{table}.{key}: belongs with the column that it is for: [{table}.columns], then "
            f'COLUMN = {{ from = "...", {key} = ... }}'
        )
    _known(part, ("files", "delimiter", "encoding", "columns", "where"), table)
    columns = part.get("columns", {})
    _is_table(columns, f"{table}.columns")
    fields = {one.field: one for one in contract_fields(table)}
    _known(columns, tuple(fields), f"{table}.columns", "no column of the contract")
    sources = {column: _source(fields[column], said, f"{table}.columns.{column}") for column, said in columns.items()}
    files = _string(part, "files", table) if "files" in part else None
    if files is not None and (not files.strip() or files.startswith("/") or ".." in PurePosixPath(files).parts):
        raise _Wrong(f"{table}.files: a glob within the extracts folder is needed, such as 'billing*.csv'")
    delimiter = _string(part, "delimiter", table) if "delimiter" in part else ","
    if len(delimiter) != 1 or delimiter in '"\r\n' or ord(delimiter) > 0x7F or delimiter == "\0":
        raise _Wrong(f"{table}.delimiter: one character is needed, such as ';' or '\\t'")
    encoding = ENCODINGS.get(_string(part, "encoding", table).strip().lower()) if "encoding" in part else UTF_8
    if encoding is None:
        raise _Wrong(f"{table}.encoding: one of {', '.join(dict.fromkeys(ENCODINGS.values()))} is needed")
    return TableMapping(files, delimiter, encoding, sources, _conditions(part.get("where", []), f"{table}.where"))


def _source(field_, said, key: str) -> Source:
    if isinstance(said, str):
        said = {"from": said}
    _is_table(said, key, 'a column name or a table such as {from = "..."}')
    kinds = [kind for kind in KINDS if kind in said]
    if len(kinds) != 1:
        _known(said, KINDS, key)
        raise _Wrong(f"{key}: exactly one of {', '.join(KINDS)} is needed")
    kind = kinds[0]
    _known(said, (kind, *OPTIONS[kind]), key)
    if "other" in said and "values" not in said:
        raise _Wrong(f"{key}.other: has no meaning without values")
    source = Source(
        kind=kind,
        values=_value_map(said["values"], f"{key}.values") if "values" in said else (),
        other=_text(said["other"], f"{key}.other") if "other" in said else None,
        separator=_string(said, "with", key) if "with" in said else ";",
        replaced=_replaced(said, key),
        is_split=_split(said, key),
        date_formats=_formats(field_, said, key),
        last_characters=_count(said, key),
        where=_conditions(said.get("where", []), f"{key}.where"),
        **_columns(kind, said[kind], f"{key}.{kind}"),
    )
    return source


def _columns(kind: str, said, key: str) -> dict:
    if kind == "constant":
        return {"constant": _text(said, key)}
    if kind == "from":
        return {"columns": _names([said], key)}
    if kind == "by_first_of":
        _is_table(said, key)
        return {
            "columns": _names(list(said), key),
            "labels": tuple(_text(label, f"{key}.{column}") for column, label in said.items()),
        }
    return {"columns": _names(said, key)}


def _names(said, key: str) -> tuple[str, ...]:
    if not isinstance(said, list) or not said or not all(isinstance(one, str) and one.strip() for one in said):
        raise _Wrong(f"{key}: column names of the extract are needed")
    names = tuple(one.strip() for one in said)
    if len({one.lower() for one in names}) < len(names):
        raise _Wrong(f"{key}: names a column twice")
    return names


def _conditions(said, key: str) -> tuple[Condition, ...]:
    parts = said if isinstance(said, list) else [said]
    return tuple(_condition(part, f"{key}[{number}]") for number, part in enumerate(parts, 1))


def _condition(part, key: str) -> Condition:
    _is_table(part, key)
    _known(part, ("column", *TESTS), key)
    if "column" not in part or sum(test in part for test in TESTS) != 1:
        raise _Wrong(f"{key}: column and exactly one of {', '.join(TESTS)} are needed")
    column = _names([part["column"]], f"{key}.column")[0]
    if "is_blank" in part:
        if not isinstance(part["is_blank"], bool):
            raise _Wrong(f"{key}.is_blank: true or false is needed")
        return Condition(column, is_blank=part["is_blank"])
    if "matches" in part or "matches_not" in part:
        test = "matches" if "matches" in part else "matches_not"
        return Condition(column, **{test: _pattern(part[test], f"{key}.{test}")})
    test = "is" if "is" in part else "is_not"
    listed = part[test] if isinstance(part[test], list) else [part[test]]
    if not listed:
        raise _Wrong(f"{key}.{test}: at least one value is needed")
    values = tuple(_text(value, f"{key}.{test}") for value in listed)
    return Condition(column, is_in=values) if test == "is" else Condition(column, is_not_in=values)


def _value_map(said, key: str) -> tuple[tuple[str, str], ...]:
    _is_table(said, key)
    if not said:
        raise _Wrong(f"{key}: at least one value is needed")
    return tuple((old.strip(), _text(new, f"{key}.{old}")) for old, new in said.items())


def _replaced(said: dict, key: str) -> tuple[tuple[str, str], ...]:
    """What is taken out of a cell, and then what is put in place of what."""
    out = [(_pattern(said["strip"], f"{key}.strip"), "")] if "strip" in said else []
    places = said.get("replace", {})
    if "replace" in said:
        _is_table(places, f"{key}.replace", 'a table of patterns such as { "^0+" = "" }')
        if not places:
            raise _Wrong(f"{key}.replace: at least one pattern is needed")
    pairs = ((old, new, f"{key}.replace.{old}") for old, new in places.items())
    return (*out, *((_pattern(old, place), _text(new, place, is_trimmed=False)) for old, new, place in pairs))


def _pattern(said, key: str) -> str:
    if not isinstance(said, str):
        raise _Wrong(f"{key}: a pattern in quotes is needed")
    problem = pattern_problem(said)
    if problem:
        raise _Wrong(f"{key}: {problem}")
    return said


def _split(said: dict, key: str) -> bool:
    if "split" in said and said["split"] != "array":
        raise _Wrong(f"{key}.split: only 'array' is known")
    return "split" in said


def _count(said: dict, key: str) -> int | None:
    count = said.get("last_characters")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 1000):
        raise _Wrong(f"{key}.last_characters: a whole number from 1 to 1000 is needed")
    return count


def _formats(field_, said: dict, key: str) -> tuple[str, ...]:
    if "date_formats" not in said:
        return ()
    listed = said["date_formats"]
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        raise _Wrong(f"{key}.date_formats: a list of formats is needed, such as ['%m/%d/%Y']")
    for one in listed:
        problem = format_problem(one, field_.type)
        if problem:
            raise _Wrong(f"{key}.date_formats: {one!r} {problem}")
    return tuple(listed)


def _text(value, key: str, *, is_trimmed: bool = True) -> str:
    """A value as a cell would hold it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        raise _Wrong(f"{key}: one plain value is needed")
    try:
        shown = str(value)
    except ValueError:  # a number beyond what Python writes out
        raise _Wrong(f"{key}: is a number of thousands of digits: write it as text") from None
    return shown.strip() if is_trimmed else shown


def _refuse_nul(part, key: str) -> None:
    """No cell, name or path can hold the character NUL, and no database takes it."""
    if isinstance(part, dict):
        for name, held in part.items():
            place = f"{key}.{name}".lstrip(".")
            _refuse_nul(name, place.replace("\0", "\\u0000"))
            _refuse_nul(held, place)
    elif isinstance(part, list):
        for number, held in enumerate(part, 1):
            _refuse_nul(held, f"{key}[{number}]")
    elif isinstance(part, str) and "\0" in part:
        raise _Wrong(f"{key}: holds the character NUL: take it out")


def _string(part: dict, key: str, within: str) -> str:
    if not isinstance(part[key], str):
        raise _Wrong(f"{within}.{key}: text is needed")
    return part[key]


def _is_table(part, key: str, wanted: str = "a table") -> None:
    if not isinstance(part, dict):
        raise _Wrong(f"{key}: {wanted} is needed")


def _known(part: dict, known: tuple[str, ...], within: str, said: str = "unknown key") -> None:
    for key in part:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise _Wrong(f"{within + '.' if within else ''}{key}: {said}: {hint}")
