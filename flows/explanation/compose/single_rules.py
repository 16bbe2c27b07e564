"""The sections that single rules need: a clinician's clock and day, covered and nearest dates, duplicates."""

from datetime import date, timedelta

from expectations.report.parts import Paragraph, Part, Section
from expectations.report.values import in_force, row_ranges
from flows.explanation.compose.clock import block_table, clock_line
from flows.explanation.compose.tables import paragraphs, table
from flows.explanation.derive.rows import MOST_OF_OTHERS
from flows.explanation.sentences.reasons import run_sum
from transforms.database.time_text import clock, long_minutes, mins


def clinician(facts: dict) -> list[Part]:
    """Each run of a clinician's overlapping blocks of several patients: clock, blocks and sums."""
    parts: list[Part] = []
    for run in facts["clinician_runs"]:
        blocks = run["blocks"]
        labels = [f"{block['tag']} {block['patient_id']} {block['procedure_code']}" for block in blocks]
        own: list[Part] = [*clock_line(blocks, labels), block_table(blocks, with_patient=True)]
        own += paragraphs(_not_listed(run), "quiet")
        sums = run_sum(run)
        own.append(Paragraph(f"{sums[:1].upper()}{sums[1:]}.", "formula"))
        own += paragraphs(_double_booked(run, facts["finding"]["patient_id"]))
        parts.append(Section(f"Clinician {run['clinician_id']}: blocks joined by overlap, of all patients", tuple(own)))
    return parts


def _not_listed(run: dict) -> list[str]:
    """How many blocks of the run are not among those shown."""
    more = run["block_count"] - len(run["blocks"])
    if not more:
        return []
    return [
        f"{more:,} more overlapping blocks are not listed: of other patients' blocks only the nearest to this "
        f"patient's are shown, at most {MOST_OF_OTHERS}. They belong to {run['patient_count']:,} patients in all."
    ]


def _double_booked(run: dict, own: str) -> list[str]:
    """Which of this patient's blocks overlap another patient's."""
    said = []
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


def clinician_day(facts: dict) -> list[Part]:
    """What the units of each therapy day need at the least, and what the notes credit the clinician."""
    own = facts["provider_day"]
    if own is None:
        return [Paragraph("No row of this clinician is among the accepted rows of the date.")]
    several = len({day["discipline"] for day in own["days"]}) > 1
    rows = [
        [
            day["patient_id"],
            day["discipline"] if several else "",
            day["payer_id"],
            ", ".join(f"{code['procedure_code']} x{code['billed_units']}" for code in day["codes"]),
            _need(day),
            day["needed_minutes"] or "",
            _credited(day),
            mins(day["credited_seconds"] - day["below_seconds"]) or "",
            "" if day["is_judged"] else "unjudged: left out",
        ]
        for day in own["days"]
    ]
    rows.append(["all", "", "", f"{own['billed_units']} units", "", own["needed_minutes"], ""])
    rows[-1] += [mins(own["credited_seconds"]), ""]
    headers = "patient|discipline|payer|billed|15n - 7|needs|blocks|credited|judged"
    needs = (
        "Needs: the least minutes that carry the timed units billed; CMS: 15n - 7 for the n units of a therapy day; "
        "AMA: 15u - 7 for the u units of each code; a payer on either count: the smaller."
    )
    limit = own["limit"]
    most = (
        f"One day is taken to hold at most {_whole(limit['value'])} minutes: row {limit['reference_key']}, "
        f"{in_force(limit)}; {limit['citation']}."
    )
    shown = table(headers, rows, "needs|credited", [len(rows) - 1])
    counted_from = Section("The rows that this was counted from", (_rows_of(facts, own),))
    return [shown, Paragraph(needs, "quiet"), Paragraph(most), *paragraphs(_assistants(facts)), counted_from]


def _credited(day: dict) -> str:
    """The credited time of a therapy day's blocks added up, less what its notes' totals are below them."""
    said = " + ".join(str(mins(block["credited_seconds"])) for block in day["blocks"])
    return f"{said} - {mins(day['below_seconds'])}" if day["below_seconds"] else said


def _need(day: dict) -> str:
    if not day["codes"]:
        return ""
    if day["counting_method"] == "cms_8_minute":
        return f"15 x {day['billed_units']} - 7"
    return " + ".join(f"{15 * code['billed_units'] - 7}" for code in day["codes"])


def _whole(value: str) -> str:
    """A parameter's value without the noughts after its point."""
    return value.rstrip("0").rstrip(".") if "." in value else value


def _assistants(facts: dict) -> list[str]:
    aside = [
        f"{line['claim_id']} line {line['line_number']}"
        for line in facts["lines"]
        if line["standing"] == "bills" and line["is_timed"] and {"CQ", "CO"} & set((line["modifiers"] or "").split(";"))
    ]
    return [f"Left out, an assistant's (CQ or CO): {', '.join(aside)}."] if aside else []


def _rows_of(facts: dict, own: dict) -> Part:
    """File and line of every row of the clinician's day, by patient."""
    rows = []
    for day in own["days"]:
        who = (day["patient_id"], day["discipline"])
        lines = [line for line in facts["lines"] if (line["patient_id"], line["discipline"]) == who]
        claims = ", ".join(dict.fromkeys(line["claim_id"] for line in lines))
        notes = ", ".join(dict.fromkeys(block["note_id"] for block in day["blocks"]))
        rows.append([*who, claims, notes, row_ranges([row["source"] for row in [*lines, *day["blocks"]]])])
    return table("patient|discipline|claims|notes|files and lines", rows, source="files and lines")


def covered(facts: dict) -> list[Part]:
    """The dates of both extracts, whether the finding's lies in both."""
    dates, day = facts["coverage"], facts["finding"]["service_date"]
    rows = [
        [name, dates[first] or "none", dates[last] or "none"]
        for name, first, last in (
            ("claims", "claims_first", "claims_last"),
            ("notes", "notes_first", "notes_last"),
            ("both", "first_date", "last_date"),
        )
    ]
    inside = (dates["first_date"] or "9999") <= day <= (dates["last_date"] or "")
    said = f"{day} lies {'inside: what is missing there is missing' if inside else 'outside'}."
    return [table("extract|first service date|last service date", rows), Paragraph(said)]


def billing_lag(facts: dict) -> list[Part]:
    """Whether the claim of the date is due yet."""
    lag, day, as_of = facts["coverage"]["billing_lag"], facts["finding"]["service_date"], facts["run"]["as_of"]
    if not lag:
        return [Paragraph("No billing lag is in force: a claim is due on its service date.")]
    days = int(_whole(lag["value"]))
    last = date.fromisoformat(as_of) - timedelta(days)
    said = (
        f"As of {as_of} less {days} days of billing lag is {last}: {day} is not later, so its claim is due "
        f"(row {lag['reference_key']}; {lag['citation']})."
    )
    return [Paragraph(said)]


def nearest(facts: dict) -> list[Part]:
    """Notes and claim lines of the patient within 14 days: a wrong date in one of the two systems would show here."""
    near = facts["nearest"]
    of_note = ("service_date", "note_id", "note_version", "discipline", "status", "source")
    of_line = ("service_date", "claim_id", "line_number", "procedure_code", "billed_units", "source")
    notes = [[row[name] for name in of_note] for row in near["notes"]]
    lines = [[row[name] for name in of_line] for row in near["lines"]]
    note_headers = "date|note|version|discipline|status|file and line"
    line_headers = "date|claim|line|code|units|file and line"
    return [
        Paragraph("A date mistaken in one of the two systems would show here (14 days around, the nearest first)."),
        table(note_headers, notes, "version", source="file and line") if notes else Paragraph("No note."),
        table(line_headers, lines, "line|units", source="file and line") if lines else Paragraph("No claim line."),
    ]


def twins(facts: dict) -> list[Part]:
    """The line, and the lines of earlier claims that bill the same."""
    again = [line for line in facts["lines"] if line["is_subject"]]
    rows = [
        [
            name,
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            (line["modifiers"] or "none").replace(";", " "),
            line["rendering_provider_id"] or "unknown",
            line["payer_id"],
            line["source"],
        ]
        for name, group in (("first billed", facts["earlier_lines"]), ("billed again", again))
        for line in group
    ]
    marked = range(len(facts["earlier_lines"]), len(rows))
    headers = "which|claim|line|code|units|modifiers|rendered by|payer|file and line"
    return [table(headers, rows, "line|units", marked, source="file and line")]
