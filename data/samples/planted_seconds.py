"""Planted cases about parts of a minute: seconds count, and only a day's total is cut to whole minutes."""

from clinic import Clinic
from roster import MEDICARE, PPO, Block

OVER = "billed_units_exceed_minutes"
CODES = ("97110", "97112", "97140")


def parts_of_minutes(c: Clinic) -> None:
    # 3 x 7.75 = 23.25 minutes, cut to 23 -> 2; cut one by one they were 21 -> 1. The codes are equal, so any two.
    c.case("three-times-7.75", "three blocks of 7.75 minutes billed as two units")
    blocks = [Block(code, 7.75, at=False) for code in CODES]
    c.spare(c.visit(MEDICARE, "PT", blocks, {"97110": 1, "97140": 1}, start=0))
    c.case("three-times-7.75", "three blocks of 7 minutes 45 seconds by the clock billed as two units")
    c.spare(c.visit(MEDICARE, "PT", by_the_clock(45), {"97112": 1, "97140": 1}, total=None))
    # 3 x 7:39 = 22:57, cut to 22 -> 1; 3 x 7:40 = 23:00 -> 2.
    c.case("three-times-7.75", "three blocks of 7 minutes 40 seconds by the clock billed as two units")
    c.spare(c.visit(MEDICARE, "PT", by_the_clock(40), {"97110": 1, "97112": 1}, total=None))
    c.case("three-times-7.75", "three blocks of 7 minutes 39 seconds by the clock billed as two units")
    v = c.visit(MEDICARE, "PT", by_the_clock(39), {"97110": 1, "97112": 1}, total=None)
    c.expect(v, OVER, "error", billed_units=2, expected_units=1, claim_id=v.claim)
    # AMA: a unit is attained once its midpoint of 450 seconds is passed. (451 + 449) // 900 = 1, (450 + 449) // 900
    # = 0.
    for seconds in (31, 30):
        c.case("midpoint-in-seconds", f"7 minutes {seconds} seconds of a second code billed to an AMA plan")
        blocks = [Block("97110", 30, at=(0, 30)), Block("97035", at=(30, 37), seconds=(0, seconds))]
        v = c.visit(PPO, "PT", blocks, {"97110": 2, "97035": 1}, total=None)
        if seconds == 31:
            c.spare(v)
        else:
            c.expect(v, OVER, "error", billed_units=3, expected_units=2, claim_id=v.claim)


def by_the_clock(seconds: int) -> list[Block]:
    """Three blocks of 7 minutes and some seconds, known by their clock times alone."""
    return [Block(code, at=(10 * i, 10 * i + 7), seconds=(0, seconds)) for i, code in enumerate(CODES)]


CASES = [parts_of_minutes]
