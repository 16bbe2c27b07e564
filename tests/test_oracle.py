"""The oracle against hand-made cases: rows, minutes and units. It must be right before the SQL is held
against it."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.oracle import RULES, audit, units
from tests.oracle_rows import AMA, ANY, CMS, DAY, block, blocks_of, broken, line, lines_of, note, run
from tests.strategies import extracts

UNIT_RULES = {"billed_units_exceed_minutes", "billed_units_below_minutes", "units_on_wrong_code"}

WORKED = [
    ("97112=24 97110=23", 3, ["97112=2 97110=1"], 4, "97112=2 97110=2"),
    ("97112=20 97110=20", 3, ["97112=2 97110=1", "97112=1 97110=2"], 2, "97112=1 97110=1"),
    ("97110=33 97140=7", 3, ["97110=2 97140=1"], 2, "97110=2"),
    ("97110=18 97140=13 97116=10 97035=8", 3, ["97110=1 97140=1 97116=1"], 4,
     "97110=1 97140=1 97116=1 97035=1"),
    ("97112=7 97110=7 97140=7", 1, ["97112=1", "97110=1", "97140=1"], 0, ""),
    ("97112=20 97110=18", 3, ["97112=2 97110=1"], 2, "97112=1 97110=1"),
]  # fmt: skip


def split(text):
    return {code: int(n) for code, n in (item.split("=") for item in text.split())}


@pytest.mark.parametrize(("held", "cms", "cms_splits", "ama", "ama_split"), WORKED)
def test_worked_examples(held, cms, cms_splits, ama, ama_split):
    seconds = {code: 60 * minutes for code, minutes in split(held).items()}
    assert units.cms(sum(seconds.values())) == cms
    found = units.cms_splits(cms, seconds)
    assert sorted(map(sorted, (s.items() for s in found))) == sorted(sorted(split(text).items()) for text in cms_splits)
    assert units.ama_split(seconds) == split(ama_split)
    assert sum(units.ama_split(seconds).values()) == ama


@pytest.mark.parametrize(("held", "cms", "cms_splits", "ama", "ama_split"), WORKED)
def test_worked_examples_billed_rightly_break_no_unit_rule(held, cms, cms_splits, ama, ama_split):
    for payer_id, splits in ((CMS, cms_splits), (AMA, [ama_split])):
        for text in filter(None, splits):
            found = broken(lines_of(text, payer_id=payer_id), [note()], blocks_of(held))
            assert not found & UNIT_RULES, (payer_id, text)


@pytest.mark.parametrize(("held", "cms", "cms_splits", "ama", "ama_split"), WORKED)
def test_worked_examples_one_unit_off(held, cms, cms_splits, ama, ama_split):
    for payer_id, text in ((CMS, cms_splits[0]), (AMA, ama_split)):
        right = split(text)
        more = right | {"97112": right.get("97112", 0) + 1}
        lines = [line(code, n, number=i, payer_id=payer_id) for i, (code, n) in enumerate(more.items())]
        assert "billed_units_exceed_minutes" in broken(lines, [note()], blocks_of(held))
    lines = [line("97112", cms - 1, payer_id=CMS), line("G0283", 1, number=2, payer_id=CMS)]
    assert "billed_units_below_minutes" in broken([x for x in lines if x["billed_units"]], [note()],
                                                  blocks_of(held))  # fmt: skip


def test_a_tie_is_never_all_of_one_code():
    lawful = run(lines_of("97110=2 97112=1"), [note()], blocks_of("97112=20 97110=20"))
    assert not lawful.findings and all(row["is_tie"] for row in lawful.units)
    assert {row["procedure_code"]: row["expected_units"] for row in lawful.units} == {"97110": 2, "97112": 1}
    wrong = run(lines_of("97110=3"), [note()], blocks_of("97112=20 97110=20"))
    assert {row["rule_id"] for row in wrong.findings} == {"units_on_wrong_code"}


@pytest.mark.parametrize(("minutes", "expected"), [(0, 0), (7, 0), (8, 1), (22, 1), (23, 2), (37, 2), (38, 3),
                                                   (52, 3), (53, 4), (67, 4), (68, 5)])  # fmt: skip
def test_counting_at_the_boundaries(minutes, expected):
    assert units.cms(60 * minutes) == units.ama(60 * minutes) == expected


def test_either_accuses_only_outside_both_counts():
    for n, rule in (
        (2, None),
        (3, None),
        (4, "billed_units_exceed_minutes"),
        (1, "billed_units_below_minutes"),
    ):
        found = broken(lines_of(f"97112={n}", payer_id=ANY), [note()], blocks_of("97112=20 97110=18"))
        assert found == ({rule} if rule else set()), n


def credits(*rows, total=None, **more):
    """(credited, double-counted) minutes of each block, in order of block number, and the day's supported ones;
    None for the last where nobody knows."""
    result = run([], [note(total_timed_minutes=total, **more)], rows)
    (day,) = result.days.values()
    blocks = sorted(day.blocks, key=lambda b: b.number)
    supported = None if day.supported is None else day.supported / 60
    return [(b.on_day.full / 60, day.lacking(b) / 60) for b in blocks], supported


def the_day(notes, blocks, claims=(), **more):
    """The only therapy day of these rows."""
    (day,) = run(claims, notes, blocks, **more).days.values()
    return day


def test_overlap_without_rest_is_double_counted():
    rows = block("97110", 20, "10:00", "10:20"), block("97140", 20, "10:10", "10:30", number=2)
    assert credits(*rows) == ([(20, 0), (10, 10)], 30)


def test_touching_is_not_overlap():
    rows = block("97110", 20, "10:00", "10:20"), block("97140", 20, "10:20", "10:40", number=2)
    assert credits(*rows) == ([(20, 0), (20, 0)], 40)


def test_a_rest_makes_room_for_an_overlap():
    # 10:00-10:30 with 10 minutes of rest, 10:20-10:30 inside it: 30 clock minutes hold 20 + 10
    rows = block("97110", 20, "10:00", "10:30"), block("97140", 10, "10:20", "10:30", number=2)
    assert credits(*rows) == ([(20, 0), (10, 0)], 30)


def test_rests_are_given_back_in_order_and_only_to_the_clock():
    # the run covers 30; 15 credited to the first, none free for the others; 15 are given back, first come
    rows = (
        block("97110", 15, "10:00", "10:30"),
        block("97140", 10, "10:05", "10:15", number=2),
        block("97112", 10, "10:15", "10:25", number=3),
    )
    assert credits(*rows) == ([(15, 0), (10, 0), (5, 5)], 30)


def test_a_block_inside_another_is_double_counted():
    rows = block("97112", None, "10:00", "10:30"), block("97140", 5, "10:10", "10:15", number=2)
    assert credits(*rows) == ([(30, 0), (0, 5)], 30)


def test_blocks_without_clock_are_credited_their_worth():
    assert credits(block("97110", 20), block("97112", 12.5, number=2)) == ([(20, 0), (12.5, 0)], 32.5)


def test_stated_above_clock_is_worth_the_clock_and_below_is_a_rest():
    assert credits(block("97110", 25, "10:00", "10:20")) == ([(20, 0)], 20)
    assert credits(block("97110", 15, "10:00", "10:20")) == ([(15, 0)], 15)


def test_equal_times_are_no_clock():
    assert credits(block("97110", 20, "10:00:10", "10:00:10")) == ([(20, 0)], 20)
    assert credits(block("97110", None, "10:00:10", "10:00:50")) == ([(40 / 60, 0)], 40 / 60)
    assert credits(block("97110", None, "23:50", "00:20")) == ([(30, 0)], 30)
    with pytest.raises(ValueError, match="ends before"):
        credits(block("97110", None, "12:00", "10:00"))


def test_only_one_on_one_minutes_count():
    for kind in ({"delivery": "group"}, {"delivery": "independent"}, {"provider_role": "aide"}):
        assert credits(block("97110", 20, **kind)) == ([], 0)
    assert credits(block("97110", 20, provider_role="student")) == ([(20, 0)], 20)
    assert credits(block("97161", 20)) == ([], 0)


def test_supported_minutes_beside_a_note_total():
    over = (
        block("97110", 20, "10:00", "10:20"),
        block("97140", 20, "10:10", "10:30", number=2),
    )  # W 40, C 30
    assert [credits(*over, total=t)[1] for t in (None, 40, 45, 35, 25, 0)] == [30, 30, 35, 30, 25, 0]
    assert credits(total=33) == ([], 33)
    assert credits() == ([], None)


def test_sure_minutes_of_an_incomplete_day():
    day = run([], [note(total_timed_minutes=45)], [block("97110", 20)]).days["P1", DAY, "PT"]
    assert (day.supported, day.sure, day.is_incomplete, day.decidable) == (45 * 60, 20 * 60, True, False)
    day = run([], [note(total_timed_minutes=45)], []).days["P1", DAY, "PT"]
    assert (day.supported, day.sure, day.is_incomplete) == (45 * 60, 45 * 60, True)


def test_units_supported_but_not_sure_accuse_nobody():
    notes, blocks = [note(total_timed_minutes=45)], [block("97110", 20)]
    for n, rules in ((0, None), (1, set()), (3, set()), (4, {"billed_units_exceed_minutes"})):
        lines = [line("97110", n)] if n else [line("G0283", 1)]
        found = broken(lines, notes, blocks) & UNIT_RULES
        assert found == ({"billed_units_below_minutes"} if rules is None else rules), n


def test_97129_and_its_add_on_are_one_code_for_units():
    blocks = blocks_of("97129=15 97130=15")
    assert not broken(lines_of("97129=1 97130=1", payer_id=AMA), [note()], blocks)
    assert not broken(lines_of("97130=2", payer_id=AMA), [note()], blocks)


# which rows count


def surviving(*lines):
    return sorted({x.claim_id for day in run(lines, [], []).days.values() for x in day.lines})


def again(claim, frequency, original):
    return line(claim=claim, claim_frequency_code=frequency, original_claim_id=original)


def test_voids_replacements_chains_and_orphans():
    assert surviving(line(claim="A"), again("B", "8", "A")) == []
    assert surviving(line(claim="A"), again("B", "7", "A")) == ["B"]
    assert surviving(line(claim="A"), again("B", "7", "A"), again("C", "7", "B")) == ["C"]
    assert surviving(line(claim="A"), again("B", "7", "A"), again("C", "7", "A")) == ["C"]
    assert surviving(again("B", "7", "X"), again("C", "7", "X")) == ["C"]
    assert surviving(again("B", "7", "X")) == ["B"]
    assert surviving(again("B", "7", "B")) == ["B"]
    assert surviving(line(claim="A"), again("B", "1", "A")) == ["A", "B"]


def test_lines_that_bill_nothing():
    for more in ({"n": 0}, {"claim_status": "denied"}, {"payer_order": 2}, {"code": "99213"}):
        assert surviving(line(**more)) == []
    assert surviving(line(claim_status="pending")) == ["C1"]


def counting(*notes):
    return sorted((n.note_id, n.version) for day in run([], notes, []).days.values() for n in day.notes)


def test_the_highest_version_that_is_no_draft_counts():
    def n(version, status, **more):
        return note(note_version=version, status=status, **more)

    assert counting(n(1, "signed"), n(2, "amended")) == [("N1", 2)]
    assert counting(n(1, "signed"), n(2, "draft")) == [("N1", 1)]
    assert counting(n(1, "signed"), n(2, "void")) == []
    assert counting(n(1, "void"), n(2, "signed")) == [("N1", 2)]
    assert counting(n(1, None)) == [("N1", 1)]
    assert counting(n(1, "signed"), n(2, "signed", is_billable=False)) == []


def test_blocks_belong_to_a_version_or_to_the_one_that_counts():
    notes = [note(note_version=1), note(note_version=2)]
    blocks = [block("97110", 10), block("97110", 20, number=2, note_version=1)]
    blocks += [block("97110", 5, number=3, note_version=2)]
    assert run([], notes, blocks).days["P1", DAY, "PT"].supported == 15 * 60


def discipline_of(row, *notes):
    return sorted(key[2] for key, day in run([row], notes, []).days.items() if day.lines) or None


def test_a_lines_discipline_in_order():
    bare = line(modifiers=None)
    assert discipline_of(line(discipline="OT")) == ["OT"]
    assert discipline_of(line(modifiers="GN")) == ["SLP"]
    assert discipline_of(line(modifiers="GO;GP"), note(discipline="SLP")) == ["SLP"]
    both = note(discipline="OT"), note("N2", provider_id="T2")
    assert discipline_of(bare, *both) == ["OT"]
    assert discipline_of(line("97161", modifiers=None, rendering_provider_id="T9"), *both) == ["PT"]
    assert discipline_of(line(modifiers=None, rendering_provider_id="T9"), *both) is None
    assert discipline_of(bare, note(discipline="OT", status="draft")) == ["OT"]
    assert discipline_of(bare) == ["PT"]
    drafts = note(discipline="OT", status="draft"), note("N2", is_billable=False)
    assert discipline_of(bare, *drafts) is None
    assert run([bare], drafts, []).unjudged == {("P1", DAY): {"unsettled_discipline"}}
    # (2) a draft settles nothing where the date has counting notes: of two disciplines, and the line of neither's
    # clinician
    other = line(modifiers=None, rendering_provider_id="T9")
    assert discipline_of(other, *both, note("N3", discipline="OT", status="draft")) is None


def test_unjudged_days_accuse_nobody():
    rows = [line(n=9)], [note()], [block("97110", 8)]
    assert "billed_units_exceed_minutes" in broken(*rows)
    assert not broken(*rows, unjudged={("P1", DAY)})
    assert not broken([line(n=9, service_date_basis="claim")], *rows[1:])
    prose = [note(narrative="Gait training for 15 minutes.")]
    assert not broken([line(n=9)], prose, [])
    assert broken([line(n=9)], prose, [block("97110", 8)])


def test_every_rule_is_counted():
    assert len(RULES) == 23 and set(run().counts) == set(RULES)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(extracts())
def test_row_order_and_unjudged_days_on_random_extracts(extract):
    claims, notes, blocks, as_of, reference = extract
    result = audit(claims, notes, blocks, as_of=as_of, reference=reference)

    def canonical(findings):
        return sorted(repr(sorted(row.items(), key=str)) for row in findings)

    again = audit(claims[::-1], notes[::-1], blocks[::-1], as_of=as_of, reference=reference)
    assert canonical(result.findings) == canonical(again.findings) and result.units == again.units
    assert not [r for r in result.findings if (r["patient_id"], r["service_date"]) in result.unjudged]
    for rule_id, count in result.counts.items():
        assert count["violations"] == len(result.of(rule_id)) <= count["in_scope"]
