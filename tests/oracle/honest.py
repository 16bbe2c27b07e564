"""Random honest days: a random lawful reading of a random note, billed exactly as it says.

Every day has a patient and clinicians of its own. What is lawful is read from the rule book, sections 2 to 5; the
counting is the oracle's own. No rule may say a word about any of them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from . import units

AS_OF = date(2026, 11, 20)
FIRST_DAY, DAYS = date(2026, 10, 5), 30
#: Payers by counting method: MEDICARE as shipped, AMA of the reference below, any other one unknown.
REFERENCE = {
    "payer_method": [
        {
            "payer_id": "AMA",
            "counting_method": "ama_midpoint",
            "follows_mue": False,
            "timed_units_per_day_cap": None,
            "effective_from": date(2016, 1, 1),
            "effective_to": None,
        }
    ]
}
TIMED = {"PT": ["97110", "97112", "97116", "97140", "97530"], "OT": ["97110", "97530", "97535", "97112"]}
MODIFIER = {"PT": "GP", "OT": "GO"}
NOT_COUNTED = [{"provider_role": "aide"}, {"delivery": "independent"}, {"delivery": "documentation"}]


@dataclass
class Day:
    """One honest day: its kind, and the rows of its claims, notes and blocks."""

    kind: str
    patient_id: str
    day: date
    payer_id: str
    claims: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    blocks: list = field(default_factory=list)

    def note(self, discipline="PT", **more):
        """Append a signed note; its id."""
        note_id = f"{self.patient_id}-N{len(self.notes)}"
        row = {"note_id": note_id, "patient_id": self.patient_id, "service_date": self.day, "status": "signed"}
        row |= {"provider_id": f"{self.patient_id}-{discipline}", "discipline": discipline}
        self.notes.append(row | more)
        return note_id

    def block(self, note_id, code, seconds=None, at=None, stated=True, **more):
        """Append a block of so many seconds, by its minutes, by its clock from second `at` on, or by both."""
        number = sum(1 for row in self.blocks if row["note_id"] == note_id) + 1
        row = {"note_id": note_id, "block_number": number, "procedure_code": code}
        if seconds is not None and (stated or at is None):
            row["minutes"] = (Decimal(seconds) / 60).quantize(Decimal("0.0001"))
        if seconds is not None and at is not None:
            row |= {"started_at": _time(at), "ended_at": _time(at + seconds)}
        self.blocks.append(row | more)

    def bill(self, units_by_code, discipline="PT", claim="C1", **more):
        """Append one line a code to a claim; the rows."""
        found = []
        for code, n in units_by_code.items():
            claim_id = f"{self.patient_id}-{claim}"
            number = sum(1 for row in self.claims if row["claim_id"] == claim_id) + 1
            row = {"claim_id": claim_id, "line_number": number, "patient_id": self.patient_id}
            row |= {"payer_id": self.payer_id, "service_date": self.day, "procedure_code": code, "billed_units": n}
            row |= {"modifiers": MODIFIER[discipline], "rendering_provider_id": f"{self.patient_id}-{discipline}"}
            self.claims.append(row | {"billing_provider_id": "B1", "charge_usd": 40 * n} | more)
            found.append(self.claims[-1])
        return found


def lawful(rng, payer_id, seconds_by_code):
    """A lawful split of the time by the payer's method; of a payer that nobody told us of, by the larger count."""
    by_cms = units.cms_splits(units.cms(sum(seconds_by_code.values())), seconds_by_code)
    by_ama = units.ama_split(seconds_by_code)
    if payer_id == "AMA":
        return by_ama
    split = rng.choice(by_cms) if by_cms else {}
    if payer_id != "MEDICARE" and sum(by_ama.values()) > sum(split.values()):
        return by_ama
    return split


def plain(rng, day, discipline="PT", at=9 * 3600, **note):
    """A note of one to three codes, by minutes or clock, with or without a total; its seconds by code."""
    by_code = {}
    finer = rng.random() < 0.3
    note_id = day.note(discipline, **note)
    how = rng.choice(["minutes", "clock", "both"])
    for code in rng.sample(TIMED[discipline], rng.randint(1, 3)):
        seconds = 60 * rng.choice([7, 8, 10, 15, 15, 20, 22, 23, 24, 30])
        if finer:
            seconds += rng.choice([30, 45, 59, 1])
        day.block(note_id, code, seconds, None if how == "minutes" else at, how != "clock")
        by_code[code], at = seconds, at + seconds
    if rng.random() < 0.4:
        day.notes[-1]["total_timed_minutes"] = sum(by_code.values()) // 60
    return by_code


def as_noted(rng, day):
    """Billed as noted, on one claim or on one for each code."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    apart = rng.random() < 0.3
    for number, (code, n) in enumerate(split.items()):
        day.bill({code: n}, claim=f"C{number if apart else 1}")


def beside_untimed(rng, day):
    """An evaluation or unattended stimulation beside the timed codes, and time that does not count."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    note_id = day.notes[-1]["note_id"]
    code = rng.choice(["97161", "97162", "G0283", "97150"])
    day.block(note_id, code, 20 * 60, delivery="group" if code == "97150" else "supervised")
    day.block(note_id, "97110", 10 * 60, **rng.choice(NOT_COUNTED))
    day.bill({**split, code: 1})


def student(rng, day):
    """A student in the line of sight of the therapist: the therapist's time."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    for row in day.blocks:
        row["provider_role"] = rng.choice(["student", "assistant", "therapist"])
    day.bill(split)


def total_only(rng, day):
    """A note without blocks: Medicare asks for the total."""
    day.payer_id = "MEDICARE"
    minutes = rng.randint(8, 52)
    day.note(total_timed_minutes=minutes)
    day.bill({rng.choice(TIMED["PT"]): units.cms(minutes * 60)})


def session_clock(rng, day):
    """Two codes under one clock: their minutes are the clock's, once."""
    day.payer_id = "MEDICARE"
    seconds, note_id = 60 * rng.randint(15, 52), day.note()
    for code in ("97110", "97140"):
        day.block(note_id, code, seconds, 9 * 3600, stated=False)
    n = units.cms(seconds)
    first = rng.randint(0, n)
    day.bill({code: k for code, k in (("97110", first), ("97140", n - first)) if k})


def treated_together(rng, day):
    """Two disciplines treat for 30 minutes together and share the two units, on one claim or on two."""
    apart = rng.random() < 0.5
    for discipline in ("PT", "OT"):
        day.block(day.note(discipline), "97530", 1800, 9 * 3600, stated=rng.random() < 0.5)
        day.bill({"97530": 1}, discipline, claim=f"C-{discipline}" if apart else "C1")


def disciplines_apart(rng, day):
    """Two disciplines one after the other, each billed for its own time."""
    for discipline, at in (("PT", 9 * 3600), ("OT", 13 * 3600)):
        day.bill(lawful(rng, day.payer_id, plain(rng, day, discipline, at)), discipline, claim=f"C-{discipline}")


def amended(rng, day):
    """An amended note, billed as amended, and a draft of a later version."""
    split = lawful(rng, day.payer_id, plain(rng, day, note_version=2, status=rng.choice(["amended", "signed"])))
    other = day.notes[-1] | {"total_timed_minutes": 5}
    day.notes.append(other | {"note_version": 1, "status": rng.choice(["draft", "signed"])})
    day.notes.append(other | {"note_version": 3, "status": "draft"})
    for row in day.blocks:
        row["note_version"] = 2
    day.bill(split)


def corrected(rng, day):
    """A wrong claim, voided and billed anew or replaced, by the claim's own number or by the payer's."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    wrong = {code: n + 1 for code, n in split.items()}
    day.bill(wrong, claim="C1", payer_claim_id=f"{day.patient_id}-ICN")
    named = rng.choice(["C1", "ICN"])
    fate = {"original_claim_id": f"{day.patient_id}-{named}"}
    if rng.random() < 0.5:
        day.bill(split, claim="C2", claim_frequency_code=rng.choice(["7", "6"]), **fate)
    else:
        day.bill(wrong, claim="C2", claim_frequency_code="8", **fate)
        day.bill(split, claim="C3")


def denied_or_secondary(rng, day):
    """The same lines once more, denied, or to a secondary payer."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    day.bill(split)
    more = rng.choice([{"claim_status": "denied"}, {"payer_order": 2, "payer_id": "SECOND"}])
    day.bill(split, claim="C2", **more)


def unlisted_beside(rng, day):
    """A code that nobody knows and an office visit, billed beside therapy."""
    day.bill(lawful(rng, day.payer_id, plain(rng, day)))
    day.bill({"97799": 1, "99213": 1}, claim="C2")


def spanning(rng, day):
    """One line over three dates, each with its own note."""
    day.payer_id = "MEDICARE"
    for days in range(3):
        day.block(day.note(service_date=day.day + timedelta(days=days)), "97110", 900)
    day.bill({"97110": 3}, service_date_to=day.day + timedelta(days=2))


KINDS = {
    rule.__name__: rule
    for rule in (
        as_noted,
        beside_untimed,
        student,
        total_only,
        session_clock,
        treated_together,
        disciplines_apart,
        amended,
        corrected,
        denied_or_secondary,
        unlisted_beside,
        spanning,
    )
}


def honest_days(rng, count):
    """So many honest days of all kinds in turn, each of a patient of its own."""
    found = []
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        payer_id = rng.choice(["MEDICARE", "MEDICARE", "AMA", "SOMEBODY"])
        day = Day(kind, f"P{number}", FIRST_DAY + timedelta(days=rng.randrange(DAYS)), payer_id)
        KINDS[kind](rng, day)
        found.append(day)
    return found


def _time(total):
    return f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
