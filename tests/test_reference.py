"""Reference tables: what is broken is named by file, line and key; a user's rows win for their dates, and no others."""

import csv
import shutil
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.database.duckdb_file import open_database
from transforms.errors import AuditError, UsageProblem
from transforms.models.load import _read
from transforms.reference.definitions import TABLES
from transforms.reference.tables import (
    OPEN_END,
    REFERENCE,
    Row,
    check_days,
    lay_over,
    load_reference,
    reference_in_force,
)

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
    with pytest.raises(UsageProblem, match=r"payers\.csv is not a reference table"):
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


GUARD_HEADER = "guard,action,limit,unit,effective_from,effective_to,citation,last_checked_on"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("quarantine,stop,0.2,share,2026-01-01,,c,2026-01-15", "key quarantine, column guard: must be one of quar"),
        ("quarantine_share,halt,0.2,share,2026-01-01,,c,2026-01-15", "column action: must be one of warn, stop, off"),
        ("quarantine_share,stop,,share,2026-01-01,,c,2026-01-15", "column limit: is empty: must be a number (share)"),
        ("quarantine_share,stop,1.01,share,2026-01-01,,c,2026-01-15", "column limit: is a share"),
        ("quarantine_share,stop,0.2,percent,2026-01-01,,c,2026-01-15", "column unit: must be share, or empty"),
        ("rows_below_usual,warn,0.99,,2026-01-01,,c,2026-01-15", "column limit: says how many times"),
        ("reference_check_due,warn,-1,days,2026-01-01,,c,2026-01-15", "column limit: must be a number from 0"),
        ("clock_went_back,warn,2,,2026-01-01,,c,2026-01-15", "column limit: must be empty"),
    ],
)
def test_a_guard_that_cannot_be_meant_is_refused(tmp_path, line, said):
    with pytest.raises(UsageProblem) as problem:
        load(tmp_path, line, file="guard.csv", header=GUARD_HEADER)
    assert str(problem.value).startswith("guard.csv, line 2, key ")
    assert said in str(problem.value)


@pytest.mark.parametrize(
    "line",
    [
        "quarantine_share,stop,1,,2026-01-01,,c,2026-01-15",
        "rows_below_usual,warn,1,times,2026-01-01,,c,2026-01-15",
        "quarantine_share,off,,,2026-01-01,,c,2026-01-15",
        "clock_went_back,stop,,,2026-01-01,,c,2026-01-15",
    ],
)
def test_a_guard_row_on_its_bound_is_taken(tmp_path, line):
    assert load(tmp_path, line, file="guard.csv", header=GUARD_HEADER)


@pytest.mark.parametrize("name", ["minimum_match_share", "minimum_measured_share"])
def test_a_wrong_share_of_a_parameter_is_refused(tmp_path, name):
    header = "name,value,unit,effective_from,effective_to,citation,last_checked_on"
    with pytest.raises(UsageProblem, match=f"key {name}, column value: is a share"):
        load(tmp_path, f"{name},1.5,share,2026-01-01,,c,2026-01-15", file="parameter.csv", header=header)


def test_days_of_check_are_counted_over_the_rows_in_force(tmp_path):
    """Of a user's rows those of the day, of ours those that no row of the user's stands over."""
    lines = [SOUND, "OLD,either,false,,2025-01-01,2026-01-01,c,2025-01-15"]
    load(tmp_path, *lines, "MEDICARE,either,false,,2026-03-01,2026-04-01,c,2026-02-01")

    def counted(on: date) -> dict:
        return {key: rows for key, rows in check_days(tmp_path, on).items() if "payer_method" in key[0]}

    own, shipped = "your payer_method.csv", "the shipped payer_method.csv"
    acme, medicare, ours = (own, date(2026, 1, 15)), (own, date(2026, 2, 1)), (shipped, date(2026, 11, 23))
    assert counted(date(2026, 2, 28)) == {acme: 1, ours: 2}
    assert counted(date(2026, 3, 1)) == {acme: 1, medicare: 1, ours: 1}
    assert counted(date(2025, 12, 31)) == {(own, date(2025, 1, 15)): 1, ours: 2}
    assert {file for file, _ in check_days(None, date(2026, 3, 1))} == {f"the shipped {one.name}.csv" for one in TABLES}


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


# On a busy machine drawing is slow, and a draw may take longer than usual.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


CODE_HEADER = "procedure_code,payer_id,kind,effective_from,effective_to,citation,last_checked_on"


def kinds_on(con, code: str, day: str) -> list[tuple]:
    """What the table says of a code on a day: the payer (none: any payer) and the kind."""
    return con.execute(
        "select payer_id, kind from ref_procedure_code where procedure_code = ? "
        "and ?::date >= effective_from and ?::date < effective_to order by payer_id nulls first",
        [code, day, day],
    ).fetchall()


#: Code, the last day before and the first day of what holds then; None: no row, so nobody knows the code on that day.
CHANGES = [
    ("97001", "2016-12-31", "untimed", "2017-01-01", None),
    ("97161", "2016-12-31", None, "2017-01-01", "untimed"),
    ("97168", "2016-12-31", None, "2017-01-01", "untimed"),
    ("97532", "2017-12-31", "timed_15", "2018-01-01", None),
    ("97762", "2017-12-31", "timed_15", "2018-01-01", None),
    ("97763", "2017-12-31", None, "2018-01-01", "timed_15"),
    ("G0515", "2017-12-31", None, "2018-01-01", "timed_15"),
    ("G0515", "2019-12-31", "timed_15", "2020-01-01", None),
    ("97129", "2019-12-31", None, "2020-01-01", "timed_15"),
    ("97130", "2019-12-31", None, "2020-01-01", "timed_15"),
    ("90911", "2019-12-31", "other", "2020-01-01", None),
    ("90912", "2019-12-31", None, "2020-01-01", "timed_15"),
    ("90913", "2019-12-31", None, "2020-01-01", "timed_15"),
    ("20560", "2019-12-31", None, "2020-01-01", "other"),
    ("99201", "2020-12-31", "other", "2021-01-01", None),
    ("97550", "2023-12-31", None, "2024-01-01", "other_length"),
    ("98985", "2025-12-31", None, "2026-01-01", "other"),
]


@pytest.mark.parametrize(("code", "before", "kind_before", "first", "kind"), CHANGES)
def test_a_code_has_its_kind_from_its_first_day_to_its_last(code, before, kind_before, first, kind):
    with open_database() as con:
        load_reference(con)
        for day, expected in ((before, kind_before), (first, kind)):
            assert kinds_on(con, code, day) == ([(None, expected)] if expected else [])


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("timed_15", "97032 97036 97110 97112 97140 97530 97533 97535 97537 97542 97750 97755 97760 97761"),
        ("untimed", "97010 97014 97028 97150 97161 97168 92507 92508 92521 92524 92526 G0283"),
        ("other_length", "97545 97546 96125 96105 97550 97551 92607 92608"),
        ("unlisted", "97039 97139 97799"),
        ("other", "98975 98981 95992 92610 92616 97597 20560 99202 99215 97169 L3908 29540 90901"),
    ],
)
def test_codes_of_today_have_the_kind_of_the_rule_book(kind, codes):
    with open_database() as con:
        load_reference(con)
        found = {code: kinds_on(con, code, "2026-12-01") for code in codes.split()}
    assert {code: held for code, held in found.items() if held != [(None, kind)]} == {}


def test_a_payer_may_have_a_kind_of_its_own_beside_the_shipped_one(tmp_path):
    """A Medicaid plan that pays 92507 by 15 minutes: its rows may overlap the shipped row, not each other."""
    row = "92507,TXMCD,timed_15,2026-01-01,,handbook 2.10.3.2,2026-12-01"
    (tmp_path / "procedure_code.csv").write_text(f"{CODE_HEADER}\n{row}\n", encoding="utf-8")
    with open_database() as con:
        load_reference(con, tmp_path)
        assert kinds_on(con, "92507", "2025-12-31") == [(None, "untimed")]
        assert kinds_on(con, "92507", "2026-01-01") == [(None, "untimed"), ("TXMCD", "timed_15")]
    (tmp_path / "procedure_code.csv").write_text(f"{CODE_HEADER}\n{row}\n{row}\n", encoding="utf-8")
    with open_database() as con, pytest.raises(UsageProblem, match="key 92507/TXMCD: its period overlaps"):
        load_reference(con, tmp_path)


def test_a_file_of_codes_without_the_payer_column_is_read_as_before(tmp_path):
    header = CODE_HEADER.replace("payer_id,", "")
    (tmp_path / "procedure_code.csv").write_text(
        f"{header}\n97110,untimed,2026-01-01,,contract p. 3,2026-12-01\n", encoding="utf-8"
    )
    with open_database() as con:
        load_reference(con, tmp_path)
        assert kinds_on(con, "97110", "2025-12-31") == [(None, "timed_15")]
        assert kinds_on(con, "97110", "2026-01-01") == [(None, "untimed")]


CAP_HEADER = "procedure_code,payer_id,cap_units,effective_from,effective_to,citation,last_checked_on"
ALIAS_HEADER = "procedure_code,relation,target_code,effective_from,effective_to,citation,last_checked_on"
PARAMETER_HEADER = "name,value,unit,effective_from,effective_to,citation,last_checked_on"
FILES = {"procedure_code": CODE_HEADER, "code_cap": CAP_HEADER, "code_alias": ALIAS_HEADER}
FILES |= {"parameter": PARAMETER_HEADER, "payer_method": HEADER}


def write(folder, table, *lines):
    path = folder / f"{table}.csv"
    path.write_text("\n".join([FILES[table], *lines]) + "\n", encoding="utf-8")
    return path


#: Rows that read well and change nothing: table, row, and the key, column and reason that the message must name.
WITHOUT_EFFECT = [
    ("code_cap", "97110,*,3,2026-01-01,,c,2026-12-01", "key 97110/*, column payer_id: names no payer; leave the cell"),
    ("procedure_code", "92507,*,timed_15,2026-01-01,,c,2026-12-01", "key 92507/*, column payer_id: names no payer"),
    (
        "code_cap",
        "9711,,3,2026-01-01,,c,2026-12-01",
        "key 9711, column procedure_code: is not a code that a claim line can have",
    ),
    ("code_cap", "97110-GP,,3,2026-01-01,,c,2026-12-01", "column procedure_code: is not a code"),
    ("code_cap", "g0283,,3,2026-01-01,,c,2026-12-01", "column procedure_code: is not a code"),
    ("procedure_code", "9711,,timed_15,2026-01-01,,c,2026-12-01", "key 9711, column procedure_code: is not a code"),
    (
        "procedure_code",
        "97110,ACME,timed,2026-01-01,,c,2026-12-01",
        "key 97110/ACME, column kind: must be one of timed",
    ),
    ("code_cap", "97111,,3,2026-01-01,,c,2026-12-01", "column procedure_code: has no row in procedure_code.csv"),
    ("code_cap", "0420,,3,2026-01-01,,c,2026-12-01", "column procedure_code: has no row in procedure_code.csv"),
    ("code_cap", "97532,,3,2018-01-01,,c,2026-12-01", "column procedure_code: has no row in procedure_code.csv"),
    ("code_cap", "99213,,1,2026-01-01,,c,2026-12-01", "column procedure_code: is of kind other on these dates"),
    ("code_cap", "97799,,1,2026-01-01,,c,2026-12-01", "column procedure_code: is of kind unlisted on these dates"),
    ("code_cap", "97110,,3,1980-01-01,1990-01-01,c,2026-12-01", "column effective_to: is before every date"),
    (
        "code_alias",
        "97113,counts_as,97111,2026-01-01,,c,2026-12-01",
        "column target_code: 97111 has no row in procedure",
    ),
    ("code_alias", "97113,counts_as,97010,2026-01-01,,c,2026-12-01", "column target_code: 97010 is of kind untimed"),
    ("code_alias", "97010,counts_as,97113,2026-01-01,,c,2026-12-01", "column procedure_code: 97010 is of kind untimed"),
    ("code_alias", "97113,counts_as,97532,2018-01-01,,c,2026-12-01", "column target_code: 97532 has no row"),
    (
        "code_alias",
        "97113,counts_as,97130,2026-01-01,,c,2026-12-01",
        "column target_code: 97130 counts as another code",
    ),
    ("code_alias", "97113,documents,99213,2026-01-01,,c,2026-12-01", "column target_code: 99213 is of kind other"),
    ("code_alias", "97113,documents,97113,2026-01-01,,c,2026-12-01", "column target_code: is the code itself"),
    ("code_alias", "97113,documents,9711,2026-01-01,,c,2026-12-01", "column target_code: is not a code"),
    ("code_alias", "*,documents,97150,2026-01-01,,c,2026-12-01", "key */documents, column procedure_code: must be one"),
    ("parameter", "billing_lag_days,5,weeks,2026-01-01,,c,2026-12-01", "column unit: must be days, or empty"),
    ("parameter", "billing_lag_days,5.5,,2026-01-01,,c,2026-12-01", "column value: must be a whole number of days"),
]


@pytest.mark.parametrize(("table", "row", "said"), WITHOUT_EFFECT)
def test_a_row_without_effect_is_refused_with_file_and_row(tmp_path, table, row, said):
    write(tmp_path, table, row)
    with open_database() as con, pytest.raises(UsageProblem) as problem:
        load_reference(con, tmp_path)
    assert str(problem.value).startswith(f"{table}.csv, line 2, key ")
    assert said in str(problem.value)


#: Their neighbors, which change something.
WITH_EFFECT = [
    ("code_cap", "97110,,3,2026-01-01,,c,2026-12-01"),
    ("code_cap", "97110,ACME,3,2026-01-01,,c,2026-12-01"),
    ("code_cap", "97532,,3,2017-12-31,,c,2026-12-01"),
    ("code_cap", "97110,,3,1980-01-01,1990-01-02,c,2026-12-01"),
    ("procedure_code", "0420,,other,2026-01-01,,c,2026-12-01"),
    ("procedure_code", "92507,ACME,timed_15,2026-01-01,,c,2026-12-01"),
    ("code_alias", "97113,counts_as,97110,2026-01-01,,c,2026-12-01"),
    ("code_alias", "97113,counts_as,97532,2017-12-31,,c,2026-12-01"),
    ("code_alias", "97113,documents,97010,2026-01-01,,c,2026-12-01"),
    ("code_alias", "X0001,documents,97110,2026-01-01,,c,2026-12-01"),
    ("parameter", "billing_lag_days,5,days,2026-01-01,,c,2026-12-01"),
    ("parameter", "minimum_measured_share,0.25,,2026-01-01,,c,2026-12-01"),
]


@pytest.mark.parametrize(("table", "row"), WITH_EFFECT)
def test_a_row_with_effect_is_taken(tmp_path, table, row):
    write(tmp_path, table, row)
    with open_database() as con:
        load_reference(con, tmp_path)
        key, start = row.split(",")[0], date.fromisoformat(next(cell for cell in row.split(",") if cell[4:5] == "-"))
        name = "name" if table == "parameter" else "procedure_code"
        found = con.execute(
            f"select citation from ref_{table} where {name} = ? and effective_from = ?", [key, start]
        ).fetchall()
    assert ("c",) in found


def test_a_row_that_another_row_gives_effect_is_taken(tmp_path):
    """A cap of an office visit binds nothing, until the payer counts the code as therapy."""
    write(tmp_path, "code_cap", "99213,ACME,1,2026-01-01,,c,2026-12-01")
    write(tmp_path, "procedure_code", "99213,ACME,untimed,2026-01-01,,c,2026-12-01")
    with open_database() as con:
        load_reference(con, tmp_path)
        held = con.execute("select cap_units from ref_code_cap where procedure_code = '99213'").fetchall()
    assert held == [(1,)]


def test_payer_ids_meet_in_one_form_of_each_letter(tmp_path):
    """SE\N{LATIN SMALL LETTER E WITH ACUTE} in one letter or in two is one payer, as in the extracts."""
    write(tmp_path, "payer_method", "Sante\N{COMBINING ACUTE ACCENT},either,false,,2026-01-01,,c,2026-12-01")
    with open_database() as con:
        load_reference(con, tmp_path)
        assert ("Sant\N{LATIN SMALL LETTER E WITH ACUTE}",) in con.execute(
            "select payer_id from ref_payer_method"
        ).fetchall()


def test_shipped_rows_are_short_and_of_our_own_words():
    """Whatever a code is called here is our own: a few words, none as long as a descriptor."""
    with open_database() as con:
        load_reference(con)
        words = con.execute("select procedure_code, short_words from ref_procedure_code").fetchall()
    assert [code for code, said in words if not said or len(said) > 64] == []


def test_a_table_that_nobody_declared_is_an_error_at_the_start(tmp_path, monkeypatch):
    """A night would not know which dates its rows move."""
    shutil.copytree(REFERENCE, tmp_path / "reference")
    (tmp_path / "reference" / "ncci_pair.csv").write_text("first_code,second_code\n")
    monkeypatch.setattr("transforms.reference.tables.REFERENCE", tmp_path / "reference")
    with pytest.raises(AuditError, match=r"data/reference: ref_ncci_pair is not declared in .*definitions\.py"):
        reference_in_force()


def test_a_model_reads_declared_tables_only(tmp_path):
    path = tmp_path / "stg_pair.sql"
    path.write_text("-- grain: a\n-- units: b\n-- source: c\nselect p.code from ref_ncci_pair as p\n")
    with pytest.raises(AuditError, match=r"stg_pair\.sql: ref_ncci_pair is not declared"):
        _read("staging", path)
