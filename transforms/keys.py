"""Keys made by arithmetic: patient, service date and discipline in one number, so that what belongs to a day is found
by comparing one column.

Models write the functions below; `written_out` puts the arithmetic in their place when a model is read.
Keys say who is who, and no order.
"""

import re

from transforms.database.sql_values import literal
from transforms.dates import FIRST_DAY

#: More days than lie between FIRST_DAY and the last date that a database knows, so no two patients share a key.
DAYS_OF_A_PATIENT = 3_000_000
#: A file has fewer lines, and a line fewer pieces (a mapping may make several rows of one).
LINES_OF_A_FILE, PIECES_OF_A_LINE = 1_000_000_000, 1_000
#: By discipline: 1 PT, 2 OT, 3 SLP; 0 is none.
DISCIPLINES = 4
_FIRST = literal(FIRST_DAY)
#: Each function with its arguments numbered.
FUNCTIONS = {
    # patient_key, service_date
    "patient_day_key": f"({{0}} * {DAYS_OF_A_PATIENT} + date_diff('day', {_FIRST}, {{1}}))",
    # file_number, source_line, piece: a row's key is its place
    "place_key": f"((cast({{0}} as bigint) * {LINES_OF_A_FILE} + {{1}}) * {PIECES_OF_A_LINE} + coalesce({{2}}, 0))",
    # patient_day_key, and the discipline's number
    "day_key": f"({{0}} * {DISCIPLINES} + {{1}})",
    "patient_day_of": f"({{0}} // {DISCIPLINES})",  # day_key
    "patient_of": f"({{0}} // {DISCIPLINES} // {DAYS_OF_A_PATIENT})",  # day_key
    "date_of": f"({_FIRST} + cast({{0}} // {DISCIPLINES} % {DAYS_OF_A_PATIENT} as integer))",  # day_key
    "discipline_of": f"({{0}} % {DISCIPLINES})",  # day_key; its number
}
_CALL = re.compile(rf"\b({'|'.join(FUNCTIONS)})\(")


def date_of(day_key: str) -> str:
    """SQL of the service date of a day's key."""
    return FUNCTIONS["date_of"].format(day_key)


def written_out(sql: str) -> str:
    """The SQL with arithmetic in the place of our functions; one inside another is written out, too."""
    while call := _CALL.search(sql):
        arguments, end = _arguments(sql, call.end())
        sql = sql[: call.start()] + FUNCTIONS[call[1]].format(*arguments) + sql[end:]
    return sql


def _arguments(sql: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call whose parenthesis opens before `start`, and where the call ends."""
    arguments, depth, begin, place = [], 0, start, start
    while depth or sql[place] != ")":
        letter = sql[place]
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            arguments.append(sql[begin:place].strip())
            begin = place + 1
        place += 1
    return [*arguments, sql[begin:place].strip()], place + 1
