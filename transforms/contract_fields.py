"""The contract as data: the fields in data/contracts/<table>.csv, and the reasons a row breaks it."""

import csv
from dataclasses import dataclass
from functools import cache

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
    "unreadable_code": "not a procedure code, or a modifier that is not two letters or digits",
    "unreadable_number": "not a number",
    "not_whole": "a fraction where only whole numbers have a meaning",
    "negative": "minutes, units or a number below zero; money may be, for a posting",
    "out_of_range": "a number outside its limits",
    "unreadable_date": "not a real date written YYYY-MM-DD",
    "date_out_of_range": "a date before 1990-01-01, or later than the day after the as-of date",
    "unreadable_time": "not HH:MM[:SS] or a local timestamp; times with a zone are not local",
    "end_before_start": "the end lies before the start, and no pass over midnight of 240 minutes explains it",
    "clock_off_service_date": "the block does not lie on its note's service date, or lasts over 1440 minutes",
    "unreadable_amount": "not an amount in dollars of at most 4 decimals, such as 1234.50",
    "unknown_value": "not one of the allowed values",
    "units_are_minutes": "the units of the line are minutes (MJ), so they are no units",
    "block_without_note": "no accepted note, or not that version of it",
    "note_quarantined": "the block's note is in quarantine, and the block goes with it",
    "key_used_twice": "another row has the same key and differs; neither is known to be right",
    "too_few_cells": "the row has fewer cells than the header; it may be cut off",
    "too_many_cells": "the row has more cells than the header",
    "unbalanced_quote": "a quote opens and does not close where a cell ends, or closes and was not opened",
    "not_utf8": "bytes that are not UTF-8",
    "control_character": "a control character, such as a NUL, where no prose stands",
    "cell_too_long": "a cell beyond 100 kB (prose: 1 MB)",
    "repeated_header": "the header stands again among the rows, as in files put end to end",
    "pieces_do_not_match": "cells that a mapping splits into rows hold different numbers of pieces",
}


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
