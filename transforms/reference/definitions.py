"""Declares the reference tables of data/reference: their columns, how a cell is read, and what a row must hold."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum

from transforms.contract.cell_sql import CODE
from transforms.errors import AuditError

PERIOD_COLUMNS = ("effective_from", "effective_to")
PROOF_COLUMNS = ("citation", "citation_url", "last_checked_on")
#: What a code can be on a date: billed by 15 minutes; once a day; by another length; nobody knows; out of therapy.
CODE_KINDS = ("timed_15", "untimed", "other_length", "unlisted", "other")
#: Every parameter of parameter.csv and its unit.
PARAMETER_UNITS = {
    "billing_lag_days": "days",
    "linked_file_check_days": "days",
    "minimum_match_share": "share",
    "minimum_measured_share": "share",
    "provider_day_minutes": "minutes",
}
#: Every guard of guard.csv and the unit of its limit; None where it has no limit.
GUARD_UNITS = {
    "quarantine_share": "share",
    "rows_below_usual": "times",
    "rows_above_usual": "times",
    "no_notes_for_claims": "claim days",
    "no_accepted_claims": None,
    "no_accepted_notes": None,
    "no_blocks_for_notes": "notes",
    "empty_delivery": "nights",
    "payer_never_seen": "claim lines",
    "reference_check_due": "days",
    "clock_went_back": None,
}


def _word(*allowed):
    def read(text):
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return read


def _whole(text):
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ValueError("must be a whole number from 0 to 999999")
    return int(text)


def _number(text):
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not value.is_finite() or not 0 <= value < 1_000_000:
        raise ValueError("must be a number from 0 to 999999")
    return value


def _flag(text):
    return _word("true", "false")(text.lower()) == "true"


def read_day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date YYYY-MM-DD") from None


def _code(text):
    # Lines hold codes in capitals, so a row in small letters would change nothing.
    if not re.fullmatch(CODE, text) or text != text.upper():
        raise ValueError(
            "is not a code that a claim line can have: five characters (97110, G0283), or a revenue code (0420)"
        )
    return text


def _code_or_any(text):
    return text if text == "*" else _code(text)


def _payer(text):
    if text == "*":
        raise ValueError("names no payer; leave the cell empty for any payer")
    return _id(text)


def _id(text):
    """An id as extracts are compared by it: one form of each letter, however it was typed."""
    return unicodedata.normalize("NFC", text)


def _disciplines(text):
    if not re.fullmatch(r"(PT|OT|SLP)(;(PT|OT|SLP))*", text):
        raise ValueError("must be PT, OT or SLP; several with ; between them")
    return text


def _alias_problem(values: dict) -> tuple[str, str] | None:
    if values["procedure_code"] == "*" and values["relation"] != "documents_in_group":
        return "procedure_code", "must be one code: * is for documents_in_group only"
    return None


def _parameter_problem(values: dict) -> tuple[str, str] | None:
    unit, value = PARAMETER_UNITS[values["name"]], values["value"]
    if values["unit"] not in (None, unit):
        return "unit", f"must be {unit}, or empty"
    if unit == "share" and value > 1:
        return "value", "is a share: must be a number from 0 to 1"
    if unit != "share" and value != int(value):
        return "value", f"must be a whole number of {unit}"
    return None


def _guard_problem(values: dict) -> tuple[str, str] | None:
    unit, limit = GUARD_UNITS[values["guard"]], values["limit"]
    if unit is None:
        return ("limit", "must be empty: this guard has no limit") if limit is not None else None
    if limit is None:
        return None if values["action"] == "off" else ("limit", f"is empty: must be a number ({unit})")
    if values["unit"] not in (None, unit):
        return "unit", f"must be {unit}, or empty"
    if unit == "share" and limit > 1:
        return "limit", "is a share: must be a number from 0 to 1"
    if unit == "times" and limit < 1:
        return "limit", "says how many times: must be a number from 1 up"
    return None


@dataclass(frozen=True)
class Column:
    """One value column: its DuckDB type, how its text is read, and what an empty cell means."""

    sql_type: str
    read: object = str
    required: bool = False
    default: object = None


class Met(Enum):
    """By which rows of an extract a changed reference row is met: the dates of these are computed again."""

    CODE = "lines and blocks of the key's procedure_code"
    CODE_OR_PARTNER = "lines and blocks of the key's procedure_code, and lines of the codes that alias rows join to it"
    PAYER = "lines of the key's payer_id"
    EVERY_DATE = "every date on which the row is in force"
    NO_DATE = "none: the table is not resolved on the service date"


@dataclass(frozen=True)
class Table:
    """One reference table, and what a night, a published run and an explanation must know of it.

    key, values: its columns. met: which dates a changed row moves, but for the keys in `met_elsewhere`. is_kept: the
    rows in force are kept in a published run, for models read them. is_cited: a finding's reference_key may name a row.
    problem: looks at a row's values together and gives the column that is wrong and why, else None.
    """

    name: str
    key: dict[str, Column]
    values: dict[str, Column]
    met: Met
    is_kept: bool
    is_cited: bool
    is_dated: bool = True
    met_elsewhere: tuple[str, ...] = ()
    problem: Callable[[dict], tuple[str, str] | None] = lambda values: None

    @property
    def columns(self) -> dict[str, Column]:
        return {**self.key, **self.values}

    @property
    def table_name(self) -> str:
        """The name of its table in DuckDB."""
        return "ref_audit_rule" if self.name == "audit_rules" else f"ref_{self.name}"


_TEXT = Column("varchar", required=True)
_OPTIONAL_TEXT = Column("varchar")
_CODE = Column("varchar", _code, required=True)
_PAYER = Column("varchar", _payer)
TABLES = (
    Table(
        "procedure_code",
        {"procedure_code": _CODE, "payer_id": _PAYER},
        {
            "kind": Column("varchar", _word(*CODE_KINDS), required=True),
            "short_words": _OPTIONAL_TEXT,
            "disciplines": Column("varchar", _disciplines),
        },
        met=Met.CODE,
        is_kept=True,
        is_cited=False,
    ),
    Table(
        "code_cap",
        {"procedure_code": _CODE, "payer_id": _PAYER},
        {
            "cap_units": Column("integer", _whole, required=True),
            "adjudication_indicator": Column("varchar", _word("1", "2", "3")),
        },
        # A cap of one code of a pair is met where the other one is.
        met=Met.CODE_OR_PARTNER,
        is_kept=True,
        is_cited=True,
    ),
    Table(
        "payer_method",
        {"payer_id": Column("varchar", _id, required=True)},
        {
            "counting_method": Column("varchar", _word("cms_8_minute", "ama_midpoint", "either"), required=True),
            "follows_mue": Column("boolean", _flag, default=False),
            "timed_units_per_day_cap": Column("integer", _whole),
        },
        met=Met.PAYER,
        is_kept=True,
        is_cited=True,
    ),
    Table(
        "code_alias",
        {
            "procedure_code": Column("varchar", _code_or_any, required=True),
            "relation": Column("varchar", _word("counts_as", "documents", "documents_in_group"), required=True),
        },
        {"target_code": _CODE},
        met=Met.CODE_OR_PARTNER,
        is_kept=True,
        is_cited=False,
        problem=_alias_problem,
    ),
    Table(
        "parameter",
        {"name": Column("varchar", _word(*PARAMETER_UNITS), required=True)},
        {"value": Column("decimal(18, 6)", _number, required=True), "unit": _OPTIONAL_TEXT},
        met=Met.EVERY_DATE,
        # not resolved on the service date, or looked at by themselves (warehouse/moved.py)
        met_elsewhere=("billing_lag_days", "linked_file_check_days", "minimum_match_share", "minimum_measured_share"),
        is_kept=True,
        is_cited=True,
        problem=_parameter_problem,
    ),
    Table(
        "guard",
        {"guard": Column("varchar", _word(*GUARD_UNITS), required=True)},
        {
            "action": Column("varchar", _word("warn", "stop", "off"), required=True),
            "limit": Column("decimal(18, 6)", _number),
            "unit": _OPTIONAL_TEXT,
        },
        met=Met.NO_DATE,
        is_kept=False,
        is_cited=False,
        problem=_guard_problem,
    ),
    Table(
        "audit_rules",
        {"rule_id": _TEXT},
        {
            "title": _TEXT,
            "severity": Column("varchar", _word("error", "warning", "review"), required=True),
            "family": Column("varchar", _word("overbilling", "missed_revenue", "record"), required=True),
            "subject": _TEXT,
            "not_checked": _TEXT,
        },
        met=Met.NO_DATE,
        is_kept=True,
        is_cited=False,
        is_dated=False,
    ),
)
#: The tables whose rows in force a published run keeps.
KEPT = tuple(table.table_name for table in TABLES if table.is_kept)
#: The tables whose rows a finding may cite.
CITED = tuple(table.table_name for table in TABLES if table.is_cited)


def require_declared(names: Iterable[str], where: str) -> None:
    """Raises AuditError for a reference table that nobody declared here: a night would not know what its rows move."""
    unknown = sorted(set(names) - {table.table_name for table in TABLES})
    if unknown:
        raise AuditError(f"{where}: {', '.join(unknown)} is not declared in transforms/reference/definitions.py")
