"""The worst days cost near linear: four times the rows of one day make about four times the findings, never sixteen."""

from datetime import date

import pytest

from tests.extract_files import write_extract
from tests.harness import audit_folder

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
