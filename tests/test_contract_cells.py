"""Cell by cell: what the contract reads, in pairs on both sides of each boundary."""

import datetime
from decimal import Decimal
from functools import cache

import pytest

from tests.contract_rows import AS_OF, CLAIM, NOTE, audit_rows, judge_row, judge_rows

DAY = datetime.date(2026, 6, 1)
NBSP = "\u00a0"


def at(hour, minute, second=0, day=1):
    return datetime.datetime(2026, 6, day, hour, minute, second)


ACCEPTED = [
    # table, column, cell, value
    ("claims", "claim_id", " C 1 ", "C 1"),
    ("claims", "claim_id", f"{NBSP}C1\u3000", "C1"),
    ("claims", "claim_id", "\ufeffC1\t\r\n", "C1"),
    ("claims", "claim_id", "123.0", "123.0"),
    ("claims", "claim_id", "00123", "00123"),
    ("claims", "claim_id", "2E15", "2E15"),
    ("claims", "claim_id", "A2.5E+15", "A2.5E+15"),
    ("claims", "claim_id", "Mu\u0308ller", "M\u00fcller"),
    ("claims", "claim_id", " \u212b ", "\u00c5"),
    ("notes", "patient_id", "\ufb01", "\ufb01"),  # a ligature is another letter
    ("claims", "claim_id", "x" * 200, "x" * 200),
    ("claims", "claim_id", "Müller'; drop table ok_claims; --", "Müller'; drop table ok_claims; --"),
    ("claims", "rendering_provider_id", "  ", None),
    ("claims", "rendering_provider_id", None, None),
    ("claims", "line_number", "2.0", 2),
    ("claims", "line_number", "007", 7),
    ("claims", "line_number", "999999999", 999999999),
    ("claims", "service_date", "2026-06-01", DAY),
    ("claims", "service_date", "2026-06-01 00:00:00", DAY),
    ("claims", "service_date", "2026-06-01T00:00:00.000", DAY),
    ("claims", "service_date", "1990-01-01", datetime.date(1990, 1, 1)),
    ("claims", "service_date", "2026-07-01", AS_OF + datetime.timedelta(1)),
    ("claims", "service_date", "2024-02-29", datetime.date(2024, 2, 29)),
    ("claims", "procedure_code", " 97112 ", "97112"),
    ("claims", "procedure_code", "97112.0", "97112"),
    ("claims", "procedure_code", "97112.00", "97112"),
    ("claims", "procedure_code", "g0283", "G0283"),
    ("claims", "procedure_code", "0420", "0420"),
    ("claims", "procedure_code", "00100", "00100"),
    ("claims", "procedure_code", "4004f", "4004F"),
    ("claims", "procedure_code", "97112-GP", "97112"),
    ("claims", "procedure_code", "97112-gp-59", "97112"),
    ("claims", "procedure_code", "97112 GP", "97112"),
    ("claims", "procedure_code", f"97112{NBSP}GP", "97112"),
    ("claims", "procedure_code", "97112-", "97112"),
    ("claims", "procedure_code", "HC:97110:GP:59", "97110"),
    ("claims", "procedure_code", "HC>97110>GP", "97110"),
    ("claims", "procedure_code", "hc^g0283^gp", "G0283"),
    ("claims", "procedure_code", "HC*97110", "97110"),
    ("claims", "procedure_code", "HC:97110::::", "97110"),
    ("claims", "billed_units", "0", 0),
    ("claims", "billed_units", "2.0", 2),
    ("claims", "billed_units", "+2", 2),
    ("claims", "billed_units", "-0.0", 0),
    ("claims", "billed_units", "2.", 2),
    ("claims", "billed_units", "99999", 99999),
    ("claims", "billed_units", "000000000000000000003", 3),
    ("claims", "modifiers", "GP;59", "59;GP"),
    ("claims", "modifiers", "gp", "GP"),
    ("claims", "modifiers", "GP;GP", "GP"),
    ("claims", "modifiers", "kx, gp 59;GP", "59;GP;KX"),
    ("claims", "modifiers", ";;GP;", "GP"),
    ("claims", "modifiers", "59.0", "59"),
    ("claims", "modifiers", "GP;59.0;KX", "59;GP;KX"),
    ("claims", "modifiers", ";", None),
    ("claims", "modifiers", "", None),
    ("claims", "discipline", "pt", "PT"),
    ("claims", "discipline", "Slp", "SLP"),
    ("claims", "discipline", None, None),
    ("claims", "claim_type", None, "professional"),
    ("claims", "claim_type", "INSTITUTIONAL", "institutional"),
    ("claims", "service_date_basis", "", "line"),
    ("claims", "claim_frequency_code", None, "1"),
    ("claims", "claim_frequency_code", "7.0", "7"),
    ("claims", "claim_frequency_code", "0", "0"),
    ("claims", "claim_frequency_code", "9", "9"),
    ("claims", "original_claim_id", "2026100600000001", "2026100600000001"),
    ("claims", "payer_claim_id", " ICN 7 ", "ICN 7"),
    ("claims", "claim_status", None, "paid"),
    ("claims", "claim_status", "Denied", "denied"),
    ("claims", "payer_order", None, 1),
    ("claims", "payer_order", "3.0", 3),
    ("claims", "unit_basis", None, "UN"),
    ("claims", "unit_basis", "un", "UN"),
    ("claims", "diagnosis_codes", " m54.50; s93.401a ;", "M54.50;S93.401A"),
    ("claims", "charge_usd", "120", Decimal("120")),
    ("claims", "charge_usd", "-0.5", Decimal("-0.5")),
    ("claims", "charge_usd", ".25", Decimal("0.25")),
    ("claims", "charge_usd", "1.2345", Decimal("1.2345")),
    ("claims", "charge_usd", "1.234500000", Decimal("1.2345")),
    ("claims", "charge_usd", "99999999.9999", Decimal("99999999.9999")),
    ("claims", "charge_usd", "-99999999.9999", Decimal("-99999999.9999")),
    ("claims", "charge_usd", "$1,240.00", Decimal("1240")),
    ("claims", "charge_usd", "1,234,567.8901", Decimal("1234567.8901")),
    ("claims", "charge_usd", "$ 5", Decimal("5")),
    ("claims", "charge_usd", "+5.", Decimal("5")),
    ("claims", "charge_usd", "$.50", Decimal("0.5")),
    ("claims", "paid_usd", "(12.50)", Decimal("-12.5")),
    ("claims", "paid_usd", "($1,012.50)", Decimal("-1012.5")),
    ("claims", "paid_usd", f"${NBSP}(12.50)", Decimal("-12.5")),
    ("claims", "paid_usd", "12.50-", Decimal("-12.5")),
    ("claims", "paid_usd", "$12.50 -", Decimal("-12.5")),
    ("claims", "paid_usd", "-$12.50", Decimal("-12.5")),
    ("claims", "paid_usd", "$-12.50", Decimal("-12.5")),
    ("claims", "diagnosis_codes", "\u017f93;m54", "\u017f93;M54"),
    ("notes", "note_version", None, 1),
    ("notes", "note_version", "0", 0),
    ("notes", "status", "Signed", "signed"),
    ("notes", "status", None, None),
    ("notes", "signed_at", "2026-06-01T17:05:09", at(17, 5, 9)),
    ("notes", "signed_at", "2026-06-01", at(0, 0)),
    ("notes", "signed_at", "2026-06-01 17:05:09.1234567891", at(17, 5, 9).replace(microsecond=123456)),
    ("notes", "total_timed_minutes", "22.9", Decimal("22.9")),
    ("notes", "total_timed_minutes", ".9", Decimal("0.9")),
    ("notes", "total_timed_minutes", "-0.0", 0),
    ("notes", "total_timed_minutes", "0000000000000000000000022.5", Decimal("22.5")),
    ("notes", "total_treatment_minutes", "1440.00004", 1440),
    ("notes", "is_billable", None, True),
    ("notes", "is_billable", "N", False),
    ("notes", "is_billable", "TRUE", True),
    ("notes", "is_billable", "0", False),
    ("notes", "is_billable", "1.0", True),
    ("notes", "is_billable", "Yes", True),
    ("notes", "is_billable", "f", False),
    ("note_blocks", "procedure_code", "97112-GP", "97112"),
    ("note_blocks", "minutes", "7.75", Decimal("7.75")),
    ("note_blocks", "minutes", "7.333333333333333", Decimal("7.3333")),  # 440 seconds, as a float writes them
    ("note_blocks", "minutes", "+22.", 22),
    ("note_blocks", "minutes", "0", 0),
    ("note_blocks", "minutes", "1440", 1440),
    ("note_blocks", "minutes", None, None),
    ("note_blocks", "delivery", None, "one_on_one"),
    ("note_blocks", "delivery", "Group", "group"),
    ("note_blocks", "provider_role", None, None),
    ("note_blocks", "provider_role", "AIDE", "aide"),
    ("note_blocks", "note_version", "1.0", 1),
    ("note_blocks", "started_at", "09:05", at(9, 5)),
    ("note_blocks", "started_at", "00:00", at(0, 0)),
    ("note_blocks", "started_at", "23:59:59", at(23, 59, 59)),
    ("note_blocks", "started_at", "09:05:01.25", at(9, 5, 1).replace(microsecond=250000)),
    ("note_blocks", "started_at", "2026-06-01 09:05", at(9, 5)),
    ("note_blocks", "started_at", "2026-06-01T09:05:06", at(9, 5, 6)),
    ("note_blocks", "ended_at", "2026-06-02T00:05", at(0, 5, day=2)),
]

BROKEN = [
    # table, column, cell, reason
    ("claims", "claim_id", None, "missing_value"),
    ("claims", "claim_id", f" {NBSP}\u200b\t", "missing_value"),
    ("claims", "claim_id", "x" * 201, "unreadable_id"),
    ("claims", "claim_id", "C\x001", "unreadable_id"),
    ("claims", "claim_id", "2.0261E+15", "rounded_id"),
    ("claims", "patient_id", "1e+16", "rounded_id"),
    ("claims", "payer_claim_id", "-9.5e+15", "rounded_id"),
    ("notes", "note_id", "inf", "rounded_id"),
    ("claims", "line_number", "one", "unreadable_number"),
    ("claims", "line_number", "1000000000", "out_of_range"),
    ("claims", "line_number", "-1", "negative"),
    ("claims", "service_date", "", "missing_value"),
    ("claims", "service_date", "2026-02-29", "unreadable_date"),
    ("claims", "service_date", "2026-6-1", "unreadable_date"),
    ("claims", "service_date", "06/01/2026", "unreadable_date"),
    ("claims", "service_date", "99999-01-01", "unreadable_date"),
    ("claims", "service_date", "2026-06-01 09:00:00", "unreadable_date"),
    ("claims", "service_date", "2026-06-01T00:00:00Z", "unreadable_date"),
    ("claims", "service_date", "٢٠٢٦-٠٦-٠١", "unreadable_date"),
    ("claims", "service_date", "infinity", "unreadable_date"),
    ("claims", "service_date", "1989-12-31", "date_out_of_range"),
    ("claims", "service_date", "2026-07-02", "date_out_of_range"),
    ("claims", "service_date", "0000-01-01", "date_out_of_range"),
    ("claims", "procedure_code", "9711", "unreadable_code"),
    ("claims", "procedure_code", "971122", "unreadable_code"),
    ("claims", "procedure_code", "97112.5", "unreadable_code"),
    ("claims", "procedure_code", "97112-GPX", "unreadable_code"),
    ("claims", "procedure_code", "97112GP", "unreadable_code"),
    ("claims", "procedure_code", "GG283", "unreadable_code"),
    ("claims", "procedure_code", "٩٧١١٢", "unreadable_code"),
    ("claims", "procedure_code", "\u017f0283", "unreadable_code"),  # a long s, whose capital is S
    ("claims", "procedure_code", "HC:97110:GAIT", "unreadable_code"),
    ("claims", "procedure_code", "HC97110", "unreadable_code"),
    ("claims", "procedure_code", "N4:97110", "unreadable_code"),
    ("claims", "modifiers", "G\u017f", "unreadable_code"),
    ("claims", "modifiers", "\ufb01", "unreadable_code"),  # the ligature fi
    ("claims", "claim_status", "pa\u0130d", "unknown_value"),  # a dotted capital i, whose small letter is i
    ("claims", "discipline", "\u017flp", "unknown_value"),
    ("claims", "billed_units", "2.5", "not_whole"),
    ("claims", "billed_units", "-1", "negative"),
    ("claims", "billed_units", "-0.5", "negative"),
    ("claims", "billed_units", "100000", "out_of_range"),
    ("claims", "billed_units", "9" * 400, "out_of_range"),
    ("claims", "billed_units", "1e2", "unreadable_number"),
    ("claims", "billed_units", "1e400", "unreadable_number"),
    ("claims", "billed_units", "NaN", "unreadable_number"),
    ("claims", "billed_units", "inf", "unreadable_number"),
    ("claims", "billed_units", "٣", "unreadable_number"),
    ("claims", "billed_units", "1_0", "unreadable_number"),
    ("claims", "billed_units", "0x10", "unreadable_number"),
    ("claims", "billed_units", ".", "unreadable_number"),
    ("claims", "billed_units", "2,0", "unreadable_number"),
    ("claims", "modifiers", "GPX", "unreadable_code"),
    ("claims", "modifiers", "G", "unreadable_code"),
    ("claims", "modifiers", "GP;?", "unreadable_code"),
    ("claims", "discipline", "ST", "unknown_value"),
    ("claims", "claim_type", "dental", "unknown_value"),
    ("claims", "claim_frequency_code", "10", "unknown_value"),
    ("claims", "claim_frequency_code", "A", "unknown_value"),
    ("claims", "claim_frequency_code", "7.5", "unknown_value"),
    ("claims", "payer_order", "0", "out_of_range"),
    ("claims", "payer_order", "4", "out_of_range"),
    ("claims", "unit_basis", "mj", "units_are_minutes"),
    ("claims", "unit_basis", "F2", "unknown_value"),
    ("notes", "discipline", None, "missing_value"),
    ("notes", "discipline", "chiro", "unknown_value"),
    ("notes", "status", "final", "unknown_value"),
    ("notes", "total_timed_minutes", "1440.0001", "out_of_range"),
    ("notes", "total_timed_minutes", "9" * 400, "out_of_range"),
    ("notes", "total_timed_minutes", "2.2e1", "unreadable_number"),
    ("notes", "total_timed_minutes", "1441", "out_of_range"),
    ("notes", "total_timed_minutes", "-1", "negative"),
    ("notes", "total_treatment_minutes", "half an hour", "unreadable_number"),
    ("notes", "is_billable", "maybe", "unknown_value"),
    ("note_blocks", "block_number", None, "missing_value"),
    ("note_blocks", "minutes", "1441", "out_of_range"),
    ("note_blocks", "minutes", "-0.1", "negative"),
    ("note_blocks", "minutes", "22 min", "unreadable_number"),
    ("note_blocks", "note_version", "1.5", "not_whole"),
    ("note_blocks", "delivery", "one on one", "unknown_value"),
    ("note_blocks", "started_at", "9:05", "unreadable_time"),
    ("note_blocks", "started_at", "24:00", "unreadable_time"),
    ("note_blocks", "started_at", "09:60", "unreadable_time"),
    ("note_blocks", "started_at", "09:05:60", "unreadable_time"),
    ("note_blocks", "started_at", "09:05 AM", "unreadable_time"),
    ("note_blocks", "started_at", "09:05Z", "unreadable_time"),
    ("note_blocks", "started_at", "2026-06-01T09:05+00", "unreadable_time"),
    ("note_blocks", "started_at", "2026-02-30T09:05", "unreadable_time"),
    ("note_blocks", "started_at", "2026-06-01", "unreadable_time"),
    ("note_blocks", "started_at", "2026-06-02T09:05", "clock_off_service_date"),
    ("note_blocks", "started_at", "2026-05-31T23:59:59", "clock_off_service_date"),
    ("note_blocks", "ended_at", "2026-06-03T00:00", "clock_off_service_date"),
]

#: Cells that cannot be read and bear on no verdict: the row stands without them.
SET_ASIDE = [
    # table, column, cell
    ("claims", "clinic_id", "A\nB"),
    ("claims", "charge_usd", "1.23451"),
    ("claims", "charge_usd", "1e3"),
    ("claims", "charge_usd", "NaN"),
    ("claims", "charge_usd", "100000000000000"),
    ("claims", "charge_usd", "."),
    ("notes", "signed_at", "2026-06-01T17:05:09Z"),
    ("notes", "signed_at", "2026-06-01T17:05:09+02:00"),
    ("notes", "signed_at", "2026-06-01 24:00"),
    ("notes", "signed_at", "2026-07-02 00:00"),
    ("claims", "clinic_id", "x" * 201),
    ("claims", "clinic_id", "\0"),  # what the reader leaves of bytes that are no text
    ("claims", "charge_usd", "1,2345"),
    ("claims", "charge_usd", "12,34.50"),
    ("claims", "charge_usd", "1.234,50"),
    ("claims", "charge_usd", "1,50"),
    ("claims", "charge_usd", "$1.23451"),
    ("claims", "charge_usd", "€5"),
    ("claims", "charge_usd", "(-5)"),
    ("claims", "charge_usd", "-5-"),
    ("claims", "charge_usd", "(5"),
    ("claims", "charge_usd", "5)"),
    ("claims", "charge_usd", "$$5"),
    ("claims", "charge_usd", "$"),
    ("claims", "charge_usd", "$-"),
    ("claims", "allowed_usd", "10000000000"),
    ("claims", "allowed_usd", "-100000000"),
    ("claims", "paid_usd", "9" * 400),
    ("claims", "place_of_service", "1\x071"),
    ("claims", "diagnosis_codes", "M54.5\x00"),
    ("notes", "signed_at", "June 1st"),
    ("notes", "signed_at", "1989-12-31 23:59:59"),
    ("notes", "clinic_id", "A\x7fB"),
    ("notes", "diagnosis_codes", "\0"),
    ("note_blocks", "goal", "\0"),
    ("note_blocks", "description", "x" * 1_000_001),
]


def named(cases):
    return [f"{table_name}-{column}-{ascii(cell)[:30]}" for table_name, column, cell, *_ in cases]


@cache
def outcomes():
    """What becomes of every cell of the two lists, in their order."""
    cases = [case[:3] for case in [*ACCEPTED, *BROKEN, *SET_ASIDE]]
    return judge_rows([(table_name, {column: cell}) for table_name, column, cell in cases])


@pytest.mark.parametrize("number", range(len(ACCEPTED)), ids=named(ACCEPTED))
def test_a_readable_cell_is_taken(number):
    _, column, _, value = ACCEPTED[number]
    accepted, problem = outcomes()[number]
    assert problem is None
    assert accepted[column] == value


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=named(BROKEN))
def test_an_unreadable_cell_is_named(number):
    _, column, _, reason = BROKEN[number]
    assert outcomes()[len(ACCEPTED) + number] == (None, (reason, column))


@pytest.mark.parametrize("number", range(len(SET_ASIDE)), ids=named(SET_ASIDE))
def test_an_unreadable_cell_without_a_verdict_is_left_empty_and_its_row_stands(number):
    _, column, _ = SET_ASIDE[number]
    accepted, problem = outcomes()[len(ACCEPTED) + len(BROKEN) + number]
    assert problem is None
    assert accepted[column] is None


def test_cells_set_aside_are_counted_by_file_and_column_in_rows_that_stand():
    bad = {**CLAIM, "paid_usd": "n/a", "clinic_id": "\0"}
    rows = [bad, {**CLAIM, "line_number": "2", "paid_usd": "?"}, {**bad, "line_number": "3", "billed_units": "x"}]
    con = audit_rows([("claims", rows), ("claims", [{**CLAIM, "claim_id": "C2"}]), ("notes", [NOTE])])
    assert con.execute("SELECT * FROM cell_set_aside ORDER BY ALL").fetchall() == [
        (1, "clinic_id", 1),
        (1, "paid_usd", 2),
    ]


def test_a_description_that_nobody_can_read_may_speak_of_minutes():
    (unread, _), (none, _) = judge_rows([("note_blocks", {"description": "\0"}), ("note_blocks", {})])
    assert unread["has_minutes_in_prose"] is True and none["has_minutes_in_prose"] is False


@pytest.mark.parametrize(
    ("code", "modifiers", "expected"),
    [
        ("97112-GP", None, "GP"),
        ("97112-GP-59", None, "59;GP"),
        ("97112.0-GP", "KX;59", "59;GP;KX"),
        ("97112 GP", "GP", "GP"),
        ("0420-GP", "59", "59;GP"),
        ("97112.0", None, None),
        ("HC:97110:gp:59", "KX", "59;GP;KX"),
        ("HC>97110>GP", None, "GP"),
        ("HC^97110^GP^^", None, "GP"),
        ("HC:97110", "GP", "GP"),
        ("97112\u00a0gp", None, "GP"),
        ("97112-", "GP", "GP"),
    ],
)
def test_modifiers_behind_the_code_join_the_lines(code, modifiers, expected):
    accepted, _ = judge_row("claims", procedure_code=code, modifiers=modifiers)
    assert accepted["modifiers"] == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # started_at, ended_at, (start second, end second) or the reason at ended_at
        ("09:00", "09:24", (9 * 3600, 9 * 3600 + 24 * 60)),
        ("09:00", "09:00", (9 * 3600, 9 * 3600)),
        ("09:00:30", "09:24:59", (9 * 3600 + 30, 9 * 3600 + 24 * 60 + 59)),
        ("09:00:00", "09:24:00.000", (9 * 3600, 9 * 3600 + 24 * 60)),
        ("09:00:00.999999", "09:24:01.5", (9 * 3600, 9 * 3600 + 24 * 60 + 1)),  # fractions of a second are cut
        ("20:01", "00:01", (20 * 3600 + 60, 24 * 3600 + 60)),  # 240 minutes over midnight
        ("20:01", "00:01:01", "end_before_start"),  # a second more
        ("20:00:59", "00:01", "end_before_start"),
        ("20:00", "00:01", "end_before_start"),
        ("23:50", "00:10", (24 * 3600 - 600, 24 * 3600 + 600)),
        ("09:24", "09:00", "end_before_start"),
        ("2026-06-01T23:50", "00:10", (24 * 3600 - 600, 24 * 3600 + 600)),
        ("23:50", "2026-06-02T00:10", (24 * 3600 - 600, 24 * 3600 + 600)),
        ("23:50", "2026-06-01T00:10", "end_before_start"),  # a full timestamp is meant as it stands
        ("2026-06-01T09:00:00", "2026-06-01T08:59:59", "end_before_start"),
        ("2026-06-01 00:30", "2026-06-02 00:30", (1800, 24 * 3600 + 1800)),  # 1440 minutes
        ("2026-06-01 00:30", "2026-06-02 00:30:01", "clock_off_service_date"),
        ("09:00", None, (9 * 3600, None)),
        (None, "09:00:10", (None, 9 * 3600 + 10)),
        (None, None, (None, None)),
    ],
)
def test_clock_times_become_seconds_of_the_service_date(start, end, expected):
    accepted, problem = judge_row("note_blocks", started_at=start, ended_at=end)
    if isinstance(expected, str):
        assert problem == (expected, "ended_at")
    else:
        assert (accepted["start_second"], accepted["end_second"]) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-06-03", datetime.date(2026, 6, 3)),
        ("2026-06-01", DAY),
        ("2026-05-31", "end_before_start"),
        ("2026-07-01", AS_OF + datetime.timedelta(1)),
        ("2026-07-02", "date_out_of_range"),
        ("06/03/2026", "unreadable_date"),
        (None, None),
    ],
)
def test_a_line_ends_on_or_after_the_day_it_begins(last, expected):
    accepted, problem = judge_row("claims", service_date_to=last)
    if isinstance(expected, str):
        assert problem == (expected, "service_date_to")
    else:
        assert accepted["service_date_to"] == expected


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Gait training 25 min", True),
        ("25min of gait", True),
        ("25MINUTES", True),
        ("an Hour of work", True),
        ("2 hrs.", True),
        ("45hr", True),
        ("seen 9:05-9:28", True),
        ("from 14:00", True),
        ("mins", True),
        ("minimal assistance x2", False),
        ("3 minimal cues", False),
        ("administered, three sets", False),
        ("ratio 1:2, grade 3/5", False),
        ("hourglass posture", False),
        (None, False),
        ("", False),
    ],
)
def test_prose_that_speaks_of_minutes(prose, expected):
    (note, _), (block, _) = judge_rows([("notes", {"narrative": prose}), ("note_blocks", {"description": prose})])
    assert note["has_minutes_in_prose"] is expected
    assert block["has_minutes_in_prose"] is expected


def test_the_first_offending_column_in_contract_order_is_named():
    assert judge_row("claims", unit_basis="x", patient_id="", billed_units="-1")[1] == (
        "missing_value",
        "patient_id",
    )
    broken = {"started_at": "2026-06-02T09:00", "delivery": "x"}
    # What the row shows by itself comes before what only its note shows.
    assert judge_row("note_blocks", **broken)[1] == ("unknown_value", "delivery")


def test_what_the_reader_could_not_read_keeps_its_own_reason():
    row = {"read_problem": "wrong_column_count", "problem_column": "payer_id", "claim_id": ""}
    assert judge_row("claims", **row)[1] == ("wrong_column_count", "payer_id")
