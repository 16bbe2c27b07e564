"""No honest day is accused: random lawful readings of random notes, billed exactly as they say (oracle/honest.py)."""

from collections import Counter
from random import Random

import pytest

from tests.extract_files import write_extract, write_reference
from tests.harness import audit_folder
from tests.oracle.honest import ALLOWED, AS_OF, KINDS, NO_DATE, REFERENCE, TIMED, honest_days
from tests.profiles import PROFILE, SEED

#: Kinds on which the rule book leaves units beyond the note unjudged, or grants more than the therapist billed.
LEFT_OPEN = {"spanning", "beside_undated", "two_primary_payers", "session_clock_with_evaluation"}
#: Kinds whose last claim is the one that bills.
LAST_BILLS = {"corrected", "replaced_in_turn"}
#: Rules that speak of too many units.
TOO_MANY = {
    "billed_units_exceed_minutes",
    "cotreatment_billed_by_both",
    "timed_units_exceed_payer_day_cap",
    "units_exceed_day_cap",
}


def findings_by_day(days, folder):
    """Findings of one audit of all days, by patient. Only undated rows, and blocks of undated notes, are set aside."""
    rows = [[row for day in days for row in getattr(day, table)] for table in ("claims", "notes", "blocks")]
    undated = [[row for row in table if row.get("service_date") == NO_DATE] for table in rows]
    unread = {row["note_id"] for row in undated[1]}
    undated[2] = [row for row in rows[2] if row["note_id"] in unread]
    write_extract(folder / "extract", *rows)
    write_reference(folder / "reference", REFERENCE)
    result = audit_folder(folder / "extract", AS_OF, folder / "reference")
    set_aside = Counter(row["table_name"] for row in result.quarantine)
    assert [set_aside[table] for table in ("claims", "notes", "note_blocks")] == [len(table) for table in undated]
    found = {}
    for row in result.findings:
        found.setdefault(row["patient_id"], []).append(row)
    return found


def test_no_honest_day_is_accused(tmp_path):
    days = honest_days(Random(SEED), PROFILE.honest_days)
    found = findings_by_day(days, tmp_path)
    kind_of = {day.patient_id: day.kind for day in days}
    accused = Counter(
        (kind_of.get(patient_id), row["rule_id"], row["severity"]) for patient_id, rows in found.items() for row in rows
    )
    assert {said: times for said, times in accused.items() if said not in ALLOWED} == {}


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - LEFT_OPEN))
def test_one_unit_more_than_the_note_holds_is_found(kind, mutated):
    days, found = mutated
    of_kind = [day for day in days if day.kind == kind]
    assert of_kind
    spared = [day.patient_id for day in of_kind if not TOO_MANY & {row["rule_id"] for row in found[day.patient_id]}]
    assert spared == []


@pytest.fixture(scope="module")
def mutated(tmp_path_factory):
    """Honest days, each with one unit too many on the first timed line that bills, of corrections on the last."""
    days = []
    for day in honest_days(Random(SEED + 1), 12 * len(KINDS)):
        timed = [row for row in day.claims if row["procedure_code"] in {*TIMED["PT"], *TIMED["OT"]} and _bills(row)]
        if timed and day.kind not in LEFT_OPEN:
            timed[-1 if day.kind in LAST_BILLS else 0]["billed_units"] += 1
            days.append(day)
    found = findings_by_day(days, tmp_path_factory.mktemp("mutated"))
    return days, {day.patient_id: found.get(day.patient_id, []) for day in days}


def _bills(row):
    return (
        row.get("claim_status") != "denied"
        and row.get("claim_frequency_code") not in ("0", "8")
        and "payer_order" not in row
    )
