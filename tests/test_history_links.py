"""Which claims and dates a night computes again, where corrections, spans and rows without a date bind them."""

import datetime

import duckdb
import pytest

from transforms.reference.definitions import TABLES
from transforms.reference.tables import load_reference
from transforms.warehouse import moved
from transforms.warehouse import take_in as history
from transforms.warehouse.tables import REFERENCES, make_tables

LINE = {"line_number": 1, "patient_id": "P1", "claim_frequency_code": "1"}


def march(day: int) -> datetime.date:
    return datetime.date(2026, 3, day)


def line(claim, day, **cells) -> dict:
    return {**LINE, "claim_id": claim, "service_date": march(day), **cells}


#: A is replaced by B, by the payer's number of it, and B is voided by C. D names A and corrects nothing.
CHAIN = [
    line("A", 1, payer_claim_id="ICN 1"),
    line("B", 2, claim_frequency_code="7", original_claim_id="ICN 1"),
    line("C", 3, claim_frequency_code="8", original_claim_id="B"),
    line("D", 4, original_claim_id="A"),
]


@pytest.fixture
def con():
    """The run's database beside an empty warehouse, before a night that brings nothing."""
    con = duckdb.connect()
    con.execute("ATTACH ':memory:' AS warehouse")
    make_tables(con)
    for table in ("claims", "notes", "note_blocks"):
        con.execute(f"CREATE TABLE settled_{table} AS FROM warehouse.ok_{table}")
    con.execute("CREATE TABLE quarantine AS FROM warehouse.quarantine")
    con.execute("CREATE TABLE affected_claim (claim_id VARCHAR); CREATE TABLE affected_note (note_id VARCHAR)")
    con.execute("CREATE TABLE crosswalk_patient (from_id VARCHAR, to_id VARCHAR)")
    con.execute("CREATE TABLE touched_date (service_date DATE)")
    yield con
    con.close()


def put(con, table, *rows) -> None:
    for row in rows:
        asked = ", ".join(f"? AS {column}" for column in row)
        con.execute(f"INSERT INTO {table} BY NAME SELECT {asked}", list(row.values()))


def moved_days(con) -> dict[int, set]:
    """Day of March -> the patients whose rows moved there."""
    history._count_dates(con)
    history._find_changes(con)
    days = {}
    for service_date, patient in con.execute("SELECT service_date, patient_id FROM change").fetchall():
        days.setdefault(service_date.day, set()).add(patient)
    return days


def hold(con, *rows) -> None:
    put(con, "warehouse.ok_claims", *rows)
    con.execute("INSERT INTO warehouse.accepted_date SELECT service_date, 1, 0 FROM warehouse.ok_claims")


@pytest.mark.parametrize("changed", ["A", "B", "C"])
def test_a_claim_moves_all_claims_that_corrections_bind_to_it(con, changed):
    hold(con, *CHAIN)
    con.execute(f"INSERT INTO affected_claim VALUES ('{changed}')")
    assert sorted(moved_days(con)) == [1, 2, 3]


def test_an_original_that_comes_after_its_correction_moves_it(con):
    hold(con, CHAIN[1])
    put(con, "settled_claims", CHAIN[0])
    con.execute("INSERT INTO affected_claim VALUES ('A')")
    assert sorted(moved_days(con)) == [1, 2]


def test_a_claim_whose_payers_number_changes_moves_who_named_it(con):
    hold(con, *CHAIN[:2])
    put(con, "settled_claims", {**CHAIN[0], "payer_claim_id": "ICN 9"})
    con.execute("INSERT INTO affected_claim VALUES ('A')")
    assert sorted(moved_days(con)) == [1, 2]


def test_a_span_moves_every_date_in_it(con):
    """The one without rows too: it counts as unjudged."""
    hold(con, line("S", 5, service_date_to=march(8)), *(line(f"C{day}", day) for day in (4, 6, 8, 9)))
    con.execute("INSERT INTO affected_claim VALUES ('S')")
    assert moved_days(con) == {day: {"P1"} for day in (5, 6, 7, 8)}


def test_a_row_without_a_date_moves_every_date_of_its_patient(con):
    hold(con, line("A", 1), line("B", 2), line("C", 3, patient_id="P2"))
    put(con, "quarantine", {"table_name": "notes", "patient_id": "n1", "file_number": 1, "source_line": 2})
    con.execute("INSERT INTO crosswalk_patient VALUES ('n1', 'P1')")
    assert moved_days(con) == {1: {"P1"}, 2: {"P1"}}


def test_a_row_without_a_patient_moves_its_date(con):
    hold(con, line("A", 1), line("B", 2))
    put(con, "quarantine", {"table_name": "notes", "service_date": march(2), "file_number": 1, "source_line": 2})
    assert moved_days(con) == {2: {None}}


def test_a_touched_date_takes_the_chains_and_the_spans_that_bear_on_it(con):
    hold(con, *CHAIN, line("S", 5, service_date_to=march(8)), line("X", 7), line("Y", 9))
    con.execute("INSERT INTO touched_date VALUES ('2026-03-03'), ('2026-03-07')")
    history.take_rows(con)
    assert con.execute("SELECT claim_id FROM ok_claims ORDER BY 1").fetchall() == [(c,) for c in "ABCSX"]


@pytest.mark.parametrize(
    ("table", "before", "days"),
    [
        ("code_cap", "UPDATE {} SET cap_units = cap_units + 1 WHERE procedure_code = '97130'", [1]),
        ("code_cap", "UPDATE {} SET cap_units = cap_units + 1 WHERE procedure_code = '97110'", [2]),
        # An add-on of a code is that code's partner, whether it is billed or not.
        ("code_alias", "DELETE FROM {} WHERE procedure_code = '97130' AND relation = 'counts_as'", [1]),
        ("code_alias", "UPDATE {} SET target_code = '97129' WHERE procedure_code = '90913'", [1]),
        # An office visit that comes into scope leaves open all dates that it spans.
        ("procedure_code", "UPDATE {} SET kind = 'untimed' WHERE procedure_code = '99213'", [5, 6, 7]),
    ],
)
def test_a_reference_row_moves_the_dates_that_it_bears_on(con, table, before, days):
    load_reference(con, None)
    for name in REFERENCES:
        con.execute(f"CREATE TABLE warehouse.{name} AS FROM main.{name}")
    hold(
        con,
        line("A", 1, procedure_code="97129"),
        line("B", 2, procedure_code="97110"),
        line("S", 5, procedure_code="99213", service_date_to=march(7)),
    )
    con.execute(before.format(f"warehouse.ref_{table}"))
    history._count_dates(con)
    con.execute("CREATE TABLE change (service_date DATE, patient_id VARCHAR, what VARCHAR)")
    moved._reference(con, next(one for one in TABLES if one.name == table))
    found = con.execute("SELECT DISTINCT service_date FROM change ORDER BY service_date").fetchall()
    assert [day.day for (day,) in found] == days
