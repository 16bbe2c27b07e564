"""The findings as the workbook's sheets take them: most dollars first, by severity, some thousand rows at a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from expectations.report import most_dollars

Findings = Sequence[Mapping[str, Any]] | pa.Table
#: Columns by name, all of one length; None for a column that a report does not have.
Part = Mapping[str, list[Any]]

SEVERITY_SHEETS = {"error": "Errors", "warning": "Warnings", "review": "Reviews"}
ROWS_AT_ONCE = 5_000
#: Of decisions: the column of the findings, under the heading that people fill in.
DECISIONS = {
    "disposition": "disposition",
    "decided by": "disposition_by",
    "decided on": "disposition_on",
    "waived until": "waived_until",
    "reason": "disposition_reason",
}


def with_most_dollars(findings: Findings, limit: int) -> Findings:
    """The `limit` findings with most dollars, in the order of `most_dollars`; a table stays a table."""
    if not isinstance(findings, pa.Table) or not findings.num_rows:
        return most_dollars(findings, limit)
    # Only what the order needs becomes Python's: a year's findings of a health system would fill the memory.
    keys = findings.select(["at_risk_usd", "service_date", "finding_id"])
    numbered = keys.append_column("row", pa.array(range(len(keys)), pa.int64()))
    return findings.take(pa.array([key["row"] for key in most_dollars(numbered, limit)], pa.int64()))


def by_sheet(findings: Findings) -> dict[str, Findings]:
    """The findings by the name of their sheet, order kept; sheets without findings are left out, but for one."""
    names = {severity: name for severity, name in SEVERITY_SHEETS.items() if severity != "review"}
    if isinstance(findings, pa.Table):
        severities = findings["severity"].to_pylist()
    else:
        severities = [finding.get("severity") for finding in findings]
    places: dict[str, list[int]] = {name: [] for name in SEVERITY_SHEETS.values()}
    for place, severity in enumerate(severities):
        # Whatever else a severity may be: every finding stands somewhere.
        places[names.get(severity, SEVERITY_SHEETS["review"])].append(place)
    sheets = {name: _taken(findings, chosen) for name, chosen in places.items() if chosen}
    return sheets or {SEVERITY_SHEETS["error"]: ()}


def _taken(findings: Findings, places: list[int]) -> Findings:
    if isinstance(findings, pa.Table):
        return findings.take(pa.array(places, pa.int64()))
    return [findings[place] for place in places]


def parts(rows: Findings, names: Sequence[str]) -> Iterator[Part]:
    """The rows' columns of these names, ROWS_AT_ONCE at a time."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        if isinstance(rows, pa.Table):
            part = rows.slice(start, ROWS_AT_ONCE)
            held = set(part.column_names)
            yield {n: part[n].to_pylist() if n in held else [None] * len(part) for n in names}
        else:
            chosen = rows[start : start + ROWS_AT_ONCE]
            yield {name: [row.get(name) for row in chosen] for name in names}


def with_decisions(part: Part) -> Part:
    """The part with the columns that people fill in: filled in where a decision holds.

    A decision that holds no more (other evidence, or a waiver past its date) is told in `earlier decision` and leaves
    the columns empty: handed back as it stands, the workbook must not decide anew what nobody looked at.
    """
    filled = {heading: list(part[name]) for heading, name in DECISIONS.items()}
    rows = len(filled["disposition"])
    earlier: list[str | None] = [None] * rows
    if any(filled["disposition"]):
        for row, status in enumerate(part["disposition_status"]):
            if filled["disposition"][row] is not None and status not in (None, "holds"):
                earlier[row] = _told({heading: cells[row] for heading, cells in filled.items()})
                for cells in filled.values():
                    cells[row] = None
    days = {heading: [_day(value) for value in filled[heading]] for heading in ("decided on", "waived until")}
    return {**part, **filled, **days, "earlier decision": earlier}


def _told(decision: Mapping[str, Any]) -> str:
    until = f" until {decision['waived until']}" if decision["waived until"] else ""
    by = f" by {decision['decided by']}" if decision["decided by"] else ""
    on = f" on {decision['decided on']}" if decision["decided on"] else ""
    reason = f": {decision['reason']}" if decision["reason"] else ""
    return f"{decision['disposition']}{until}{by}{on}{reason}"


def _day(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value
