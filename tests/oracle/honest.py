"""Random honest days: a random lawful reading of a random note, billed exactly as it says.

Every day has a patient and clinicians of its own. What is lawful is read from the rule book, sections 1 to 6, by the
section that each kind names; the counting is the oracle's own. No rule may say a word about any of them, ALLOWED
aside."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from . import units

AS_OF = date(2026, 11, 20)
FIRST_DAY, DAYS = date(2026, 10, 5), 30
#: Days so few before AS_OF may still be billed (`billing_lag_days` is 5).
STILL_TO_BILL = 4
#: Payers by counting method: MEDICARE as shipped and CAPPED under CMS, AMA of the reference below, any other unknown.
CMS_PAYERS = {"MEDICARE", "CAPPED"}
DAY_CAP = 4
ALWAYS = {"effective_from": date(2016, 1, 1), "effective_to": None}
REFERENCE = {
    "payer_method": [
        {
            "payer_id": payer_id,
            "counting_method": method,
            "follows_mue": False,
            "timed_units_per_day_cap": cap,
            **ALWAYS,
        }
        for payer_id, method, cap in (("AMA", "ama_midpoint", None), ("CAPPED", "cms_8_minute", DAY_CAP))
    ],
    "code_cap": [
        {"procedure_code": "97535", "payer_id": "CAPPED", "cap_units": 2, "adjudication_indicator": 3, **ALWAYS}
    ],
}
#: Caps on one code's units a day: the MUE of a payer that follows it, and a payer's own row above.
CODE_CAPS = [("MEDICARE", "PT", "97112", 4), ("MEDICARE", "PT", "97110", 6), ("CAPPED", "OT", "97535", 2)]
TIMED = {"PT": ["97110", "97112", "97116", "97140", "97530"], "OT": ["97110", "97530", "97535", "97112"]}
MODIFIER = {"PT": "GP", "OT": "GO"}
BY_ASSISTANT = {"PT": "GP;CQ", "OT": "GO;CO"}
EVALUATION = {"PT": "97161", "OT": "97165"}
#: A date that is none: its row is set aside (section 2).
NO_DATE = "2026-13-45"
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
            if not n:
                continue
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
    if payer_id not in CMS_PAYERS and sum(by_ama.values()) > sum(split.values()):
        return by_ama
    return split


def most(payer_id, seconds, codes):
    """The most units of time whose split over so many codes nobody knows (section 4)."""
    return units.cms(seconds) if payer_id in CMS_PAYERS else units.pooled_most(seconds, codes)


def handed_out(rng, n, codes):
    """So many units over the codes, at least one each as far as they go."""
    return Counter(codes[:n]) + Counter(rng.choices(codes, k=max(n - len(codes), 0)))


def plain(rng, day, discipline="PT", at=9 * 3600, hows=("minutes", "clock", "both"), **note):
    """A note of one to three codes, by minutes or clock, with or without a total; its seconds by code."""
    by_code = {}
    finer = rng.random() < 0.3
    note_id = day.note(discipline, **note)
    how = rng.choice(hows)
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
    """A note without blocks, for Medicare asks for the total (section 3), billed by what its codes make at most
    (section 4)."""
    minutes = rng.randint(8, 52)
    day.note(total_timed_minutes=minutes)
    named = max(k for k in (1, 2, 3) if most(day.payer_id, minutes * 60, k) >= k)
    codes = rng.sample(TIMED["PT"], rng.randint(1, named))
    day.bill(handed_out(rng, most(day.payer_id, minutes * 60, len(codes)), codes))


def session_clock(rng, day):
    """Two codes under one clock: their minutes are the clock's, once (section 3)."""
    seconds, note_id, codes = 60 * rng.randint(15, 52), day.note(), rng.sample(TIMED["PT"], 2)
    for code in codes:
        day.block(note_id, code, seconds, 9 * 3600, stated=False)
    day.bill(handed_out(rng, most(day.payer_id, seconds, 2), codes))


def session_clock_with_evaluation(rng, day):
    """One clock for an evaluation and two codes, one of which says its minutes: what the evaluation took of the rest
    only the therapist knows (section 3, session clock: it is not sure)."""
    seconds, stated, note_id = 60 * rng.randint(30, 60), 60 * rng.randint(8, 20), day.note()
    first, second = rng.sample(TIMED["PT"], 2)
    day.block(note_id, first, seconds, 9 * 3600, stated=False, minutes=stated // 60)
    day.block(note_id, second, seconds, 9 * 3600, stated=False)
    day.block(note_id, "97161", seconds, 9 * 3600, stated=False)
    treated = rng.randint(0, (seconds - stated) // 60) * 60
    day.bill({**lawful(rng, day.payer_id, {first: stated, second: treated}), "97161": 1})


def past_midnight(rng, day):
    """Treated from before midnight until after it: minutes are end less start (section 3). By the contract a whole
    timestamp begins on the note's date, so what begins after midnight has bare times."""
    midnight, by_code, note_id = datetime.combine(day.day, datetime.min.time()) + timedelta(days=1), {}, day.note()
    at = midnight - timedelta(minutes=rng.randint(1, 20))
    for code in rng.sample(TIMED["PT"], rng.randint(1, 2)):
        shape = rng.choice(["%H:%M:%S", "%Y-%m-%d %H:%M:%S"]) if at < midnight else "%H:%M:%S"
        seconds = 60 * rng.randint(21, 40)
        end = at + timedelta(seconds=seconds)
        day.block(note_id, code, started_at=f"{at:{shape}}", ended_at=f"{end:{shape}}")
        by_code[code], at = seconds, end
    day.bill(lawful(rng, day.payer_id, by_code))


def treated_together(rng, day):
    """Two disciplines treat for 30 minutes together and share the two units, on one claim or on two."""
    apart = rng.random() < 0.5
    for discipline in ("PT", "OT"):
        day.block(day.note(discipline), "97530", 1800, 9 * 3600, stated=rng.random() < 0.5)
        day.bill({"97530": 1}, discipline, claim=f"C-{discipline}" if apart else "C1")


def together_billed_by_one(rng, day):
    """Two disciplines treat together and one of them bills all of it (section 3, co-treatment). The other documents the
    same clock and bills nothing or its evaluation alone; or it documents minutes and there is still time to bill
    (section 2, billing lag)."""
    other_does = rng.choice(["nothing", "evaluation", "wait"])
    if other_does == "wait":
        day.day = AS_OF - timedelta(days=rng.randint(0, STILL_TO_BILL))
    biller, other = rng.sample(["PT", "OT"], 2)
    by_code = plain(rng, day, biller, hows=("clock", "both"))
    day.bill(lawful(rng, day.payer_id, by_code), biller)
    note_id, together = day.note(other), sum(by_code.values())
    if other_does == "wait":
        day.block(note_id, "97530", together)
    else:
        day.block(note_id, "97530", together, 9 * 3600, stated=rng.random() < 0.5)
    if other_does == "evaluation":
        day.block(note_id, EVALUATION[other])
        day.bill({EVALUATION[other]: 1}, other, claim=rng.choice(["C1", "C2"]))


def disciplines_apart(rng, day):
    """Two disciplines one after the other, each billed for its own time."""
    for discipline, at in (("PT", 9 * 3600), ("OT", 13 * 3600)):
        day.bill(lawful(rng, day.payer_id, plain(rng, day, discipline, at)), discipline, claim=f"C-{discipline}")


def two_visits(rng, day):
    """Two visits on one date, each on a claim of its own, are one therapy day (section 1): units of both together."""
    by_code = Counter(plain(rng, day)) + Counter(plain(rng, day, at=14 * 3600))
    for code, n in lawful(rng, day.payer_id, by_code).items():
        first = rng.randint(0, n)
        day.bill({code: first}, claim="C1")
        day.bill({code: n - first}, claim="C2")


def two_primary_payers(rng, day):
    """Two visits on one date, each of another payer's case and of a unit at least: the unit rules leave the day
    unjudged (section 4), and `day_billed_to_several_payers` asks for a look (section 6, review)."""
    for payer_id, at in (("MEDICARE", 9 * 3600), (rng.choice(["AMA", "SOMEBODY"]), 14 * 3600)):
        code, seconds = rng.choice(TIMED["PT"]), 60 * rng.randint(8, 40)
        day.block(day.note(), code, seconds, at, stated=rng.random() < 0.5)
        day.bill(lawful(rng, payer_id, {code: seconds}), claim=f"C-{payer_id}", payer_id=payer_id)


def beside_not_billable(rng, day):
    """A note not billable, void or a draft beside the counting one: it supports and holds nothing (section 2)."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    why = rng.choice([{"is_billable": False}, {"status": "void"}, {"status": "draft"}])
    discipline = rng.choice(["PT", "OT"])
    note_id = day.note(discipline, **why)
    day.block(note_id, "97530", 1800, rng.choice([None, 9 * 3600]))
    day.block(note_id, EVALUATION[discipline])
    day.bill(split)


def payer_day_cap(rng, day):
    """More minutes than the payer pays for, billed up to its cap on all timed units (section 5): a cap in the way is no
    lost revenue (section 6)."""
    day.payer_id = "CAPPED"
    note_id, by_code = day.note(), {}
    for code in rng.sample(TIMED["PT"], 3):
        by_code[code] = 60 * rng.randint(20, 40)
        day.block(note_id, code, by_code[code])
    split = lawful(rng, day.payer_id, by_code)
    while sum(split.values()) > DAY_CAP:
        split[rng.choice([code for code, n in split.items() if n])] -= 1
    day.bill(split)


def code_day_cap(rng, day):
    """One code up to the MUE or the payer's own cap on it, with minutes for as many units or more (section 5)."""
    day.payer_id, discipline, code, cap = rng.choice(CODE_CAPS)
    day.block(day.note(discipline), code, cap * 900 + 60 * rng.randint(0, 25))
    day.bill({code: cap}, discipline)


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


def replaced_in_turn(rng, day):
    """A wrong or denied claim, replaced, and its replacement replaced again, each by the payer's number: the last one
    stands (section 2)."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    wrong, number = {code: n + 1 for code, n in split.items()}, f"{day.patient_id}-ICN"
    status = rng.choice(["paid", "denied"])
    day.bill(wrong, claim="C1", payer_claim_id=f"{number}1", claim_status=status)
    again = {"claim_frequency_code": "7", "original_claim_id": f"{number}1", "payer_claim_id": f"{number}2"}
    day.bill(wrong, claim="C2", **again)
    day.bill(split, claim="C3", claim_frequency_code="7", original_claim_id=f"{number}2")


def late_charges(rng, day):
    """Units that a claim forgot, on an interim claim or one of late charges: it bills as it stands, whatever claim it
    names (section 2)."""
    for code, n in lawful(rng, day.payer_id, plain(rng, day)).items():
        late = rng.randint(0, n)
        day.bill({code: n - late})
        names = rng.choice([{}, {"original_claim_id": f"{day.patient_id}-C1"}])
        day.bill({code: late}, claim="C2", claim_frequency_code=rng.choice("2345"), **names)


def by_assistant(rng, day):
    """A therapist and an assistant one after the other: what the assistant did bears CQ or CO, on a line of its own
    (the same code with other modifiers is not split, section 6)."""
    discipline = rng.choice(["PT", "OT"])
    note_id, at, by_code, roles = day.note(discipline), 9 * 3600, Counter(), {}
    for role in ("therapist", "assistant"):
        for code in rng.sample(TIMED[discipline], rng.randint(1, 2)):
            seconds = 60 * rng.randint(7, 30)
            who = {"provider_role": role, "provider_id": f"{day.patient_id}-{role}"}
            day.block(note_id, code, seconds, at, stated=rng.random() < 0.5, **who)
            by_code[code] += seconds
            at += seconds
            roles.setdefault(code, []).append(role)
    for code, n in lawful(rng, day.payer_id, by_code).items():
        assisted = rng.randint(0, n) if len(roles[code]) == 2 else n * (roles[code] == ["assistant"])
        day.bill({code: n - assisted}, discipline)
        day.bill({code: assisted}, discipline, modifiers=BY_ASSISTANT[discipline])


def denied_or_secondary(rng, day):
    """The same lines once more, denied, to a secondary payer, or on a claim that bills nothing (section 2)."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    day.bill(split)
    more = [{"claim_status": "denied"}, {"payer_order": 2, "payer_id": "SECOND"}, {"claim_frequency_code": "0"}]
    day.bill(split, claim="C2", **rng.choice(more))


def coordinated(rng, day):
    """Coordination of benefits: the secondary's and the tertiary's lines repeat the primary's, which may have been
    denied, on its claim or on their own (section 2)."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    day.bill(split, claim_status=rng.choice(["paid", "paid", "denied"]))
    for order in range(2, rng.randint(3, 4)):
        payer_id = rng.choice(["MEDICARE", "AMA", "SOMEBODY"])
        day.bill(split, claim=rng.choice(["C1", f"C{order}"]), payer_order=order, payer_id=payer_id)


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


def beside_undated(rng, day):
    """A row of the patient whose date cannot be read, beside an honest day, or the day's own note or claim is that row:
    every date of the patient is unjudged (section 2)."""
    split = lawful(rng, day.payer_id, plain(rng, day))
    undated = rng.choice(["note", "claim", "another note", "another claim"])
    if undated == "another note":
        day.block(day.note(service_date=NO_DATE), "97110", 900)
    elif undated == "another claim":
        day.bill({"97110": 1}, claim="C2", service_date=NO_DATE)
    day.bill(split, **({"service_date": NO_DATE} if undated == "claim" else {}))
    if undated == "note":
        day.notes[0]["service_date"] = NO_DATE


KINDS = {
    rule.__name__: rule
    for rule in (
        as_noted,
        beside_untimed,
        student,
        by_assistant,
        total_only,
        session_clock,
        session_clock_with_evaluation,
        past_midnight,
        treated_together,
        together_billed_by_one,
        disciplines_apart,
        two_visits,
        two_primary_payers,
        beside_not_billable,
        payer_day_cap,
        code_day_cap,
        amended,
        corrected,
        replaced_in_turn,
        late_charges,
        denied_or_secondary,
        coordinated,
        unlisted_beside,
        spanning,
        beside_undated,
    )
}
#: What may be said of an honest day, by kind: the rule book, section 6, asks for a look at it.
ALLOWED = {("two_primary_payers", "day_billed_to_several_payers", "review")}


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
