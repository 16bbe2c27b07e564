"""The worst days cost near linear: four times the rows of one day make about four times the findings, never sixteen."""

import json
from datetime import date

import pytest

from tests.extract_files import write_extract
from tests.harness import audit_folder
from tests.sql_runs import Asked, audited
from transforms.models.load import STAGES, load_models

DAY, AS_OF = date(2026, 10, 5), date(2026, 11, 10)
NOTE = {"note_id": "N1", "patient_id": "P1", "service_date": DAY, "provider_id": "T1", "discipline": "PT"}
LINE = {"claim_id": "C1", "line_number": 1, "patient_id": "P1", "payer_id": "MEDICARE", "service_date": DAY}
LINE |= {"procedure_code": "97110", "billed_units": 2, "modifiers": "GP", "rendering_provider_id": "T1"}
BLOCK = {"note_id": "N1", "block_number": 1, "procedure_code": "97110", "started_at": "09:00", "ended_at": "09:30"}


def blocks_of_one_day(n):
    """Blocks of one patient and date, each of 30 minutes from a second of its own on."""
    starts = [f"09:{i // 60 % 30:02}:{i % 60:02}" for i in range(n)]
    blocks = [BLOCK | {"block_number": i + 1, "started_at": at, "ended_at": "10:00"} for i, at in enumerate(starts)]
    return [LINE], [NOTE], blocks


def lines_of_one_claim(n):
    """Lines of one code on one claim."""
    return [LINE | {"line_number": i + 1} for i in range(n)], [NOTE], [BLOCK]


def patients_of_one_clinician(n):
    """Patients whom one clinician treats at one time."""
    own = [{"patient_id": f"P{i}", "note_id": f"N{i}", "claim_id": f"C{i}"} for i in range(n)]
    return [LINE | x for x in own], [NOTE | x for x in own], [BLOCK | {"note_id": x["note_id"]} for x in own]


@pytest.mark.parametrize("worst_day", [blocks_of_one_day, lines_of_one_claim, patients_of_one_clinician])
def test_findings_grow_with_the_rows(worst_day, tmp_path):
    small, large = (said(worst_day(n), tmp_path / str(n)) for n in (200, 800))
    assert 0 < large <= 5 * small


def said(rows, folder):
    """Characters of all findings of an audit of these rows."""
    write_extract(folder, *rows)
    result = audit_folder(folder, AS_OF)
    return sum(len(str(value)) for row in result.findings for value in row.values())


@pytest.mark.parametrize("worst_day", [blocks_of_one_day, lines_of_one_claim, patients_of_one_clinician])
def test_what_the_models_go_through_grows_with_the_rows(worst_day, tmp_path):
    """Not only what comes out: the rows that every step of every model hands to the next."""
    small, large = (handled(worst_day(n), tmp_path / str(n)) for n in (200, 800))
    assert {
        model: counts for model in large if (counts := (small[model], large[model])) and counts[1] > 5 * counts[0]
    } == {}


def handled(rows, folder) -> dict[str, int]:
    """By model the rows that the operators of its query hand on, those of a few rows aside."""
    write_extract(folder, *rows)
    found = {}
    with audited(Asked(folder, AS_OF)) as con:
        con.execute("set search_path = 'part,main'")
        for model in (model for stage in STAGES for model in load_models(stage)):
            (plan,) = con.execute(f"explain (analyze, format json) {model.text}").fetchall()
            found[model.name] = max(2_000, _cardinality(json.loads(plan[1])))
    return found


def _cardinality(operator: dict) -> int:
    own = operator.get("operator_cardinality") or 0
    return own + sum(_cardinality(child) for child in operator.get("children", []))
