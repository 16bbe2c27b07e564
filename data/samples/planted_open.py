"""Planted cases of what nobody can tell: codes that are not listed, corrections without their other half, lines over
several dates and a date that cannot be read. Beside each stand days that look like them and are clear."""

from datetime import date

from clinic import Clinic
from roster import CAP4, MEDICARE, PPO, Block

OVER = "billed_units_exceed_minutes"
# Two patients who come for these cases only: whatever is unjudged here touches no other visit.
SPANNED, UNDATED = "P-1041", "P-1042"


def unlisted_codes(c: Clinic) -> None:
    # 23 -> 2, billed 3. The minutes of 97139 are not known, so nobody knows whether they are in the pool.
    c.case("code-not-listed", "three units on 23 minutes and a block of a code that nobody listed, without minutes")
    blocks = [Block("97110", 23, at=False), Block("97139", at=False)]
    v = c.visit(MEDICARE, "PT", blocks, {"97110": 3}, total=None)
    c.spare(v, "unjudged", reason="code_not_listed")
    # 20 -> 1, with the 10 of 97139 30 -> 2: two units may be right, three are not.
    c.case("code-not-listed", "20 minutes and 10 of a code that nobody listed, billed as two units")
    blocks = [Block("97110", 20), Block("97139", 10)]
    v = c.visit(MEDICARE, "PT", blocks, {"97110": 2})
    c.spare(v, "unjudged", reason="code_not_listed")
    c.case("code-not-listed", "20 minutes and 10 of a code that nobody listed, billed as three units")
    blocks = [Block("97110", 20), Block("97139", 10)]
    v = c.visit(MEDICARE, "PT", blocks, {"97110": 3})
    c.expect(v, OVER, "error", billed_units=3, claim_id=v.claim)
    c.spare(v, "unjudged", reason="code_not_listed")
    # 45 -> 3, billed 2 and a line of 97799, which may need the rest of the minutes: not too few.
    c.case("code-not-listed", "45 minutes billed as two units and a line of a code that nobody listed")
    v = c.visit(MEDICARE, "PT", [("97110", 45)], {"97110": 2, "97799": 1})
    c.spare(v, "unjudged", reason="code_not_listed")


def corrections_without_original(c: Clinic) -> None:
    # 30 -> 2 throughout. The claim that the correction names may be the one that still bills.
    for code, what in ((7, "a replacement"), (8, "a void")):
        c.case("correction-without-original", f"{what} of an unknown claim, beside a claim that bills")
        v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 2})
        c.claim(v, {"97110": 2}, claim_frequency_code=code, original_claim_id=f"C-1000{code}")
        c.spare(v, "unjudged", reason="correction_without_original")
    # Alone, a void bills nothing: no day is billed, so none lacks its note.
    c.case("correction-without-original", "a void of a claim that the extract does not hold, alone")
    v = c.bare(MEDICARE, "PT")
    c.claim(v, {"97110": 2}, claim_frequency_code=8, original_claim_id="C-10009")
    c.spare(v)
    # A claim may be named by the payer's number of it.
    c.case("payer-claim-number", "three units replaced by two, the claim named by the payer's number")
    v = c.visit(PPO, "PT", [("97110", 30)], {"97110": 3}, claim={"payer_claim_id": "ICN-70001"})
    v.claim = c.claim(v, {"97110": 2}, claim_frequency_code=7, original_claim_id="ICN-70001",
                      payer_claim_id="ICN-70002")  # fmt: skip
    c.spare(v)
    c.case("payer-claim-number", "a claim for a day that never was, voided under the payer's number")
    v = c.bare(CAP4, "PT")
    c.claim(v, {"97110": 2}, payer_claim_id="ICN-70003")
    c.claim(v, {"97110": 2}, claim_frequency_code=8, original_claim_id="ICN-70003")
    c.spare(v)


def unclear_corrections(c: Clinic) -> None:
    # 30 -> 2. Whether three units stand or two hangs on what the payer did with the replacement.
    c.case("correction-unclear", "three units replaced by two, and the replacement denied")
    v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 3})
    c.claim(v, {"97110": 2}, claim_frequency_code=7, original_claim_id=v.claim, claim_status="denied")
    c.spare(v, "unjudged", reason="correction_unclear")
    c.case("correction-unclear", "a void that another void names")
    v = c.visit(CAP4, "PT", [("97110", 30)], {"97110": 3})
    void = c.claim(v, {"97110": 3}, claim_frequency_code=8, original_claim_id=v.claim)
    c.claim(v, {"97110": 3}, claim_frequency_code=8, original_claim_id=void)
    c.spare(v, "unjudged", reason="correction_unclear")
    # 6 is an old 7; 0 bills nothing; 2 and 3 bill as they stand: 30 -> 2, 1 + 1 on two claims.
    c.case("other-frequency-codes", "three units replaced by two with the old code 6")
    v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 3})
    v.claim = c.claim(v, {"97110": 2}, claim_frequency_code=6, original_claim_id=v.claim)
    c.spare(v)
    c.case("other-frequency-codes", "a claim sent for no payment beside the one that bills")
    v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 2})
    c.claim(v, {"97110": 2}, claim_frequency_code=0)
    c.spare(v)
    c.case("other-frequency-codes", "two visits on interim claims of one unit each")
    v = c.visit(MEDICARE, "OT", [("97530", 15)], {"97530": 1}, claim={"claim_frequency_code": 2})
    c.note(v, [Block("97535", 15)])
    c.claim(v, {"97535": 1}, claim_frequency_code=3)
    c.spare(v)


def dates_unknown(c: Clinic) -> None:
    # Three visits of 30 minutes -> 2 units each, all six on one line. Which unit belongs to which date is not known.
    c.case("line-over-three-dates", "one line of six units over three dates of two units each")
    days = [date(2026, 10, day) for day in (7, 8, 9)]
    visits = [c.visit(MEDICARE, "PT", [("97110", 30)], None, patient=SPANNED, day=day) for day in days]
    claim = c.claim(visits[0], {"97110": 6}, service_date_to=days[-1])
    for v in visits:
        v.claim = claim
        c.spare(v, "unjudged", reason="line_spans_dates")
    c.case("line-over-one-date", "a line that ends on the date it begins")
    v = c.bare(PPO, "PT")
    c.visit(PPO, "PT", [("97110", 30)], {"97110": 2}, patient=v.patient, day=v.day, claim={"service_date_to": v.day})
    c.spare(v)
    # The note of the second visit is dated the 32nd. It may belong to any of the patient's dates, so none is accused:
    # neither the second day of having no note, nor the first of its three units on 30 minutes.
    c.case("note-with-an-unreadable-date", "another date of a patient one of whose notes has no date that can be read")
    v = c.visit(MEDICARE, "PT", [("97110", 30)], {"97110": 3}, patient=UNDATED, day=date(2026, 10, 8))
    c.spare(v, "unjudged", reason="quarantined_row_undated")
    c.case("note-with-an-unreadable-date", "a note dated 2026-10-32")
    v = c.visit(MEDICARE, "PT", [], {"97110": 2}, patient=UNDATED, day=date(2026, 10, 22), total=30, start=0,
                service_date="2026-10-32")  # fmt: skip
    c.spare(v, "quarantine", reason="quarantined_row_undated")


CASES = [unlisted_codes, corrections_without_original, unclear_corrections, dates_unknown]
