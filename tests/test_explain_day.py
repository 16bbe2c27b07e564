"""`minutewise explain OUT PATIENT DATE`: a day without a finding says why no rule, or not every rule, judges it."""

from pathlib import Path

import pytest

from tests.cli_runs import audit, day, minutewise, refused
from tests.extract_files import write_extract

#: What is odd on the day of each patient, by the reason that the rule book (s. 1 and 2) gives.
REASONS = {
    "correction_unclear": 1,
    "correction_without_original": 2,
    "line_spans_dates": 3,
    "quarantined_row_undated": 4,
    "claim_dated_line": 5,
    "several_payers": 6,
    "code_not_listed": 7,
}
HONEST = 8


def claim(number: int, **cells: object) -> dict:
    return day(number)[0] | cells


def odd_days() -> tuple[list[dict], ...]:
    """(claims, notes, blocks), one day a reason, and an honest one."""
    days = [day(number) for number in (*REASONS.values(), HONEST)]
    claims, notes, blocks = ([of[place] for of in days] for place in range(3))
    # each replaces the other
    claims[0] |= {"claim_frequency_code": 7, "original_claim_id": "C1b"}
    claims.append(claim(1, claim_id="C1b", claim_frequency_code=7, original_claim_id="C1"))
    # replaces a claim that is not here, beside one that bills
    claims.append(claim(2, claim_id="C2b", claim_frequency_code=7, original_claim_id="gone"))
    claims[2] |= {"service_date_to": "2026-03-05"}
    claims.append(claim(4, claim_id="C4b", service_date="soon"))
    claims[4] |= {"service_date_basis": "claim"}
    claims.append(claim(6, claim_id="C6b", payer_id="AETNA", procedure_code="97112"))
    blocks.append(blocks[6] | {"block_number": 2, "procedure_code": "97139", "minutes": 10})
    return claims, notes, blocks


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("days")
    write_extract(folder / "extracts", *odd_days())
    ran = audit(folder / "extracts", folder / "out")
    assert ran.code == 0, ran.err
    return folder / "out"


def explained(out: Path, number: int) -> str:
    ran = minutewise("explain", out, f"P{number}", f"2026-03-{number:02d}")
    assert ran.code == 0, ran.err
    return ran.out


@pytest.mark.parametrize("reason", REASONS)
def test_why_a_day_is_left_unjudged_is_said_first(out, reason):
    told = explained(out, REASONS[reason])
    silent = "Some rules leave PT unjudged" if reason in ("several_payers", "code_not_listed") else "No rule accuses"
    assert told.splitlines()[2].startswith(f"  {silent} ({reason}): ")
    assert "WHAT WAS BILLED" in told and f"N{REASONS[reason]}" in told


def test_a_day_that_is_judged_says_so_and_shows_its_minutes(out):
    told = explained(out, HONEST)
    assert "Every rule judges the date." in told
    assert "30 minutes lie in 23-37: 2 units" in told


def test_a_row_set_aside_is_named_with_its_file_and_line(out):
    told = explained(out, REASONS["quarantined_row_undated"])
    assert "ROWS SET ASIDE OF THIS PATIENT" in told and "unreadable_date" in told and "not read" in told


@pytest.mark.parametrize(
    ("patient", "date", "said"), [("P99", "2026-03-01", "no row of this patient"), ("P1", "soon", "not a date")]
)
def test_what_is_not_there_is_refused(out, patient, date, said):
    refused(minutewise("explain", out, patient, date), 2, said)
