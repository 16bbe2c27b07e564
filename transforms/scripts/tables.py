"""The tables that a user of `minutewise sql` fills: accepted rows, what was set aside, files, crosswalks."""

from dataclasses import dataclass
from functools import cache

import sqlglot
from sqlglot import exp

from transforms.accept.settle import ok_columns
from transforms.contract.fields import TABLES, Field, contract_fields
from transforms.models.load import STAGES, load_models

#: Columns of accepted rows that no field of the contract has: type, whether every row has a value, meaning.
_ADDED = {
    "service_date": ("DATE", True, "the service date of the block's note"),
    "start_second": ("INTEGER", False, "the start in whole seconds since midnight of service_date"),
    "end_second": ("INTEGER", False, "the end, so; past midnight above 86400"),
    "started_cell": ("VARCHAR", False, "the start as its extract writes it"),
    "ended_cell": ("VARCHAR", False, "the end as its extract writes it"),
    "has_minutes_in_prose": ("BOOLEAN", True, "whether the prose may hold minutes (15 min, 9:30); false if it cannot"),
    "file_number": ("INTEGER", True, "the row's file in delivered_file"),
    "source_line": ("BIGINT", True, "the row's place in its file: its line, or a number of its own"),
    "piece": ("INTEGER", False, "which of the rows that a mapping made of one line"),
}
_FROM_TO = {
    "from_id": ("VARCHAR", True, "the id that is turned; at most once"),
    "to_id": ("VARCHAR", True, "the id it becomes"),
}
_OTHERS = {
    "quarantine": {
        "table_name": ("VARCHAR", True, "claims, notes or note_blocks"),
        "patient_id": ("VARCHAR", False, "what could be read of the row that was set aside, and so below"),
        "service_date": (
            "DATE",
            False,
            "empty where it cannot be read: then no rule accuses on any date of the patient",
        ),
        "service_date_to": ("DATE", False, "the last date of a line that spans several"),
        "claim_id": ("VARCHAR", False, ""),
        "payer_claim_id": ("VARCHAR", False, ""),
        "original_claim_id": ("VARCHAR", False, "only of a row that replaces or voids that claim"),
        "note_id": ("VARCHAR", False, ""),
    },
    "delivered_file": {
        "file_number": ("INTEGER", True, "1, 2, 3, ...; file_number of the rows says it"),
        "table_name": ("VARCHAR", True, "claims, notes or note_blocks"),
        "file_name": ("VARCHAR", True, "a finding names it as its source"),
    },
    "crosswalk_patient": _FROM_TO,
    "crosswalk_provider": _FROM_TO,
    "crosswalk_payer": _FROM_TO,
}
_GRAINS = {
    "ok_claims": "one accepted claim line",
    "ok_notes": "one accepted note version",
    "ok_note_blocks": "one accepted block of a note",
    "quarantine": "one row that broke the contract: no rule accuses on its patient and date, or on its claim or note",
    "delivered_file": "one file or table that rows came from",
    "crosswalk_patient": "one patient id of the notes system, and the claims system's id for it (may stay empty)",
    "crosswalk_provider": "one provider id of the notes system, and the claims system's id for it (may stay empty)",
    "crosswalk_payer": "one payer id of the claims, and the reference tables' id for it (may stay empty)",
}


@dataclass(frozen=True)
class InputTable:
    """A table to be filled: what one row is, and of each column its DuckDB type, meaning, and whether it is needed."""

    name: str
    grain: str
    columns: dict[str, tuple[str, bool, str]]
    #: Of a table of the contract: its fields.
    fields: tuple[Field, ...] = ()

    @property
    def types(self) -> dict[str, str]:
        return {column: kind for column, (kind, _, _) in self.columns.items()}

    @property
    def needed(self) -> list[str]:
        """Columns read that hold a value in every accepted row: the required ones, and those with a default."""
        return [column for column, (_, is_needed, _) in self.columns.items() if is_needed and column in columns_read()]

    @property
    def notes(self) -> dict[str, str]:
        """What stands behind each column."""
        told = {column: meaning for column, (_, _, meaning) in self.columns.items()}
        return {column: note if column in columns_read() else f"(not read) {note}" for column, note in told.items()}


def input_tables() -> list[InputTable]:
    """Every table that the scripts read and do not make, in the order in which they are filled."""
    tables = [_accepted(table_name) for table_name in TABLES]
    return tables + [InputTable(name, _GRAINS[name], columns) for name, columns in _OTHERS.items()]


def _accepted(table_name: str) -> InputTable:
    fields = contract_fields(table_name)
    known = {
        field.field: (field.duckdb_type, field.is_required or bool(field.default), _told(field)) for field in fields
    }
    known |= {column: added for column, added in _ADDED.items() if column not in known}
    columns = {column: known[column] for column in (quoted.strip('"') for quoted in ok_columns(table_name))}
    return InputTable(f"ok_{table_name}", _GRAINS[f"ok_{table_name}"], columns, fields)


def _told(field: Field) -> str:
    """What a field means, and what it may be."""
    allowed = f": {', '.join(field.allowed)}" if field.allowed else ""
    default = f" (where nothing is said: {field.default})" if field.default else ""
    return f"{field.description}{allowed}{default}"


@cache
def columns_read() -> frozenset[str]:
    """The names of all columns that any model reads."""
    trees = (sqlglot.parse_one(model.text, read="duckdb") for stage in STAGES for model in load_models(stage))
    return frozenset(column.name for tree in trees for column in tree.find_all(exp.Column))
