"""Pseudonyms for a packet that leaves the house: ids become HMACs under a key that only the sender holds.

What is not known to be harmless is left out: a string passes only under a name that is listed here. The same id under
the same key is the same pseudonym in every packet. This is pseudonymisation, not de-identification: dates stay.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.explanation.sentences.reasons import reasons
from flows.explanation.sentences.words import why_day, why_undecidable
from transforms.database import encryption

OPTION = "--mask-key-file"
LEAST_KEY_CHARACTERS = 32
WITHHELD = "(withheld: free text is not shown in a masked packet)"
#: 60 bits: among a million ids of a kind, two alike are less likely than one in two million.
_HALF = 6
_KINDS = {
    "finding_id": "finding",
    "evidence_hash": "evidence",
    "patient_id": "patient",
    "claim_id": "claim",
    "original_claim_id": "claim",
    "note_id": "note",
    "provider_id": "provider",
    "clinician_id": "provider",
    "rendering_provider_id": "provider",
    "billing_provider_id": "provider",
    "clinic_id": "clinic",
    "disposition_by": "person",
}
#: Ids joined in one cell, with what joins them.
_JOINED = {"claim_ids": ("claim", ";"), "note_ids": ("note", ";"), "named_by": ("claim", ", ")}
_FREE_TEXT = ("cap_justification", "disposition_reason")
#: Text that names nobody: choices, codes, dates, amounts, and what comes from rules, reference tables and the program.
_HARMLESS = {
    "rule_id", "severity", "family", "title", "subject", "violated_when", "not_checked", "citation", "citation_url",
    "last_checked_on", "message", "service_date", "first_date", "last_date", "claims_first", "claims_last",
    "notes_first", "notes_last", "effective_from", "effective_to", "discipline", "discipline_source", "standing",
    "status", "kind", "delivery", "tag", "marks", "why", "because", "claim_type", "claim_status",
    "claim_frequency_code", "indicator", "adjudication_indicator", "procedure_code", "counted_code", "code",
    "payer_id", "ruling_payer_id", "cap_kind", "counting_method", "modifiers", "documented_codes", "billed_codes",
    "tied", "tied_with", "reference_key", "payer_reference_key", "name", "value", "unit", "at_risk_usd", "amount_usd",
    "amount_is", "charge_usd", "allowed_usd", "paid_usd", "run_id", "as_of", "since", "until", "code_version",
    "reference_version", "derived_by", "changed_files", "differs", "disposition", "disposition_status",
    "disposition_on", "waived_until", "table_name", "reason_code",
}  # fmt: skip
#: Rules whose own sentences hold numbers only, and need what a derivation no longer holds.
_NUMBERS_ONLY = (
    "block_minutes_exceed_note_total",
    "note_total_exceeds_blocks",
    "stated_minutes_exceed_clock",
    "provider_day_impossible",
)


def read_mask_key(file: Path) -> bytes:
    """The key in a file that only its owner can read; raises UsageProblem, never with the key."""
    return encryption.read_key(file, OPTION, LEAST_KEY_CHARACTERS).encode()


class Mask:
    """Pseudonyms under one key; files are numbered in the order of `files`, the names in the run's manifest."""

    def __init__(self, key: bytes, files: Sequence[str]):
        self._key = key
        self._files = {name: f"file-{number}" for number, name in enumerate(dict.fromkeys(files), start=1)}

    def id(self, kind: str, value: str) -> str:
        """The pseudonym of an id: its kind and 12 characters of an HMAC-SHA256 over kind and id."""
        digest = hmac.new(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        sign = base64.b32encode(digest).decode()
        return f"{kind}-{sign[:_HALF]}-{sign[_HALF : 2 * _HALF]}"

    def file(self, name: str) -> str:
        """The number that stands for a file of the manifest."""
        return self._files.get(name, "file-unknown")

    def source(self, source: str) -> str:
        """file:line with the file's number; lines stay."""
        name, _, line = source.rpartition(":")
        return f"{self.file(name)}:{line}" if line.isdecimal() else "file-unknown"

    def derivation(self, facts: dict) -> dict:
        """The derivation with every id masked, free text left out, and its sentences said anew of the masked rows."""
        masked = self._masked(facts, "")
        for day in masked.get("days", ()):
            day["why_undecidable"] = why_undecidable(day, masked["notes"])
            day["why_supported"] = why_day(day, masked)
        self._name_twin(facts, masked)
        if masked["because"] and masked["finding"]["rule_id"] not in _NUMBERS_ONLY:
            masked["because"] = reasons(masked)
        return masked

    def _name_twin(self, facts: dict, masked: dict) -> None:
        """The one message that names a claim names it as the masked rows do."""
        if facts["finding"]["rule_id"] == "claim_line_duplicated":
            named = [(line["claim_id"], self.id("claim", line["claim_id"])) for line in facts["earlier_lines"]]
            known = [(own, sign) for own, sign in named if f"Claim {own} bills" in facts["finding"]["message"]]
            message = "Another claim bills the same line."
            for own, sign in known:
                message = facts["finding"]["message"].replace(f"Claim {own} bills", f"Claim {sign} bills")
            masked["finding"]["message"] = message

    def _masked(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {one: self._masked(held, one) for one, held in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(one, name) for one in value]
        return self._text(value, name) if isinstance(value, str) else value

    def _text(self, text: str, name: str) -> str | None:
        if name in _KINDS:
            return self.id(_KINDS[name], text)
        if name in _JOINED:
            kind, joint = _JOINED[name]
            return joint.join(self.id(kind, one) for one in text.split(joint))
        if name == "source":
            return self.source(text)
        if name == "sources":
            return ";".join(self.source(one) for one in text.split(";"))
        if name in _FREE_TEXT:
            return WITHHELD
        return text if name in _HARMLESS else None
