"""The oracle against hand-made cases of the second edition: codes, corrections, and which rows count."""

from datetime import date, timedelta

import pytest

from tests.oracle_rows import AMA, CMS, DAY, REFERENCE, block, blocks_of, broken, line, lines_of, note, run

UNIT_RULES = {"billed_units_exceed_minutes", "billed_units_below_minutes", "units_on_wrong_code"}
MORE, LESS = "billed_units_exceed_minutes", "billed_units_below_minutes"
ELSEWHERE = line(claim="C9", patient_id="P9")


def scope(code, day):
    """Whether a line of the code is in scope on the date, and timed."""
    found = run([line(code, service_date=day)], [note(service_date=day)], [block(code, 15)]).units
    return [row["is_timed"] for row in found]


# codes and their dates


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("97532", None, date(2017, 12, 31)),
        ("G0515", date(2018, 1, 1), date(2019, 12, 31)),
        ("97129", date(2020, 1, 1), None),
        ("97130", date(2020, 1, 1), None),
        ("90912", date(2020, 1, 1), None),
    ],
)
def test_a_code_is_timed_between_its_dates(code, first, last):
    one_day = timedelta(days=1)
    if first:
        assert scope(code, first) == [True] and scope(code, first - one_day) == []
    if last:
        assert scope(code, last) == [True] and scope(code, last + one_day) == []


def test_90913_is_the_add_on_of_90912():
    # 15 + 15 minutes are one code's 30: 2 units on either of them
    rows = [note()], blocks_of("90912=15 90913=15")
    for text in ("90912=1 90913=1", "90912=2", "90913=2"):
        assert not broken(lines_of(text, payer_id=AMA), *rows)


MEDICAID = {"procedure_code": "92507", "payer_id": "MEDICAID", "kind": "timed_15"}


def test_a_payer_may_count_a_code_as_timed():
    reference = REFERENCE | {"procedure_code": [MEDICAID]}
    rows = [note(discipline="SLP")], [block("92507", 30)]
    for payer_id, n, found in (
        ("MEDICAID", 2, set()),  # 30 minutes
        ("MEDICAID", 3, {MORE}),
        ("MEDICAID", 1, {LESS}),
        (CMS, 1, set()),
        (CMS, 2, {"untimed_code_multiple_units"}),
    ):
        lines = [line("92507", n, payer_id=payer_id, modifiers="GN")]
        assert broken(lines, *rows, reference) == found, (payer_id, n)


def test_a_day_without_a_payer_or_with_several_has_the_shipped_kind():
    reference = REFERENCE | {"procedure_code": [MEDICAID]}
    rows = [note(discipline="SLP")], [block("92507", 7)]
    # 7 minutes would be no unit of a timed code
    assert broken([ELSEWHERE], *rows, reference) >= {"documented_day_not_billed"}
    both = [line("92507", claim="C1", payer_id="MEDICAID", modifiers="GN"), line("92507", claim="C2", modifiers="GN")]
    (row,) = run(both, *rows, reference).units
    assert row["is_timed"] is False and row["payer_id"] is None


def test_a_block_of_an_unlisted_code_leaves_the_unit_rules_unjudged():
    rows = [note()], [block("97110", 15), block("97799", 15, number=2)]
    for n in (0, 1, 2):  # 15 minutes and perhaps 15 more are at most 2 units
        result = run([line(n=n), line("G0283", number=2)], *rows)
        assert not UNIT_RULES & {row["rule_id"] for row in result.findings}
        assert all(result.counts[rule]["unjudged"] == 1 for rule in UNIT_RULES)
        assert result.partly_unjudged == {("P1", DAY, "PT"): {"code_not_listed"}}
    assert MORE in broken([line(n=3)], *rows)  # above what both make together
    assert MORE not in broken([line(n=9)], [note()], [block("97110", 15), block("97799", number=2)])
    in_a_group = [block("97110", 15), block("97799", 15, number=2, delivery="group")]
    assert MORE in broken([line(n=2)], [note()], in_a_group)
    for listed in ("97545", "99213"):  # in the table: out of therapy, or of another length
        assert MORE in broken([line(n=2)], [note()], [block("97110", 15), block(listed, 15, number=2)])


def test_a_billed_unlisted_code_can_only_need_minutes():
    rows = [note()], [block("97110", 45)]
    for modifiers, said in (("GP", False), (None, True)):
        other = line("97799", number=2, modifiers=modifiers)
        assert (LESS in broken([line(n=1), other], *rows)) is said
        assert MORE in broken([line(n=4), other], *rows)
        assert ("units_on_wrong_code" in broken([line("97112", 3), other], *rows)) is said
    for modifiers, said in (("GP", False), (None, True)):
        for spared in ({}, {"claim_status": "denied"}):
            lines = [ELSEWHERE, line("97799", modifiers=modifiers, **spared)]
            assert ("documented_day_not_billed" in broken(lines, *rows)) is said


# claims


def again(claim, frequency, original, **more):
    return line(claim=claim, claim_frequency_code=frequency, original_claim_id=original, **more)


def surviving(*lines):
    return sorted({x.claim_id for day in run(lines).days.values() for x in day.lines})


def reasons(*lines, **more):
    return run(lines, **more).unjudged.get(("P1", DAY), set())


@pytest.mark.parametrize(("frequency", "stands"), [(c, c not in "890") for c in "0123456789"])
def test_frequency_codes(frequency, stands):
    assert surviving(line(claim_frequency_code=frequency)) == (["C1"] if stands else [])


def test_a_6_replaces_like_a_7():
    assert surviving(line(claim="A"), again("B", "6", "A")) == ["B"]


def test_a_claim_is_named_by_either_of_its_numbers():
    assert surviving(line(claim="A", payer_claim_id="ICN1"), again("B", "7", "ICN1")) == ["B"]
    assert surviving(line(claim="A", payer_claim_id="ICN1"), again("B", "7", "A")) == ["B"]
    # one claim named in both ways: the greater of its replacements stands
    lines = line(claim="A", payer_claim_id="ICN1"), again("B", "7", "ICN1"), again("C", "7", "A")
    assert surviving(*lines) == ["C"] and reasons(*lines) == set()


@pytest.mark.parametrize("frequency", ["7", "8"])
@pytest.mark.parametrize("original", [None, "UNKNOWN"])
def test_a_correction_without_its_original(frequency, original):
    alone = again("B", frequency, original)
    assert reasons(alone) == set() and surviving(alone) == (["B"] if frequency == "7" else [])
    assert reasons(line(claim="A"), alone) == {"correction_without_original"}
    assert reasons(line(claim="A", payer_id=AMA), alone) == set()  # another payer's
    assert reasons(line(claim="A", claim_status="denied"), alone) == set()  # bills nothing
    assert reasons(line(claim="A", service_date=DAY + timedelta(days=1)), alone) == set()


@pytest.mark.parametrize(
    "lines",
    [
        (line(claim="A"), line(claim="B"), again("C", "7", "A"), again("C", "7", "B", number=2)),
        (again("C", "7", "C"),),
        (again("C", "7", "ICN1", payer_claim_id="ICN1"),),
        (line(claim="A", payer_claim_id="X"), line(claim="B", payer_claim_id="X"), again("C", "7", "X")),
        (again("A", "7", "B"), again("B", "7", "A")),
        (line(claim="A"), again("B", "8", "A", claim_status="denied")),
        (line(claim="A"), again("B", "7", "A"), again("B", "7", "A", number=2, claim_status="pending")),
        (line(claim="A"), again("B", "8", "A"), again("C", "7", "B")),
    ],
    ids=["several originals", "itself", "its own payer's number", "several bearers", "circle", "denied", "pending",
         "a void is named"],
)  # fmt: skip
def test_corrections_that_nobody_can_follow(lines):
    assert reasons(*lines) == {"correction_unclear"}


def test_an_unclear_correction_leaves_the_dates_of_all_its_claims_unjudged():
    before = DAY - timedelta(days=1)
    lines = [line(claim="A", service_date=before), again("B", "8", "A", claim_status="denied")]
    assert set(run(lines).unjudged) == {("P1", DAY), ("P1", before)}
    sound = [line(claim="A", service_date=before), again("B", "8", "A")]
    assert run(sound).unjudged == {}


def test_a_line_that_spans_dates_leaves_them_all_unjudged():
    last = DAY + timedelta(days=2)
    spans = line(service_date_to=last)
    days = [DAY, DAY + timedelta(days=1), last]
    assert run([spans]).unjudged == {("P1", day): {"line_spans_dates"} for day in days}
    for other in (line(service_date_to=DAY), line("99213", service_date_to=last), spans | {"billed_units": 0}):
        assert run([other]).unjudged == {}
    voided = [spans, again("B", "8", "C1")]
    assert run(voided).unjudged == {}


# rows that were set aside


def test_a_quarantined_row_without_a_date_leaves_every_date_of_its_patient_unjudged():
    next_day = DAY + timedelta(days=1)
    rows = [line(n=9), line(n=9, claim="C2", service_date=next_day)], [note()], [block("97110", 8)]
    result = run(*rows, unjudged_patients={"P1"})
    assert result.unjudged == {("P1", day): {"quarantined_row_undated"} for day in (DAY, next_day)}
    assert not result.findings
    assert run(*rows, unjudged_patients={"P2"}).unjudged == {}


def test_a_note_of_nobody_on_the_date_may_be_this_days_note():
    other = note("N9", patient_id="P9")
    for unread, said in (({DAY}, False), ({DAY + timedelta(days=1)}, True), (set(), True)):
        bare = run([line()], [other], [], dates_with_unread_note=unread)
        assert ("billed_day_not_documented" in {row["rule_id"] for row in bare.findings}) is said
        assert bare.counts["billed_day_not_documented"]["unjudged"] == (0 if said else 1)
        code = run([line("97140")], [note()], [block("97110", 15)], dates_with_unread_note=unread)
        assert ("billed_code_not_documented" in {row["rule_id"] for row in code.findings}) is said
    # a day that the rule has nothing against stays in its denominator
    fine = run([line()], [note()], [block("97110", 15)], dates_with_unread_note={DAY})
    assert fine.counts["billed_day_not_documented"]["in_scope"] == 1


def test_a_claim_line_of_nobody_on_the_date_may_bill_this_day():
    for unread, said in (({DAY}, False), (set(), True)):
        found = broken([ELSEWHERE], [note()], [block("97110", 15)], dates_with_unread_claim=unread)
        assert ("documented_day_not_billed" in found) is said
        rows = [line()], [note()], [block("97110", 15), block("97161", number=2)]
        assert ("documented_code_not_billed" in broken(*rows, dates_with_unread_claim=unread)) is said
        below = broken([line(n=1)], [note()], [block("97110", 45)], dates_with_unread_claim=unread)
        assert (LESS in below) is said
