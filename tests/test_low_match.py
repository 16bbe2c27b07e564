"""Two extracts that hardly match: the message says which rows were set aside, and what in them may be why."""

import pytest

from tests.cli_runs import audit, day, refused, write_days
from tests.extract_files import write_extract
from transforms.accept.low_match import shape_of


def renamed(*visits, claims=str, notes=str):
    """The visits with every patient's id as the claim system and as the note system writes it."""
    return [
        (claim | {"patient_id": claims(claim["patient_id"])}, note | {"patient_id": notes(note["patient_id"])}, block)
        for claim, note, block in visits
    ]


@pytest.mark.parametrize(
    ("cell", "shape"),
    [
        ("03/31/2026", "99/99/9999"),
        ("3-Mar-26", "9-AAA-99"),
        ("Dr. Ünal", "AA. AAAA"),
        ("a\x00b", "A?A"),
        ("1" * 40, "9" * 24 + "..."),
    ],
)
def test_a_shape_holds_no_digit_and_no_letter_of_the_cell(cell, shape):
    assert shape_of(cell) == shape


def test_unread_dates_are_counted_and_point_to_date_formats(tmp_path):
    visits = [
        (claim, note | {"service_date": f"3/{n}/26"}, block)
        for n, (claim, note, block) in enumerate(map(day, range(1, 5)), 1)
    ]
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
    said = [
        "few claims and notes match: 0 of 4 claim days have a note",
        "claims, 4 rows accepted and 0 set aside",
        "notes, 0 rows accepted and 4 set aside (unreadable_date 4)",
        "note_blocks, 0 rows accepted and 4 set aside (note_quarantined 4)",
        "4 rows of notes have a service_date that cannot be read, most like 9/9/99",
        "date_formats of a mapping",
    ]
    refused(ran, 3, *said, out=tmp_path / "out")
    assert "3/1/26" not in ran.err and "P1" not in ran.err


def test_the_shape_is_that_of_the_mapped_column(tmp_path):
    """The mapping names the date's column and a format that does not fit it."""
    visits = [day(number) for number in range(1, 4)]
    claims, notes, blocks = (list(rows) for rows in zip(*visits, strict=True))
    write_extract(tmp_path / "extracts", claims, notes, blocks)
    path = tmp_path / "extracts" / "notes.csv"
    path.write_text(path.read_text().replace("service_date", "DOS").replace("2026-03-0", "2026.March.0"))
    mapping = tmp_path / "map.toml"
    mapping.write_text('[notes.columns]\nservice_date = { from = "DOS", date_formats = ["%m/%d/%Y"] }\n')
    ran = audit(tmp_path / "extracts", tmp_path / "out", "--mapping", mapping)
    refused(ran, 3, "most like 9999.AAAAA.99", out=tmp_path / "out")


@pytest.mark.parametrize(
    ("claims", "notes", "difference"),
    [
        (lambda patient: f"10{patient[1:]}", lambda patient: f"10{patient[1:]}.0", "the .0 behind them"),
        (lambda patient: f"0010{patient[1:]}", lambda patient: f"10{patient[1:]}", "leading zeros"),
        (lambda patient: f"p{patient[1:]}", str, "upper and lower case"),
    ],
)
def test_ids_written_in_two_ways_are_named_as_such(tmp_path, claims, notes, difference):
    visits = renamed(*map(day, range(1, 4)), claims=claims, notes=notes)
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
    told = f"3 of 3 patients of the claims are in the notes under an id that differs only in {difference}:"
    refused(ran, 3, told, "strip or replace", out=tmp_path / "out")
    assert ran.err.count("under an id that differs") == 1


def test_ids_whose_letters_are_written_in_two_ways_meet(tmp_path):
    """One system writes u with two dots, the other u and two dots to put on it: they look alike, and are one id."""
    visits = renamed(*map(day, range(1, 4)), claims=lambda patient: f"Mu\u0308-{patient}", notes="M\u00fc-{}".format)
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
    assert ran.code == 0, ran.err


def test_ids_that_are_others_altogether_point_to_the_crosswalk(tmp_path):
    visits = renamed(*map(day, range(1, 4)), notes=lambda patient: f"EMR-{patient}")
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
    refused(ran, 3, "notes, 3 rows accepted and 0 set aside", "--crosswalk DIR", out=tmp_path / "out")
    assert "differs only in" not in ran.err and "cannot be read" not in ran.err


def test_claims_without_a_readable_row_say_so(tmp_path):
    visits = [(claim | {"service_date": "20260301"}, note, block) for claim, note, block in map(day, (1, 2))]
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
    said = [
        "the claims have no billed line of a therapy code",
        "claims, 0 rows accepted and 2 set aside",
        "most like 99999999",
    ]
    refused(ran, 3, *said, out=tmp_path / "out")


def test_a_night_on_a_warehouse_says_the_same(tmp_path):
    visits = renamed(*map(day, range(1, 4)), notes=lambda patient: f"{patient}.0")
    ran = audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out", "--warehouse", tmp_path / "w.duckdb")
    refused(ran, 3, "3 of 3 patients of the claims", "the .0 behind them", out=tmp_path / "out")
