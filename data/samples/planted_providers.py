"""Planted cases about clinicians: two places at once, groups, and days longer than 960 minutes.

The long days are planted first: each needs many patients who are free on one date."""

from datetime import date

from clinic import Clinic
from roster import ASSISTANT, CAP4, MEDICARE, PPO, Block, Visit

PLACES, IMPOSSIBLE, OVER = "therapist_in_two_places", "provider_day_impossible", "billed_units_exceed_minutes"
NOT_BILLED = "documented_day_not_billed"
LONG_DAYS = {"credited": date(2026, 10, 6), "billed": date(2026, 10, 13), "assistant": date(2026, 10, 20),
             "at_960": date(2026, 10, 27)}  # fmt: skip


def visits_on(c: Clinic, day: date, count: int, providers: tuple[str, ...], minutes: dict,
              payers: tuple[str, ...], clock: bool, claim: dict | None = None) -> None:  # fmt: skip
    """`count` lawful visits of equal minutes on one day, the clinicians and payers taking turns."""
    for i in range(count):
        provider = providers[i % len(providers)]
        blocks = [Block(code, m, at=None if clock else False) for code, m in minutes.items()]
        c.visit(payers[i % len(payers)], "PT", blocks, day=day, provider=provider, claim=claim)


def long_days(c: Clinic) -> None:
    for day in LONG_DAYS.values():
        c.closed |= {("PT-01", day), (ASSISTANT, day)}
    # 11 patients x 90 = 990 credited minutes > 960, without clock times. Each day alone is right: CMS 90
    # -> 6, AMA 30 -> 2 three times. The billed units need less: 6 x 83 (CMS) + 5 x 3 x 23 (AMA) = 843.
    day = LONG_DAYS["credited"]
    c.case("impossible-day-credited", "eleven patients of 90 minutes each by one therapist")
    three = {"97110": 30, "97112": 30, "97530": 30}
    visits_on(c, day, 11, ("PT-01",), three, (MEDICARE, PPO), clock=False)
    c.expect(Visit("", "", day, "", "PT-01"), IMPOSSIBLE, "review", provider_id="PT-01",
             patient_id=None, discipline=None)  # fmt: skip
    # 10 Medicare days of 98 minutes -> 7 units, which need 15 x 7 - 7 = 98: 980 > 960, all billed under
    # PT-01. The notes are half the assistant's (490 minutes each), whose lines should have carried CQ.
    day = LONG_DAYS["billed"]
    c.case("impossible-day-billed", "ten days of seven units under one therapist, half the assistant's")
    seven = {"97110": 40, "97530": 38, "97112": 20}
    both = ("PT-01", ASSISTANT)
    visits_on(c, day, 10, both, seven, (MEDICARE,), clock=True, claim={"modifiers": "GP"})
    c.expect(Visit("", "", day, "", "PT-01"), IMPOSSIBLE, "review", provider_id="PT-01",
             patient_id=None, discipline=None)  # fmt: skip
    # The same with CQ on the assistant's lines: 5 x 98 = 490 are left to PT-01.
    day = LONG_DAYS["assistant"]
    c.case("long-day-with-assistant", "the same day with CQ on the assistant's lines")
    visits_on(c, day, 10, both, seven, (MEDICARE,), clock=True)
    c.spare(Visit("", "", day, "", "PT-01"), provider_id="PT-01", patient_id=None, discipline=None)
    # 12 x 80 = 960 is not above 960. CMS 80 -> 5 units need 68, AMA 40 -> 3 twice need 76: 864.
    day = LONG_DAYS["at_960"]
    c.case("long-day-at-960", "twelve patients of 80 minutes: 960, and not above it")
    visits_on(c, day, 12, ("PT-01",), {"97110": 40, "97530": 40}, (MEDICARE, PPO), clock=False)
    c.spare(Visit("", "", day, "", "PT-01"), provider_id="PT-01", patient_id=None, discipline=None)


def pair(c: Clinic, payers: tuple[str, str], blocks: tuple[list, list], billed: tuple, offset: int = 0) -> list[Visit]:
    """Two patients with PT-01 on one date, the later starting `offset` minutes after the first."""
    first = c.bare(payers[0], "PT")
    later = c.bare(payers[1], "PT", day=first.day)
    start = c.slot(first.day, 60, "PT-01", first.patient, later.patient)
    return [
        c.visit(v.payer, "PT", held, bill, patient=v.patient, day=v.day, start=start + after)
        for v, held, bill, after in zip((first, later), blocks, billed, (0, offset), strict=True)
    ]


def two_places(c: Clinic) -> None:
    # 30 + 30 = 60 credited minutes in a run of 30. Each patient's own minutes stand: 30 -> 2.
    c.case("same-clock-time", "two patients one-on-one with one therapist at the same clock time")
    for v in pair(c, (MEDICARE, PPO), ([("97110", 30)], [("97530", 30)]), ({"97110": 2}, {"97530": 2})):
        c.expect(v, PLACES, "error")
    # 45 + 30 = 75 credited in a run of 60 (the later starts at 30). The later day was not billed either:
    # CMS 30 -> 2, AMA 30 -> 2.
    c.case("overlapping-patients", "two patients overlap by 15 minutes, the later one not billed")
    blocks = ([("97110", 45)], [("97530", 30)])
    billed, unbilled = pair(c, (MEDICARE, CAP4), blocks, ({"97110": 3}, None), offset=30)
    c.expect(billed, PLACES, "error")
    c.expect(unbilled, PLACES, "error")
    c.expect(unbilled, NOT_BILLED, "warning", note_id=unbilled.note)
    # 30 + 30 = 60 credited in a run of 60: the first patient rested while the other was treated.
    c.case("rests-between-patients", "two patients take turns: their stretches overlap, their minutes do not")
    blocks = ([Block("97110", 30, at=(0, 60))], [Block("97110", 30, at=(0, 30))])
    for v in pair(c, (MEDICARE, PPO), blocks, ({"97110": 2}, {"97110": 2}), offset=15):
        c.spare(v)


def groups(c: Clinic) -> None:
    # A group is untimed and billed once for each patient; its 45 minutes enter no total. 25 -> 2.
    c.case("group-block", "three patients in a group (97150), each also treated alone")
    first = c.bare(MEDICARE, "PT")
    members = [first, c.bare(PPO, "PT", day=first.day), c.bare(CAP4, "PT", day=first.day)]
    start = c.slot(first.day, 45 + 3 * 25, "PT-01", *(v.patient for v in members))
    for turn, v in enumerate(members):
        alone = (45 + 25 * turn, 70 + 25 * turn)
        blocks = [Block("97150", 45, at=(0, 45), delivery="group"), Block("97110", 25, at=alone)]
        c.spare(c.visit(v.payer, "PT", blocks, patient=v.patient, day=v.day, start=start))
    # A block delivered to a group also documents 97150, whatever its own code.
    c.case("group-block", "97110 delivered to a group, billed as 97150")
    c.spare(c.visit(MEDICARE, "PT", [Block("97110", 40, delivery="group")], {"97150": 1}))
    # Group minutes are not one-on-one: 0 minutes, 0 units. The block documents its code, so only the units.
    c.case("group-as-one-on-one", "97110 delivered to a group, billed as one-on-one")
    v = c.visit(MEDICARE, "PT", [Block("97110", 45, delivery="group")], {"97110": 3})
    c.expect(v, OVER, "error", billed_units=3, expected_units=0, claim_id=v.claim)


CASES = [long_days, two_places, groups]
