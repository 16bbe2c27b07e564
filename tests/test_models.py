"""The SQL models keep their promises: headers, named columns, stages in one direction, comments on every CTE."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tests.sql_runs import Asked, audited
from transforms.dialects.carry import carried
from transforms.keys import written_out
from transforms.models.load import FOLDER, STAGES, VIOLATION_COLUMNS, load_models

MODELS = [model for stage in STAGES for model in load_models(stage)]
IDS = [f"{model.stage}/{model.name}" for model in MODELS]
#: What stands before staging: accepted rows, what was set aside, reference tables and the run's setting.
GIVEN = {"quarantine", "delivered_file", "accepted_date", "run_setting", "rule_count", "rule_error", "violation"}
GIVEN_PREFIXES = ("ok_", "ref_", "crosswalk_")
LONGEST_LINE = 120
PREFIX = {"staging": "stg_", "minutes": "min_", "units": "unit_"}


def parsed(model) -> exp.Expression:
    return sqlglot.parse_one(model.text, read="duckdb")


def tables_read(model) -> set[str]:
    """The tables that a model reads, its own CTEs aside."""
    tree = parsed(model)
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_reads_only_its_own_stage_and_the_stages_before(model):
    made = {other.name: STAGES.index(other.stage) for other in MODELS}
    for table in tables_read(model):
        if table in GIVEN or table.startswith(GIVEN_PREFIXES):
            continue
        if table in made:
            assert made[table] <= STAGES.index(model.stage), f"{table} belongs to a later stage"
        else:
            # The published tables that every pass adds to.
            assert table in {"finding", "unit_published"}, f"{table} is made by no model"


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_no_rule_reads_a_dated_table_to_judge_a_code_or_a_payer(model):
    dated = {"ref_code_cap", "ref_payer_method", "ref_procedure_code"}
    if model.stage in ("findings", "minutes"):
        assert not tables_read(model) & dated, "dates are resolved once, in staging"


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_every_column_is_named_and_no_star_is_selected(model):
    tree = parsed(model)
    for select in tree.find_all(exp.Select):
        for column in select.expressions:
            assert not isinstance(column, exp.Star), "select * hides what a model gives"
            inside_count = select.find_ancestor(exp.Subquery) or select.find_ancestor(exp.Exists)
            assert inside_count or column.output_name, f"a column has no name: {column.sql()[:60]}"


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_joins_are_by_on(model):
    for join in parsed(model).find_all(exp.Join):
        assert join.args.get("on") or join.kind == "CROSS", join.sql()[:80]
        assert not join.args.get("using")


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_above_each_cte_stands_which_rows_it_holds(model):
    lines = model.text.splitlines()
    named = [number for number, line in enumerate(lines) if re.match(r"^[a-z_]+ as \($", line)]
    ctes = [cte.alias for cte in parsed(model).find_all(exp.CTE)]
    assert len(named) == len(ctes), f"each CTE starts a line of its own: {ctes}"
    undocumented = [
        lines[number] for number in named if not lines[number - 1].startswith("-- ") and lines[number - 1] != "),"
    ]
    assert not undocumented


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_every_window_that_ranks_or_runs_has_a_total_order(model):
    """A running window without a unique last key gives other rows from run to run."""
    unique = ("_key", "_id", "place", "procedure_code", "_number", "note_version", "discipline", "at_second")
    for window in parsed(model).find_all(exp.Window):
        order, spec = window.args.get("order"), window.args.get("spec")
        # A frame by RANGE takes rows of one place together, so they need no order among themselves.
        if order and not (spec and spec.args["kind"].upper() == "RANGE"):
            last = order.expressions[-1].this.sql()
            assert last.endswith(unique), f"the order ends in {last}"


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_is_named_like_its_stage_and_lines_are_short(model):
    assert model.name.startswith(PREFIX.get(model.stage, ""))
    text = (FOLDER / model.stage / f"{model.name}.sql").read_text(encoding="utf-8")
    assert max(len(line) for line in text.splitlines()) <= LONGEST_LINE
    assert "{" not in text, "values come from parameters or reference tables"
    assert "1990" not in text and "000000" not in text, "the arithmetic of keys is in transforms/keys.py alone"


@pytest.mark.parametrize("model", load_models("findings"), ids=lambda model: model.name)
def test_a_rule_ends_in_the_finding_shape(model):
    select = parsed(model)
    names = {column.output_name for column in select.expressions}
    assert "verdict" in names and "message" in names
    assert names - {"verdict"} <= set(VIOLATION_COLUMNS)
    assert names & {"day_key", "patient_key", "clinician_key"}, "a finding has a subject"


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_the_order_of_models_is_what_a_parser_finds(model):
    """models.py finds what a model reads by a pattern, to start quickly; the parser must agree."""
    names = {other.name for other in MODELS if other.stage == model.stage} - {model.name}
    assert model.reads & names == tables_read(model) & names


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_is_carried_over_to_spark_as_a_parsable_text(model):
    """Running it there is test_spark.py's; this one needs no Java."""
    assert sqlglot.parse_one(carried(model.text, "spark"), read="spark")


def test_minutes_and_units_of_a_pass_are_written_to_no_file():
    samples = Path(__file__).resolve().parents[1] / "data" / "samples"
    with audited(Asked(samples, date(2026, 11, 10), samples / "reference")) as con:
        held = dict(con.execute("select table_name, temporary from duckdb_tables()").fetchall())
    tables = {model.name for model in MODELS if not model.is_view}
    passing = {name for name in tables if name.startswith(("min_", "unit_"))}
    assert {name for name in tables if held[name]} == passing and len(passing) > 5


#: The last day of patient 7, and the first of patient 8.
ENDS = ((7, "9999-12-31"), (8, "1990-01-01"))


@pytest.mark.parametrize("day", [date(1990, 1, 1), date(2026, 10, 5), date(9999, 12, 31)])
@pytest.mark.parametrize("patient", [0, 1, 2**31])
def test_a_days_key_gives_back_what_it_is_made_of(day, patient):
    query = (
        "select patient_of(k), date_of(k), discipline_of(k), patient_day_of(k) = patient_day_key($patient, $day) from "
    )
    made = "(select day_key(patient_day_key($patient, $day), 3) as k)"
    sql = written_out(query + made)
    assert duckdb.execute(sql, {"patient": patient, "day": day}).fetchone() == (patient, day, 3, True)


def test_two_patients_never_share_a_key():
    """The last date that a database knows, of one patient, and the first of the next."""
    last, first = (written_out(f"patient_day_key({patient}, date '{day}')") for patient, day in ENDS)
    assert duckdb.execute(f"select {last} < {first}").fetchone() == (True,)
