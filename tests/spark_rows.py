"""Extracts for both engines, as Parquet: the cases laid together, and rows with everything that a cell can hold."""

import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.case_files import (
    DEFAULTS,
    OWN_PAYERS,
    REFERENCE_WORDS,
    case_tables,
    filler_case,
    filler_days,
    named_apart,
    write_extracts,
    write_reference,
)
from tests.dirty_files import NASTY
from transforms.contract.fields import TABLES, contract_fields

DAY = datetime.date(2026, 10, 5)
CELLS = (
    *(cell for cell in NASTY if len(cell) < 100_000),
    "\u00a0x", "1", "1.0", "1.5", "+7", "007", ".5", "5.", ".0", "1,000", "999999999", "9999999999", "2147483648",
    "ß", "ﬁ", "ſ1", "ı2", "gﬅ", "İ", "paİd", "ΑΣ", "GP", "gp", "GP;59", "59;gp;GP", "gp.0", "G P", "97112GP",
    "97112-gp-59", "g0283", "0420", "420", "97112 \u00a0", "é97112", "\u200b97112\u200b", "97112\x0b-GP", "2026-10-05",
    "2026-10-5", "0000-01-01", "1989-12-31", "2026-11-21", "2026-11-22", "9999-12-31", "2026-10-05 00:00:00",
    "2026-10-05T00:00", "2026-10-05 10:00", "2026-10-05T10:00:30.123456789", "2026-10-05 10:00:00Z", "09:00", "9:00",
    "24:00", "23:59:59.999999", "09:00:30", "09:60", "TRUE", "t", "Yes", "0.0", "no", "paid", "PAID", "Denied ",
    "x\x1fy", "x\x7fy", "x\x85y", "a" * 200, "a" * 201, '"q"', "back\\slash", "%_", "🦆", "1234.5678", "1234.56789",
    "1234.50000", "-5.25", "$5", "1234567890123456.1", "30 min", "30 minutesé", "ends in minutes\n", "at 10:30",
    "10 HOURſ", "PT", "pt", "a;b , c|d", "2", "Mu\u0308ller", "\u1112\u1161\u11ab", "\u212b", "2.0261E+15", "inf",
)  # fmt: skip
CLOCKS = (
    ("09:00", "09:30"), ("09:00", "09:00"), ("23:50", "00:20"), ("22:00", "03:00"), ("09:30", "09:00"),
    ("09:00:30", "09:30:10"), ("2026-10-05 09:00", "09:30"), ("2026-10-06 09:00", "2026-10-06 09:10"),
    ("2026-10-05 09:00", "2026-10-07 09:10"), (None, "2026-10-06 00:10"), (None, "2026-10-08 00:10"), ("10:00", None),
    ("09:00:00.999999", "09:01:00.000001"), ("2026-02-30 09:00", "09:30"),
)  # fmt: skip
SOUND = {
    "claims": {"payer_id": "MEDICARE", "service_date": "2026-10-05", "procedure_code": "97110", "billed_units": "1"},
    "notes": {"service_date": "2026-10-05", "provider_id": "T1", "discipline": "PT", "status": "signed"},
    "note_blocks": {"procedure_code": "97110", "minutes": "20"},
}
KEYS = {
    "claims": ("claim_id", "line_number"),
    "notes": ("note_id", "note_version"),
    "note_blocks": ("note_id", "block_number"),
}


def write_parquet(folder: Path, table: str, rows: list[dict], part: str = "") -> None:
    """Write one extract, every cell as text."""
    columns = [field.field for field in contract_fields(table)]
    cells = {column: pa.array([_text(row.get(column)) for row in rows], pa.string()) for column in columns}
    pq.write_table(pa.table(cells), folder / f"{table}{part}.parquet")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def as_parquet(folder: Path) -> None:
    """Turn the CSV extracts of a folder into Parquet, every cell as text."""
    for path in sorted(folder.glob("*.csv")):
        cells = duckdb.sql(f"select * from read_csv('{path}', all_varchar = true)").to_arrow_table()
        pq.write_table(cells, path.with_suffix(".parquet"))
        path.unlink()


def write_cases(cases: dict[str, dict], folder: Path) -> None:
    """Write the extracts and the reference of cases that may share an audit."""
    extracts, reference = folder / "extracts", folder / "reference"
    extracts.mkdir(parents=True)
    reference.mkdir()
    write_extracts(cases, extracts)
    as_parquet(extracts)
    write_reference(next(iter(cases.values())), reference)


def write_odd(cases: dict[str, dict], folder: Path) -> None:
    """Write cases that may not share an audit together all the same, under one reference, and beside them rows with
    every odd cell in every column, clocks at their borders, and columns of other types than text."""
    extracts, reference = folder / "extracts", folder / "reference"
    extracts.mkdir(parents=True)
    reference.mkdir()
    parts = [_odd_rows(), _clocked_rows()]
    for prefix, case in cases.items():
        parts.append({table: named_apart(rows, prefix) for table, rows in case_tables(DEFAULTS | case).items()})
        visits = [case_tables(filler_case(day, number)) for number, day in enumerate(filler_days(case), 1)]
        parts += [{table: named_apart(rows, prefix) for table, rows in visit.items()} for visit in visits]
    for table in TABLES:
        write_parquet(extracts, table, [row for part in parts for row in part[table]], "_text")
        pq.write_table(typed_rows()[table], extracts / f"{table}_typed.parquet")
    write_reference({"reference": laid_together(cases)}, reference)
    (reference / "parameter.csv").write_text(
        "name,value,unit,effective_from,effective_to,citation,last_checked_on\n"
        "provider_day_minutes,600,minutes,2000-01-01,,a test,2026-11-01\n"
        "billing_lag_days,6,days,2000-01-01,,a test,2026-11-01\n"
    )


def laid_together(cases: dict[str, dict]) -> dict[str, list[str]]:
    """The reference rows of the cases, of each key those of the first case that has any."""
    kept: dict[tuple, dict] = {}
    for prefix, case in cases.items():
        for table, texts in case.get("reference", {}).items():
            for text in texts:
                words = text.split()
                payer = next((word for word in words if word.startswith("payer=")), "")
                owner = kept.setdefault((table, words[0], payer), {"by": prefix, "rows": []})
                if owner["by"] == prefix and words[0] not in {own.split()[0] for own in OWN_PAYERS}:
                    owner["rows"].append(text)
    return {
        table: [row for (own, _, _), owner in kept.items() if own == table for row in owner["rows"]]
        for table in REFERENCE_WORDS
    }


def _odd_rows() -> dict[str, list[dict]]:
    """For every column and odd cell a sound row with that cell; each key cell twice, the same and other content."""
    parts = {table: [] for table in TABLES}
    for table in TABLES:
        for field in contract_fields(table):
            for number, cell in enumerate(CELLS):
                name = f"{field.field}-{number}"
                own = {key: name for key in KEYS[table] if key.endswith("_id")} | {"patient_id": f"P{number % 40}"}
                own |= {key: "1" for key in KEYS[table] if not key.endswith("_id")}
                row = SOUND[table] | own | {field.field: cell}
                parts[table].append(row)
                if number % 7 == 0:
                    parts[table] += [row, row | {"clinic_id": "other", "provider_id": "T9"}]
                if table == "note_blocks" and field.field != "note_id" and number % 3:
                    parts["notes"].append(SOUND["notes"] | {"note_id": name, "patient_id": f"P{number % 40}"})
    return parts


def _clocked_rows() -> dict[str, list[dict]]:
    notes = [SOUND["notes"] | {"note_id": "clock", "note_version": "1", "patient_id": "P-clock"}]
    blocks = [
        SOUND["note_blocks"] | {"note_id": "clock", "block_number": str(place), "started_at": start, "ended_at": end}
        for place, (start, end) in enumerate(CLOCKS, 1)
    ]
    waiting = [row | {"note_id": "no such note"} for row in [*blocks, blocks[0] | {"started_at": "9:00"}]]
    waiting += [row | {"started_at": "09:00:00"} for row in waiting[:1]]
    return {"claims": [], "notes": notes, "note_blocks": blocks + waiting}


def typed_rows() -> dict[str, pa.Table]:
    """The three extracts with columns of the types that programs write, at the borders of these types."""
    numbers = [1.0, 2.0, 1.5, float("nan"), 1e16, 1e-5, float("inf"), 12345678.5, 1e15, 0.0001, -0.0, 123456789012.25]
    numbers += [2.0**53 - 1, 2.0**53, -(2.0**53)]
    size = len(numbers)
    dates = [datetime.date(2026, 10, 5 + place) for place in range(size)]
    stamps = [datetime.datetime(2026, 10, 5, 9, 30, 15, place * 1000) for place in range(size)]
    times = [datetime.time(9, place, 5) for place in range(size)]
    claims = {
        "claim_id": pa.array([f"typed{place}" for place in range(size)]),
        "line_number": pa.array([1] * size, pa.int16()),
        "patient_id": pa.array([100.0 + place for place in range(size)]),
        "payer_id": pa.array(["MEDICARE"] * size).dictionary_encode(),
        "service_date": pa.array(dates),
        "procedure_code": pa.array([97110.0] * size),
        "rendering_provider_id": pa.array(numbers, pa.float32()),
        "payer_claim_id": pa.array(numbers),
        "billed_units": pa.array(numbers),
        "charge_usd": pa.array([Decimal("120.50")] * size, pa.decimal128(12, 2)),
        "allowed_usd": pa.array(numbers),
        "paid_usd": pa.array([40.25] * size, pa.float32()),
        "diagnosis_codes": pa.array([["M54.5", None, "G20"]] * size),
        "extra column": pa.array(stamps),
    }
    notes = {
        "note_id": pa.array([f"typed{place}" for place in range(size)]),
        "patient_id": pa.array([100 + place for place in range(size)], pa.uint32()),
        "service_date": pa.array(
            [datetime.datetime.combine(day, datetime.time()) for day in dates], pa.timestamp("ns")
        ),
        "provider_id": pa.array(["T1"] * size),
        "discipline": pa.array(["PT"] * size),
        "signed_at": pa.array(stamps, pa.timestamp("us")),
        "is_billable": pa.array([True, False, None] * (size // 3)),
        "total_timed_minutes": pa.array(numbers),
    }
    blocks = {
        "note_id": pa.array([f"typed{place}" for place in range(size)]),
        "block_number": pa.array(range(size), pa.int64()),
        "procedure_code": pa.array(["97110"] * size),
        "minutes": pa.array([20] * size, pa.uint8()),
        "started_at": pa.array(times),
        "ended_at": pa.array(
            [datetime.datetime.combine(day, datetime.time(10, 5)) for day in dates], pa.timestamp("ms")
        ),
    }
    return {"claims": pa.table(claims), "notes": pa.table(notes), "note_blocks": pa.table(blocks)}
