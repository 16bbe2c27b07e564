"""Canonical rows as small objects: missing keys filled in, clock times cut to whole minutes."""

import re
from dataclasses import dataclass, field
from datetime import date

PROSE_MINUTES = re.compile(
    r"\d\s*-?\s*(?:min|mins|minutes?|hrs?|hours?)\b|\d{1,2}:\d\d\s*(?:-|–|to)\s*\d{1,2}:\d\d", re.I
)
LONGEST_PAST_MIDNIGHT = 240


def as_date(value):
    """A date from a date or an ISO text; None stays None."""
    return date.fromisoformat(value) if isinstance(value, str) else value


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
    denied: bool
    payer_order: int
    charge: object
    allowed: object
    paid: object
    discipline: str | None = None

    @property
    def set_aside(self):
        """Denied, or a secondary payer's: it bills nothing but may spare its day."""
        return self.denied or self.payer_order > 1


@dataclass(eq=False)
class Note:
    """One version of a note; `blocks` are those that belong to this version."""

    note_id: str
    patient_id: str
    day: date
    provider_id: str
    discipline: str
    version: int
    status: str | None
    total: int | None
    billable: bool
    justification: str | None
    prose: bool
    blocks: list = field(default_factory=list)


@dataclass(eq=False)
class Block:
    """One block. `start` and `end` are minutes since midnight of the service date, None without a clock.
    `credited` and `run` are filled in when the patient's day is walked."""

    note_id: str
    number: int
    version: int | None
    code: str
    stated: int | None
    start: int | None
    end: int | None
    seconds: bool
    delivery: str
    aide: bool
    provider_id: str | None
    prose: bool
    note: Note | None = None
    credited: int = 0
    run: list = field(default_factory=list)

    @property
    def stretch(self):
        """The set of clock minutes between start and end; empty without a clock."""
        return frozenset(range(self.start, self.end)) if self.start is not None else frozenset()

    @property
    def clock(self):
        """Clock minutes, None without a clock."""
        return len(self.stretch) if self.start is not None else None

    @property
    def written(self):
        """Minutes written: stated, else clock, else 0."""
        if self.stated is not None:
            return self.stated
        return self.clock or 0

    @property
    def worth(self):
        """What the block can be credited at most."""
        if self.stated is not None and self.clock is not None:
            return min(self.stated, self.clock)
        return self.written

    @property
    def double_counted(self):
        """Minutes of its worth that the block was not credited."""
        return self.worth - self.credited


def read_line(row):
    """A claim line from a dict of canonical columns."""
    modifiers = row.get("modifiers") or ""
    return Line(
        claim_id=row["claim_id"],
        line_number=row["line_number"],
        patient_id=row["patient_id"],
        payer_id=row["payer_id"],
        day=as_date(row["service_date"]),
        code=row["procedure_code"],
        units=row["billed_units"],
        rendering=row.get("rendering_provider_id"),
        billing=row.get("billing_provider_id"),
        modifiers=frozenset(m.strip().upper() for m in modifiers.split(";") if m.strip()),
        stated_discipline=row.get("discipline"),
        professional=(row.get("claim_type") or "professional") == "professional",
        date_is_the_claims=row.get("service_date_basis") == "claim",
        frequency=str(row.get("claim_frequency_code") or "1"),
        original=row.get("original_claim_id"),
        denied=row.get("claim_status") == "denied",
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
        total=row.get("total_timed_minutes"),
        billable=True if billable is None else billable,
        justification=row.get("cap_justification"),
        prose=speaks_of_minutes(row, "narrative"),
    )


def read_block(row):
    """A block from a dict of canonical columns, clock times as 'HH:MM' or 'HH:MM:SS'."""
    start, end, seconds = _clock(row.get("started_at"), row.get("ended_at"))
    return Block(
        note_id=row["note_id"],
        number=row["block_number"],
        version=row.get("note_version"),
        code=row["procedure_code"],
        stated=row.get("minutes"),
        start=start,
        end=end,
        seconds=seconds,
        delivery=row.get("delivery") or "one_on_one",
        aide=row.get("provider_role") == "aide",
        provider_id=row.get("provider_id"),
        prose=speaks_of_minutes(row, "description"),
    )


def _clock(started, ended):
    """(start minute, end minute, whether a time had seconds); no clock unless both are there and differ."""
    if started is None or ended is None:
        return None, None, False
    first, last = _seconds(started), _seconds(ended)
    if last < first:
        last += 24 * 3600
        if last - first > LONGEST_PAST_MIDNIGHT * 60:
            raise ValueError("a block ends before it starts: the contract would not have let it through")
    had_seconds = first % 60 != 0 or last % 60 != 0
    if first // 60 == last // 60:
        return None, None, had_seconds
    return first // 60, last // 60, had_seconds


def _seconds(text):
    parts = [int(part) for part in text.split(":")]
    hours, minutes, seconds = parts if len(parts) == 3 else (*parts, 0)
    return hours * 3600 + minutes * 60 + seconds
