"""The extracts of the benchmark: one seed gives the same bytes anywhere, and the shares that were asked for hold."""

from datetime import date
from hashlib import sha256

import duckdb
import pytest

from flows.bench.extracts import AS_OF, PLANTED, TABLES, make_visits, planted_list, write_extracts
from tests.harness import audit_folder

VISITS = 6000
#: Of 10,000 visits of a real year: blocks, claim lines; and what the samples hold.
BLOCKS_A_VISIT, LINES_A_VISIT, SAMPLE_CLOCKED_SHARE = 2.5, 2.17, 0.84
#: Planted, and right all the same.
LAWFUL = ("amended", "replaced", "voided", "denied", "secondary")
#: Planted, and wrong whatever the payer and the codes of the visit are.
ALWAYS_WRONG = {
    "draft": "billed_on_unsigned_note",
    "no_note": "billed_day_not_documented",
    "note_voided": "billed_day_not_documented",
    "not_billable": "billed_note_marked_not_billable",
    "sent_twice": "claim_line_duplicated",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("extracts")
    write_extracts(made, VISITS, seed=1, form="parquet")
    write_extracts(made, VISITS, seed=1, form="csv")
    return made


def one(folder, query: str):
    """The one value that a query gives; `claims`, `notes` and `note_blocks` are the Parquet files."""
    with duckdb.connect() as con:
        for table in TABLES:
            con.execute(f"create view {table} as from '{folder / table}.parquet'")
        return con.execute(query).fetchone()[0]


def hashes(folder, form: str) -> dict:
    return {table: sha256((folder / f"{table}.{form}").read_bytes()).hexdigest() for table in TABLES}


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_one_seed_gives_the_same_bytes_under_any_number_of_threads(folder, tmp_path, form):
    for threads in (1, 2):
        write_extracts(tmp_path, VISITS, seed=1, form=form, threads=threads)
        assert hashes(tmp_path, form) == hashes(folder, form)


def test_another_seed_gives_other_rows(folder, tmp_path):
    write_extracts(tmp_path, VISITS, seed=2, form="csv")
    assert not set(hashes(tmp_path, "csv").values()) & set(hashes(folder, "csv").values())


@pytest.mark.parametrize("table", TABLES)
def test_csv_and_parquet_hold_the_same_rows_in_the_same_order(folder, table):
    with duckdb.connect() as con:
        rows = con.execute(f"from '{folder / table}.parquet'")
        types = {column[0]: str(column[1]) for column in rows.description}
        parquet = rows.fetchall()
        csv = con.execute(f"select * from read_csv('{folder / table}.csv', columns = {types})").fetchall()
    assert csv == parquet
    assert len(csv) >= VISITS


def test_a_visit_has_as_many_blocks_and_lines_as_in_a_real_year(folder):
    assert one(folder, "select count(*) from note_blocks") / VISITS == pytest.approx(BLOCKS_A_VISIT, rel=0.02)
    assert one(folder, "select count(*) from claims") / VISITS == pytest.approx(LINES_A_VISIT, rel=0.02)


def test_as_many_blocks_have_clock_times_as_in_the_samples(folder):
    share = one(folder, "select count(started_at) / count(*) from note_blocks")
    assert share == pytest.approx(SAMPLE_CLOCKED_SHARE, abs=0.02)


def test_prose_has_the_length_of_prose(folder):
    assert 150 < one(folder, "select avg(length(narrative)) from notes") < 350
    assert one(folder, "select count(*) from notes where narrative like '%\"%' or narrative like '%\n%'") > 0


def test_dates_are_weekdays_and_a_clinician_has_at_most_twelve_visits_on_one(folder):
    assert one(folder, "select count(*) from notes where dayofweek(service_date) in (0, 6)") == 0
    visits = "select count(distinct note_id) as visits from notes group by provider_id, service_date"
    assert one(folder, f"select max(visits) from ({visits})") == 12


def test_what_is_planted_has_the_share_that_was_asked_for(folder):
    drawn = planted_list()
    assert len(drawn) == 10_000
    assert {name: drawn.count(name) for name in PLANTED} == PLANTED
    expected = PLANTED["draft"] / 10_000 * VISITS
    assert one(folder, "select count(*) from notes where status = 'draft'") == pytest.approx(expected, abs=12)


@pytest.fixture(scope="module")
def found(folder) -> list[tuple]:
    """Every visit that is the only one of its patient and date, as (what was planted, the rules that found something);
    days that a quarantined row leaves unjudged are left out."""
    result = audit_folder(folder, date.fromisoformat(AS_OF), folder / "reference")
    rules: dict[tuple, set] = {}
    for finding in result.findings:
        rules.setdefault((finding["patient_id"], finding["service_date"]), set()).add(finding["rule_id"])
    with duckdb.connect() as con:
        make_visits(con, VISITS, 1)
        visits = con.execute(
            "select patient_id(patient), service_date, any_value(planted) from visit_billed "
            "group by patient, service_date having count(*) = 1"
        ).fetchall()
    return [
        (planted, rules.get((patient, day), set()))
        for patient, day, planted in visits
        if (patient, day) not in result.unjudged
    ]


def test_an_ordinary_visit_is_honest(found):
    ordinary = [rules for planted, rules in found if planted is None]
    assert len(ordinary) > 0.9 * VISITS
    # A visit booked over it puts its clinician in two places; 38 minutes of ultrasound are 3 units, and its cap is 2.
    assert {rule for rules in ordinary for rule in rules} <= {"therapist_in_two_places", "units_exceed_day_cap"}
    assert sum(map(bool, ordinary)) < 0.002 * len(ordinary)


def test_what_is_lawful_is_not_accused(found):
    lawful = [(planted, rules) for planted, rules in found if planted in LAWFUL]
    assert {planted for planted, _ in lawful} == set(LAWFUL)
    assert [one for one in lawful if one[1]] == []


def test_what_is_always_wrong_is_found(found):
    for planted, rule in ALWAYS_WRONG.items():
        said = [rules for kind, rules in found if kind == planted]
        assert said and all(rule in rules for rules in said), planted


def test_three_to_five_days_of_a_hundred_have_a_finding(found):
    assert 0.025 < sum(bool(rules) for _, rules in found) / len(found) < 0.05
