"""Planted cases about claims: duplicates, split lines, untimed codes, replaced, voided and denied claims."""

from clinic import Clinic
from roster import BILLING_PROVIDER, CAP4, MEDICARE, PPO, Block

OVER, NO_NOTE = "billed_units_exceed_minutes", "billed_day_not_documented"
CAP, UNTIMED = "units_exceed_day_cap", "untimed_code_multiple_units"
SPLIT_LINES, DUPLICATE = "timed_code_split_across_lines", "claim_line_duplicated"


def line(code: str, units: int, **fields: object) -> dict:
    """One claim line given by hand."""
    return {"procedure_code": code, "billed_units": units, **fields}


def untimed_codes(c: Clinic) -> None:
    # Medicare's MUE for G0283 is 1 (indicator 3), so twice also breaks the cap. CMS 30 -> 2.
    c.case("untimed-twice", "G0283 billed twice to Medicare: an untimed code, and its MUE is 1")
    blocks = [Block("97110", 30), Block("97014", delivery="supervised")]
    v = c.visit(MEDICARE, "PT", blocks, {"97110": 2, "G0283": 2})
    c.expect(v, UNTIMED, "error", procedure_code="G0283", billed_units=2, claim_id=v.claim)
    c.expect(v, CAP, "error", procedure_code="G0283", billed_units=2, cap_units=1, claim_id=v.claim,
             discipline=None, billing_provider_id=BILLING_PROVIDER)  # fmt: skip
    # The commercial plan does not follow the MUE table. AMA 30 -> 2.
    c.case("untimed-twice", "97014 billed twice to a plan that does not follow the MUE table")
    v = c.visit(PPO, "PT", blocks_again(), {"97110": 2, "97014": 2})
    c.expect(v, UNTIMED, "error", procedure_code="97014", billed_units=2, claim_id=v.claim)
    # On two lines of one unit, with different modifiers: still billed more than once. CMS 30 -> 2.
    c.case("untimed-twice", "a group billed on two lines with different modifiers")
    blocks = [Block("97110", 30), Block("97150", delivery="group")]
    lines = [line("97110", 2), line("97150", 1), line("97150", 1, modifiers="GP;59")]
    v = c.visit(CAP4, "PT", blocks, lines)
    c.expect(v, UNTIMED, "error", procedure_code="97150", billed_units=2, claim_id=v.claim)


def blocks_again() -> list[Block]:
    return [Block("97110", 30), Block("97014", delivery="supervised")]


def split_lines(c: Clinic) -> None:
    # CMS 30 -> 2 = 1 + 1: the units are right, the lines are not.
    for payer, discipline, code in ((MEDICARE, "PT", "97110"), (CAP4, "OT", "97530")):
        c.case("split-lines", "one timed code on two equal lines of one claim")
        v = c.visit(payer, discipline, [(code, 30)], [line(code, 1), line(code, 1)])
        c.expect(v, SPLIT_LINES, "warning", procedure_code=code, claim_id=v.claim)
    # The assistant's half carries CQ: other modifiers, other line. 15 + 15 = 30 -> 2.
    c.case("split-by-assistant", "one code, half of it by the assistant and so on a line of its own")
    blocks = [Block("97110", 15), Block("97110", 15, provider="PTA-02")]
    lines = [line("97110", 1), line("97110", 1, modifiers="GP;CQ")]
    c.spare(c.visit(MEDICARE, "PT", blocks, lines))


def duplicates(c: Clinic) -> None:
    # CMS 45 -> 3 (2 + 1), billed twice is 6. Both lines of the later claim repeat the earlier one's.
    c.case("claim-sent-twice", "the same claim sent again under a new id")
    v = c.visit(MEDICARE, "PT", [("97110", 30), ("97140", 15)])
    again = c.claim(v, {"97110": 2, "97140": 1})
    c.expect(v, OVER, "error", billed_units=6, expected_units=3, claim_id=v.claim)
    c.expect(v, DUPLICATE, "error", procedure_code="97110", claim_id=again, line_number=1)
    c.expect(v, DUPLICATE, "error", procedure_code="97140", claim_id=again, line_number=2)
    # An untimed code has no minutes that could hold it twice.
    c.case("evaluation-sent-twice", "the same evaluation on two claims")
    v = c.visit(PPO, "PT", [Block("97161")])
    again = c.claim(v, {"97161": 1})
    c.expect(v, UNTIMED, "error", procedure_code="97161", billed_units=2, claim_id=v.claim)
    c.expect(v, DUPLICATE, "error", procedure_code="97161", claim_id=again, line_number=1)
    c.case("undocumented-and-sent-twice", "a day without a note, and its claim sent twice")
    v = c.bare(MEDICARE, "PT")
    c.claim(v, {"97110": 2})
    again = c.claim(v, {"97110": 2})
    c.expect(v, NO_NOTE, "error", claim_id=v.claim)
    c.expect(v, DUPLICATE, "error", procedure_code="97110", claim_id=again, line_number=1)
    # Two visits: 30 + 30 = 60 -> 4, and the day's minutes hold all 4, so the equal line is no duplicate.
    c.case("two-visit-day", "two visits on a date, each on a claim of its own, with equal lines")
    v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 2})
    c.note(v, [Block("97110", 30)])
    c.claim(v, {"97110": 2})
    c.spare(v)
    # Two visits counted as one day: 20 + 18 = 38 -> 3 (97112 x2, 97110 x1).
    c.case("two-visit-day", "two visits on a date, billed on one claim by the day's total")
    v = c.visit(MEDICARE, "PT", [("97112", 20)], None)
    c.note(v, [Block("97110", 18)])
    c.claim(v, {"97112": 2, "97110": 1})
    c.spare(v)


def replaced_and_voided(c: Clinic) -> None:
    # Throughout 30 -> 2 unless said. Only the claim that stands is counted.
    c.case("replaced-claim", "three units replaced by the two that the minutes hold")
    v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 3})
    v.claim = c.claim(v, {"97110": 2}, claim_frequency_code=7, original_claim_id=v.claim)
    c.spare(v)
    c.case("replaced-claim", "a chain of replacements: only the last counts")
    v = c.visit(CAP4, "PT", [("97110", 30)], {"97110": 4})
    for units in (3, 2):
        v.claim = c.claim(v, {"97110": units}, claim_frequency_code=7, original_claim_id=v.claim)
    c.spare(v)
    c.case("replaced-claim", "one claim replaced twice: the greatest claim id stands")
    v = c.visit(PPO, "PT", [("97110", 30)], {"97110": 4})
    first = v.claim
    for units in (3, 2):
        v.claim = c.claim(v, {"97110": units}, claim_frequency_code=7, original_claim_id=first)
    c.spare(v)
    c.case("replaced-claim", "a replacement of a claim that the extract does not hold: it stands")
    c.spare(c.visit(MEDICARE, "OT", [("97530", 30)], {"97530": 2},
                    claim={"claim_frequency_code": 7, "original_claim_id": "C-10001"}))  # fmt: skip
    c.case("replaced-upward", "a right claim replaced by one with a unit too many")
    v = c.visit(MEDICARE, "OT", [("97530", 30)], {"97530": 2})
    v.claim = c.claim(v, {"97530": 3}, claim_frequency_code=7, original_claim_id=v.claim)
    c.expect(v, OVER, "error", billed_units=3, expected_units=2, claim_id=v.claim)
    c.case("voided-claim", "a claim for a day that never was, voided")
    v = c.bare(MEDICARE, "PT")
    c.claim(v, {"97110": 2})
    c.claim(v, {"97110": 2}, claim_frequency_code=8, original_claim_id=v.claim)
    c.spare(v)


def lines_that_bill_nothing(c: Clinic) -> None:
    c.case("secondary-payer", "the secondary payer's claim repeats the primary's lines")
    v = c.visit(MEDICARE, "PT", [("97110", 30), ("97140", 15)])
    c.claim(v, {"97110": 2, "97140": 1}, payer_id=PPO, payer_order=2)
    c.spare(v)
    # CMS 45 -> 3; two stand, the third was denied: no lost revenue is said.
    c.case("denied-line", "one of three lines denied: the day is not called short")
    lines = [line("97110", 2), line("97140", 1, claim_status="denied")]
    c.spare(c.visit(MEDICARE, "PT", [("97110", 30), ("97140", 15)], lines))
    c.case("denied-line", "the whole claim denied: the day is not called unbilled")
    c.spare(c.visit(CAP4, "PT", [("97110", 30)], {"97110": 2}, claim={"claim_status": "denied"}))
    c.case("denied-line", "denied, and sent again with the same lines")
    v = c.visit(PPO, "PT", [("97110", 30)], {"97110": 2}, claim={"claim_status": "denied"})
    v.claim = c.claim(v, {"97110": 2})
    c.spare(v)
    c.case("zero-units", "a line with no units bills nothing")
    c.spare(c.visit(MEDICARE, "PT", [("97110", 30)], [line("97110", 2), line("97140", 0)]))
    c.case("out-of-scope-lines", "an office visit and an X-ray: loaded, and out of every rule")
    v = c.bare(PPO, "PT")
    office = {"modifiers": None, "discipline": None, "rendering_provider_id": "MD-90"}
    c.claim(v, {"99213": 1, "73030": 2}, **office)
    c.spare(v)
    # Three units on 30 minutes, but the line's date is only its claim's: nobody is accused.
    c.case("date-of-the-claim", "a line whose date is its claim's: unjudged")
    v = c.visit(PPO, "PT", [("97110", 30)], {"97110": 3}, claim={"service_date_basis": "claim"})
    c.spare(v, "unjudged", reason="claim_dated_line")


def quarantined_rows(c: Clinic) -> None:
    """The two broken claim lines; they leave their patient and date unjudged."""
    c.case("quarantined-half-unit", "a claim line with two and a half units")
    lines = [line("97110", 2), line("97140", "2.5")]
    v = c.visit(MEDICARE, "PT", [("97110", 30), ("97140", 15)], lines)
    c.spare(v, "quarantine", line_number=2, reason="quarantined_row")
    c.case("quarantined-minutes-as-units", "a claim line whose units are minutes (MJ)")
    lines = [line("97110", 2), line("97140", 15, unit_basis="MJ")]
    v = c.visit(MEDICARE, "PT", [("97110", 30), ("97140", 15)], lines)
    c.spare(v, "quarantine", line_number=2, reason="quarantined_row")


CASES = [
    untimed_codes,
    split_lines,
    duplicates,
    replaced_and_voided,
    lines_that_bill_nothing,
    quarantined_rows,
]
