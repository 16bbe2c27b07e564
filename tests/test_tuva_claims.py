"""Real input that nobody here wrote: the Tuva Project's claim seed, audited through the mapping that ships."""

from datetime import date
from pathlib import Path

import pytest

from tests.harness import audit_folder

ROOT = Path(__file__).parents[1]
SEED = ROOT.parent / "shared" / "data" / "tuva_claim_seed"
MAPPING = ROOT / "data" / "mappings" / "tuva_medical_claim.toml"
AS_OF = date(2026, 11, 10)

pytestmark = pytest.mark.skipif(not SEED.is_dir(), reason="../shared/data/tuva_claim_seed is not here")


@pytest.fixture(scope="module")
def audited():
    return audit_folder(SEED, AS_OF, mapping=MAPPING)


def test_the_day_of_the_therapy_lines_is_unjudged_for_its_dates_stand_in(audited):
    assert ("10026", date(2017, 6, 17)) in audited.unjudged


def test_the_therapy_lines_are_counted_and_nobody_is_accused(audited):
    """8 units of 97110 on four lines of one claim: several visits squeezed on one claim, not one day over its cap."""
    units = {
        row["procedure_code"]: row["billed_units"]
        for row in audited.units
        if (row["patient_id"], row["service_date"]) == ("10026", date(2017, 6, 17))
    }
    assert units == {"97110": 8, "97530": 3, "97535": 1, "97161": 1, "G0283": 3}
    assert [row for row in audited.findings if row["patient_id"] == "10026"] == []


def test_no_note_means_that_no_claim_day_meets_one(audited):
    assert audited.match.claim_day_share == 0
    assert audited.match.is_low
    assert audited.rules["billed_day_not_documented"]["violations"] == 0, "there are no dates that both extracts cover"
