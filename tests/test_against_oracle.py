"""The SQL against an independent oracle of the rule book, over random therapy days: findings must be the same set.

One test audits small extracts one by one, so that what differs is short. The other draws many more, lays
them into one extract under ids of their own, and audits that once: thousands of therapy days in one comparison.
"""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.harness import audit_folder
from tests.oracle import audit
from tests.profiles import PROFILE
from tests.strategies import drawn_extracts, extracts, write_extract, write_reference

COMPARED = (
    "rule_id",
    "severity",
    "service_date",
    "patient_id",
    "discipline",
    "payer_id",
    "procedure_code",
    "billed_units",
    "expected_units",
    "supported_minutes",
    "double_counted_minutes",
    "cap_units",
    "at_risk_usd",
)
UNIT_COLUMNS = (
    "patient_id",
    "service_date",
    "discipline",
    "payer_id",
    "counting_method",
    "procedure_code",
    "is_timed",
    "is_documented",
    "written_minutes",
    "credited_minutes",
    "double_counted_minutes",
    "day_supported_minutes",
    "day_sure_minutes",
    "day_units_cms",
    "day_units_ama",
    "expected_units",
    "billed_units",
    "is_tie",
    "is_decidable",
)
#: Columns that say the subject of a rule more closely than the therapy day.
SUBJECT = {
    "claim_line_duplicated": ("claim_id",),
    "block_minutes_exceed_note_total": ("note_id",),
    "note_total_exceeds_blocks": ("note_id",),
    "stated_minutes_exceed_clock": ("note_id",),
    "provider_day_impossible": ("provider_id",),
    "units_exceed_day_cap": ("billing_provider_id",),
}
#: Rules whose subject has a code. The others name the day's only code, or the one that lacks units, as evidence.
OF_A_CODE = {
    "billed_code_not_documented",
    "claim_line_duplicated",
    "documented_code_not_billed",
    "minutes_counted_twice",
    "stated_minutes_exceed_clock",
    "timed_code_split_across_lines",
    "units_exceed_day_cap",
    "untimed_code_multiple_units",
}
#: Other columns that a published finding gives beside its subject as evidence, and the oracle does not.
EVIDENCE_ONLY = {
    "documented_code_not_billed": ("billed_units", "expected_units", "supported_minutes"),
    "day_billed_to_several_payers": ("payer_id", "billed_units", "supported_minutes"),
    "timed_minutes_not_documented": ("expected_units", "supported_minutes"),
    "cotreatment_billed_by_both": ("payer_id", "discipline", "double_counted_minutes", "at_risk_usd"),
    "claim_line_duplicated": ("supported_minutes",),
    "stated_minutes_exceed_clock": ("supported_minutes",),
}
#: What a published finding calls the same thing. A duplicate cites both claims, and its own is the later one.
PUBLISHED = {"claim_id": "claim_ids", "note_id": "note_ids"}


def compared(rows: list[dict], names: dict[str, str]) -> Counter:
    """Findings as countable rows of the columns that both sides give."""
    counted = Counter()
    for row in rows:
        left_out = EVIDENCE_ONLY.get(row["rule_id"], ())
        left_out += () if row["rule_id"] in OF_A_CODE else ("procedure_code",)
        said = [None if name in left_out else row[name] for name in COMPARED]
        said += [_last(row[names.get(name, name)]) for name in SUBJECT.get(row["rule_id"], ())]
        counted[tuple(said)] += 1
    return counted


def _last(ids: str | None) -> str | None:
    return ids.split(";")[-1] if ids else ids


def assert_same(claims, notes, blocks, as_of, reference) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_extract(Path(folder) / "extract", claims, notes, blocks)
        write_reference(Path(folder) / "reference", reference)
        found = audit_folder(Path(folder) / "extract", as_of, Path(folder) / "reference")
    assert found.quarantine == []
    expected = audit(claims, notes, blocks, as_of=as_of, reference=reference)
    assert_agree(found, expected, claims, notes)
    unclear = unclear_days(expected)
    for rule_id, row in expected.counts.items():
        names = ["violations", "errors", "warnings", "reviews"]
        # Whom the rule of joint time looked at is not a matter of the rule book; nor is how many rows of claims
        # that nobody can follow there are.
        names += (
            []
            if rule_id == "cotreatment_billed_by_both"
            # How many caps bind an unjudged code is a matter of how the subject is cut.
            else ["in_scope"]
            if unclear or rule_id == "units_exceed_day_cap"
            else ["in_scope", "unjudged"]
        )
        assert (rule_id, {name: found.rules[rule_id][name] for name in names}) == (
            rule_id,
            {name: row[name] for name in names},
        )


def assert_agree(found, expected, claims, notes) -> None:
    """Unjudged days, findings and unit rows of the audit are the oracle's."""
    there = {(row["patient_id"], row["service_date"]) for row in [*claims, *notes]}
    assert found.unjudged & there == set(expected.unjudged) & there
    theirs, ours = compared(expected.findings, {}), compared(found.findings, PUBLISHED)
    assert {"missed": theirs - ours, "accused": ours - theirs} == {"missed": Counter(), "accused": Counter()}
    unclear = unclear_days(expected)
    assert unit_rows(found.units, unclear) == unit_rows(expected.units, unclear)


def unclear_days(expected) -> set[tuple]:
    """Patients and dates of corrections that nobody can follow: what was billed there is not compared."""
    return {key for key, reasons in expected.unjudged.items() if "correction_unclear" in reasons}


def unit_rows(rows: list[dict], without=()) -> list[tuple]:
    """Unit rows as sorted tuples, without those of some patients and dates. Where the split is undecidable nobody
    knows the AMA count."""
    told = []
    for row in rows:
        if (row["patient_id"], row["service_date"]) not in without:
            said = row if row["is_decidable"] else row | {"day_units_ama": None}
            told.append(tuple(said[name] for name in UNIT_COLUMNS))
    return sorted(told, key=repr)


@settings(
    max_examples=PROFILE.extracts_alone,
    deadline=None,
    derandomize=True,
    # Shrinking an audit takes minutes; what differs is short enough to read as it was drawn.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(extracts())
def test_findings_of_a_small_extract_are_the_oracles(drawn):
    assert_same(*drawn)


@pytest.mark.parametrize("round_number", range(3))
def test_findings_of_many_extracts_at_once_are_the_oracles(round_number):
    assert_same(*laid_together(drawn_extracts(PROFILE.extracts_together, round_number)))


ID_COLUMNS = (
    "claim_id",
    "original_claim_id",
    "payer_claim_id",
    "patient_id",
    "payer_id",
    "rendering_provider_id",
    "billing_provider_id",
    "note_id",
    "provider_id",
)


def laid_together(drawn: list[tuple]) -> tuple:
    """Many extracts as one: each under ids of its own; the last as-of date and the first one's MUE rows stand."""
    claims, notes, blocks, as_of_dates = [], [], [], []
    reference = {name: list(rows) for name, rows in drawn[0][4].items()}
    reference["payer_method"] = [row for row in reference["payer_method"] if row["payer_id"] == "*"]
    reference["procedure_code"] = []
    reference["code_cap"] = [row for row in reference["code_cap"] if row["payer_id"] is None]
    for number, (own_claims, own_notes, own_blocks, as_of, own_reference) in enumerate(drawn):
        for rows, own in ((claims, own_claims), (notes, own_notes), (blocks, own_blocks)):
            rows += [own_ids(row, number) for row in own]
        for name in ("payer_method", "code_cap", "procedure_code"):
            reference[name] += [
                own_ids(row, number) for row in own_reference[name] if row["payer_id"] not in (None, "*")
            ]
        as_of_dates.append(as_of)
    return claims, notes, blocks, max(as_of_dates), reference


def own_ids(row: dict, number: int) -> dict:
    return row | {name: f"{number}-{row[name]}" for name in ID_COLUMNS if row.get(name) is not None}
