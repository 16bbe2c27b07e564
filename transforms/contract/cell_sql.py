"""SQL text that reads one cell: for a field of the contract, the expressions of its value and of its problem.

Nothing in a cell may stop a run, so every text is held against a pattern first and every cast is a try_cast.
"""

import datetime
from string import ascii_lowercase, ascii_uppercase

from transforms.contract.fields import LONGEST_CELL_BYTES, LONGEST_FREE_TEXT_BYTES, Field
from transforms.database.quoting import name, text

# What pads a cell in real exports: blanks, Unicode spaces, the zero-width space, the byte order mark.
BLANKS = "".join(
    chr(point)
    for point in (
        *range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x2028, 0x2029, 0x202F, 0x205F,
        0x3000, 0xFEFF,
    )
)  # fmt: skip
LONGEST_ID = 200
# As spreadsheets write 2026100600000001 (2.0261E+15), and floating-point columns what they hold no more.
ROUNDED = r"[+-]?[0-9](\.[0-9]+)?[eE]\+[0-9]+"
PLAIN_CELL = "[!-~](?:[ -~]*[!-~])?"
# Small letters are part of the patterns, for upper() makes an S of letters that are none, such as the long s.
CODE = "([0-9]{4}[0-9A-Za-z]|[A-Za-z][0-9]{4}|0[0-9]{3})"
QUALIFIER = "(?:[Hh][Cc][:>^|*])?"  # an X12 composite has it before the code: HC:97110:GP
BETWEEN_CODES = r"[\s\x{a0};,:/|>^*-]"
MODIFIER = "[A-Za-z0-9]{2}"
BETWEEN_LISTED = r"[\s\x{a0};,|]+"
CONTROL = r"[\x00-\x1f\x7f\x{80}-\x{9f}]"
CONTROL_IN_FREE_TEXT = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
ZERO_FRACTION = r"\.0+"
FLOAT_TAIL = f"({ZERO_FRACTION})?"  # pandas writes a column of codes as numbers: 97112.0
WHOLE_PART = r"^[+-]?0*([0-9]{1,9})(\.|$)"
SOME_FRACTION = r"\.[0-9]*[1-9]"
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"
AMOUNT = r"[+-]?([0-9]+(\.[0-9]{0,4}0*)?|\.[0-9]{1,4}0*)"
# As people and worksheets write dollars: $1,240.00  -$5  5.00-  ($12.50)  $ (12.50)
DOLLARS = r"([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]{0,4}0*)?|\.[0-9]{1,4}0*"
GAP = r"[ \x{a0}]*"
SIGNED_DOLLARS = "|".join(
    (
        rf"[+-]?{GAP}\$?{GAP}({DOLLARS})",
        rf"\${GAP}-{GAP}({DOLLARS})",
        rf"\$?{GAP}({DOLLARS}){GAP}-",
        rf"\({GAP}\$?{GAP}({DOLLARS}){GAP}\)",
        rf"\${GAP}\({GAP}({DOLLARS}){GAP}\)",
    )
)
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
STAMP = f"{DAY}[ T]{TIME}"
MIDNIGHT = r"[ T]00:00(:00(\.0+)?)?"
TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")
MINUTES_IN_PROSE = r"\b(mins?|minutes?|hrs?|hours?)\b|[0-9](min|hr)|\b[0-9]{1,2}:[0-9]{2}\b"


def all_plain(columns: list[str]) -> str:
    """A boolean expression: each of these text cells is null, or printable ASCII without a blank at its ends, so that
    there is nothing to trim and no control character. One look at a row costs less than several at every cell."""
    if not columns:
        return "true"
    # A null stands as a plain cell. The pattern counts the separators, so none can hide inside a cell.
    joined = ", ".join(f"coalesce({column}, '~')" for column in columns)
    pattern = PLAIN_CELL + rf"(?:\x1f{PLAIN_CELL}){{{len(columns) - 1}}}"
    return f"regexp_full_match(concat_ws(chr(31), {joined}), {text(pattern)})"


def is_plain(column: str) -> str:
    """The same of one cell, as a function of its column alone: where a Parquet file gives a column as a dictionary,
    DuckDB asks it of each entry once, and not of each row."""
    return f"coalesce(regexp_full_match({column}, {text(PLAIN_CELL)}), true)"


def without_blank_ends(column: str) -> str:
    """The cell without the blanks around it, empty where nothing is left; a function of its column alone."""
    return f"regexp_replace({column}, {text(f'^[{BLANKS}]+|[{BLANKS}]+$')}, '', 'g')"


def trimmed(column: str) -> str:
    """The cell without the blanks around it; null when nothing is left."""
    # Trimming by a list of characters is slow: only cells that begin or end with something unusual need it.
    plain = f"{column}[1] BETWEEN '!' AND '~' AND {column}[-1] BETWEEN '!' AND '~'"
    return f"CASE WHEN {plain} THEN {column} ELSE nullif(trim({column}, {text(BLANKS)}), '') END"


def one_form(column: str) -> str:
    """The text in Unicode NFC: two systems may write a letter in two ways, as u with two dots and as u and two dots."""
    return f"nfc_normalize({column})"


def value_and_problem(field: Field, as_of: datetime.date, is_text: bool = True) -> tuple[str, str]:
    """Two SQL expressions over a trimmed row, in which an empty cell is null or empty: the field's typed value (a
    clock stays text: its note knows the date) and the reason code of what is wrong with it, or null. A cell that is no
    text has a type of FILE_TYPES. Where the field bears on no verdict, an unreadable cell has no value."""
    value, problem = (READERS if is_text else TYPED_READERS)[field.type](field, as_of)
    if field.default:
        value = f"coalesce({value}, CAST({text(field.default)} AS {field.duckdb_type}))"
    missing = "'missing_value'" if field.is_required else "NULL"
    is_empty = f"coalesce({name(field.field)}, '') = ''" if is_text else f"{name(field.field)} IS NULL"
    problem = f"CAST(CASE WHEN {is_empty} THEN {missing} ELSE {problem} END AS VARCHAR)"
    if not field.is_verdict_bearing:
        value = f"CASE WHEN {problem} IS NULL THEN {value} END"
    return value, problem


def speaks_of_minutes(column: str) -> str:
    """A boolean expression: the prose in `column` speaks of minutes, hours or clock times."""
    return f"coalesce(regexp_matches({column}, {text(MINUTES_IN_PROSE)}, 'i'), false)"


def matches(column: str, pattern: str) -> str:
    """A boolean expression: the whole cell follows `pattern`."""
    return f"regexp_full_match({column}, {text(pattern)})"


def _text(field, as_of):
    return name(field.field), "NULL" if field.is_verdict_bearing else _text_problem(field)


def _text_problem(field):
    """What is wrong with a text that the reader has not judged, for its row stands in any case."""
    cell = name(field.field)
    longest, pattern = (
        (LONGEST_FREE_TEXT_BYTES, CONTROL_IN_FREE_TEXT) if field.is_free_text else (LONGEST_CELL_BYTES, CONTROL)
    )
    return f"CASE WHEN strlen({cell}) > {longest} OR regexp_matches({cell}, {text(pattern)}) THEN 'unreadable_text' END"


def _id(field, as_of):
    cell = name(field.field)
    control = f"regexp_matches({cell}, {text(CONTROL)})"
    problem = f"WHEN length({cell}) > {LONGEST_ID} OR {control} THEN 'unreadable_id'"
    is_rounded = f"WHEN contains({cell}, '+') AND {matches(cell, ROUNDED)} OR {cell} IN ('inf', '-inf')"
    sound = f"WHEN {name(f'plain_{field.field}')} AND strlen({cell}) <= {LONGEST_ID} THEN NULL"
    return cell, f"CASE {is_rounded} THEN 'rounded_id' {sound} {problem} END"


def _code(field, as_of):
    cell = name(field.field)
    whole = f"{QUALIFIER}{CODE}{FLOAT_TAIL}({BETWEEN_CODES}+{MODIFIER})*{BETWEEN_CODES}*"
    problem = f"CASE WHEN {matches(cell, CODE)} OR {matches(cell, whole)} THEN NULL ELSE 'unreadable_code' END"
    return f"nullif(upper(regexp_extract({cell}, {text(f'^{QUALIFIER}{CODE}')}, 1)), '')", problem


def modifiers_of_line(modifiers: str, procedure_code: str) -> str:
    """The modifiers in their own column and those written behind the code, as one upper-cased list."""
    code, code_itself = procedure_code, text(f"^{QUALIFIER}{CODE}{FLOAT_TAIL}{BETWEEN_CODES}*")
    behind = f"CASE WHEN length({code}) > 5 THEN nullif(upper(regexp_replace({code}, {code_itself}, '')), '') END"
    return f"concat_ws(';', nullif(upper({modifiers}), ''), {behind})"


def _modifier_list(field, as_of):
    """The line's modifiers unique and sorted, from the column that `modifiers_of_line` made beforehand."""
    listed = name(f"all_{field.field}")
    first, second = f"left({listed}, 2)", f"right({listed}, 2)"
    parts = f"regexp_extract_all(regexp_replace({listed}, {text(ZERO_FRACTION)}, '', 'g'), {text(MODIFIER)})"
    # Lists are slow, and nearly every line has one modifier or two.
    value = f"""CASE WHEN {listed} = '' THEN NULL WHEN {matches(listed, MODIFIER)} THEN {listed}
        WHEN {matches(listed, MODIFIER + BETWEEN_CODES + MODIFIER)} THEN
            CASE WHEN {first} = {second} THEN {first}
            ELSE least({first}, {second}) || ';' || greatest({first}, {second}) END
        ELSE nullif(array_to_string(list_sort(list_distinct({parts})), ';'), '') END"""
    one = MODIFIER + FLOAT_TAIL
    pattern = f"{BETWEEN_CODES}*({one}({BETWEEN_CODES}+{one})*)?{BETWEEN_CODES}*"
    return (
        value,
        f"CASE WHEN NOT {matches(name(field.field), pattern)} THEN 'unreadable_code' END",
    )


def _code_list(field, as_of):
    parts = f"regexp_replace({_cased('upper', name(field.field))}, {text(BETWEEN_LISTED)}, ';', 'g')"
    return f"nullif(trim({parts}, ';'), '')", _text_problem(field)


def _cased(function, cell):
    """The cell in capitals or small letters ('upper', 'lower'), of ASCII's letters alone: a long s is no S, and no
    letter k is meant by the sign of a kelvin."""
    letters = (ascii_lowercase, ascii_uppercase) if function == "upper" else (ascii_uppercase, ascii_lowercase)
    one_by_one = f"translate({cell}, {', '.join(map(text, letters))})"  # slow, and hardly ever needed
    return f"CASE WHEN strlen({cell}) = length({cell}) THEN {function}({cell}) ELSE {one_by_one} END"


def _choice(field, as_of):
    cell = _cased("lower", name(field.field))
    if all(word.isdigit() for word in field.allowed):
        cell = f"regexp_replace({cell}, {text(ZERO_FRACTION + '$')}, '')"
    branches = " ".join(f"WHEN {text(word.lower())} THEN {text(word)}" for word in field.allowed)
    as_allowed = f"{name(field.field)} IN ({', '.join(map(text, field.allowed))})"
    value = f"CASE WHEN {as_allowed} THEN {name(field.field)} ELSE CASE ({cell}) {branches} END END"
    return value, f"CASE WHEN {value} IS NULL THEN 'unknown_value' END"


def _flag(field, as_of):
    cell = _cased("lower", name(field.field))
    true_words, false_words = (", ".join(map(text, words)) for words in (TRUE_WORDS, FALSE_WORDS))
    value = f"CASE WHEN ({cell}) IN ({true_words}) THEN true WHEN ({cell}) IN ({false_words}) THEN false END"
    return value, f"CASE WHEN {value} IS NULL THEN 'unknown_value' END"


def _number(field, as_of):
    cell = name(field.field)
    digits = f"regexp_extract({cell}, {text(WHOLE_PART)}, 1)"
    nothing_before_point = matches(cell, r"[+-]?\.[0-9]+")
    plain = matches(cell, "[0-9]{1,9}")
    value = f"""CASE WHEN {plain} THEN try_cast({cell} AS INTEGER)
        WHEN {nothing_before_point} THEN 0 ELSE try_cast({digits} AS INTEGER) END"""
    limits = f"BETWEEN {int(field.minimum)} AND {int(field.maximum)}"
    # More than nine digits give no value, and lie outside every limit. Sound cells come first: most are.
    problem = f"""CASE WHEN {plain} AND try_cast({cell} AS INTEGER) {limits} THEN NULL
        WHEN NOT {matches(cell, NUMBER)} THEN 'unreadable_number'
        WHEN starts_with({cell}, '-') AND regexp_matches({cell}, '[1-9]') THEN 'negative'
        WHEN regexp_matches({cell}, {text(SOME_FRACTION)}) THEN 'not_whole'
        WHEN coalesce({value} NOT {limits}, true) THEN 'out_of_range' END"""
    return value, problem


def _minutes(field, as_of):
    cell = name(field.field)
    value = f"CASE WHEN {matches(cell, NUMBER)} THEN try_cast({cell} AS {field.duckdb_type}) END"
    # More digits than the type holds give no value, and lie outside every limit.
    problem = f"""CASE WHEN NOT {matches(cell, NUMBER)} THEN 'unreadable_number'
        WHEN starts_with({cell}, '-') AND regexp_matches({cell}, '[1-9]') THEN 'negative'
        WHEN coalesce({value} NOT BETWEEN {int(field.minimum)} AND {int(field.maximum)}, true)
            THEN 'out_of_range' END"""
    return value, problem


def _money(field, as_of):
    cell = name(field.field)
    digits = f"regexp_replace({cell}, '[^0-9.]', '', 'g')"
    sign = f"CASE WHEN regexp_matches({cell}, '[-(]') THEN '-' ELSE '' END"
    # Nearly every amount is a bare number.
    value = f"""CASE WHEN {matches(cell, AMOUNT)} THEN try_cast({cell} AS {field.duckdb_type})
        WHEN {matches(cell, SIGNED_DOLLARS)} THEN try_cast({sign} || {digits} AS {field.duckdb_type}) END"""
    return value, _money_problem(field, value)


def _money_problem(field, value):
    """Beyond these limits no line's amount is meant, and the sum of some would be more than its column holds."""
    within = f"coalesce({value} BETWEEN {field.minimum} AND {field.maximum}, false)"
    return f"CASE WHEN NOT {within} THEN 'unreadable_amount' END"


def _date(field, as_of):
    cell = name(field.field)
    value = f"CASE WHEN {matches(cell, f'{DAY}({MIDNIGHT})?')} THEN try_cast(left({cell}, 10) AS DATE) END"
    return value, _date_problem(field, value, as_of, "unreadable_date")


def _timestamp(field, as_of):
    cell = name(field.field)
    # DuckDB keeps microseconds: 26 characters.
    value = f"CASE WHEN {matches(cell, f'{DAY}([ T]{TIME})?')} THEN try_cast(left({cell}, 26) AS TIMESTAMP) END"
    return value, _date_problem(field, value, as_of, "unreadable_time")


def _date_problem(field, value, as_of, unreadable):
    latest = datetime.date.fromordinal(min(as_of.toordinal() + 1, datetime.date.max.toordinal()))
    first, last = (
        f"DATE {text(limit.replace('as_of+1', latest.isoformat()))}" for limit in (field.minimum, field.maximum)
    )
    return f"""CASE WHEN CAST({value} AS DATE) BETWEEN {first} AND {last} THEN NULL
        WHEN {value} IS NULL THEN '{unreadable}' ELSE 'date_out_of_range' END"""


def _clock(field, as_of):
    cell = name(field.field)
    real = f"{matches(cell, STAMP)} AND try_cast(left({cell}, 26) AS TIMESTAMP) IS NOT NULL"
    return f"nullif({cell}, '')", f"CASE WHEN {matches(cell, TIME)} OR ({real}) THEN NULL ELSE 'unreadable_time' END"


def _typed_number(field, as_of):
    cell = name(field.field)
    problem = f"""CASE WHEN {cell} BETWEEN {int(field.minimum)} AND {int(field.maximum)} THEN NULL
        WHEN {cell} < 0 THEN 'negative' ELSE 'out_of_range' END"""
    return f"try_cast({cell} AS {field.duckdb_type})", problem


def _typed_money(field, as_of):
    value = f"try_cast({name(field.field)} AS {field.duckdb_type})"
    return value, _money_problem(field, value)


def _typed_flag(field, as_of):
    return name(field.field), "NULL"


def _typed_date(field, as_of):
    cell = name(field.field)
    problem = _date_problem(field, cell, as_of, "unreadable_date")
    return cell, f"CASE WHEN NOT {_written_in_four_digits(cell)} THEN 'unreadable_date' ELSE {problem} END"


def _typed_timestamp(field, as_of):
    cell = f"try_cast({name(field.field)} AS TIMESTAMP)"
    problem = _date_problem(field, cell, as_of, "unreadable_time")
    return cell, f"CASE WHEN NOT {_written_in_four_digits(cell)} THEN 'unreadable_time' ELSE {problem} END"


def _written_in_four_digits(moment):
    """Neither infinite nor of a year that no four digits write."""
    return f"{moment} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'"


#: A field's type -> the types in a Parquet file that can be read as they stand, instead of as text.
WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
FILE_TYPES = {
    "whole": WHOLE_TYPES,
    "minutes": WHOLE_TYPES,
    "money": ("DECIMAL(9,2)", "DECIMAL(10,2)", "DECIMAL(12,2)", "DECIMAL(18,2)", "DECIMAL(18,4)"),
    "flag": ("BOOLEAN",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_S"),
}
TYPED_READERS = {
    "whole": _typed_number,
    "minutes": _typed_number,
    "money": _typed_money,
    "flag": _typed_flag,
    "date": _typed_date,
    "timestamp": _typed_timestamp,
}
READERS = {
    "id": _id,
    "text": _text,
    "code": _code,
    "modifier_list": _modifier_list,
    "code_list": _code_list,
    "choice": _choice,
    "flag": _flag,
    "whole": _number,
    "minutes": _minutes,
    "money": _money,
    "date": _date,
    "timestamp": _timestamp,
    "clock": _clock,
}
