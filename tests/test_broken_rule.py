"""A rule that cannot be run is an error of its own: never a pass, never failed data, and the other rules stand."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import transforms.recompute as recompute
from flows.audit import run_audit
from flows.settings import AuditSettings
from transforms.models import load_models

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
BROKEN = "billed_units_exceed_minutes"


@pytest.fixture
def with_a_broken_rule(monkeypatch):
    def load(stage):
        return tuple(
            replace(model, text=model.text.replace("u.supported_units", "u.no_such_column"))
            if model.name == BROKEN
            else model
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
