"""Planted cases about units: the worked examples of the rule book, totals, splits and caps.

Beside each case stands the arithmetic its ledger rows follow from. "CMS n" is floor((n + 7) / 15).
"""

from datetime import date

from clinic import Clinic
from roster import BILLING_PROVIDER, CAP4, MEDICARE, PPO, Block

OVER, UNDER, SPLIT = "billed_units_exceed_minutes", "billed_units_below_minutes", "units_on_wrong_code"
CAP, DAY_CAP = "units_exceed_day_cap", "timed_units_exceed_payer_day_cap"


def worked_examples(c: Clinic) -> None:
    """The six rows of the table in rules.md section 4, each billed lawfully under both methods."""
    examples = [
        # CMS 47 -> 3: 24, 23, 9 -> 2 + 1.  AMA: 24 -> 2, 23 -> 2.
        ("example-24-23", [("97112", 24), ("97110", 23)]),
        # CMS 33 + 7 = 40 -> 3: 33, 18, then 7 against 3 -> 2 + 1.  AMA: 33 -> 2, 7 -> 0.
        ("example-33-7", [("97110", 33), ("97140", 7)]),
        # CMS 49 -> 3: 18, 13, 10 -> one each, 97035 none.  AMA: all four reach 8 -> one each.
        ("example-18-13-10-8", [("97110", 18), ("97140", 13), ("97116", 10), ("97035", 8)]),
        # CMS 38 -> 3: 20, 18, 5 -> 2 + 1.  AMA: 20 -> 1, 18 -> 1.
        ("example-20-18", [("97112", 20), ("97110", 18)]),
    ]
    for label, blocks in examples:
        for payer in (MEDICARE, PPO):
            c.case(label, f"{' + '.join(str(m) for _, m in blocks)} minutes, billed as {payer} counts them")
            c.spare(c.visit(payer, "PT", blocks))
    # CMS 40 -> 3: the third unit falls on either code (5 minutes left of each).  AMA: 1 + 1.
    for favoured in ("97110", "97112"):
        c.case("example-20-20", f"20 + 20 minutes, a tie: the third unit on {favoured}")
        c.spare(c.visit(MEDICARE, "PT", [("97112", 20), ("97110", 20)], prefer=(favoured,)))
    c.case("example-20-20", "20 + 20 minutes, one unit each on an AMA plan")
    c.spare(c.visit(PPO, "PT", [("97112", 20), ("97110", 20)]))
    # CMS 21 -> 1, any one of three.
    for favoured in ("97110", "97112", "97140"):
        c.case("example-7-7-7", f"7 + 7 + 7 minutes: the one unit on {favoured}")
        c.spare(c.visit(MEDICARE, "PT", [("97112", 7), ("97110", 7), ("97140", 7)], prefer=(favoured,)))
    # AMA 0: nothing to bill, and not lost revenue, because both methods must make a unit.
    c.case("example-7-7-7", "7 + 7 + 7 minutes on an AMA plan: no unit, no claim")
    c.spare(c.visit(PPO, "PT", [("97112", 7), ("97110", 7), ("97140", 7)]))


def worked_examples_billed_wrongly(c: Clinic) -> None:
    # CMS 47 -> 3; the AMA count 4 was billed.
    c.case("example-24-23-wrong", "24 + 23 minutes billed to Medicare by the AMA count")
    v = c.visit(MEDICARE, "PT", [("97112", 24), ("97110", 23)], {"97112": 2, "97110": 2})
    c.expect(v, OVER, "error", billed_units=4, expected_units=3, claim_id=v.claim)
    # AMA 2 + 2 = 4; the CMS count 3 was billed.
    c.case("example-24-23-wrong", "24 + 23 minutes billed to an AMA plan by the CMS count")
    v = c.visit(PPO, "PT", [("97112", 24), ("97110", 23)], {"97112": 2, "97110": 1})
    c.expect(v, UNDER, "warning", billed_units=3, expected_units=4, claim_id=v.claim)
    # AMA 1 + 1 = 2; the CMS count 3 was billed.
    c.case("example-20-18-wrong", "20 + 18 minutes billed to an AMA plan by the CMS count")
    v = c.visit(PPO, "PT", [("97112", 20), ("97110", 18)], {"97112": 2, "97110": 1})
    c.expect(v, OVER, "error", billed_units=3, expected_units=2, claim_id=v.claim)
    # CMS 38 -> 3; the published guide's "38 minutes support 2 units" was billed.
    c.case("example-20-18-wrong", "20 + 18 minutes billed to Medicare by the AMA count")
    v = c.visit(MEDICARE, "PT", [("97112", 20), ("97110", 18)], {"97112": 1, "97110": 1})
    c.expect(v, UNDER, "warning", billed_units=2, expected_units=3, claim_id=v.claim)
    # CMS 40 -> 3, split 2 + 1 either way; never 3 of one. Nearest lawful: 97112 x2, so 3 > 2.
    c.case("example-20-20-wrong", "20 + 20 minutes with all three units on one code")
    v = c.visit(MEDICARE, "PT", [("97112", 20), ("97110", 20)], {"97112": 3})
    c.expect(v, SPLIT, "warning", claim_id=v.claim)
    # CMS 40 -> 3 = 97110 x2 + 97140 x1; billed the other way about: 97140 2 > 1.
    c.case("example-33-7-wrong", "33 + 7 minutes with the larger count on the shorter code")
    v = c.visit(MEDICARE, "PT", [("97110", 33), ("97140", 7)], {"97110": 1, "97140": 2})
    c.expect(v, SPLIT, "warning", claim_id=v.claim)
    # CMS 40 -> 3; AMA count 2 billed. The plan's cap of 4 does not stand in the way of a third unit.
    c.case("example-33-7-wrong", "33 + 7 minutes billed to a CMS plan by the AMA count")
    v = c.visit(CAP4, "PT", [("97110", 33), ("97140", 7)], {"97110": 2})
    c.expect(v, UNDER, "warning", billed_units=2, expected_units=3, claim_id=v.claim)


def totals_and_splits(c: Clinic) -> None:
    # Boundary 22/23: CMS 22 -> 1, CMS 23 -> 2.
    c.case("boundary-22-23", "22 minutes billed as two units")
    v = c.visit(MEDICARE, "PT", [("97110", 22)], {"97110": 2})
    c.expect(v, OVER, "error", billed_units=2, expected_units=1, claim_id=v.claim)
    c.case("boundary-22-23", "23 minutes billed as two units")
    c.spare(c.visit(MEDICARE, "PT", [("97110", 23)], {"97110": 2}))
    # Boundary 7/8: AMA 7 -> 0, AMA 8 -> 1. 30 -> 2.
    c.case("boundary-7-8", "7 minutes of a second code billed to an AMA plan")
    v = c.visit(PPO, "PT", [("97110", 30), ("97035", 7)], {"97110": 2, "97035": 1})
    c.expect(v, OVER, "error", billed_units=3, expected_units=2, claim_id=v.claim)
    c.case("boundary-7-8", "8 minutes of a second code billed to an AMA plan")
    c.spare(c.visit(PPO, "PT", [("97110", 30), ("97035", 8)], {"97110": 2, "97035": 1}))
    # AMA: 30 -> 2, 16 -> 1; 97530 billed 2 > 1 within the day's 3.
    c.case("split-ama", "three units on the right total, one on the wrong code (AMA)")
    v = c.visit(PPO, "PT", [("97110", 30), ("97530", 16)], {"97110": 1, "97530": 2})
    c.expect(v, SPLIT, "warning", claim_id=v.claim)
    # CMS 55 -> 4 (30, 25, 15, 10 -> 2 + 2); three billed.
    c.case("one-unit-short", "55 minutes billed as three units")
    v = c.visit(MEDICARE, "OT", [("97530", 30), ("97535", 25)], {"97530": 2, "97535": 1})
    c.expect(v, UNDER, "warning", billed_units=3, expected_units=4, claim_id=v.claim)
    # Only one-on-one minutes count: CMS 25 -> 2, the 20 independent minutes add nothing. 97112 is
    # documented all the same, because a block documents its code whatever its delivery.
    c.case("independent-work", "a block of independent work billed as one-on-one")
    blocks = [Block("97110", 25), Block("97112", 20, delivery="independent")]
    v = c.visit(MEDICARE, "PT", blocks, {"97110": 2, "97112": 1})
    c.expect(v, OVER, "error", billed_units=3, expected_units=2, claim_id=v.claim)
    # Two visits are one day: 20 + 18 = 38 -> 3 (97112 x2, 97110 x1); counted visit by visit it was 1 + 1.
    c.case("two-visit-day-short", "two visits on a date counted one by one: 20 and 18 minutes as two units")
    v = c.visit(MEDICARE, "PT", [("97112", 20)], None)
    c.note(v, [Block("97110", 18)])
    c.claim(v, {"97112": 1, "97110": 1})
    c.expect(v, UNDER, "warning", billed_units=2, expected_units=3, claim_id=v.claim)


def code_caps(c: Clinic) -> None:
    """The practitioner MUE and a payer's own caps, on days whose minutes hold every billed unit."""
    cap = {"discipline": None, "billing_provider_id": BILLING_PROVIDER}
    # CMS 75 -> 5 units of 97112; its MUE is 4, indicator 3: the minutes carry all five, so a person has to read it.
    c.case("five-units-97112", "five units of 97112 in a day, on minutes that make five: for review")
    v = c.visit(MEDICARE, "PT", [("97112", 75)], {"97112": 5})
    c.expect(v, CAP, "review", procedure_code="97112", billed_units=5, cap_units=4, claim_id=v.claim, **cap)
    c.case("five-units-97112-justified", "the same day with a justification in the note: for review")
    why = "Severe ataxia after a fall; constant hands-on balance work was needed."
    v = c.visit(MEDICARE, "PT", [("97112", 75)], {"97112": 5}, cap_justification=why)
    c.expect(v, CAP, "review", procedure_code="97112", billed_units=5, cap_units=4, claim_id=v.claim, **cap)
    # The MUE stands in the way of the fifth unit: four of five is not lost revenue.
    c.case("cap-in-the-way", "75 minutes of 97112 billed as four units, the MUE")
    c.spare(c.visit(MEDICARE, "PT", [("97112", 75)], {"97112": 4}))
    c.case("cap-in-the-way", "75 minutes billed as four units, the plan's cap on all timed units")
    c.spare(c.visit(CAP4, "PT", [("97110", 45), ("97140", 30)]))
    # The practitioner table does not bind institutional claims.
    c.case("institutional-claim", "five units of 97112 on an institutional claim")
    c.spare(c.visit(MEDICARE, "PT", [("97112", 75)], {"97112": 5}, claim={"claim_type": "institutional"}))
    # 97010 has MUE 0: never payable by Medicare. CMS 30 -> 2.
    c.case("never-payable", "97010 billed to Medicare, whose cap is 0")
    v = c.visit(MEDICARE, "PT", [Block("97110", 30), Block("97010")], {"97110": 2, "97010": 1},
                cap_justification="Heat helped before stretching.")  # fmt: skip
    c.expect(v, CAP, "error", procedure_code="97010", billed_units=1, cap_units=0, claim_id=v.claim, **cap)
    # 97129 is capped at 1 (indicator 2), its add-on 97130 not: the second unit belongs on 97130.
    # CMS 30 -> 2 units of the one counted code, so nothing else is wrong.
    c.case("base-code-twice", "two units of 97129 where 97129 + 97130 was right; a justification is no help")
    v = c.visit(MEDICARE, "SLP", [("97129", 15), ("97130", 15)], {"97129": 2},
                cap_justification="Slow recall.")  # fmt: skip
    c.expect(v, CAP, "error", procedure_code="97129", billed_units=2, cap_units=1, claim_id=v.claim, **cap)
    # Each discipline's day is right: PT 60 -> 4, OT 45 -> 3. Together 7 of 97110, MUE 6 (indicator 3); the 105
    # minutes make 7, so it is for review.
    c.case("cap-over-disciplines", "97110 by PT and OT on one date, together above the MUE")
    v = c.visit(MEDICARE, "PT", [("97110", 60)], {"97110": 4})
    c.visit(MEDICARE, "OT", [("97110", 45)], {"97110": 3}, patient=v.patient, day=v.day)
    c.expect(v, CAP, "review", procedure_code="97110", billed_units=7, cap_units=6, claim_id=v.claim, **cap)
    # DEMO-PPO caps 97140 at 3 (indicator 3) from 2026-10-15 on (reference/code_cap.csv). AMA 60 -> 4, so the minutes
    # carry the fourth.
    c.case("payer-code-cap", "four units of 97140 the day before the plan's own cap begins")
    c.spare(c.visit(PPO, "PT", [("97140", 60)], {"97140": 4}, day=date(2026, 10, 14)))
    c.case("payer-code-cap", "four units of 97140 on the day the plan's own cap begins")
    v = c.visit(PPO, "PT", [("97140", 60)], {"97140": 4}, day=date(2026, 10, 15))
    c.expect(v, CAP, "review", procedure_code="97140", billed_units=4, cap_units=3, claim_id=v.claim, **cap)
    c.case("payer-code-cap", "three of four units billed: the plan's own cap stands in the way")
    c.spare(c.visit(PPO, "PT", [("97140", 60)], {"97140": 3}, day=date(2026, 10, 16)))


def day_caps(c: Clinic) -> None:
    """The plan with a cap of 4 timed units a day."""
    # CMS 45 + 30 = 75 -> 5 (3 + 2), the plan allows 4.
    c.case("five-timed-units", "five timed units on the plan that allows four")
    v = c.visit(CAP4, "PT", [("97110", 45), ("97140", 30)], {"97110": 3, "97140": 2})
    c.expect(v, DAY_CAP, "error", billed_units=5, cap_units=4, claim_id=v.claim)
    c.case("five-timed-units", "the same with a justification in the note: for review")
    v = c.visit(CAP4, "OT", [("97530", 45), ("97535", 30)], {"97530": 3, "97535": 2},
                cap_justification="New adapted kitchen; safety had to be taught at once.")  # fmt: skip
    c.expect(v, DAY_CAP, "review", billed_units=5, cap_units=4, claim_id=v.claim)
    # CMS 60 -> 4; five billed break the minutes and the cap at once.
    c.case("five-of-four", "five timed units on 60 minutes: above the minutes and above the plan's cap")
    v = c.visit(CAP4, "PT", [("97110", 30), ("97112", 30)], {"97110": 3, "97112": 2})
    c.expect(v, OVER, "error", billed_units=5, expected_units=4, claim_id=v.claim)
    c.expect(v, DAY_CAP, "error", billed_units=5, cap_units=4, claim_id=v.claim)
    # Untimed codes are no timed units: 60 -> 4, and the group once.
    c.case("four-timed-and-a-group", "four timed units and an untimed code on the plan that allows four")
    c.spare(c.visit(CAP4, "PT", [Block("97110", 30), Block("97112", 30), Block("97150", delivery="group")]))


CASES = [worked_examples, worked_examples_billed_wrongly, totals_and_splits, code_caps, day_caps]
