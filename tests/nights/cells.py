"""Cells as plain values: the little of the extract contract that drawn rows need, written a second time."""

from datetime import date
from decimal import Decimal, InvalidOperation

from tests.extract_files import COLUMNS

DEFAULTS = {
    "claims": {
        "claim_type": "professional",
        "service_date_basis": "line",
        "claim_frequency_code": "1",
        "claim_status": "paid",
        "payer_order": "1",
        "unit_basis": "UN",
    },
    "notes": {"note_version": "1", "is_billable": "true"},
    "note_blocks": {"delivery": "one_on_one"},
}
WHOLE = ("line_number", "billed_units", "payer_order", "note_version", "block_number")
MINUTES = ("minutes", "total_timed_minutes", "total_treatment_minutes")
MONEY = ("charge_usd", "allowed_usd", "paid_usd")
CLOCKS = ("started_at", "ended_at")
#: What some drawn rows lack, of what they must have.
REQUIRED = {
    "claims": ("line_number", "billed_units", "patient_id", "service_date"),
    "notes": ("patient_id", "service_date"),
    "note_blocks": (),
}
#: The number of each table that drawn rows have wrong.
NUMBERS = {"claims": "billed_units", "notes": "total_timed_minutes", "note_blocks": "minutes"}


def text_of(row: dict, table: str) -> dict[str, str]:
    """A row of values (dates, numbers, flags) as cells; what is null is left out."""
    said = {True: "true", False: "false"}
    cells = {column: row.get(column) for column in COLUMNS[table]}
    return {
        column: said[value] if isinstance(value, bool) else str(value)
        for column, value in cells.items()
        if value is not None
    }


def normal(table: str, cells: dict) -> dict[str, str | None]:
    """The cells of a row as the contract reads them, so that two ways to write one value are equal."""
    values = {}
    for column in COLUMNS[table]:
        cell = (cells.get(column) or "").strip() or None
        values[column] = _normal(column, cell) if cell else DEFAULTS[table].get(column)
    return values


def _normal(column: str, cell: str) -> str:
    if column in WHOLE and cell.removesuffix(".0").isdigit():
        return str(int(cell.removesuffix(".0")))
    if column in MINUTES:
        return format(number.normalize(), "f") if (number := _number(cell)) is not None else cell
    if column in MONEY:
        return str(Decimal(cell).quantize(Decimal("0.0001")))
    if column == "procedure_code":
        return cell.upper().removesuffix(".0")
    if column == "modifiers":
        return ";".join(sorted({modifier.strip().upper() for modifier in cell.split(";")}))
    if column in CLOCKS and cell.count(":") == 1:
        return f"{cell}:00"
    return cell


def _number(cell: str) -> Decimal | None:
    try:
        return Decimal(cell)
    except InvalidOperation:
        return None


def problem_of(table: str, values: dict, last_date: date) -> str | None:
    """Why a row breaks the contract by itself, of the ways that are drawn; None where it does not."""
    number = values[NUMBERS[table]]
    required = [values[column] for column in REQUIRED[table]]
    if None in required:
        return "missing_value"
    if table != "note_blocks":
        try:
            day = date.fromisoformat(values["service_date"])
        except ValueError:
            return "unreadable_date"
        if day > last_date:
            return "date_out_of_range"
    if number is not None and (read := _number(number)) is None:
        return "unreadable_number"
    if number is not None and read < 0:
        return "negative"
    return "units_are_minutes" if values.get("unit_basis") == "MJ" else None


def typed(table: str, values: dict) -> dict:
    """Normal values as the oracle takes them: dates, whole numbers, amounts and flags."""
    row = dict(values)
    for column in row.keys() & {*WHOLE, *MONEY, *MINUTES, "service_date", "is_billable"}:
        cell = row[column]
        if cell is None:
            continue
        if column in MONEY or column in MINUTES:
            row[column] = Decimal(cell)
        elif column == "service_date":
            row[column] = date.fromisoformat(cell)
        else:
            row[column] = cell == "true" if column == "is_billable" else int(cell)
    for column in row.keys() & set(CLOCKS):
        row[column] = row[column].split(" ")[-1] if row[column] else None
    return row
