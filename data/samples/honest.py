"""The honest rest of the month: lawful visits around the planted cases."""

from datetime import date

from clinic import Clinic
from roster import ASSISTANT, CAP4, MEDICARE, PPO, Block

TIMED = {"PT": ["97110", "97112", "97140", "97530", "97116"], "OT": ["97530", "97535", "97110", "97140"],
         "SLP": ["97129"]}  # fmt: skip
UNTIMED = {"PT": ["97014", "97010", "97161"], "OT": ["97010", "97165"], "SLP": ["92507", "92526"]}
LENGTHS = [8, 9, 10, 12, 14, 15, 15, 16, 18, 20, 22, 23, 25, 28, 30]
VISITS_A_DAY = [("PT-01", "PT", 4), ("PTA-02", "PT", 3), ("OT-03", "OT", 2), ("SLP-04", "SLP", 2)]
PAYERS = [MEDICARE, MEDICARE, PPO, CAP4]


def honest_month(c: Clinic) -> None:
    """A few lawful visits a day for each clinician, wherever a patient is free."""
    for day in c.days:
        for provider, discipline, count in VISITS_A_DAY:
            if (provider, day) in c.closed:
                continue
            for _ in range(count):
                honest_visit(c, day, provider, discipline)


def honest_visit(c: Clinic, day: date, provider: str, discipline: str) -> None:
    payer = c.pick(PAYERS)
    try:
        v = c.bare(payer, discipline, provider, day)
    except LookupError:  # everybody of that plan is here already
        return
    total = c.pick(["written", "written", "written", None])
    # A claim without modifiers is settled by the note's discipline; Medicare always wants them.
    plain = payer == PPO and provider != ASSISTANT and c.rng.random() < 0.4
    claim = {"modifiers": None, "discipline": None} if plain else {}
    claim["claim_status"] = c.pick(["paid"] * 9 + ["pending"])
    c.visit(payer, discipline, honest_blocks(c, discipline, provider), day=day, provider=provider,
            patient=v.patient, total=total, claim=claim)  # fmt: skip


def honest_blocks(c: Clinic, discipline: str, provider: str) -> list[Block]:
    """One to three timed blocks, at least 15 minutes in all, and sometimes an untimed one."""
    codes = list(TIMED[discipline])
    blocks: list[Block] = []
    way = c.pick(["both", "both", "both", "stated", "clock", "rests"])
    while sum(b.written for b in blocks) < 15 or (codes and len(blocks) < 3 and c.rng.random() < 0.6):
        code = codes.pop(int(c.rng.random() * len(codes))) if codes else TIMED[discipline][0]
        blocks.append(honest_block(c, code, way, max([0] + [b.at[1] for b in blocks if b.at])))
    if discipline == "SLP" or c.rng.random() < 0.25:
        may = 2 if provider == ASSISTANT else 3  # an assistant does not evaluate
        code = c.pick(UNTIMED[discipline][:may])
        blocks.append(Block(code, at=None if way != "stated" else False,
                            delivery="supervised" if code in ("97014", "97010") else ""))  # fmt: skip
    return blocks


def honest_block(c: Clinic, code: str, way: str, begin: int) -> Block:
    """A block written in one of the ways record systems do: stated and clock, either alone, or with rests."""
    minutes = c.pick(LENGTHS)
    if way == "stated":
        return Block(code, minutes, at=False)
    rest = 1 + int(c.rng.random() * 5) if way == "rests" else 0
    return Block(code, None if way == "clock" else minutes, at=(begin, begin + minutes + rest))


# Last, so that planted cases find their patients free.
CASES = [honest_month]
