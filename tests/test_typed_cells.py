"""Parquet columns that are read in their own types come to what the same rows come to as text in a CSV file."""

import csv
import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.accept.apply import apply_contract
from transforms.contract.cell_sql import FILE_TYPES
from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.extract import find_inputs, load_extracts
from transforms.extract.load import MOST_IN_PLACE

AS_OF = datetime.date(2026, 11, 10)
DAY = datetime.date(2026, 3, 2)
#: (units, date, charge) of claim lines on both sides of each limit; None is an empty cell.
CLAIMS = [
    (2, DAY, Decimal("60.00")),
    (0, datetime.date(1990, 1, 1), Decimal("0.00")),
    (99_999, AS_OF + datetime.timedelta(days=1), Decimal("-1.50")),
    (100_000, DAY, None),
    (-1, DAY, Decimal("1234.50")),
    (5_000_000_000, DAY, None),
    (None, DAY, None),
    (1, datetime.date(1989, 12, 31), None),
    (1, AS_OF + datetime.timedelta(days=2), None),
    (1, None, None),
]
REASONS = [
    (5, "out_of_range", "billed_units"),
    (6, "negative", "billed_units"),
    (7, "out_of_range", "billed_units"),
    (8, "missing_value", "billed_units"),
    (9, "date_out_of_range", "service_date"),
    (10, "date_out_of_range", "service_date"),
    (11, "missing_value", "service_date"),
]
#: (is billable, signed at, total) of notes.
NOTES = [
    (True, datetime.datetime(2026, 3, 2, 17, 30), 53),
    (False, None, 0),
    (None, datetime.datetime(2026, 3, 2), None),
    (True, datetime.datetime(1989, 12, 31, 23, 59), 10),
    (True, None, 1441),
]


def claims() -> dict[str, list]:
    """Columns of claim lines as a typed file holds them."""
    count = len(CLAIMS)
    return {
        "claim_id": [f"C{number}" for number in range(count)],
        "line_number": pa.array(range(count), pa.int32()),
        "patient_id": ["P1"] * count,
        "payer_id": ["MEDICARE"] * count,
        "service_date": pa.array([day for _, day, _ in CLAIMS], pa.date32()),
        "procedure_code": ["97110"] * count,
        "billed_units": pa.array([units for units, _, _ in CLAIMS], pa.int64()),
        "charge_usd": pa.array([charge for _, _, charge in CLAIMS], pa.decimal128(10, 2)),
    }


def notes() -> dict[str, list]:
    """Columns of notes as a typed file holds them."""
    count = len(NOTES)
    return {
        "note_id": [f"N{number}" for number in range(count)],
        "patient_id": ["P1"] * count,
        "service_date": pa.array([DAY] * count, pa.date32()),
        "provider_id": ["T1"] * count,
        "discipline": ["PT"] * count,
        "is_billable": pa.array([billable for billable, _, _ in NOTES], pa.bool_()),
        "signed_at": pa.array([signed for _, signed, _ in NOTES], pa.timestamp("us")),
        "total_timed_minutes": pa.array([total for _, _, total in NOTES], pa.int16()),
    }


def write_typed(folder, **tables) -> None:
    folder.mkdir()
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def write_text(folder, **tables) -> None:
    folder.mkdir()
    for name, columns in tables.items():
        rows = pa.table(columns).to_pylist()
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(columns))
            writer.writeheader()
            writer.writerows({key: "" if cell is None else str(cell) for key, cell in row.items()} for row in rows)


def come_to(folder) -> tuple[list[dict], list[dict], list[tuple]]:
    """(accepted claim lines, accepted notes, quarantine) of a folder; a CSV's first row stands on its line 2."""
    con = open_database()
    load_extracts(con, find_inputs(folder, {}, None), None)
    apply_contract(con, AS_OF)
    first = 2 if list(folder.glob("*.csv")) else 1
    ok = [
        rows_as_dicts(con, f"select * replace (source_line - {first} as source_line) from ok_{table} order by all")
        for table in ("claims", "notes")
    ]
    broken = con.execute(
        f"select table_name, source_line - {first} + 2, reason, column_name, "
        "patient_id, service_date, claim_id, note_id from quarantine order by all"
    ).fetchall()
    return *ok, broken


def test_typed_columns_come_to_what_their_text_comes_to(tmp_path):
    write_typed(tmp_path / "typed", claims=claims(), notes=notes())
    write_text(tmp_path / "text", claims=claims(), notes=notes())
    typed, text = come_to(tmp_path / "typed"), come_to(tmp_path / "text")
    assert typed == text
    assert [row[1:4] for row in typed[2] if row[0] == "claims"] == REASONS
    assert [row[1:4] for row in typed[2] if row[0] == "notes"] == [(6, "out_of_range", "total_timed_minutes")]
    assert [row["signed_at"] for row in typed[1]][-1] is None  # before 1990, and of no verdict


def test_these_columns_are_read_in_their_own_types(tmp_path):
    write_typed(tmp_path / "typed", claims=claims(), notes=notes())
    con = open_database()
    load_extracts(con, find_inputs(tmp_path / "typed", {}, None), None)
    types = dict(row[:2] for table in ("claims", "notes") for row in con.execute(f"describe cell_{table}").fetchall())
    assert types["billed_units"] == "BIGINT" and types["service_date"] == "DATE" and types["is_billable"] == "BOOLEAN"
    assert types["charge_usd"] in FILE_TYPES["money"] and types["signed_at"] == "TIMESTAMP"
    assert types["claim_id"] == types["narrative"] == "VARCHAR"


def test_files_of_different_types_are_read_as_text_together(tmp_path):
    write_typed(tmp_path / "both", claims=claims())
    more = claims()
    more["claim_id"] = [f"D{number}" for number in range(len(CLAIMS))]
    more["billed_units"] = [None if units is None else f" {units}.0" for units, _, _ in CLAIMS]
    pq.write_table(pa.table(more), tmp_path / "both" / "claims_more.parquet")
    accepted, _, broken = come_to(tmp_path / "both")
    assert [row["billed_units"] for row in accepted] == [2, 0, 99_999, 2, 0, 99_999]
    assert [row[2] for row in broken] == [reason for _, reason, _ in REASONS for _ in range(2)]


@pytest.mark.parametrize("files", [MOST_IN_PLACE, MOST_IN_PLACE + 2], ids=["all in place", "two copied"])
def test_many_files_lose_nothing(tmp_path, files):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(files):
        line = {name: column[:1] for name, column in claims().items()}
        line["claim_id"] = [f"C{number}"]
        pq.write_table(pa.table(line), folder / f"claims_{number:03}.parquet")
    accepted, _, broken = come_to(folder)
    assert [row["claim_id"] for row in accepted] == sorted(f"C{number}" for number in range(files)) and not broken
