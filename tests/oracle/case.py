"""One subject under one rule: kept, violated, or unjudged."""

from dataclasses import dataclass, field
from datetime import date

COLUMNS = [
    "rule_id",
    "severity",
    "service_date",
    "patient_id",
    "discipline",
    "payer_id",
    "procedure_code",
    "note_id",
    "block_number",
    "claim_id",
    "line_number",
    "billing_provider_id",
    "provider_id",
    "billed_units",
    "expected_units",
    "supported_minutes",
    "double_counted_minutes",
    "cap_units",
    "at_risk_usd",
]

OK, VIOLATED, UNJUDGED = "ok", "violated", "unjudged"


@dataclass
class Case:
    """A rule's word on one subject. `patient_id` is None for a provider's day; `found` holds the columns of
    the finding that a violation makes."""

    rule_id: str
    subject: tuple
    patient_id: str | None
    day: date
    verdict: str
    found: dict = field(default_factory=dict)

    def finding(self):
        """The finding as a dict of every column, None where one does not apply."""
        row = dict.fromkeys(COLUMNS)
        row.update(rule_id=self.rule_id, service_date=self.day, patient_id=self.patient_id)
        row.update(self.found)
        return row


def verdict(is_violated, is_unjudged=False):
    """The verdict's word; unjudged wins."""
    if is_unjudged:
        return UNJUDGED
    return VIOLATED if is_violated else OK


def whole_minutes(seconds):
    """Seconds cut to whole minutes; None stays None."""
    return None if seconds is None else seconds // 60


def day_case(rule_id, therapy_day, word, severity, subject=(), **found):
    """A case about a therapy day, or about a part of it named by `subject`."""
    found.update(severity=severity, discipline=therapy_day.discipline)
    found.setdefault("payer_id", therapy_day.payer_id)
    subject = (*therapy_day.key, *subject)
    return Case(rule_id, subject, therapy_day.patient_id, therapy_day.day, word, found)
