"""Reference tables: what is broken is named by file, line and key; a user's rows win for their dates, and no others."""

import csv
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.engine import open_database
from transforms.errors import UsageProblem
from transforms.reference import OPEN_END, REFERENCE, TABLES, Row, lay_over, load_reference

HEADER = (
    "payer_id,counting_method,follows_mue,timed_units_per_day_cap,effective_from,effective_to,citation,last_checked_on"
)
SOUND = "ACME,ama_midpoint,false,4,2026-01-01,,contract p. 12,2026-01-15"


def load(folder, *lines, file="payer_method.csv", header=HEADER):
    (folder / file).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    with open_database() as con:
        load_reference(con, folder)
        return con.execute(
            "select payer_id, counting_method, effective_from, effective_to from ref_payer_method order by all"
        ).fetchall()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["ACME,ama,false,4,2026-01-01,,c,2026-01-15"], "line 2, key ACME, column counting_method"),
        (["ACME,ama_midpoint,maybe,4,2026-01-01,,c,2026-01-15"], "line 2, key ACME, column follows_mue"),
        (["ACME,ama_midpoint,false,-1,2026-01-01,,c,2026-01-15"], "column timed_units_per_day_cap"),
        (["ACME,ama_midpoint,false,4,01/02/2026,,c,2026-01-15"], "column effective_from"),
        (["ACME,ama_midpoint,false,4,2026-01-01,2026-01-01,c,2026-01-15"], "column effective_to"),
        (["ACME,ama_midpoint,false,4,2026-01-01,,,2026-01-15"], "column citation"),
        (["ACME,ama_midpoint,false,4,2026-01-01,,c,"], "column last_checked_on"),
        ([",ama_midpoint,false,4,2026-01-01,,c,2026-01-15"], "column payer_id"),
        ([SOUND, "ACME,either,false,4,2026-06-01,,c,2026-01-15"], "line 3, key ACME: its period overlaps"),
        (
            ["ACME,either,false,4,2026-01-01,2026-02-01,c,2026-01-15", "ACME,either,false,4,2026-02-02,,c,2026-01-15"],
            "line 3, key ACME: a gap",
        ),
        (["ACME,ama_midpoint"], "not as many cells"),
    ],
)
def test_a_broken_row_is_named_by_file_line_and_key(tmp_path, lines, said):
    with pytest.raises(UsageProblem) as problem:
        load(tmp_path, *lines)
    assert str(problem.value).startswith("payer_method.csv")
    assert said in str(problem.value)


def test_unknown_and_missing_columns_and_files_are_named(tmp_path):
    with pytest.raises(UsageProblem, match="unknown column 'method'"):
        load(tmp_path, SOUND, header=HEADER.replace("counting_method", "method"))
    with pytest.raises(UsageProblem, match="column citation is missing"):
        load(tmp_path, "ACME,either,2026-01-01", header="payer_id,counting_method,effective_from,last_checked_on")
    (tmp_path / "payers.csv").write_text("x\n", encoding="utf-8")
    with pytest.raises(UsageProblem, match=r"payers\.csv is no reference table"):
        load(tmp_path, SOUND)


def test_rows_that_meet_are_no_gap_and_a_short_file_is_enough(tmp_path):
    rows = load(
        tmp_path,
        "MEDICARE,ama_midpoint,2026-03-01,2026-04-01,c,2026-01-15",
        header="payer_id,counting_method,effective_from,effective_to,citation,last_checked_on",
    )
    assert rows == [
        ("*", "either", date(1990, 1, 1), OPEN_END),
        ("MEDICARE", "ama_midpoint", date(2026, 3, 1), date(2026, 4, 1)),
        ("MEDICARE", "cms_8_minute", date(1990, 1, 1), date(2026, 3, 1)),
        ("MEDICARE", "cms_8_minute", date(2026, 4, 1), OPEN_END),
    ]


FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(12)]


@st.composite
def periods(draw, source):
    """Rows of one key, each in force for some days, none overlapping."""
    bounds = sorted(draw(st.lists(st.integers(0, 11), max_size=6, unique=True)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    return [Row(source, n, ("K",), {}, DAYS[start], DAYS[end]) for n, (start, end) in enumerate(pairs)]


def in_force(rows, day):
    return [(row.file, row.line) for row in rows if row.start <= day < row.end]


@given(periods("shipped"), periods("own"))
def test_on_every_day_the_users_row_wins_and_else_the_shipped_one(shipped, own):
    laid = lay_over(shipped, own)
    for day in DAYS:
        assert in_force(laid, day) == (in_force(own, day) or in_force(shipped, day))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_shipped_row_has_a_source_and_a_check_date(table):
    with (REFERENCE / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and all(row["citation"] and row["last_checked_on"] for row in rows)


def test_shipped_caps_are_the_facts_of_the_mue_table():
    """CMS NCCI practitioner MUE, calendar year 2026; 97112 = 4 is 60 minutes."""
    with (REFERENCE / "code_cap.csv").open(encoding="utf-8", newline="") as file:
        caps = {
            row["procedure_code"]: (row["cap_units"], row["adjudication_indicator"]) for row in csv.DictReader(file)
        }
    known = {"97112": ("4", "3"), "97110": ("6", "3"), "97035": ("2", "3"), "97161": ("1", "2"), "97010": ("0", "3")}
    assert {code: caps[code] for code in known} == known
