"""Planted cases about what a day's notes and lines say of each other: treatment together, several payers, minutes that
are missing, untimed codes that were left out, caps."""

from clinic import Clinic
from roster import BILLING_PROVIDER, CAP4, MEDICARE, PPO, Block, Visit

BOTH, SEVERAL = "cotreatment_billed_by_both", "day_billed_to_several_payers"
NO_MINUTES, NOT_BILLED = "timed_minutes_not_documented", "documented_code_not_billed"
OVER, SPLIT = "billed_units_exceed_minutes", "units_on_wrong_code"
CAP, UNTIMED = "units_exceed_day_cap", "untimed_code_multiple_units"


def together(
    c: Clinic, payer: str, units: tuple[int, int], begin: int, seconds: tuple[int, int] | None = None
) -> list[Visit]:
    """PT treats a patient for 30 minutes, OT for 30 from minute `begin` on; `units` bill 97530 and 97535."""
    who = c.bare(payer, "PT")
    start = c.slot(who.day, begin + 31, "PT-01", "OT-03", who.patient)
    visits = []
    for discipline, code, after, billed in (("PT", "97530", 0, units[0]), ("OT", "97535", begin, units[1])):
        block = Block(code, 30, at=(0, 30), seconds=seconds if after else None)
        bill = {code: billed} if billed else None
        visits.append(c.visit(payer, discipline, [block], bill, patient=who.patient, day=who.day, start=start + after))
    return visits


def treated_together(c: Clinic) -> None:
    # 30 minutes, all of them joint. Each day alone supports 2; together floor((1800 + 2 x 420) / 900) = 2. Billed 4.
    c.case("co-treatment-billed-by-both", "PT and OT treat together for 30 minutes and bill two units each (Medicare)")
    v, other = together(c, MEDICARE, (2, 2), 0)
    c.expect(v, BOTH, "error", billed_units=4, expected_units=2, claim_id=other.claim, discipline=None)
    # 45 minutes, 15 joint: floor((2700 + 2 x 449) / 900) = 3 at the most. Billed 4; AMA, so for review.
    c.case("co-treatment-billed-by-both", "PT and OT share 15 of 45 minutes and bill two units each (AMA plan)")
    v, other = together(c, PPO, (2, 2), 15)
    c.expect(v, BOTH, "review", billed_units=4, expected_units=3, claim_id=other.claim, discipline=None)
    # 30 minutes together are 2 units: one each, or both with either. OT's own sure time is 30 - 30 = 0, so its day is
    # not called unbilled.
    c.case("co-treatment-split", "PT and OT treat together for 30 minutes and bill one unit each")
    for v in together(c, MEDICARE, (1, 1), 0):
        c.spare(v)
    c.case("co-treatment-split", "PT and OT treat together for 30 minutes, and PT bills both units")
    for v in together(c, MEDICARE, (2, 0), 0):
        c.spare(v)
    # OT begins 30 seconds before PT ends: less than a minute is never a finding. 30 -> 2 each.
    c.case("co-treatment-split", "OT begins half a minute before PT ends")
    for v in together(c, MEDICARE, (2, 2), 29, seconds=(30, 30)):
        c.spare(v)


def several_payers(c: Clinic) -> None:
    # 45 -> 3 units, 2 for the one payer and 1 for the other. Nobody knows whose minutes are whose.
    c.case("several-payers", "one day billed to two payers, each as the primary one")
    v = c.visit(MEDICARE, "PT", [("97110", 30), ("97140", 15)], {"97110": 2})
    c.claim(v, {"97140": 1}, payer_id=PPO)
    c.expect(v, SEVERAL, "review", billed_units=3, claim_id=v.claim)
    c.spare(v, "unjudged", reason="several_payers")
    # 30 -> 2, billed 2 + 2: not "too many", for the unit rules are unjudged; no duplicate, for the payers differ.
    c.case("several-payers", "the same two units billed to two payers, each as the primary one")
    v = c.visit(CAP4, "PT", [("97110", 30)], {"97110": 2})
    c.claim(v, {"97110": 2}, payer_id=PPO)
    c.expect(v, SEVERAL, "review", billed_units=4, claim_id=v.claim)
    c.spare(v, "unjudged", reason="several_payers")


def minutes_missing(c: Clinic) -> None:
    # The one block has neither minutes nor clock times, and there is no total: how long is not known.
    c.case("block-without-minutes", "two units on a block that has no minutes, in a note without a total")
    v = c.visit(MEDICARE, "PT", [Block("97110", at=False)], {"97110": 2}, total=None)
    c.expect(v, NO_MINUTES, "warning", billed_units=2, claim_id=v.claim)
    # TT = 45 bounds the timed minutes: 45 -> 3, billed 4. It is no total of timed minutes, so these are not documented.
    c.case("treatment-time-only", "four timed units on a note that states only 45 minutes of treatment in all")
    v = c.visit(MEDICARE, "PT", [], {"97110": 2, "97140": 2}, total=None, start=0, total_treatment_minutes=45)
    c.expect(v, NO_MINUTES, "warning", billed_units=4, claim_id=v.claim)
    c.expect(v, OVER, "error", billed_units=4, expected_units=3, claim_id=v.claim)
    # T = 30 -> 2: the total is what Medicare asks for.
    c.case("block-without-minutes", "blocks without minutes under a stated total")
    c.spare(c.visit(MEDICARE, "PT", [Block("97110", at=False)], {"97110": 2}, total=30))
    # 30 sure minutes -> 2, and the code without minutes was not billed.
    c.case("block-without-minutes", "the block without minutes is of a code that was not billed")
    blocks = [Block("97110", 30, at=False), Block("97140", at=False)]
    c.spare(c.visit(MEDICARE, "PT", blocks, {"97110": 2}, total=None))


def untimed_left_out(c: Clinic) -> None:
    # The timed units are right: 30 -> 2.
    c.case("evaluation-left-out", "an evaluation in the note, and a claim without it")
    v = c.visit(MEDICARE, "PT", [Block("97110", 30), Block("97161")], {"97110": 2})
    c.expect(v, NOT_BILLED, "warning", procedure_code="97161", note_id=v.note)
    c.case("evaluation-left-out", "swallowing treatment in the note, and a claim without it")
    v = c.visit(PPO, "SLP", [Block("97129", 30), Block("92526")], {"97129": 1, "97130": 1})
    c.expect(v, NOT_BILLED, "warning", procedure_code="92526", note_id=v.note)
    c.case("evaluation-left-out", "the evaluation was billed, and denied")
    lines = [{"procedure_code": "97110", "billed_units": 2},
             {"procedure_code": "97161", "billed_units": 1, "claim_status": "denied"}]  # fmt: skip
    c.spare(c.visit(MEDICARE, "PT", [Block("97110", 30), Block("97161")], lines))
    # Never payable (MUE 0), so leaving it out loses nothing.
    c.case("evaluation-left-out", "a hot pack in the note, and a claim without it")
    c.spare(c.visit(PPO, "PT", [Block("97110", 30), Block("97010")], {"97110": 2}))
    # Codes of other lengths are not untimed ones: billed or not, they enter no total and no rule. 30 -> 2.
    for billed, what in (({"97550": 1}, "billed beside it"), ({}, "not billed")):
        c.case("other-length-code", f"caregiver training of its own length beside therapy, {what}")
        blocks = [Block("97110", 30), Block("97550", 30)]
        c.spare(c.visit(MEDICARE, "PT", blocks, {"97110": 2} | billed))


def caps(c: Clinic) -> None:
    # CMS 75 -> 5 units, lawful 97112 x4 + 97110 x1 (55, 40, 25, then 20 against 10, then 10 against 5). The 55 minutes
    # of 97112 make 4, so nothing carries the fifth: above the MUE of 4, and a unit on the wrong code.
    c.case("five-units-97112-without-minutes", "five units of 97112 on the minutes of four")
    v = c.visit(MEDICARE, "PT", [("97112", 55), ("97110", 20)], {"97112": 5})
    c.expect(v, CAP, "error", procedure_code="97112", billed_units=5, cap_units=4, claim_id=v.claim, discipline=None,
             billing_provider_id=BILLING_PROVIDER)  # fmt: skip
    c.expect(v, SPLIT, "warning", claim_id=v.claim)
    # As many blocks, at different times, as were billed: a person has to read it. 30 -> 2.
    c.case("two-groups", "two groups on one day, each billed")
    blocks = [Block("97150", 40, at=(0, 40), delivery="group"), Block("97150", 40, at=(40, 80), delivery="group"),
              Block("97110", 30, at=(80, 110))]  # fmt: skip
    v = c.visit(CAP4, "PT", blocks, {"97110": 2, "97150": 2})
    c.expect(v, UNTIMED, "review", procedure_code="97150", billed_units=2, claim_id=v.claim)


CASES = [treated_together, several_payers, minutes_missing, untimed_left_out, caps]
