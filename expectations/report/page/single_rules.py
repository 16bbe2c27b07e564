"""The parts of a derivation that single rules need: a clinician's runs and day, covered dates, duplicates."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from expectations.report.page.clock import clock_line
from expectations.report.page.tables import block_table, table
from expectations.report.values import in_force, row_ranges
from transforms.database.told_time import clock, long_minutes
from transforms.database.told_time import minutes as told


def clinician(facts: Mapping[str, Any]) -> list:
    """Each run of a clinician's overlapping blocks of several patients: clock, blocks and sums."""
    items: list = []
    for run in facts.get("clinician_runs") or []:
        blocks = run["blocks"]
        labels = [f"{block['tag']} {block['patient_id']} {block['procedure_code']}" for block in blocks]
        drawn = clock_line(blocks, labels)
        items += [f"Clinician {run['clinician_id']}, blocks joined by overlap, of all patients:"]
        items += [*([drawn] if drawn else []), block_table(blocks, with_patient=True), *_not_listed(run)]
        items += _shared(run, facts)
    return items


def _not_listed(run: Mapping[str, Any]) -> list[str]:
    """How many blocks of the run do not stand in the table; its sums stand in the derivation's own sentence."""
    more = run["block_count"] - len(run["blocks"])
    if not more:
        return []
    return [
        f"{more:,} more blocks of the run are not listed; it holds {run['patient_count']:,} patients. Of other "
        "patients' blocks those next to this patient's stand here."
    ]


def _shared(run: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Which of this patient's blocks overlap another patient's."""
    own, said = facts["finding"]["patient_id"], []
    for mine in (block for block in run["blocks"] if block["patient_id"] == own):
        for other in (block for block in run["blocks"] if block["patient_id"] != own):
            first = max(mine["start_second"], other["start_second"])
            last = min(mine["end_second"], other["end_second"])
            if first < last:
                said.append(
                    f"{mine['tag']} ({own}) and {other['tag']} ({other['patient_id']}) share "
                    f"{clock(first)}-{clock(last)}, {long_minutes(last - first)}."
                )
    return said


def provider(facts: Mapping[str, Any]) -> list:
    """What the units of each therapy day need at the least, and what the notes credit the clinician."""
    own = facts.get("provider_day")
    if own is None:
        return ["No row of this clinician is among the accepted rows of the date."]
    rows = [
        [
            day["patient_id"],
            day["discipline"],
            day["payer_id"],
            ", ".join(f"{code['procedure_code']} x{code['billed_units']}" for code in day["codes"]),
            _need(day),
            day["needed_minutes"] or "",
            _credited(day),
            told(day["credited_seconds"] - day["below_seconds"]) or "",
            "" if day["is_judged"] else "unjudged: left out",
            _rows(facts, day),
        ]
        for day in own["days"]
    ]
    rows.append(["all", "", "", f"{own['billed_units']} units", "", own["needed_minutes"], ""])
    rows[-1] += [told(own["credited_seconds"]), "", ""]
    headings = ["patient", "discipline", "payer", "billed", "15n - 7", "needs", "blocks", "credited", "judged", "rows"]
    caption = (
        "Needs: the least minutes that carry the timed units billed; CMS 15n - 7 for the n units of a day, AMA 15u - 7 "
        "for the u units of each code, either: the smaller"
    )
    limit = own["limit"]
    most = f"One day is taken to hold at most {whole(limit['value'])} minutes: row {limit['reference_key']}, "
    return [table(caption, headings, rows), f"{most}{in_force(limit)}; {limit['citation']}.", *_aside(facts)]


def _credited(day: Mapping[str, Any]) -> str:
    """The credited time of a day's blocks added up, less what its notes' totals are below them."""
    said = " + ".join(str(told(block["credited_seconds"])) for block in day["blocks"])
    return f"{said} - {told(day['below_seconds'])}" if day["below_seconds"] else said


def whole(value: Any) -> str:
    """A parameter's value without the noughts after its point."""
    return f"{Decimal(str(value)).normalize():f}"


def _need(day: Mapping[str, Any]) -> str:
    if not day["codes"]:
        return ""
    if day["counting_method"] == "cms_8_minute":
        return f"15 x {day['billed_units']} - 7"
    return " + ".join(f"{15 * code['billed_units'] - 7}" for code in day["codes"])


def _rows(facts: Mapping[str, Any], day: Mapping[str, Any]) -> str:
    who = (day["patient_id"], day["discipline"])
    lines = [line for line in facts["lines"] if (line["patient_id"], line["discipline"]) == who]
    return row_ranges([row["source"] for row in [*lines, *day["blocks"]]])


def _aside(facts: Mapping[str, Any]) -> list[str]:
    aside = [
        f"{line['claim_id']} line {line['line_number']}"
        for line in facts["lines"]
        if line["standing"] == "bills" and line["is_timed"] and {"CQ", "CO"} & set((line["modifiers"] or "").split(";"))
    ]
    return [f"Left out, an assistant's (CQ or CO): {', '.join(aside)}."] if aside else []


def covered(facts: Mapping[str, Any]) -> list:
    """The dates of both extracts, whether the finding's lies in both, and the billing lag."""
    dates, day = facts["coverage"], facts["finding"]["service_date"]
    rows = [
        ["claims", dates["claims_first"], dates["claims_last"]],
        ["notes", dates["notes_first"], dates["notes_last"]],
        ["both", dates["first_date"], dates["last_date"]],
    ]
    inside = (dates["first_date"] or "9999") <= day <= (dates["last_date"] or "")
    said = f"{day} lies {'inside: what is missing there is missing' if inside else 'outside'}."
    items = [table("Service dates of the extracts", ["extract", "first", "last"], rows), said]
    lag = dates["billing_lag"]
    if facts["finding"]["rule_id"] in ("documented_day_not_billed", "documented_code_not_billed") and lag:
        as_of, days = facts["run"]["as_of"], int(whole(lag["value"]))
        last = date.fromisoformat(as_of) - timedelta(days)
        items.append(
            f"As of {as_of} less {days} days of billing lag is {last}: {day} is not later, so its claim is due "
            f"(row {lag['reference_key']}; {lag['citation']})."
        )
    return items


def nearest(facts: Mapping[str, Any]) -> list:
    """Notes and claim lines of the patient within 14 days: a wrong date in one of the two systems would show here."""
    near = facts["nearest"]
    of_note = ("service_date", "note_id", "note_version", "discipline", "status", "source")
    of_line = ("service_date", "claim_id", "line_number", "procedure_code", "billed_units", "source")
    notes = [[row[name] for name in of_note] for row in near["notes"]]
    lines = [[row[name] for name in of_line] for row in near["lines"]]
    of_notes = table("Notes nearest to the date", ["date", "note", "version", "discipline", "status", "row"], notes)
    of_lines = table("Claim lines nearest to it", ["date", "claim", "line", "code", "units", "row"], lines)
    said = "A date mistaken in one of the two systems would show here (14 days around, the nearest first)."
    return [said, of_notes or "No note.", of_lines or "No claim line."]


def twins(facts: Mapping[str, Any]) -> list:
    """The line, and the lines of earlier claims that bill the same."""
    again = [line for line in facts["lines"] if line["is_subject"]]
    rows = [
        [
            name,
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            line["modifiers"] or "none",
            line["rendering_provider_id"] or "unknown",
            line["payer_id"],
            line["source"],
        ]
        for name, group in (("first billed", facts.get("earlier_lines") or []), ("again", again))
        for line in group
    ]
    headings = ["", "claim", "line", "code", "units", "modifiers", "clinician", "payer", "row"]
    found = table("The line, and the lines of earlier claims that bill the same", headings, rows)
    return [found] if found else []
