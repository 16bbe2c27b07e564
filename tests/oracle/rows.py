"""Canonical rows as small objects: missing keys filled in, all time in whole seconds."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

PROSE_MINUTES = re.compile(
    r"\d\s*-?\s*(?:min|mins|minutes?|hrs?|hours?)\b|\d{1,2}:\d\d\s*(?:-|–|to)\s*\d{1,2}:\d\d", re.I
)
LONGEST_PAST_MIDNIGHT = 4 * 3600


def as_date(value):
    """A date from a date or an ISO text; None stays None."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_seconds(minutes):
    """Minutes (any number, or its text) as whole seconds, to the nearest; None stays None."""
    if minutes is None:
        return None
    return int((Decimal(str(minutes)) * 60).quantize(Decimal(1), ROUND_HALF_UP))


def speaks_of_minutes(row, column):
    """The row's own mark where it has one, else whether its prose holds minutes, hours or clock ranges."""
    if row.get("has_minutes_in_prose") is not None:
        return bool(row["has_minutes_in_prose"])
    return bool(PROSE_MINUTES.search(row.get(column) or ""))


@dataclass(eq=False)
class Line:
    """One claim line. `units` are billed units; `discipline` is filled in once it is settled."""

    claim_id: str
    line_number: int
    patient_id: str
    payer_id: str
    day: date
    last_day: date
    code: str
    units: int
    rendering: str | None
    billing: str | None
    modifiers: frozenset
    stated_discipline: str | None
    professional: bool
    date_is_the_claims: bool
    frequency: str
    original: str | None
    payers_number: str | None
    denied: bool
    pending: bool
    payer_order: int
    charge: object
    allowed: object
    paid: object
    discipline: str | None = None

    @property
    def set_aside(self):
        """Denied, or a secondary payer's: it bills nothing but may spare its day."""
        return self.denied or self.payer_order > 1

    @property
    def days(self):
        """Every date the line spans."""
        count = max((self.last_day - self.day).days, 0)
        return [self.day + timedelta(days=n) for n in range(count + 1)]


@dataclass(eq=False)
class Note:
    """One version of a note; `blocks` are those that belong to this version. `total` (stated total of timed
    minutes) and `treatment` (of all minutes) are seconds. `therapy_day` is filled in once the note counts."""

    note_id: str
    patient_id: str
    day: date
    provider_id: str
    discipline: str
    version: int
    status: str | None
    total: int | None
    treatment: int | None
    billable: bool
    justification: str | None
    prose: bool
    blocks: list = field(default_factory=list)
    therapy_day: object = None


@dataclass(eq=False)
class Credit:
    """Seconds credited to a block in one crediting: at first, and with rests given back."""

    first: int = 0
    full: int = 0


@dataclass(eq=False)
class Block:
    """One block. `stated` is seconds; `start` and `end` are seconds since midnight of the service date, None
    without a clock. What a session's clock leaves (`held`) and the credits in the note, on the therapy day and
    on the patient's date are filled in later."""

    note_id: str
    number: int
    version: int | None
    code: str
    stated: int | None
    start: int | None
    end: int | None
    delivery: str
    aide: bool
    provider_id: str | None
    prose: bool
    note: Note | None = None
    session: list = field(default_factory=list)
    held: int | None = None
    in_note: Credit = field(default_factory=Credit)
    on_day: Credit = field(default_factory=Credit)
    on_date: Credit = field(default_factory=Credit)

    @property
    def span(self):
        """(start, end) of its clock, None without one."""
        return None if self.start is None else (self.start, self.end)

    @property
    def clock(self):
        """Seconds of its clock, None without one."""
        return None if self.start is None else self.end - self.start

    @property
    def is_unmeasured(self):
        """True where neither minutes nor a clock are written."""
        return self.stated is None and self.start is None

    @property
    def written(self):
        """Seconds written: stated, else what it holds of a session's clock, else clock, else 0."""
        if self.stated is not None:
            return self.stated
        if self.held is not None:
            return self.held
        return self.clock or 0

    @property
    def worth(self):
        """What the block can be credited at most."""
        return self.written if self.clock is None else min(self.written, self.clock)

    @property
    def clinician(self):
        """Who delivered it: its own provider, else its note's."""
        return self.provider_id or self.note.provider_id


def read_line(row):
    """A claim line from a dict of canonical columns."""
    modifiers = row.get("modifiers") or ""
    return Line(
        claim_id=row["claim_id"],
        line_number=row["line_number"],
        patient_id=row["patient_id"],
        payer_id=row["payer_id"],
        day=as_date(row["service_date"]),
        last_day=as_date(row.get("service_date_to") or row["service_date"]),
        code=row["procedure_code"],
        units=row["billed_units"],
        rendering=row.get("rendering_provider_id"),
        billing=row.get("billing_provider_id"),
        modifiers=frozenset(m.strip().upper() for m in modifiers.split(";") if m.strip()),
        stated_discipline=row.get("discipline"),
        professional=(row.get("claim_type") or "professional") == "professional",
        date_is_the_claims=row.get("service_date_basis") == "claim",
        frequency=_frequency(row.get("claim_frequency_code")),
        original=row.get("original_claim_id"),
        payers_number=row.get("payer_claim_id"),
        denied=row.get("claim_status") == "denied",
        pending=row.get("claim_status") == "pending",
        payer_order=row.get("payer_order") or 1,
        charge=row.get("charge_usd"),
        allowed=row.get("allowed_usd"),
        paid=row.get("paid_usd"),
    )


def read_note(row):
    """A note version from a dict of canonical columns."""
    billable = row.get("is_billable")
    return Note(
        note_id=row["note_id"],
        patient_id=row["patient_id"],
        day=as_date(row["service_date"]),
        provider_id=row["provider_id"],
        discipline=row["discipline"],
        version=1 if row.get("note_version") is None else row["note_version"],
        status=row.get("status"),
        total=as_seconds(row.get("total_timed_minutes")),
        treatment=as_seconds(row.get("total_treatment_minutes")),
        billable=True if billable is None else billable,
        justification=row.get("cap_justification"),
        prose=speaks_of_minutes(row, "narrative"),
    )


def read_block(row):
    """A block from a dict of canonical columns, clock times as 'HH:MM' or 'HH:MM:SS'."""
    start, end = _clock(row.get("started_at"), row.get("ended_at"))
    return Block(
        note_id=row["note_id"],
        number=row["block_number"],
        version=row.get("note_version"),
        code=row["procedure_code"],
        stated=as_seconds(row.get("minutes")),
        start=start,
        end=end,
        delivery=row.get("delivery") or "one_on_one",
        aide=row.get("provider_role") == "aide",
        provider_id=row.get("provider_id"),
        prose=speaks_of_minutes(row, "description"),
    )


def _frequency(value):
    """The digit; an old 6 is a 7, and a claim without one is an original."""
    digit = "1" if value in (None, "") else str(value)
    return "7" if digit == "6" else digit


def _clock(started, ended):
    """(start second, end second); no clock unless both are there and differ."""
    if started is None or ended is None:
        return None, None
    first, last = _seconds(started), _seconds(ended)
    if last < first:
        last += 24 * 3600
        if last - first > LONGEST_PAST_MIDNIGHT:
            raise ValueError("a block ends before it starts: the contract would not have let it through")
    return (first, last) if first != last else (None, None)


def _seconds(text):
    parts = [int(part) for part in text.split(":")]
    hours, minutes, seconds = parts if len(parts) == 3 else (*parts, 0)
    return hours * 3600 + minutes * 60 + seconds
