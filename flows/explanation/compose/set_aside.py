"""Rows set aside that name the finding's patient: any of them may be what is missing from the finding's day."""

from expectations.report.parts import Pairs, Paragraph, Section
from flows.explanation.compose.tables import table


def set_aside(facts: dict) -> list[Section]:
    """The rows with file and line, and what their reasons mean; nothing where there are none."""
    aside = facts.get("set_aside") or {}
    held = aside.get("rows") or []
    if not held:
        return []
    names = ("table_name", "column_name", "reason_code", "service_date", "source")
    rows = [[row[name] or ("not read" if name == "service_date" else "") for name in names] for row in held]
    reasons = {row["reason_code"]: f"{row['why']}." for row in held}
    shown = table("table|column|reason|date|file and line", rows, source="file and line")
    parts = (Paragraph(_lead(aside), "quiet"), shown, Pairs(tuple(reasons.items())))
    return [Section("Rows set aside of this patient", parts)]


def _lead(aside: dict) -> str:
    """What the rows mean for the finding."""
    count = len(aside["rows"]) + aside["more"]
    verb = "1 row of this patient was" if count == 1 else f"{count} rows of this patient were"
    more = f" The first {len(aside['rows'])} are named." if aside["more"] else ""
    return (
        f"{verb} set aside and could not be counted. Check whether one of them is what this finding is missing.{more} "
        "`minutewise quarantine` shows the cells and says what to do."
    )
