"""What a mapping means for one file: which of its columns feed which canonical ones, and the SQL that does
it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from transforms.contract.cell_sql import BLANKS, trimmed
from transforms.contract.fields import Field, contract_fields, spared_fields
from transforms.database.quoting import name, text
from transforms.errors import InputRejected
from transforms.extract.csv.header import looks_like_data
from transforms.extract.mapping.date_formats import read_sql
from transforms.extract.mapping.mapping import Condition, Mapping, Source, TableMapping

# Cells of an array: {97110,97112}  97110|97112  ["97110","97112"]  97110;97112
ARRAY_BRACKETS = r"^[\{\[\(]|[\}\]\)]$"
ARRAY_SEPARATORS = "[,;|]"
QUOTES = "\"'"
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True)
class Plan:
    """How one file becomes one canonical table: the source of each canonical column (foreign names as in
    file_<n>), the file's columns that are used, those that hold free text, those that bear on no verdict, and the row
    filters."""

    sources: dict[str, Source]
    used: tuple[str, ...]
    free_text: tuple[str, ...]
    spared: tuple[str, ...]
    where: tuple[Condition, ...]

    @property
    def is_direct(self) -> bool:
        """Every canonical cell is a cell of the file, and every row of the file is a row."""
        return not self.where and all(source == Source("from", source.columns[:1]) for source in self.sources.values())


def make_plan(
    table_name: str, file_name: str, columns: tuple[str, ...], mapping: Mapping | None, header_text: str = ""
) -> Plan:
    """Settles every canonical column of a file; one that the mapping does not name is taken under its own
    name.

    Raises InputRejected when the mapping names a column that the file lacks, or a required column has no
    source.
    """
    said = mapping.table(table_name) if mapping else TableMapping()
    own = {column.lower(): column for column in columns}
    lookup = _Lookup(own, table_name, file_name, mapping.file_name if mapping else "", header_text)
    sources = {}
    for one in contract_fields(table_name):
        if one.field in said.columns:
            sources[one.field] = lookup.source(said.columns[one.field], one.field)
        elif one.field in own:
            sources[one.field] = Source("from", (own[one.field],))
    lookup.refuse_missing([one.field for one in contract_fields(table_name) if one.is_required], sources)
    where = lookup.conditions(said.where, "where")
    used = {column for source in sources.values() for column in _columns_of(source)}
    used |= {condition.column for condition in where}
    free = [one.field for one in contract_fields(table_name) if one.is_free_text]
    filtering = {condition.column for condition in where}
    only_free = _columns_only_of(free, sources)
    only_spared = _columns_only_of(spared_fields(table_name), sources) - filtering
    ordered = tuple(column for column in columns if column in used)
    return Plan(
        sources,
        ordered,
        tuple(column for column in ordered if column in only_free),
        tuple(column for column in ordered if column in only_spared),
        where,
    )


@dataclass(frozen=True)
class _Lookup:
    """Finds foreign columns in a file's header, whatever their case."""

    own: dict[str, str]
    table_name: str
    file_name: str
    mapping_name: str
    header_text: str

    def column(self, wanted: str, key: str) -> str:
        found = self.own.get(wanted.lower())
        if found is None:
            raise InputRejected(
                f"{self.file_name}: has no column {wanted!r}, which {self.mapping_name} names in "
                f"{self.table_name}.{key}: correct the mapping or the extract{self._hint([wanted.lower()])}"
            )
        return found

    def conditions(self, conditions: tuple[Condition, ...], key: str) -> tuple[Condition, ...]:
        return tuple(replace(one, column=self.column(one.column, key)) for one in conditions)

    def source(self, source: Source, field_name: str) -> Source:
        key = f"columns.{field_name}"
        columns = tuple(self.column(column, key) for column in source.columns)
        return replace(source, columns=columns, where=self.conditions(source.where, f"{key}.where"))

    def refuse_missing(self, required: list[str], sources: dict[str, Source]) -> None:
        missing = [column for column in required if column not in sources]
        if missing:
            noun = "required column" if len(missing) == 1 else "required columns"
            raise InputRejected(
                f"{self.file_name}: {noun} missing from its header: {', '.join(missing)}{self._hint(missing)}"
                "; name the columns so, or say in a --mapping where they come from"
            )

    def _hint(self, wanted: list[str]) -> str:
        for separator, spoken in SEPARATOR_NAMES.items():
            parts = {part.strip(BLANKS + '"').lower() for part in self.header_text.split(separator)}
            is_one_cell = len(self.own) == 1 and self.header_text.count(separator) > 1
            if len(parts) > 1 and (is_one_cell or parts & set(wanted)) and not set(self.own) & set(wanted):
                return f"; it looks {spoken}-separated: say delimiter = {separator!r} in a mapping"
        if looks_like_data(self.own):
            return "; its first line looks like data: a header row is needed"
        return ""


def _columns_only_of(fields: Collection[str], sources: dict[str, Source]) -> set[str]:
    """The columns that feed these fields and no other."""
    theirs = {column for field in fields if field in sources for column in sources[field].columns}
    return theirs - {column for other, one in sources.items() if other not in fields for column in _columns_of(one)}


def _columns_of(source: Source) -> list[str]:
    return [*source.columns, *(condition.column for condition in source.where)]


def canonical_select(plan: Plan, table_name: str, file_table: str, file_number: int, *, is_ordered: bool = True) -> str:
    """SQL giving the rows of raw_<table_name> for one file, in its order unless told otherwise: those the filters
    keep, split if need be."""
    fields = contract_fields(table_name)
    split = [one.field for one in fields if one.field in plan.sources and plan.sources[one.field].is_split]
    cells = _Cells(plan)
    lists = "".join(f", {_list(cells.picked(plan.sources[column]))} AS {name(f'list {column}')}" for column in split)
    problem, problem_column, pieces = _split_columns(split, plan)
    values = ", ".join(f"{_value(one, plan, cells)} AS {name(one.field)}" for one in fields)
    return f"""WITH listed AS (
            SELECT {cells.select()}{lists}
            FROM ({cells.source(file_table)})
            WHERE {kept(plan, cells)}
        ), numbered AS (
            SELECT listed.*, {problem} AS row_problem, {problem_column} AS row_problem_column FROM listed
        ), pieces AS (
            SELECT numbered.*, CAST({pieces} AS INTEGER) AS piece FROM numbered
        )
        SELECT CAST({int(file_number)} AS INTEGER) AS file_number, source_line, piece,
            row_problem AS read_problem, row_problem_column AS problem_column, {values}
        FROM pieces{" ORDER BY source_line, piece" if is_ordered else ""}"""


def kept(plan: Plan, cells: "_Cells") -> str:
    """SQL: the row stays. A row that could not be read always does: its filters' cells cannot be trusted."""
    return f"(read_problem IS NOT NULL OR ({cells.conditions(plan.where)}))"


@dataclass(frozen=True)
class Counts:
    """What was counted over a file: its rows, those filtered, by filter (place, words, rows that it was the first to
    leave out), and what was inferred (canonical column, kind, taken from, rows)."""

    rows_in_file: int
    rows_filtered: int
    filters: list[tuple[str, str, int]]
    inferred: list[tuple[str, str, str | None, int]]


def read_counts(plan: Plan, table_name: str, file_table: str, execute: Callable[[str], Any]) -> Counts:
    """The counts of a file; `execute` runs one SELECT, as a connection of DuckDB does."""
    select, meanings = _counts_select(plan, table_name, file_table)
    in_file, filtered, *rest = execute(select).fetchone()
    by_filter = zip(plan.where, rest, strict=False)
    filters = []
    for number, (condition, rows) in enumerate(by_filter, 1):
        place = f"{table_name}.where[{number}]"
        filters.append((place, f"{place}: column {condition.column}, test {condition.test}", rows))
    counted = zip(meanings, rest[len(plan.where) :], strict=True)
    return Counts(
        in_file,
        filtered,
        [one for one in filters if one[-1]],
        [(*meaning, rows) for meaning, rows in counted if rows],
    )


def _counts_select(plan: Plan, table_name: str, file_table: str) -> tuple[str, list[tuple[str, str, str | None]]]:
    """SQL of one row of counts over a file: its rows, those filtered, for each filter those that it is the first to
    leave out, and then, for each (canonical column, kind, taken from) of the second result, the rows where the column
    is the mapping's constant, or was taken from another column because those before it were blank."""
    cells = _Cells(plan)
    stays = kept(plan, cells)
    counts = ["count(*)", f"count(*) FILTER (WHERE NOT {stays})"]
    for place, condition in enumerate(plan.where):
        passed, fails = cells.conditions(plan.where[:place]), cells.conditions((condition,))
        counts.append(f"count(*) FILTER (WHERE read_problem IS NULL AND ({passed}) AND NOT ({fails}))")
    ids = {one.field for one in contract_fields(table_name) if one.type == "id"}
    meanings = []
    for field_name, source in plan.sources.items():
        readable = f"read_problem IS NULL AND {stays} AND ({cells.conditions(source.where)})"
        if source.kind == "constant":
            counts.append(f"count(*) FILTER (WHERE {readable})")
            meanings.append((field_name, "constant", None if field_name in ids else source.constant))
        for place in range(1, len(source.columns) if source.kind == "first_of" else 0):
            before = " AND ".join(f"{cells.trimmed(column)} IS NULL" for column in source.columns[:place])
            taken = f"{cells.trimmed(source.columns[place])} IS NOT NULL"
            counts.append(f"count(*) FILTER (WHERE {readable} AND {before} AND {taken})")
            meanings.append((field_name, "column", source.columns[place]))
    return f"SELECT {', '.join(counts)} FROM ({cells.source(file_table)})", meanings


class _Cells:
    """Names a file's used cells in SQL: raw as they stand, and trimmed with blank as null."""

    def __init__(self, plan: Plan):
        self._place = {column: place for place, column in enumerate(plan.used)}

    def raw(self, column: str) -> str:
        return name(f"raw {self._place[column]}")

    def trimmed(self, column: str) -> str:
        return name(f"cell {self._place[column]}")

    def source(self, file_table: str) -> str:
        both = "".join(
            f", {name(column)} AS {self.raw(column)}, {trimmed(name(column))} AS {self.trimmed(column)}"
            for column in self._place
        )
        return f"SELECT source_line, read_problem, problem_column{both} FROM {name(file_table)}"

    def select(self) -> str:
        both = "".join(f", {self.raw(column)}, {self.trimmed(column)}" for column in self._place)
        return f"source_line, read_problem, problem_column{both}"

    def conditions(self, conditions: tuple[Condition, ...]) -> str:
        return " AND ".join(self._condition(one) for one in conditions) or "true"

    def _condition(self, condition: Condition) -> str:
        cell = self.trimmed(condition.column)
        if condition.is_blank is not None:
            return f"{cell} IS {'' if condition.is_blank else 'NOT '}NULL"
        if condition.matches is not None:
            return f"coalesce(regexp_matches({cell}, {text(condition.matches)}), false)"
        if condition.matches_not is not None:
            return f"coalesce(NOT regexp_matches({cell}, {text(condition.matches_not)}), true)"
        listed = ", ".join(map(text, condition.is_in or condition.is_not_in))
        if condition.is_in:
            return f"coalesce({cell} IN ({listed}), false)"
        return f"coalesce({cell} NOT IN ({listed}), true)"

    def picked(self, source: Source) -> str:
        """The source's cell, with what is stripped and replaced; blank is null."""
        cells = ", ".join(self.trimmed(column) for column in source.columns)
        if source.kind == "constant":
            return f"nullif({text(source.constant)}, '')"
        if source.kind == "join":
            return f"nullif(concat_ws({text(source.separator)}, {cells}), '')"
        if source.kind == "number_within":
            return f"CAST(row_number() OVER (PARTITION BY {cells} ORDER BY source_line, piece) AS VARCHAR)"
        if source.kind == "by_first_of":
            pairs = zip(source.columns, source.labels, strict=True)
            branches = " ".join(
                f"WHEN {self.trimmed(column)} IS NOT NULL THEN {text(label)}" for column, label in pairs
            )
            return f"CASE {branches} END"
        cell = f"coalesce({cells}, NULL)" if len(source.columns) > 1 else cells
        for pattern, new in source.replaced:
            # A backslash would name a group of the pattern; what is put in is text.
            put = text(new.replace("\\", "\\\\"))
            cell = f"regexp_replace({cell}, {text(pattern)}, {put}, 'g')"
        return f"nullif(trim({cell}, {text(BLANKS)}), '')" if source.replaced else cell


def _value(one: Field, plan: Plan, cells: _Cells) -> str:
    """SQL of one canonical cell."""
    source = plan.sources.get(one.field)
    if source is None:
        return "CAST(NULL AS VARCHAR)"
    if source == Source("from", source.columns):
        return cells.raw(source.columns[0])
    value = cells.picked(source)
    if source.is_split:
        piece = f"list_extract({name(f'list {one.field}')}, piece)"
        value = f"nullif(trim({piece}, {text(BLANKS + QUOTES)}), '')"
    if source.last_characters:
        value = f"right({value}, {source.last_characters})"
    if source.date_formats:
        value = read_sql(value, source.date_formats, one.type)
    if source.values:
        branches = " ".join(f"WHEN {text(old)} THEN {text(new)}" for old, new in source.values)
        other = value if source.other is None else f"CASE WHEN {value} IS NOT NULL THEN {text(source.other)} END"
        value = f"nullif(CASE {value} {branches} ELSE {other} END, '')"
    if source.where:
        value = f"CASE WHEN {cells.conditions(source.where)} THEN {value} END"
    return f"CAST({value} AS VARCHAR)"


def _list(cell: str) -> str:
    """SQL: the pieces of an array cell; none of a blank or empty one."""
    json = f"CASE WHEN starts_with({cell}, '[') AND json_valid({cell}) THEN {cell} END"
    parsed = f"""TRY(from_json({json}, '["VARCHAR"]'))"""
    inner = f"trim(regexp_replace({cell}, {text(ARRAY_BRACKETS)}, '', 'g'), {text(BLANKS)})"
    split = f"CASE WHEN {inner} <> '' THEN string_split_regex({inner}, {text(ARRAY_SEPARATORS)}) END"
    return f"coalesce({parsed}, {split}, CAST([] AS VARCHAR[]))"


def _split_columns(split: list[str], plan: Plan) -> tuple[str, str, str]:
    """SQL of the row's problem, its column, and the numbers of its pieces: 0 alone where nothing is split."""
    if not split:
        return "read_problem", "problem_column", "0"
    lengths = [f"len({name(f'list {column}')})" for column in split]
    longest = f"greatest({', '.join(lengths)})"
    # Pieces of several cells belong together by their place; where the numbers differ, nobody knows which is
    # which.
    differ = " OR ".join(f"{length} NOT IN (0, {longest})" for length in lengths)
    first_short = " ".join(
        f"WHEN {length} NOT IN (0, {longest}) THEN {text(plan.sources[column].columns[0])}"
        for column, length in zip(split, lengths, strict=True)
    )
    problem = f"CASE WHEN read_problem IS NOT NULL THEN read_problem WHEN {differ} THEN 'pieces_do_not_match' END"
    column = f"CASE WHEN read_problem IS NOT NULL THEN problem_column {first_short} END"
    is_whole = f"row_problem IS NOT NULL OR {longest} = 0"
    return problem, column, f"unnest(CASE WHEN {is_whole} THEN [0] ELSE range(1, {longest} + 1) END)"
