"""The findings as the page's table gets them: JSON in arrays, cut to a size, with the derivations that still fit."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from expectations.report import UNKNOWN_DOLLARS
from expectations.report.page.opened import opened
from expectations.report.parts import Explanation
from expectations.report.values import json_text, money, safe

#: Room for the rows of the findings, in bytes; the longest cells (500 characters) would not let 1,000 of them in.
MOST_ROW_BYTES = 1_500_000
#: What a row of the table holds, in this order; the browser finds a value by its name here.
FIELDS = (
    "finding_id",
    "service_date",
    "patient_id",
    "provider_id",
    "payer_id",
    "procedure_code",
    "rule_id",
    "severity",
    "billed_units",
    "expected_units",
    "cap_units",
    "at_risk_usd",
    "since_last_run",
    "disposition",
    "message",
    "discipline",
    "clinic_id",
    "billing_provider_id",
    "expected_units_other_method",
    "supported_minutes",
    "double_counted_minutes",
    "billed_codes",
    "documented_codes",
    "claim_ids",
    "note_ids",
    "sources",
    "reference_key",
    "citation",
    "disposition_by",
    "disposition_on",
    "disposition_reason",
    "waived_until",
    "disposition_status",
)
_JOINED = ("claim_ids", "note_ids", "sources")


def rows_that_fit(findings: Sequence[Mapping[str, Any]], with_dollars: Container[str] = ()) -> list[list]:
    """The first findings as rows of FIELDS, as many as fit into MOST_ROW_BYTES.

    `with_dollars`: ids of the rules whose findings put units at risk; without an amount theirs are told as unknown.
    """
    rows, used = [], 0
    for finding in findings:
        row = [_cell(name, finding.get(name)) for name in FIELDS]
        if finding.get("at_risk_usd") is None and finding.get("rule_id") in with_dollars:
            row[FIELDS.index("at_risk_usd")] = UNKNOWN_DOLLARS
        used += len(json_text(row).encode()) + 1
        if used > MOST_ROW_BYTES:
            break
        rows.append(row)
    return rows


def _cell(name: str, value: Any) -> Any:
    if name == "at_risk_usd":
        return money(value)
    # Joined lists get blanks to break at.
    return safe(value.replace(";", "; ") if name in _JOINED and isinstance(value, str) else value)


def opened_that_fit(explanations: Sequence[Explanation], rows: Sequence[list], room: int) -> list[str]:
    """For each row its explanation as JSON ("null": none), as many as `room` bytes hold, in the order of the rows."""
    by_id = {explanation.finding_id: explanation for explanation in explanations}
    texts, used = [], 0
    for row in rows:
        explanation = by_id.get(row[0])
        text = "null" if explanation is None or used > room else json_text(opened(explanation))
        size = len(text.encode()) + 1
        if used + size > room:
            text, used = "null", room + 1
        else:
            used += size
        texts.append(text)
    return texts
