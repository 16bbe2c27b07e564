"""The oracle against hand-made cases of the second edition: time in seconds, what is unknown, what is shared."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle import minutes, spans, units
from tests.oracle.rows import read_block
from tests.oracle_rows import AMA, ANY, DAY, block, blocks_of, broken, line, lines_of, note, one, run

MORE, LESS, WRONG = "billed_units_exceed_minutes", "billed_units_below_minutes", "units_on_wrong_code"
TWICE, BOTH, SILENT = "minutes_counted_twice", "cotreatment_billed_by_both", "timed_minutes_not_documented"


def the_day(notes, blocks, claims=(), discipline="PT", **more):
    return run(claims, notes, blocks, **more).days["P1", DAY, discipline]


# seconds


def test_three_blocks_of_7_75_minutes_are_23_25():
    # 3 x 465 s = 1,395 s = 23.25 minutes: 2 units under CMS; AMA: 465 + 449 = 914 s are a unit each
    rows = [note()], blocks_of("97110=7.75 97112=7.75 97140=7.75")
    day = the_day(*rows)
    assert (day.supported, day.cms, day.ama) == (1395, 2, 3)
    assert MORE not in broken(lines_of("97110=1 97112=1"), *rows)
    assert MORE in broken(lines_of("97110=1 97112=1 97140=1"), *rows)
    assert not broken(lines_of("97110=1 97112=1 97140=1", payer_id=AMA), *rows)


def test_a_days_total_is_cut_to_whole_minutes_for_cms_only():
    # 7.99 is 7 whole minutes and past the midpoint of 7.5; 22.51 is 22 and past 15 + 7.5
    for minutes_, cms, ama in ((7.99, 0, 1), (8, 1, 1), (7.5, 0, 0), (22.5, 1, 1), (22.51, 1, 2), (23, 2, 2)):
        day = the_day([note()], [block("97110", minutes_)])
        assert (day.cms, day.ama) == (cms, ama), minutes_


def test_too_few_under_ama_is_said_below_whole_minutes():
    # 22:59 are 2 units by seconds and 1 by whole minutes: 1 is not too few, 2 not too many
    rows = [note()], [block("97110", None, "10:00:00", "10:22:59")]
    for n, found in ((1, set()), (2, set()), (3, {MORE})):
        assert broken([line(n=n, payer_id=AMA)], *rows) == found
    assert LESS in broken([line(n=1, payer_id=AMA)], [note()], [block("97110", 23)])


def test_a_stated_minute_is_rounded_to_the_second():
    assert read_block(block("97110", 0.025)).stated == 2  # 1.5 s
    assert read_block(block("97110", 7.1)).stated == 426


def test_codes_less_than_a_minute_apart_are_equal():
    # 20:00 and 19:01 or 19:00: after one unit each the third goes to the code with most left
    for second, lawful in (("19.02", True), ("19", False)):
        rows = [note()], [block("97112", 20), block("97110", second, number=2)]
        assert (not broken(lines_of("97110=2 97112=1"), *rows)) is lawful, second


def test_a_whole_unit_is_less_than_a_minute_above_another_code():
    # 23:00 pays 15 for one unit and has 8:00 left; 7:01 and 8:59 are equal to it, 7:00 is not
    for second, lawful in (("8.98", True), ("7.02", True), ("7", False)):
        rows = [note()], [block("97112", 23), block("97110", second, number=2)]
        assert (WRONG not in broken(lines_of("97112=1 97110=1"), *rows)) is lawful, second


@pytest.mark.parametrize(("more", "said"), [(0.98, False), (1, True)])
def test_differences_below_a_minute_are_never_a_finding(more, said):
    total = run([], [note(total_timed_minutes=15 + more)], [block("97110", 15)])
    assert bool(total.of("note_total_exceeds_blocks")) is said
    blocks = run([], [note(total_timed_minutes=15)], [block("97110", 15 + more)])
    assert bool(blocks.of("block_minutes_exceed_note_total")) is said
    stated = run([], [note()], [block("97110", 15 + more, "10:00", "10:15")])
    assert bool(stated.of("stated_minutes_exceed_clock")) is said
    start = "10:14" if said else "10:14:01"  # 60 or 59 seconds inside the first block
    overlap = [block("97110", None, "10:00", "10:15"), block("97140", None, start, "10:16", number=2)]
    assert bool(run([], [note()], overlap).of(TWICE)) is said


def test_published_minutes_are_cut_at_the_grain_of_their_row():
    rows = run([], [note()], blocks_of("97110=7.75 97112=7.75")).units
    assert [row["credited_minutes"] for row in rows] == [7, 7]
    assert {row["day_supported_minutes"] for row in rows} == {15}  # 930 s


# unmeasured and unknown


def test_an_unmeasured_block_makes_its_day_unknown():
    rows = [note()], [block("97110"), block("97140", 15, number=2)]
    for n in (0, 1, 9):
        result = run([line(n=n), line("97140", number=2)], *rows)
        assert not {MORE, WRONG} & {row["rule_id"] for row in result.findings}
        assert result.counts[MORE]["unjudged"] == 1
    assert {row["day_supported_minutes"] for row in result.units} == {None}
    assert {row["is_documented"] for row in result.units} == {True}
    zero = [note()], [block("97110", 0), block("97140", 15, number=2)]  # 0 stated minutes are 0 minutes
    assert MORE in broken([line(n=1), line("97140", number=2)], *zero)


def test_an_unmeasured_block_leaves_sure_time():
    # 23 measured minutes are 2 units under every reading
    rows = [note()], [block("97110"), block("97140", 23, number=2)]
    for n, said in ((1, True), (2, False)):
        assert (LESS in broken([line("97140", n)], *rows)) is said


def test_a_stated_total_explains_unmeasured_blocks():
    # T 30: 2 units whatever the codes, and too many above
    rows = [note(total_timed_minutes=30)], [block("97110"), block("97140", number=2)]
    for n, said in ((2, False), (3, True)):
        assert (MORE in broken([line(n=n)], *rows)) is said
    assert "note_total_exceeds_blocks" not in broken([line(n=2)], *rows)
    assert "billed_code_not_documented" in broken([line("97112")], *rows)  # the minutes are the blocks' own


def test_treatment_minutes_bound_what_blocks_do_not_say():
    for more, supported in (({}, None), ({"total_treatment_minutes": 40}, 40), ({"total_treatment_minutes": 5}, 10)):
        day = the_day([note(**more)], [block("97110"), block("97140", 10, number=2)])
        assert (day.supported and day.supported // 60, day.sure) == (supported, 600)
        assert the_day([note(**more)], [block("97140", 10)]).supported == 600  # measured: TT says nothing
    assert the_day([note(total_treatment_minutes=40)], []).supported == 2400
    assert the_day([note(total_treatment_minutes=40)], []).sure == 0
    both = note(total_treatment_minutes=40, total_timed_minutes=20)
    assert the_day([both], []).supported == 1200


def test_totals_less_than_a_minute_apart_are_one_total_rounded():
    # W 45:30 and T 46 or 45: the greater supports, the smaller is sure
    for total, supported, sure in ((46, 2760, 2730), (45, 2730, 2700), (44.5, 2670, 2670)):
        day = the_day([note(total_timed_minutes=total)], [block("97110", 45.5)])
        assert (day.supported, day.sure) == (supported, sure)
        assert day.decidable is (total != 44.5)


# a session's clock


def session(*stated, code="97110"):
    """Blocks of one clock of 45 minutes that state these minutes."""
    return [block(code if i == 1 else "97140", m, "10:00", "10:45", number=i) for i, m in enumerate(stated, 1)]


def test_a_session_clock_is_worth_once_and_split_by_nobody():
    day = the_day([note()], session(None, None))
    assert (day.supported, day.sure, day.decidable) == (2700, 2700, False)
    assert [b.worth for b in day.blocks] == [2700, 0]
    for text, found in (("97110=3", set()), ("97140=3", set()), ("97110=1 97140=2", set())):
        assert broken(lines_of(text), [note()], session(None, None)) == found
    assert MORE in broken(lines_of("97110=2 97140=2"), [note()], session(None, None))


def test_a_session_clock_holds_the_stated_minutes_first():
    day = the_day([note()], session(30, None))
    assert [b.worth for b in day.blocks] == [1800, 900]
    assert TWICE not in broken([], [note()], session(30, None))
    assert TWICE not in broken([], [note()], session(45, None))
    assert TWICE in broken([], [note()], session(46, 46, None))  # 92 stated in 45


def test_one_block_with_a_clock_or_two_that_state_their_minutes_are_no_session():
    assert the_day([note()], session(None)).decidable
    assert not the_day([note()], session(30, 15)).shares_a_session
    other = session(None, None)
    other[1]["ended_at"] = "10:44"
    assert not the_day([note()], other).shares_a_session


def test_what_an_untimed_block_shares_is_not_sure():
    rows = [note()], [*session(None), block("97014", None, "10:00", "10:45", number=2)]
    day = the_day(*rows)
    assert (day.supported, day.sure, day.decidable) == (2700, 0, False)
    for n, found in ((1, set()), (3, set()), (4, {MORE})):
        assert broken([line(n=n), line("97014", number=2)], *rows) - {"units_exceed_day_cap"} == found
    stated = [note()], [*session(30, None), block("97014", None, "10:00", "10:45", number=3)]
    assert the_day(*stated).sure == 1800


# every minute once, three times


def test_a_block_is_double_counted_in_its_own_note_whatever_the_totals():
    rows = [block("97110", 20, "10:00", "10:20"), block("97140", 20, "10:10", "10:30", number=2)]
    for total in (None, 30, 40):
        assert TWICE in broken([], [note(total_timed_minutes=total)], rows)


def test_two_notes_may_hold_each_minute_once_by_their_totals():
    # Two notes write 10:00-10:30 and 10:15-10:45; the day's clock holds 45. Totals of 30 and 15: S is 45, K is 45.
    rows = [block("97110", None, "10:00", "10:30"), block("97140", None, "10:15", "10:45", note_id="N2")]
    for total, said in ((None, True), (15, False), (16, True)):
        notes = [note(total_timed_minutes=30), note("N2", total_timed_minutes=total)]
        assert (TWICE in broken([], notes, rows)) is said, total
        assert the_day(notes, rows).supported == 45 * 60
    unknown = [*rows, block("97112", note_id="N2", number=2)]
    assert TWICE not in broken([], [note(), note("N2")], unknown)


def test_time_beyond_the_blocks_is_kept_over_the_day():
    # Both notes write 10:00-10:30; the second's total has 15 minutes more. S 30 + 45 = 75, K 30 + 15 = 45
    rows = [block("97110", None, "10:00", "10:30"), block("97110", None, "10:00", "10:30", note_id="N2")]
    day = the_day([note(), note("N2", total_timed_minutes=45)], rows)
    assert (day.notes_sum, day.clock_sum, day.supported) == (75 * 60, 45 * 60, 45 * 60)


def test_therapist_and_assistant_write_the_same_minutes_and_bill_them_once():
    rows = [block("97110", None, "10:00", "10:30"), block("97110", None, "10:00", "10:30", note_id="N2")]
    notes = [note(), note("N2", provider_id="A1")]
    assert one(run([line(n=2)], notes, rows), TWICE)["severity"] == "review"
    assert one(run([line(n=4)], notes, rows), TWICE)["severity"] == "error"


def test_rests_given_back_make_the_split_undecidable():
    # 20 of 30 worked, 10 inside: the second block is credited only by the first one's rests
    rows = [block("97110", 20, "10:00", "10:30"), block("97140", 10, "10:20", "10:30", number=2)]
    day = the_day([note()], rows)
    assert (day.supported, day.sure, day.decidable) == (1800, 1200, False)


# AMA on undecidable days


def test_the_most_that_ama_can_make_of_an_undecidable_day():
    # T 30 above 20 written on one code, 97110: floor((1800 + 449) / 900) = 2; named by the bill too, 97140
    # makes two codes: floor((1800 + 898) / 900) = 2
    rows = [note(total_timed_minutes=30)], [block("97110", 20)]
    for text, said in (("97110=2", False), ("97110=3", True), ("97110=1 97140=1", False), ("97110=1 97140=2", True)):
        for payer_id in (AMA, ANY):
            assert (MORE in broken(lines_of(text, payer_id=payer_id), *rows)) is said, (text, payer_id)
    # 38 minutes on two codes: CMS makes 3, AMA at most floor((2280 + 898) / 900) = 3
    below = [note(total_timed_minutes=38)], blocks_of("97110=20 97140=30")  # T below W, complete
    for n, said in ((3, False), (4, True)):
        assert (MORE in broken(lines_of(f"97110={n - 1} 97140=1", payer_id=AMA), *below)) is said


def test_a_complete_day_makes_no_more_than_its_codes_apart():
    # T 44 below W 45: three codes pooled make floor((2640 + 1347) / 900) = 4, apart only 1 + 1 + 1
    rows = [note(total_timed_minutes=44)], blocks_of("97110=15 97140=15 97112=15")
    for n, said in ((3, False), (4, True)):
        assert (MORE in broken([line(n=n, payer_id=AMA)], *rows)) is said


@pytest.mark.parametrize("payer_id", [AMA, ANY])
def test_too_few_under_ama_is_said_of_decidable_days_only(payer_id):
    result = run([line(n=1, payer_id=payer_id)], [note(total_timed_minutes=60)], [block("97110", 45)])
    assert not result.findings or LESS not in {row["rule_id"] for row in result.findings}
    assert result.counts[LESS]["unjudged"] == 1


# co-treatment

TOGETHER = [note(), note("N2", discipline="OT", provider_id="T2")]
HALF_HOUR = [block("97110", None, "10:00", "10:30"), block("97530", None, "10:00", "10:30", note_id="N2")]


def shared_bill(pt, ot, **more):
    lines = [line("97110", pt, **more), line("97530", ot, claim="C2", modifiers="GO", **more)]
    return [row for row in lines if row["billed_units"]]


@pytest.mark.parametrize(("pt", "ot"), [(1, 1), (2, 0), (0, 2)])
def test_thirty_minutes_together_are_two_units_shared_in_any_way(pt, ot):
    # CMS, 11 Part B billing scenarios, team therapy
    assert broken(shared_bill(pt, ot), TOGETHER, HALF_HOUR) == set()


@pytest.mark.parametrize(("pt", "ot"), [(2, 1), (1, 2), (2, 2)])
def test_thirty_minutes_together_are_not_billed_by_both(pt, ot):
    # M 30 minutes; two days: floor((1800 + 2 x 420) / 900) = 2
    assert broken(shared_bill(pt, ot), TOGETHER, HALF_HOUR) == {BOTH}
    found = one(run(shared_bill(pt, ot), TOGETHER, HALF_HOUR), BOTH)
    assert (found["severity"], found["expected_units"], found["supported_minutes"]) == ("error", 2, 30)
    ama = one(run(shared_bill(pt, ot, payer_id=AMA), TOGETHER, HALF_HOUR), BOTH)
    assert ama["severity"] == "review"  # two codes: floor((1800 + 2 x 449) / 900) = 2


def test_less_than_a_minute_together_is_nothing():
    apart = [HALF_HOUR[0], HALF_HOUR[1] | {"started_at": "10:29:01", "ended_at": "10:59"}]
    assert BOTH not in broken(shared_bill(2, 2), TOGETHER, apart)
    # M 59 minutes, J 1: floor((3540 + 840) / 900) = 4
    minute = [HALF_HOUR[0], HALF_HOUR[1] | {"started_at": "10:29", "ended_at": "10:59"}]
    assert run(shared_bill(2, 2), TOGETHER, minute).counts[BOTH]["in_scope"] == 1
    assert BOTH not in broken(shared_bill(2, 2), TOGETHER, minute)


def test_joint_time_is_not_said_where_somebody_might_hold_it():
    bill = shared_bill(2, 2)
    assert BOTH not in broken([*bill, bill[1] | {"claim_id": "C3", "payer_id": AMA}], TOGETHER, HALF_HOUR)
    assert BOTH not in broken([*bill, line("97799", claim="C3")], TOGETHER, HALF_HOUR)
    unknown = [*HALF_HOUR, block("97535", number=2, note_id="N2")]
    assert BOTH not in broken(bill, TOGETHER, unknown)
    third = line("92507", claim="C3", modifiers="GN", discipline="SLP")
    assert BOTH not in broken([*bill, third], TOGETHER, HALF_HOUR)
    assert run([*bill, third], TOGETHER, HALF_HOUR).counts[BOTH]["unjudged"] == 1
    # a day billed to each of two payers
    two_payers = [bill[0], bill[1] | {"payer_id": AMA}]
    assert BOTH not in broken(two_payers, TOGETHER, HALF_HOUR)


def test_joint_time_is_not_sure_for_either():
    day = the_day(TOGETHER, HALF_HOUR)
    assert (day.supported, day.sure, day.decidable) == (1800, 0, False)
    # 10 minutes of the other's at most are taken, though the clock covers 30
    short = [HALF_HOUR[0], HALF_HOUR[1] | {"minutes": 10}]
    assert the_day(TOGETHER, short).sure == 1200


# the sweep


# On a busy machine the first draws are slow.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(0, 25)), min_size=1, max_size=6))
def test_credits_are_those_of_a_walk_over_every_minute(drawn):
    blocks = [
        read_block(block("97110", worth, f"10:{start:02}", f"{10 + (start + length) // 60}:{(start + length) % 60:02}"))
        for start, length, worth in drawn
    ]
    for number, one_block in enumerate(blocks):
        one_block.number = number
    minutes.credit(blocks, "on_day")
    taken = set()
    for one_block in sorted(blocks, key=lambda b: (b.start, b.end, b.number)):
        own = set(range(one_block.start, one_block.end))
        assert one_block.on_day.first == min(one_block.worth, len(own - taken))
        taken |= own
    assert sum(b.on_day.full for b in blocks) <= len(taken) == spans.length([b.span for b in blocks])
    assert all(b.on_day.first <= b.on_day.full <= b.worth for b in blocks)


@given(st.integers(0, 40000))
def test_counting_is_the_formula_of_the_rule_book(seconds):
    assert units.cms(seconds) == (seconds // 60 + 7) // 15
    assert units.ama(seconds) == (seconds + 449) // 900
