"""The contract as data: the fields in data/contracts/<table>.csv, and the reasons a row breaks it."""

import csv
from dataclasses import dataclass
from functools import cache

from transforms.dates import FIRST_DAY
from transforms.shipped import DATA

CONTRACT_FOLDER = DATA / "contracts"
TABLES = ("claims", "notes", "note_blocks")
#: The longest cells that are read.
LONGEST_CELL_BYTES = 100_000
LONGEST_FREE_TEXT_BYTES = 1_000_000

# The type of the contract -> the type in DuckDB.
DUCKDB_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "code": "VARCHAR",
    "modifier_list": "VARCHAR",
    "code_list": "VARCHAR",
    "choice": "VARCHAR",
    "whole": "INTEGER",
    "minutes": "DECIMAL(9,4)",
    "money": "DECIMAL(18,4)",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "clock": "TIMESTAMP",
    "flag": "BOOLEAN",
}

REASONS = {
    "missing_value": "a required value is absent",
    "unreadable_id": "an identifier is longer than 200 characters or holds control characters",
    "rounded_id": "an identifier that lost digits in a spreadsheet or a floating-point column, as in 2.0261E+15",
    "unreadable_code": "not a procedure code, or a modifier that is not two letters or digits",
    "unreadable_number": "not a number",
    "not_whole": "a fraction where only whole numbers have a meaning",
    "negative": "minutes, units or a number below zero; money may be, for a posting",
    "out_of_range": "a number outside its limits",
    "unreadable_date": "not a real date written YYYY-MM-DD",
    "date_out_of_range": f"a date before {FIRST_DAY}, or later than the day after the as-of date",
    "unreadable_time": "not HH:MM[:SS] or a local timestamp; times with a zone are not local",
    "end_before_start": "the end lies before the start, and no pass over midnight of 240 minutes explains it",
    "clock_off_service_date": "the block does not lie on its note's service date, or lasts over 1440 minutes",
    "unreadable_amount": "not an amount in dollars of at most 4 decimals, such as 1234.50 or $1,234.50",
    "unknown_value": "not one of the allowed values",
    "units_are_minutes": "the units of the line are minutes (MJ), not units",
    "block_without_note": "no accepted note, or not that version of it",
    "note_quarantined": "the block's note is in quarantine, and the block goes with it",
    "key_used_twice": "another row has the same key and differs; neither is known to be right",
    "too_few_cells": "the row has fewer cells than the header; it may be cut off",
    "too_many_cells": "the row has more cells than the header",
    "unbalanced_quote": "a quote opens and does not close where a cell ends, or closes and was not opened",
    "not_utf8": "bytes that are not UTF-8, or not of the encoding that the mapping names",
    "control_character": "a control character, such as a NUL, in a cell that is not prose",
    "cell_too_long": "a cell beyond 100 kB (prose: 1 MB)",
    "repeated_header": "the header is repeated among the rows, as in files joined end to end",
    "pieces_do_not_match": "cells that a mapping splits into rows hold different numbers of pieces",
}


#: What to do about a row set aside for a reason, in the words of a biller; docs/mapping.md explains mappings.
REMEDIES = {
    "missing_value": "Fill the cell in where the row was entered and export again. If another column of the export "
    "holds the value, say which in a mapping (first_of).",
    "unreadable_id": "Export the id alone, on one line: the cell may hold a note or several cells run together.",
    "rounded_id": "Its last digits are gone: a spreadsheet or a floating-point column rounds a long number. Export the "
    "column as text or as whole numbers, and open the file in no spreadsheet before.",
    "unreadable_code": "Write the five characters of the code, modifiers in their own column. If the export uses words "
    "or house codes, turn them into codes in a mapping (values).",
    "unreadable_number": "Write digits only, with a point for decimals. If the cell is a word such as N/A, leave it "
    "empty, or turn the word into an empty cell in a mapping (values).",
    "not_whole": "Units and line numbers are whole. If the units column has minutes, name the right column in a "
    "mapping; else correct the line where it was entered.",
    "negative": "Minutes are zero or more: correct the note. A reversal is not a line with negative units: send the "
    "void or the replacement claim (frequency 8 or 7) in its place.",
    "out_of_range": "Look the number up where it was entered: it is beyond what one row can mean. Correct it and "
    "export again.",
    "unreadable_date": "Export dates as YYYY-MM-DD, or say in a mapping, with the column, how they are written: "
    'service_date = { from = "Date", date_formats = ["%m/%d/%Y"] } for 03/31/2026, ["%m/%d/%y"] for 03/31/26.',
    "date_out_of_range": "Look the date up where it was entered, the year first. If all dates of the file are off, "
    "correct date_formats in the mapping; if all lie in the future, give the right --as-of.",
    "unreadable_time": "Write times as 08:15 or 14:30, without a time zone, or say in a mapping, with the column, how "
    'they are written: started_at = { from = "Start", date_formats = ["%I:%M %p"] } for 02:30 PM, ["%H:%M"] for 8:00.',
    "end_before_start": "Check the two times in the note: one is mistyped, or a.m. and p.m. are mixed up.",
    "clock_off_service_date": "Look the times up in the note: they lie on another day than the note's date of service.",
    "unreadable_amount": "Write the amount as 1234.50, in dollars.",
    "unknown_value": "Turn the export's own words into the allowed ones in a mapping (values); docs/contract.md "
    "lists them by column.",
    "units_are_minutes": "The line counts minutes (MJ), not units. Export the billed units of therapy lines; "
    "anesthesia lines may stay set aside.",
    "block_without_note": "The note of this block is not in the extract: export the notes of the same dates, and check "
    "that both files write note ids the same way.",
    "note_quarantined": "Mend the note's own row, which is set aside too; this block then comes back with it.",
    "key_used_twice": "Find out which of the rows is right and send that one alone. If all are, the key is too short: "
    "number the lines or versions, in a mapping with number_within.",
    "too_few_cells": "The row is cut off: a line break or a quote inside a cell is the usual cause. Export again with "
    "every cell in quotes.",
    "too_many_cells": "A comma inside a cell makes two of it. Export again with every cell in quotes.",
    "unbalanced_quote": "A quote opens and is not closed. Export again with every cell in quotes and a quote inside a "
    "cell doubled.",
    "not_utf8": "Export as UTF-8 (in a spreadsheet: CSV UTF-8), or name the file's encoding in a mapping: "
    'encoding = "cp1252".',
    "control_character": "Remove the hidden character where the cell was entered, usually by retyping it.",
    "cell_too_long": "The cell seems to hold a whole document. Export only the value.",
    "repeated_header": "Nothing is lost: the row is only the header again. Take it out when files are put together.",
    "pieces_do_not_match": "The cells of this row hold different numbers of pieces. Correct the visit where it was "
    "entered, so that every code has its minutes.",
}
_OWN_REMEDY = "Compare the cell with docs/contract.md, correct it where it was entered, and export again."


def remedy(reason: str) -> str:
    """What to do about a row set aside for this reason."""
    return REMEDIES.get(reason, _OWN_REMEDY)


@dataclass(frozen=True)
class Field:
    """One field of a contract table; `minimum` and `maximum` are text as written in the CSV, '' for none. An unreadable
    cell of a field that bears on no verdict is set aside alone, and its row stands."""

    field: str
    type: str
    is_required: bool
    default: str
    allowed: tuple[str, ...]
    minimum: str
    maximum: str
    is_key: bool
    is_free_text: bool
    is_verdict_bearing: bool
    description: str

    @property
    def duckdb_type(self) -> str:
        """The type of the field's column in ok_<table>."""
        return DUCKDB_TYPES[self.type]


@cache
def contract_fields(table_name: str) -> tuple[Field, ...]:
    """The fields of 'claims', 'notes' or 'note_blocks' in contract order; KeyError for an unknown type."""
    with (CONTRACT_FOLDER / f"{table_name}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(_field(row) for row in csv.DictReader(handle))


def key_fields(table_name: str) -> tuple[str, ...]:
    """The names of the fields that make the table's key."""
    return tuple(field.field for field in contract_fields(table_name) if field.is_key)


def spared_fields(table_name: str) -> tuple[str, ...]:
    """The names of the fields that bear on no verdict."""
    return tuple(field.field for field in contract_fields(table_name) if not field.is_verdict_bearing)


def _field(row: dict[str, str]) -> Field:
    if row["type"] not in DUCKDB_TYPES:
        raise KeyError(f"field {row['field']}: unknown contract type {row['type']!r}")
    return Field(
        field=row["field"],
        type=row["type"],
        is_required=row["required"] == "true",
        default=row["default"],
        allowed=tuple(row["allowed"].split(";")) if row["allowed"] else (),
        minimum=row["minimum"],
        maximum=row["maximum"],
        is_key=row["is_key"] == "true",
        is_free_text=row["is_free_text"] == "true",
        is_verdict_bearing=row["is_verdict_bearing"] == "true",
        description=row["description"],
    )
