"""A rule that cannot be run is an error of its own: never a pass, never failed data, and the other rules stand."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import transforms.models.run as recompute
from flows.run.audit import run_audit
from flows.settings import AuditSettings
from tests.harness import audit_folder
from transforms.errors import UsageProblem
from transforms.models.load import load_models

pytestmark = pytest.mark.whole_audit

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
BROKEN = "billed_units_exceed_minutes"


#: Each makes the rule's own text wrong in another way.
FAULTS = {
    "an unknown column is read": ("d.supported_units", "d.no_such_column"),
    "a verdict is misspelt": ("'violated'", "'violation'"),
    "a column is given that no finding has": ("as message", "as mesage"),
}


@pytest.fixture(params=FAULTS, ids=list(FAULTS))
def with_a_broken_rule(monkeypatch, request):
    before, after = FAULTS[request.param]

    def load(stage):
        return tuple(
            replace(model, text=model.text.replace(before, after)) if model.name == BROKEN else model
            for model in load_models(stage)
        )

    monkeypatch.setattr(recompute, "load_models", load)


def test_its_status_is_error_and_the_run_exits_1_whatever_fail_on(with_a_broken_rule, tmp_path):
    outcome = run_audit(
        AuditSettings(out=tmp_path / "out", as_of=date(2026, 11, 10), extracts=SAMPLES, reference=SAMPLES / "reference")
    )
    statuses = {rule["rule_id"]: rule["status"] for rule in outcome.manifest["rules"]}
    assert statuses.pop(BROKEN) == "error"
    assert set(statuses.values()) <= {"passed", "failed", "not_applicable"}
    assert outcome.exit_code == 1
    assert [problem["rule_id"] for problem in outcome.manifest["rule_problems"]] == [BROKEN]


def test_a_rule_without_its_registry_row_is_not_left_out_in_silence(monkeypatch, tmp_path):
    def load(stage):
        models = load_models(stage)
        return (*models, replace(models[0], name="billed_on_sunday")) if stage == "findings" else models

    monkeypatch.setattr(recompute, "load_models", load)
    with pytest.raises(UsageProblem, match="billed_on_sunday"):
        audit_folder(SAMPLES, date(2026, 11, 10), SAMPLES / "reference")
