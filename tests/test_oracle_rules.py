"""The oracle against hand-made cases: every rule broken and kept."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.oracle import COLUMNS
from tests.oracle_rows import (
    AMA,
    ANY,
    CMS,
    DAY,
    REFERENCE,
    block,
    blocks_of,
    broken,
    cap,
    line,
    lines_of,
    note,
    one,
    payer,
    run,
)

#: A second payer that follows the MUE.
FOLLOWERS = REFERENCE | {
    "payer_method": [*REFERENCE["payer_method"], payer("RAILROAD", "cms_8_minute", follows_mue=True)]
}


def test_billed_units_exceed_minutes():
    rows = [note()], [block("97110", 22)]
    found = one(run([line(n=2, allowed_usd=Decimal("60"))], *rows), "billed_units_exceed_minutes")
    assert set(found) == set(COLUMNS) and found["severity"] == "error" and found["discipline"] == "PT"
    assert (found["billed_units"], found["expected_units"], found["supported_minutes"]) == (2, 1, 22)
    assert found["at_risk_usd"] == Decimal("30.00")
    assert not broken([line(n=1)], *rows)
    assert not broken([line(n=2)], [note()], [block("97110", 23)])


def test_billed_units_below_minutes_and_the_caps_in_its_way():
    rows = [note()], [block("97112", 75)]
    rule = "billed_units_below_minutes"
    assert rule in broken([line("97112", 3)], *rows)
    assert rule not in broken([line("97112", 5)], *rows)
    assert rule not in broken([line("97112", 4)], *rows)  # the MUE is reached
    assert rule in broken([line("97112", 4, payer_id=AMA)], *rows)  # who does not follow it
    assert rule not in broken([line("97112", 4, payer_id="CAPPED")], *rows)  # four timed units a day
    assert rule in broken([line("97112", 3, payer_id="CAPPED")], *rows)
    denied = line("97140", 1, number=2, claim_status="denied")
    assert rule not in broken([line("97112", 3), denied], *rows)


def test_units_on_wrong_code():
    rows = [note()], blocks_of("97112=24 97110=10")  # 97112 has 9 left when 97110 has 10
    assert broken(lines_of("97112=1 97110=1"), *rows) == set()
    found = one(run(lines_of("97110=2", charge_usd=Decimal("80")), *rows), "units_on_wrong_code")
    assert (found["billed_units"], found["expected_units"], found["at_risk_usd"]) == (2, 2, Decimal("40.00"))
    assert "units_on_wrong_code" not in broken(lines_of("97110=3"), *rows)


def test_billed_code_not_documented():
    rule = "billed_code_not_documented"
    rows = [note()], [block("97112", 15), block("97014", number=2)]
    found = one(run([*lines_of("97112=1 97140=1 G0283=1")], *rows), rule)
    assert (found["procedure_code"], found["billed_units"]) == ("97140", 1)
    assert rule not in broken([line("97150")], [note()], [block("97110", 15, delivery="group")])
    assert rule in broken([line("97150")], [note()], [block("97110", 15)])
    assert rule not in broken([line("97130")], [note()], [block("97129", 15)])
    assert rule not in broken([line("97140")], [note(), note("N2")], [block("97112", 15)])
    above = [note(total_timed_minutes=30)], [block("97112", 15)]
    assert rule not in broken([line("97140")], *above)
    assert rule in broken([line("97161")], *above)


def test_days_without_a_counting_note():
    names = "billed_day_not_documented", "billed_on_unsigned_note", "billed_note_marked_not_billable"
    other = note("N9", patient_id="P9")
    for notes, expected in (
        ([], names[0]),
        ([note(status="draft")], names[1]),
        ([note(is_billable=False)], names[2]),
        ([note(status="draft"), note("N2", is_billable=False)], names[2]),
        ([note(status="draft", is_billable=False)], names[1]),
        ([note(status="void")], names[0]),
        ([note(discipline="OT")], names[0]),
        ([note()], None),
    ):
        found = broken([line()], [*notes, other], [block("97110", 15)]) & set(names)
        assert found == ({expected} if expected else set()), notes


def test_not_documented_is_said_only_where_both_extracts_reach():
    later = note("N9", patient_id="P9", service_date=DAY + timedelta(days=1))
    result = run([line()], [later], [])
    assert not result.findings and result.counts["billed_day_not_documented"]["unjudged"] == 1
    assert not run([line()], [], []).findings


def test_documented_day_not_billed():
    rule, other = "documented_day_not_billed", line(claim="C9", patient_id="P9")
    eight, seven = [block("97110", 8)], [block("97110", 7)]
    assert rule in broken([other], [note()], eight)
    assert rule not in broken([other], [note()], seven)
    assert rule not in broken([other], [note()], blocks_of("97112=7 97110=7 97140=7"))  # AMA makes none
    assert rule not in broken([other, line()], [note()], eight)
    assert rule not in broken([other, line(claim_status="denied")], [note()], eight)
    assert rule not in broken([other, line(n=0, payer_order=2)], [note()], eight)
    assert rule in broken([other, line(n=0)], [note()], eight)
    assert rule in broken([other], [note()], [block("97161")])
    assert rule not in broken([other], [note()], [block("97010")])  # its MUE is 0
    # (2) without blocks nobody knows on how many codes the minutes lie
    assert rule not in broken([other], [note(total_timed_minutes=60)], [])
    for days, said in ((5, True), (4, False)):
        assert (rule in broken([other], [note()], eight, as_of=DAY + timedelta(days=days))) is said


def test_minutes_counted_twice():
    rule = "minutes_counted_twice"
    rows = [block("97110", 20, "10:00", "10:20"), block("97140", 20, "10:10", "10:30", number=2)]
    found = one(run([], [note()], rows), rule)
    assert (found["procedure_code"], found["double_counted_minutes"]) == ("97140", 10)
    # (2) the clock holds 30 minutes, 2 units; it is an error once the 40 written, 3 units, were billed
    for n, severity in ((0, "review"), (2, "review"), (3, "error")):
        assert one(run([line(n=n)], [note()], rows), rule)["severity"] == severity
    # AMA: 2 codes of 20 minutes are one unit each, and 30 minutes can make no more on two codes than
    # floor((1800 + 2 x 449) / 900) = 2
    for text, severity in (("97110=1 97140=1", "review"), ("97110=2 97140=1", "error")):
        assert one(run(lines_of(text, payer_id=AMA), [note()], rows), rule)["severity"] == severity
    # (2) another discipline's minutes double nothing: that is joint time
    ot = [note(), note("N2", discipline="OT", provider_id="T2")]
    assert rule not in broken([], ot, [rows[0], block("97530", 20, "10:10", "10:30", note_id="N2")])
    assert rule not in broken([], [note()], [rows[0], block("97140", 20, "10:20", "10:40", number=2)])


def test_therapist_in_two_places():
    rule, notes = "therapist_in_two_places", [note(), note("N2", patient_id="P2")]
    rows = [block("97110", 20, "10:00", "10:20"), block("97110", 20, "10:15", "10:35", note_id="N2")]
    found = run([], notes, rows).of(rule)
    assert [(row["patient_id"], row["double_counted_minutes"]) for row in found] == [("P1", 5), ("P2", 5)]
    assert rule not in broken([], notes, [rows[0], rows[1] | {"provider_id": "T2"}])
    assert rule not in broken([], notes, [rows[0] | {"minutes": 15}, rows[1]])  # a rest makes room
    assert rule not in broken([], notes, [rows[0], rows[1] | {"started_at": "10:20"}])
    kept = run([], notes, rows, unjudged={("P2", DAY)}).of(rule)  # her blocks stay in the run
    assert [row["patient_id"] for row in kept] == ["P1"]


def test_note_totals_and_stated_minutes():
    above, below = "note_total_exceeds_blocks", "block_minutes_exceed_note_total"
    for total, expected in ((15, set()), (16, {above}), (14, {below}), (None, set())):
        found = broken([line()], [note(total_timed_minutes=total)], [block("97110", 15)])
        assert found & {above, below} == expected
    assert not broken([line()], [note(total_timed_minutes=16)], []) & {above, below}
    rule = "stated_minutes_exceed_clock"
    for minutes, start, end, said in (
        (21, "10:00", "10:20", True),
        (20, "10:00", "10:20", False),
        (19, "10:00", "10:20", False),
        (21, "10:00:10", "10:20:50", False),  # (2) 20 s above the clock's 20:40
        (22, "10:00:10", "10:20:50", True),  # 80 s above
    ):
        assert (rule in broken([], [note()], [block("97110", minutes, start, end)])) is said
    assert rule not in broken([], [note()], [block("97110", 21, "10:00", "10:20", delivery="group")])


def test_units_exceed_day_cap():
    rule, rows = "units_exceed_day_cap", ([note()], [block("97112", 67)])  # 67 minutes are 4 units
    found = one(run([line("97112", 5, paid_usd=Decimal("100"))], *rows), rule)
    assert (found["cap_units"], found["billed_units"], found["severity"]) == (4, 5, "error")
    assert (found["at_risk_usd"], found["discipline"]) == (Decimal("20.00"), None)
    assert rule not in broken([line("97112", 4)], *rows)
    assert rule not in broken([line("97112", 5, payer_id=AMA)], *rows)
    assert rule not in broken([line("97112", 5, claim_type="institutional")], *rows)
    why = [note(cap_justification="two regions")]
    assert one(run([line("97112", 5)], why, rows[1]), rule)["severity"] == "review"
    carried = one(run([line("97112", 5)], [note()], [block("97112", 68)]), rule)  # (2) 68 minutes carry 5 units
    assert carried["severity"] == "review"
    undecidable = [note(total_timed_minutes=68)], [block("97112", 8)]  # (2) the total may all be this code's
    assert one(run([line("97112", 5)], *undecidable), rule)["severity"] == "review"
    elsewhere = blocks_of("97112=8 97110=60")
    assert one(run([line("97112", 5)], [note()], elsewhere), rule)["severity"] == "error"
    assert one(run([line("97140", 4)], why, rows[1]), rule)["severity"] == "error"  # indicator 2
    assert one(run([line("97010", 1)], why, rows[1]), rule)["severity"] == "error"  # cap 0
    halves = [line("97112", 3), line("97112", 2, claim="C2", modifiers="GO")]
    assert rule in broken(halves, *rows)  # over claims and disciplines
    assert rule not in broken([halves[0], halves[1] | {"billing_provider_id": "B2"}], *rows)
    assert rule not in broken([halves[0], halves[1] | {"payer_id": "RAILROAD"}], *rows, FOLLOWERS)  # (2) a payer's


def test_caps_line_by_line_and_a_payers_own():
    rule, rows = "units_exceed_day_cap", ([note()], [block("97535", 90)])
    assert rule not in broken([line("97535", 2), line("97535", 2, number=2)], *rows)
    assert rule in broken([line("97535", 3)], *rows)
    assert rule in broken([line("97530", 3, payer_id=AMA, claim_type="institutional")], *rows)
    assert rule not in broken([line("97530", 3)], *rows)


def test_the_cap_in_force_on_the_service_date():
    dated = [cap("97112", 4, 2, until=DAY), cap("97112", 6, 2, since=DAY)]
    reference = REFERENCE | {"code_cap": dated}
    for day, said in ((DAY - timedelta(days=1), True), (DAY, False)):
        found = broken([line("97112", 5, service_date=day)], [], [], reference)
        assert ("units_exceed_day_cap" in found) is said


def test_timed_units_exceed_payer_day_cap():
    rule, rows = "timed_units_exceed_payer_day_cap", [block("97110", 90)]
    for n, why, severity in ((4, None, None), (5, None, "error"), (5, "two regions", "review")):
        found = run([line("97110", n, payer_id="CAPPED")], [note(cap_justification=why)], rows).of(rule)
        assert [row["severity"] for row in found] == ([severity] if severity else [])
    assert rule in broken([line("97110", 5, payer_id="CAPPED")], [], [])
    assert rule not in broken([line("97110", 5)], [note()], rows)


def test_a_payers_day_cap_looks_at_its_own_lines():
    rule = "timed_units_exceed_payer_day_cap"
    for n, said in ((4, False), (5, True)):
        lines = [line("97110", n, payer_id="CAPPED"), line("97112", 4, number=2)]
        assert (rule in broken(lines)) is said
    found = one(run(lines), rule)
    assert (found["payer_id"], found["billed_units"], found["cap_units"]) == ("CAPPED", 5, 4)


def test_untimed_code_multiple_units():
    rule = "untimed_code_multiple_units"
    assert one(run([line("97161", 2, paid_usd=Decimal("9"))]), rule)["at_risk_usd"] == Decimal("4.50")
    assert rule in broken([line("97014"), line("97014", claim="C2", modifiers="GP;59")])
    assert rule not in broken([line("97014"), line("97014", claim="C2", payer_id=AMA)])  # (2) once to each payer
    # (2) two treatments of other clinicians or clock times are for review; two blocks that say neither are one
    twice = [line("97014"), line("G0283", claim="C2"), line("97014", claim="C3", number=2)]
    morning, noon = block("G0283", 15, "09:00", "09:15"), block("97014", 15, "12:00", "12:15", number=2)
    for blocks, severity in (
        ([morning, noon], "review"),
        ([morning, morning | {"block_number": 2, "provider_id": "T2"}], "review"),
        ([morning, morning | {"block_number": 2}], "error"),
        ([block("97014"), block("97014", number=2)], "error"),
    ):
        assert one(run(twice, [note()], blocks), rule)["severity"] == severity
    assert rule not in broken([line("97014"), line("97161", number=2), line("97110", 2, number=3)])


def test_timed_code_split_across_lines():
    rule, first = "timed_code_split_across_lines", line("97110", 2)
    assert one(run([first, line("97110", 1, number=2)]), rule)["billed_units"] == 3
    for more in ({"claim": "C2"}, {"modifiers": "GP;59"}, {"rendering_provider_id": "T2"}, {"code": "97112"}):
        assert rule not in broken([first, line(**({"code": "97110", "number": 2} | more))])
    assert rule not in broken([line("97161"), line("97161", number=2)])
    assert rule not in broken([line("97129"), line("97130", number=2)])


def test_claim_line_duplicated():
    rule, twice = "claim_line_duplicated", [line(claim="C1"), line(claim="C2", paid_usd=Decimal("5"))]
    found = one(run(twice), rule)
    assert (found["claim_id"], found["line_number"], found["at_risk_usd"]) == ("C2", 1, Decimal("5.00"))
    assert rule in broken(twice, [note()], [block("97110", 22)])
    assert rule not in broken(twice, [note()], [block("97110", 23)])  # two visits, two claims
    evaluations = [line("97161"), line("97161", claim="C2")]
    assert rule in broken(evaluations, [note()], [block("97110", 90)])
    # (2) two evaluations by two clinicians are no duplicate
    both = [block("97161", provider_id="T1"), block("97161", provider_id="T2", number=2)]
    assert rule not in broken(evaluations, [note()], both)
    assert rule in broken(evaluations, [note()], both[:1])
    # an undecidable day: 30 minutes on two codes can be 3 units under AMA: floor((1800 + 2 x 449) / 900) = 2
    vague = [note(total_timed_minutes=30)], [block("97110", 15), block("97140", 8, number=2)]
    ama = [row | {"payer_id": AMA} for row in twice]
    assert rule not in broken(ama, *vague)
    assert rule in broken([*ama, line("97140", claim="C3", payer_id=AMA)], *vague)
    # unknown minutes may hold both
    unknown = run(twice, [note()], [block("97110")])
    assert not unknown.of(rule) and unknown.counts[rule]["unjudged"] == 1
    # the same day means the same discipline
    assert rule not in broken(
        [line(modifiers=None, discipline="PT"), line(claim="C2", modifiers=None, discipline="OT")]
    )
    for more in ({"n": 2}, {"payer_id": AMA}, {"modifiers": "GP;59"}, {"rendering_provider_id": None}):
        assert rule not in broken([line(), line(claim="C2", **more)])
    assert rule not in broken([line(), line(number=2)])


def test_provider_day_impossible():
    rule = "provider_day_impossible"

    def patients(count, n, **more):
        return [line(n=n, claim=f"C{i}", patient_id=f"P{i}", **more) for i in range(count)]

    # CMS: 15 x 8 - 7 = 113 minutes a patient: 8 patients 904, 9 patients 1,017
    assert rule not in broken(patients(8, 8))
    found = one(run(patients(9, 8)), rule)
    assert (found["provider_id"], found["severity"], found["billed_units"]) == ("T1", "review", 72)
    assert found["patient_id"] is None
    assert rule not in broken(patients(9, 8, modifiers="CQ;GP"))
    assert rule not in broken(patients(9, 8), unjudged={("P0", DAY)})
    # 64 x 15 = 960 credited minutes are not over 960
    assert rule not in broken([], [note()], [block("97110", 960)])
    assert rule in broken([], [note()], [block("97110", 961)])
    # 65 units: pooled 15 x 65 - 7 = 968; apart (15 x 32 - 7) + (15 x 33 - 7) = 961; 64 units: 953 and 946
    for method in (CMS, AMA, ANY):
        for text, said in (("97110=32 97112=33", True), ("97110=32 97112=32", False)):
            assert (rule in broken(lines_of(text, payer_id=method))) is said, (method, text)


def test_since_and_until_keep_their_dates():
    rows = [line(n=9), line(n=9, claim="C2", service_date=DAY + timedelta(days=1))]
    kept = run(rows, since=DAY, until=DAY)
    assert {row["service_date"] for row in kept.units} == {DAY}


# the second edition


def test_of_a_code_with_an_add_on_one_below_its_cap_is_enough():
    rule, rows = "billed_units_below_minutes", ([note()], [block("97129", 60)])

    def capped(base, add_on):
        return REFERENCE | {"code_cap": [cap("97129", base, 3), cap("97130", add_on, 3)]}

    # 60 minutes are 4 units, 3 were billed: the base code's cap of 1 is reached, the add-on has room below 7
    for text in ("97129=1 97130=2", "97129=3"):
        assert rule in broken(lines_of(text), *rows, capped(1, 7))
    assert rule not in broken(lines_of("97129=1 97130=2"), *rows, capped(1, 2))
    assert rule not in broken([line("97112", 3)], [note()], [block("97112", 60)], capped(1, 7) | {
        "code_cap": [cap("97112", 3, 3)]})  # fmt: skip


@pytest.mark.parametrize(
    ("code_cap", "said"),
    [
        (cap("97140", 0, 3), False),
        (cap("97140", 0, 3, payer_id=CMS), False),
        (cap("97140", 0, 3, payer_id=AMA), True),
        (cap("97140", 9, 3), True),
    ],
)
def test_too_few_is_not_said_beside_a_code_that_is_never_paid(code_cap, said):
    rows = [note()], blocks_of("97110=30 97140=15")
    found = broken([line(n=1)], *rows, REFERENCE | {"code_cap": [code_cap]})
    assert ("billed_units_below_minutes" in found) is said


def test_a_documented_code_that_is_never_paid_leaves_the_day_unjudged():
    rule, other = "documented_day_not_billed", line(claim="C9", patient_id="P9")
    for n, said in ((0, False), (1, True)):
        reference = REFERENCE | {"code_cap": [cap("97110", n, 3)]}
        result = run([other], [note()], [block("97110", 15)], reference)
        assert bool(result.of(rule)) is said
        assert result.counts[rule]["unjudged"] == (0 if said else 1)


def test_an_undecidable_day_not_billed():
    rule, other = "documented_day_not_billed", line(claim="C9", patient_id="P9")
    # T 1 minute below W: the split is undecidable; 16 minutes on two codes put more than 7.5 on one, 15 need not
    for total, said in ((15, False), (16, True)):
        found = broken([other], [note(total_timed_minutes=total)], blocks_of("97110=10 97140=10"))
        assert (rule in found) is said, total
    # an unmeasured block: neither a unit nor none, unless another block makes one
    for code, minutes, said in (("97140", 7, False), ("97140", 16, True), ("97161", None, True)):
        blocks = [block("97110"), block(code, minutes, number=2)]
        result = run([other], [note()], blocks)
        assert bool(result.of(rule)) is said
        assert result.counts[rule]["unjudged"] == (0 if said else 1)


def test_a_code_is_not_documented_beside_minutes_that_unmeasured_blocks_explain():
    rule = "billed_code_not_documented"
    above = [note(total_timed_minutes=30)]
    assert rule not in broken([line("97140")], above, [block("97112", 15)])
    assert rule in broken([line("97140")], above, [block("97112", 15), block("97110", number=2)])
    assert rule in broken([line("97140")], [note(total_timed_minutes=15.5)], [block("97112", 15)])


def test_timed_minutes_not_documented():
    rule = "timed_minutes_not_documented"
    measured = [note(f"M{i}", patient_id=f"P{i}") for i in range(2, 5)]
    given = [block("97110", 15, note_id=n["note_id"]) for n in measured]
    for notes, blocks, said in (
        ([note()], [], True),
        ([note()], [block("97110")], True),
        ([note()], [block("97110", 15), block("97110", number=2)], True),
        ([note()], [block("97110", 15), block("97140", number=2)], False),  # not a billed code's
        ([note(total_timed_minutes=15)], [], False),
        ([note(total_timed_minutes=15)], [block("97110")], False),
        ([note()], [block("97110", None, "10:00", "10:15")], False),
    ):
        found = run([line()], [*notes, *measured], [*blocks, *given]).of(rule)
        assert [row["severity"] for row in found] == (["warning"] if said else []), blocks
    untimed = run([line("97161")], [note(), *measured], [block("97161"), block("97110", number=2), *given])
    assert not untimed.of(rule) and untimed.counts[rule]["in_scope"] == 0


@pytest.mark.parametrize(("measured", "said"), [(0, False), (1, True)])
def test_an_extract_without_minutes_is_told_once_and_accuses_no_day(measured, said):
    # 1 of 2 notes with minutes is half, 0 of 2 fewer
    other = [block("97110", 15 if measured else None, note_id="N2")]
    result = run([line()], [note(), note("N2", patient_id="P2")], [block("97110"), *other])
    assert bool(result.of("timed_minutes_not_documented")) is said
    assert result.counts["timed_minutes_not_documented"]["unjudged"] == (0 if said else 1)
    assert not result.of("billed_units_exceed_minutes")


def test_documented_code_not_billed():
    rule = "documented_code_not_billed"

    def found(claims, *blocks, **more):
        rows = [block("97110", 15), *(b | {"block_number": i} for i, b in enumerate(blocks, 2))]
        return [row["procedure_code"] for row in run(claims, [note()], rows, **more).of(rule)]

    assert found([line()], block("97161"), block("92526")) == ["92526", "97161"]
    assert found([line(), line("97161", number=2)], block("97161")) == []
    for spared in ({"claim_status": "denied"}, {"payer_order": 2}, {"modifiers": "GO"}):
        assert found([line(), line("97161", claim="C2", **spared)], block("97161")) == [], spared
    assert found([line(), line("97161", 0, number=2)], block("97161")) == ["97161"]
    assert found([line(), line("97014", number=2)], block("G0283")) == []  # an alias
    assert found([line(), line("97150", number=2)], block("92508", delivery="group")) == []  # its block documents it
    assert found([line()], block("97010")) == []  # its MUE is 0
    assert found([line()], block("97140", 15)) == []  # a timed code
    assert found([], block("97161")) == []  # nothing billed: the day's own rule
    for days, said in ((5, ["97161"]), (4, [])):
        assert found([line()], block("97161"), as_of=DAY + timedelta(days=days)) == said


def test_a_day_billed_to_several_payers():
    rows = [note()], [block("97110", 30)]
    lines = [line("97110", 9, claim="C1"), line("97110", 1, claim="C2", payer_id=AMA)]
    result = run(lines, *rows)
    assert {row["rule_id"] for row in result.findings} == {"day_billed_to_several_payers", "units_exceed_day_cap"}
    assert one(result, "day_billed_to_several_payers")["severity"] == "review"
    assert result.partly_unjudged == {("P1", DAY, "PT"): {"several_payers"}}
    assert result.counts["billed_units_exceed_minutes"]["unjudged"] == 1
    secondary = [lines[0] | {"billed_units": 2}, lines[1] | {"payer_order": 2}]
    assert broken(secondary, *rows) == set()


def test_a_clinicians_minutes_are_less_what_totals_and_sessions_do_not_hold():
    rule, notes = "therapist_in_two_places", [note(), note("N2", patient_id="P2")]
    rows = [block("97110", None, "10:00", "10:30"), block("97110", None, "10:20", "10:50", note_id="N2")]
    # 60 credited, 50 covered: 10 too many, unless a total says that 10 of them were not worked
    for total, said in ((30, True), (21, True), (20, False)):
        assert (rule in broken([], [notes[0] | {"total_timed_minutes": total}, notes[1]], rows)) is said
    heat = block("97014", None, "10:00", "10:30", number=2)
    assert rule not in broken([], notes, [*rows, heat])
    # one minute too many is one, 59 seconds are none
    for start, said in (("10:29", True), ("10:29:01", False)):
        assert (rule in broken([], notes, [rows[0], rows[1] | {"started_at": start}])) is said


def test_a_providers_day_of_several_payers_is_counted_as_ama():
    rule = "provider_day_impossible"
    # each patient: 8 units on two codes to two payers; apart 2 x (15 x 4 - 7) = 106 minutes; 9 patients 954
    for count, said in ((9, False), (10, True)):
        lines = [
            line(code, 4, claim=f"C{i}-{payer_id}", patient_id=f"P{i}", payer_id=payer_id)
            for i in range(count)
            for code, payer_id in (("97110", CMS), ("97140", "CAPPED"))
        ]
        assert (rule in broken(lines)) is said


def test_every_payers_caps_are_its_own():
    rule = "units_exceed_day_cap"
    lines = [line("97112", n, claim=f"C{n}", payer_id=payer_id) for n, payer_id in ((5, CMS), (6, "RAILROAD"))]
    found = run(lines, [note()], [block("97112", 15)], FOLLOWERS).of(rule)
    assert sorted((row["payer_id"], row["billed_units"]) for row in found) == [(CMS, 5), ("RAILROAD", 6)]
