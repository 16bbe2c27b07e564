"""An internal error (exit 4) names the stage, and the file, table or model that was being worked on: never a value."""

import pytest

from flows.cli import cli
from flows.failures import internal_error
from tests.cli_runs import audit, day, minutewise, refused, write_days
from transforms.models.load import load_models
from transforms.under_way import under_way

SECRET = "the secret of P1"


def broken(*_given, **_named):
    raise ValueError(SECRET)


@pytest.fixture
def extracts(tmp_path):
    return write_days(tmp_path / "extracts", day(1), day(2))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("transforms.extract.load._load_file", "in stage extract, claims.csv;"),
        ("transforms.reference.tables._create", "in stage extract, procedure_code.csv;"),
        ("transforms.accept.apply._read_table", "in stage contract, table claims;"),
        ("transforms.accept.settle._accept", "in stage contract, table claims;"),
        ("flows.run.stages.night_facts", "in stage guard;"),
        ("flows.publishing.write.write_workbook", "in stage publish, findings.xlsx;"),
        ("flows.publishing.write.write_html", "in stage publish, report.html;"),
    ],
)
def test_a_fault_names_stage_and_file(extracts, tmp_path, monkeypatch, place, said):
    monkeypatch.setattr(place, broken)
    ran = audit(extracts, tmp_path / "out")
    refused(ran, 4, "internal error (ValueError in test_where_it_failed.py:", said, out=tmp_path / "out")
    assert SECRET not in ran.err and "P1" not in ran.err


def test_a_fault_in_a_model_names_it(extracts, tmp_path, monkeypatch):
    model = load_models("staging")[-1]
    monkeypatch.setitem(vars(model), "text", f"select error('{SECRET}') as a")
    ran = audit(extracts, tmp_path / "out")
    refused(ran, 4, f"stage recompute: transforms/staging/{model.name}.sql: ", out=tmp_path / "out")
    assert SECRET not in ran.err


def test_a_fault_in_great_expectations_names_the_suite(extracts, tmp_path, monkeypatch, whole_audit):
    monkeypatch.setattr("great_expectations.ValidationDefinition.run", broken)
    ran = audit(extracts, tmp_path / "out")
    refused(ran, 4, "stage judge: Great Expectations", "(ValueError, suite contract_ok_claims)", out=tmp_path / "out")
    assert SECRET not in ran.err


def test_a_fault_of_the_machine_names_stage_and_file(extracts, tmp_path, monkeypatch):
    def unreadable(*_given):
        raise OSError(5, SECRET)

    monkeypatch.setattr("transforms.extract.load._load_file", unreadable)
    ran = audit(extracts, tmp_path / "out")
    refused(ran, 4, "Input/output error", "stage extract, claims.csv;", out=tmp_path / "out")
    assert SECRET not in ran.err


def test_a_name_that_would_forge_a_line_does_not():
    with pytest.raises(ValueError, match=SECRET) as caught, under_way("stage extract"), under_way("a\nb.csv"):
        broken()
    assert "in stage extract, 'a\\nb.csv';" in internal_error(caught.value)


def test_a_command_without_stages_is_named(monkeypatch):
    monkeypatch.setattr(cli.commands["rules"], "callback", broken)
    refused(minutewise("rules"), 4, "internal error (ValueError", "in `minutewise rules`;")
