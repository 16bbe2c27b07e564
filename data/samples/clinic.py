"""The made-up clinic at work: when people are free, and the rows that a visit leaves behind."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from counting import TIMED_CODES, billed_codes, counted_minutes, lawful_units
from roster import (
    ASSISTANT,
    BILLING_PROVIDER,
    CHARGE_USD,
    CLINIC_OF,
    DAY_CAPS,
    DIAGNOSES,
    MEDICARE,
    METHODS,
    MODIFIER_OF,
    NARRATIVES,
    OPENING_MINUTE,
    PATIENT_COUNTS,
    THERAPISTS,
    Block,
    Visit,
)


@dataclass
class Clinic:
    """Free times, id counters and the rows written so far. `rng` gives only random(), whose sequence
    Python promises to keep from version to version."""

    rng: Any
    claims: list[dict] = field(default_factory=list)
    notes: list[dict] = field(default_factory=list)
    blocks: list[dict] = field(default_factory=list)
    ledger: list[dict] = field(default_factory=list)
    patients: list[tuple[str, str, str]] = field(default_factory=list)
    free_from: dict = field(default_factory=dict)
    taken: set = field(default_factory=set)
    closed: set = field(default_factory=set)
    turns: int = 0
    label: str = ""
    what: str = ""

    def __post_init__(self) -> None:
        everyone = [(d, p) for d, p, count in PATIENT_COUNTS for _ in range(count)]
        self.patients = [(f"P-{1001 + i}", d, p) for i, (d, p) in enumerate(everyone)]
        first = date(2026, 10, 1)
        month = [first + timedelta(days=i) for i in range(30)]
        self.days = [day for day in month if day.weekday() < 5]

    def pick(self, choices: list) -> Any:
        """One of `choices`, by the seeded generator."""
        return choices[int(self.rng.random() * len(choices))]

    # -- calendar ------------------------------------------------------------------------------
    def find(self, payer: str, discipline: str, provider: str, day: date | None = None) -> tuple[str, date]:
        """The patient of that payer and discipline with the fewest visits among those free, and the day;
        marks both taken. Without a day, the days take turns. Raises LookupError if nobody is free."""
        self.turns += 1
        start = (self.turns * 5) % len(self.days)
        days = [day] if day else self.days[start:] + self.days[:start]
        for candidate in days:
            if (provider, candidate) in self.closed and not day:
                continue
            free = [
                who
                for who, home, pays in self.patients
                if (home, pays) == (discipline, payer) and (who, candidate) not in self.taken
            ]
            if free:
                visits = Counter(who for who, _ in self.taken)
                who = min(free, key=lambda one: (visits[one], one))
                self.taken.add((who, candidate))
                return who, candidate
        raise LookupError(f"no free {discipline} patient of {payer}")

    def slot(self, day: date, length: int, *who: str) -> int:
        """The first minute of the day from which all of `who` are free for `length` minutes."""
        start = max(self.free_from.get((one, day), OPENING_MINUTE) for one in who)
        for one in who:
            self.free_from[one, day] = start + length
        return start

    # -- rows ----------------------------------------------------------------------------------
    def note(
        self,
        visit: Visit,
        blocks: list[Block],
        *,
        start: int | None = None,
        total: Any = "written",
        note_id: str = "",
        version: int | None = None,
        **fields: Any,
    ) -> str:
        """Write a note and its blocks; `total` is the stated total of timed minutes, None leaves it out."""
        note_id = note_id or f"N-{30001 + len({n['note_id'] for n in self.notes})}"
        blocks = lay_out(blocks)
        if start is None:
            length = max([b.at[1] for b in blocks if b.at] + [sum(b.written for b in blocks if not b.at)])
            others = {b.provider for b in blocks if b.provider}
            start = self.slot(visit.day, length, visit.provider, visit.patient, *sorted(others))
        written = sum(b.written for b in blocks if b.is_counted)
        row = {
            "note_id": note_id, "note_version": version or 1, "patient_id": visit.patient,
            "service_date": visit.day, "provider_id": visit.provider, "discipline": visit.discipline,
            "status": "signed", "signed_at": f"{visit.day}T19:30:00", "is_billable": "true",
            "total_timed_minutes": (written or None) if total == "written" else total,
            "diagnosis_codes": DIAGNOSES[visit.discipline][int(visit.patient[-1]) % 2],
            "clinic_id": CLINIC_OF[visit.provider], "narrative": self.pick(NARRATIVES[visit.discipline]),
        }  # fmt: skip
        row.update(fields)
        if row["status"] == "draft":
            row["signed_at"] = None
        self.notes.append(row)
        for number, block in enumerate(blocks, 1):
            self.blocks.append(block_row(row, number, block, start, version))
        visit.note = note_id
        return note_id

    def claim(self, visit: Visit, lines: Any, **fields: Any) -> str:
        """Write a claim: `lines` is {code: units}, or a list of dicts of claim columns."""
        claim_id = f"C-{20001 + len({c['claim_id'] for c in self.claims})}"
        if isinstance(lines, dict):
            lines = [{"procedure_code": code, "billed_units": units} for code, units in sorted(lines.items())]
        for number, line in enumerate(lines, 1):
            self.claims.append(claim_row(visit, claim_id, number, {**fields, **line}))
        visit.claim = visit.claim or claim_id
        return claim_id

    def bare(self, payer: str, discipline: str, provider: str = "", day: date | None = None) -> Visit:
        """A therapy day without note or claim yet, its patient and date taken."""
        provider = provider or THERAPISTS[discipline]
        patient, day = self.find(payer, discipline, provider, day)
        return Visit(patient, payer, day, discipline, provider)

    def visit(
        self,
        payer: str,
        discipline: str,
        blocks: list,
        billed: Any = "lawful",
        *,
        day: date | None = None,
        provider: str = "",
        patient: str = "",
        start: int | None = None,
        prefer: tuple[str, ...] = (),
        claim: dict | None = None,
        **note: Any,
    ) -> Visit:
        """A whole visit: note, blocks and, unless `billed` is None, its claim.

        `blocks` holds Blocks or (code, minutes) pairs. `billed` "lawful" counts the units by the payer's
        method; `prefer` decides a tie. Returns the visit with its ids."""
        provider = provider or THERAPISTS[discipline]
        if not patient:
            patient, day = self.find(payer, discipline, provider, day)
        visit = Visit(patient, payer, day, discipline, provider)
        blocks = [b if isinstance(b, Block) else Block(*b) for b in blocks]
        self.note(visit, blocks, start=start, **note)
        if billed == "lawful":
            billed = honest_units(payer, lay_out(blocks), prefer)
        if billed:
            self.claim(visit, billed, **(claim or {}))
        return visit

    # -- ledger --------------------------------------------------------------------------------
    def case(self, label: str, what: str) -> None:
        """Name the case that the next rows of the ledger belong to."""
        self.label, self.what = label, what

    def expect(self, visit: Visit, rule_id: str, severity: str, **keys: Any) -> None:
        """A finding that follows from the case. Ids that the rule's own subject lacks may be left out."""
        about = {"service_date": visit.day, "patient_id": visit.patient, "discipline": visit.discipline}
        self.ledger.append({"case": self.label, "kind": "finding", "what": self.what, "rule_id": rule_id,
                            "severity": severity, **about, **keys})  # fmt: skip

    def spare(self, visit: Visit, kind: str = "lawful", **keys: Any) -> None:
        """A day that looks wrong and must not be accused: lawful, unjudged, or with a quarantined row."""
        self.ledger.append({"case": self.label, "kind": kind, "what": self.what, "service_date": visit.day,
                            "patient_id": visit.patient, "discipline": visit.discipline,
                            "note_id": visit.note, "claim_id": visit.claim, **keys})  # fmt: skip


def lay_out(blocks: list[Block]) -> list[Block]:
    """Give each block without a clock stretch of its own the one that follows the last."""
    end = 0
    for block in blocks:
        if block.at is None:
            block.at = (end, end + (block.minutes or 10))
        end = max(end, block.at[1] if block.at else 0)
    return blocks


def honest_units(payer: str, blocks: list[Block], prefer: tuple[str, ...] = ()) -> dict[str, int]:
    """What an honest biller bills for these blocks: lawful units up to the plan's day cap, and each
    untimed code once. For blocks that do not overlap and whose stated minutes fit their clock."""
    timed = [(b.code, b.written) for b in blocks if b.is_counted]
    units = lawful_units(METHODS[payer], counted_minutes(timed), prefer)
    while sum(units.values()) > DAY_CAPS.get(payer, 99):
        most = max(sorted(units), key=lambda code: units[code])
        units[most] -= 1
    billed = billed_codes({code: count for code, count in units.items() if count})
    untimed = {b.code for b in blocks if b.code not in TIMED_CODES}
    if payer == MEDICARE:  # pays G0283 in place of 97014, and never 97010 (MUE 0)
        untimed = {"G0283" if code == "97014" else code for code in untimed} - {"97010"}
    return billed | dict.fromkeys(untimed, 1)


def clock_text(note: dict, minute: int, seconds: int | None) -> str:
    """A clock time as the clinic's two record systems write it: CL-B's speech records use full timestamps."""
    text = f"{minute // 60:02d}:{minute % 60:02d}"
    if seconds is not None:
        return f"{text}:{seconds:02d}"
    return f"{note['service_date']}T{text}:00" if note["discipline"] == "SLP" else text


def block_row(note: dict, number: int, block: Block, start: int, version: int | None) -> dict:
    """One row of note_blocks.csv."""
    began, ended = block.seconds or (None, None)
    provider = block.provider or note["provider_id"]
    return {
        "note_id": note["note_id"], "block_number": number, "procedure_code": block.code,
        "note_version": version, "minutes": block.minutes,
        "started_at": clock_text(note, start + block.at[0], began) if block.at else None,
        "ended_at": clock_text(note, start + block.at[1], ended) if block.at else None,
        "delivery": block.delivery, "provider_id": block.provider,
        "provider_role": "assistant" if provider == ASSISTANT else "therapist",
        "description": block.description,
    }  # fmt: skip


def claim_row(visit: Visit, claim_id: str, number: int, given: dict) -> dict:
    """One row of claims.csv. An assistant's work is billed under the therapist, with CQ."""
    by_assistant = visit.provider == ASSISTANT
    modifier = MODIFIER_OF[visit.discipline] + (";CQ" if by_assistant else "")
    row = {
        "claim_id": claim_id, "line_number": number, "patient_id": visit.patient, "payer_id": visit.payer,
        "service_date": visit.day,
        "rendering_provider_id": THERAPISTS["PT"] if by_assistant else visit.provider,
        "billing_provider_id": BILLING_PROVIDER, "modifiers": modifier, "discipline": visit.discipline,
        "claim_type": "professional", "claim_frequency_code": 1, "claim_status": "paid", "payer_order": 1,
        "unit_basis": "UN", "place_of_service": "11", "clinic_id": CLINIC_OF[visit.provider],
        "diagnosis_codes": DIAGNOSES[visit.discipline][int(visit.patient[-1]) % 2],
    }  # fmt: skip
    row.update(given)
    cents = CHARGE_USD.get(row["procedure_code"], 60) * 100
    cents *= row["billed_units"] if isinstance(row["billed_units"], int) else 1
    paid = row["claim_status"] == "paid"
    row["charge_usd"] = dollars(cents)
    row["allowed_usd"] = dollars(cents * 60 // 100) if paid else None
    row["paid_usd"] = dollars(cents * 48 // 100) if paid else None
    return row


def dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
