"""Fifteen small extracts made from what people reported in public (billing forums, payers' manuals, issue trackers).

They lie in ../shared/data/real_cases, one folder each; what is right stands in its EXPECTED.txt, and what a test says
beside that is the rule book's, where it says more. Every kind stands in tests/cases too, in rows of our own; a name in
a test's docstring says where.
"""

from datetime import date
from pathlib import Path

import pytest

from tests.cli_runs import minutewise, published
from tests.harness import AuditResult, audit_folder

ROOT = Path(__file__).parents[1]
REAL_CASES = ROOT.parent / "shared" / "data" / "real_cases"
TUVA_MAPPING = ROOT / "data" / "mappings" / "tuva_medical_claim.toml"
AS_OF = date(2026, 11, 10)
DAY = date(2026, 10, 5)
PAYER_COUNTS_BY_QUARTERS = (
    "procedure_code,payer_id,kind,short_words,disciplines,effective_from,effective_to,citation,last_checked_on\n"
    "92507,TXMCD,timed_15,speech treatment,SLP,2012-01-01,,the payer's manual,2026-11-01\n"
)

pytestmark = pytest.mark.skipif(not REAL_CASES.is_dir(), reason="../shared/data/real_cases is not here")


def audited(number: str, mapping: Path | None = None, reference: Path | None = None) -> AuditResult:
    """The audit of one folder, with its own map.toml and ref/ where it has them."""
    folder = REAL_CASES / number
    own_map, own_reference = folder / "map.toml", folder / "ref"
    return audit_folder(
        folder / "in",
        AS_OF,
        reference or (own_reference if own_reference.is_dir() else None),
        mapping=mapping or (own_map if own_map.is_file() else None),
    )


def said(result: AuditResult) -> set[tuple[str, str, str]]:
    """Every finding as rule, severity and patient; two of one rule and patient would be one here, and none are."""
    found = [(row["rule_id"], row["severity"], row["patient_id"]) for row in result.findings]
    assert len(found) == len(set(found))
    return set(found)


def test_01_a_payer_that_counts_speech_treatment_by_quarters_of_an_hour(tmp_path):
    """untimed_code_multiple_units.yaml, "honest: a payer that counts 92507 by 15 minutes".

    As shipped nobody has told us of that payer, and 92507 is untimed: three of one block are too many. A row of the
    payer's own tells the product (rule book s. 1), and then 45 minutes are three units.
    """
    assert said(audited("01")) == {("untimed_code_multiple_units", "error", "P1")}
    (tmp_path / "procedure_code.csv").write_text(PAYER_COUNTS_BY_QUARTERS, encoding="utf-8")
    assert said(audited("01", reference=tmp_path)) == set()


def test_04_biofeedback_is_timed_and_stands_with_the_days_other_minutes():
    """billed_units_exceed_minutes.yaml, "honest: 90912 is timed ..."."""
    assert said(audited("04")) == set()


def test_08_therapist_and_assistant_write_the_same_minutes_and_bill_them_once():
    """minutes_counted_twice.yaml, "honest: a therapist and an assistant ...": for review, no error.

    Beside it the blocks hold 60 minutes, and the note's total 30: the rule book calls that a warning.
    """
    assert said(audited("08")) == {
        ("minutes_counted_twice", "review", "P1"),
        ("block_minutes_exceed_note_total", "warning", "P1"),
    }


def test_10_two_disciplines_together_are_accused_of_nothing():
    """cotreatment_billed_by_both.yaml, "honest: PT and OT together ...". PF's two assistants of one discipline are for
    review: both wrote the same half hour."""
    assert said(audited("10")) == {("minutes_counted_twice", "review", "PF")}


def test_12_two_episodes_under_two_payers():
    """day_billed_to_several_payers.yaml, "honest: two episodes ...".

    EXPECTED says nothing or unjudged. The rule book leaves the units unjudged, and names the day for review.
    """
    result = audited("12")
    patients = ("P1", "P2", "P3")
    assert said(result) == {("day_billed_to_several_payers", "review", patient) for patient in patients}
    assert result.rules["billed_units_exceed_minutes"]["unjudged"] == len(patients)


def test_13_decimals_and_seconds_of_a_timer_are_added_before_they_are_cut():
    """billed_units_exceed_minutes.yaml, "honest: three blocks of 7.75 ..." and the cases beside it."""
    result = audited("13")
    assert said(result) == set()
    supported = {row["patient_id"]: row["day_supported_minutes"] for row in result.units}
    assert supported == {"P1": 23, "P2": 8, "P3": 23, "P4": 23}


def test_15_a_cancellation_that_names_no_claim_leaves_the_day_unjudged():
    """billed_units_exceed_minutes.yaml, "honest: a void and a corrected claim that name nothing"."""
    result = audited("15")
    assert said(result) == set()
    assert result.unjudged == {("P1", DAY)}


def test_17_a_dollar_sign_and_a_comma_cost_no_day():
    """billed_units_exceed_minutes.yaml, "dollars at risk: a charge with ..."."""
    result = audited("17")
    assert said(result) == {("billed_units_exceed_minutes", "error", patient) for patient in ("P1", "P2")}
    assert {row["patient_id"]: row["at_risk_usd"] for row in result.findings} == {"P1": 45, "P2": 450}
    assert result.quarantine == []


def test_19_dates_that_cannot_be_read_name_the_way_out(tmp_path):
    """In rows of our own: tests/test_unread_dates.py."""
    ran = minutewise("audit", "--extracts", REAL_CASES / "19" / "in", "--out", tmp_path / "out", "--as-of", AS_OF)
    assert ran.code == 3, ran.err
    assert "date_formats" in ran.err
    assert published(tmp_path / "out") == ([], None)


def test_19_and_a_mapping_reads_them(tmp_path):
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[claims.columns]\nservice_date = { from = "service_date", date_formats = ["%m/%d/%Y"] }\n'
        '[notes.columns]\nservice_date = { from = "service_date", date_formats = ["%m/%d/%Y"] }\n'
        '[note_blocks.columns]\nstarted_at = { from = "started_at", date_formats = ["%I:%M %p"] }\n'
        'ended_at = { from = "ended_at", date_formats = ["%I:%M %p"] }\n',
        encoding="utf-8",
    )
    result = audited("19", mapping=mapping)
    assert result.quarantine == []
    assert said(result) == set()
    assert {row["patient_id"]: row["day_supported_minutes"] for row in result.units} == {"P1": 30, "P2": 30}


def test_20_composites_in_the_codes_cell_are_read():
    """billed_units_exceed_minutes.yaml, "honest: the composite of a service line ..."."""
    result = audited("20")
    assert result.quarantine == []
    assert said(result) == set()
    billed = {
        (row["patient_id"], row["discipline"], row["procedure_code"]): row["billed_units"] for row in result.units
    }
    assert billed == {("P1", "PT", "97110"): 2, ("P2", "PT", "97112"): 2}


def test_23_an_old_correction_and_an_interim_bill_are_judged():
    """billed_units_exceed_minutes.yaml, "a correction, frequency 6, ..." and "an interim bill, ..."."""
    result = audited("23")
    assert said(result) == {("billed_units_exceed_minutes", "error", patient) for patient in ("P1", "P2")}
    assert {row["patient_id"]: row["billed_units"] for row in result.findings} == {"P1": 3, "P2": 3}
    assert result.quarantine == []


def test_26_minutes_that_are_not_known_are_not_nought():
    """billed_units_exceed_minutes.yaml, "honest: the session's minutes alone ..." and "a block without minutes ...".

    Of P1 and P2 the record does not say how long each took: the rule book says that, and no units are too many. Half of
    the notes have minutes by code or a clock, so it is the notes and not the extract.
    """
    result = audited("26")
    assert said(result) == {("timed_minutes_not_documented", "warning", patient) for patient in ("P1", "P2")}
    assert result.rules["billed_units_exceed_minutes"]["unjudged"] == 1, "P2: P1 states the session's 45 minutes"
    supported = {row["patient_id"]: row["day_supported_minutes"] for row in result.units}
    assert supported == {"P1": 45, "P2": None, "P3": 45, "P4": 45}


def test_33_a_line_without_units_and_one_over_three_dates(tmp_path):
    """billed_units_exceed_minutes.yaml, "a line without units ..." and "honest: one line over three dates ..."."""
    mapping = tmp_path / "map.toml"
    mapping.write_text('[claims.columns]\nservice_date_to = "line_thru"\n', encoding="utf-8")
    result = audited("33", mapping=mapping)
    assert said(result) == set()
    assert result.unjudged == {("P1", DAY), *(("P2", date(2026, 10, day)) for day in (5, 6, 7))}
    assert [(row["table_name"], row["column_name"]) for row in result.quarantine] == [("claims", "billed_units")]


def test_35_the_shipped_mapping_reads_spans_and_replacements():
    """The same kinds as 33 and 15, through data/mappings/tuva_medical_claim.toml."""
    result = audited("35", mapping=TUVA_MAPPING)
    assert said(result) == set()
    assert result.unjudged == {("P3", date(2026, 10, 8)), *(("P2", date(2026, 10, day)) for day in (5, 6, 7))}


def test_36_two_therapists_who_both_bill_one_hour():
    """billed_units_exceed_minutes.yaml, "two therapists bill one hour each for itself, ...": 4 of 8 under every count.

    The doubled hour was billed, so it is an error of its own; and Medicare's MUE of 97530 is 6.
    """
    result = audited("36")
    patients = ("PC", "PD", "PE")
    assert said(result) == {
        *(("billed_units_exceed_minutes", "error", patient) for patient in patients),
        *(("minutes_counted_twice", "error", patient) for patient in patients),
        ("units_exceed_day_cap", "error", "PD"),
    }
    too_many = [row for row in result.findings if row["rule_id"] == "billed_units_exceed_minutes"]
    assert {(row["billed_units"], row["expected_units"]) for row in too_many} == {(8, 4)}


def test_every_real_case_is_run():
    """A folder that is added there is missed here, until somebody says what is right."""
    folders = {path.name for path in REAL_CASES.iterdir() if path.is_dir()}
    tested = {name.split("_")[1] for name in globals() if name.startswith("test_") and name.split("_")[1].isdigit()}
    assert folders == tested
