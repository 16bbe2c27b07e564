"""The parts of a packet that single rules need: a clinician's clock and day, covered dates, nearest dates, twins."""

from expectations.report.packet.parts import Paragraph, Part, Section
from flows.evidence.clock import ownership, pictures
from flows.evidence.day import block_rows, said, table
from flows.explanation.sentences.because import run_sum
from flows.explanation.terminal import single_rules as more_text
from flows.text_table import row_ranges
from transforms.database.told_time import minutes as told


def clinician(facts: dict) -> list[Part]:
    """Each run of a clinician's overlapping blocks of several patients: clock, blocks, owners, sums."""
    parts: list[Part] = []
    for run in facts["clinician_runs"]:
        blocks = run["blocks"]
        labels = [f"{block['tag']} {block['patient_id']} {block['procedure_code']}" for block in blocks]
        own: list[Part] = [*pictures(blocks, labels), block_rows(blocks, with_patient=True)]
        owners = ownership(blocks)
        own += [owners] if owners else []
        more = said(more_text.not_listed(run))
        own += [Paragraph(more, "quiet")] if more else []
        own.append(Paragraph(more_text.capital(run_sum(run)) + ".", "formula"))
        shared = said(more_text.double_booked(run, facts))
        own += [Paragraph(shared)] if shared else []
        parts.append(Section(f"Clinician {run['clinician_id']}: blocks joined by overlap, of all patients", tuple(own)))
    return parts


def provider(facts: dict) -> list[Part]:
    """What the units of each therapy day need at the least, what the notes credit, and the rows of both."""
    own = facts["provider_day"]
    if own is None:
        return [Paragraph(said(more_text.provider(facts)))]
    rows = [
        [
            day["patient_id"],
            day["discipline"],
            day["payer_id"],
            ", ".join(f"{code['procedure_code']} x{code['billed_units']}" for code in day["codes"]),
            more_text.need_words(day),
            day["needed_minutes"] or "",
            more_text.credited_words(day),
            told(day["credited_seconds"] - day["below_seconds"]) or "",
            "" if day["is_judged"] else "unjudged: left out",
        ]
        for day in own["days"]
    ]
    rows.append(["all", "", "", f"{own['billed_units']} units", "", own["needed_minutes"], ""])
    rows[-1] += [told(own["credited_seconds"]), ""]
    headers = "patient|disc.|payer|billed|15n - 7|needs|blocks|credited|judged"
    lines = more_text.provider(facts)
    first = lines.index("") + 1
    last = lines.index("", first)
    limit = next((place for place in range(first, last) if lines[place].startswith("  One day is taken")), last)
    parts: list[Part] = [table(headers, rows, "needs|credited", {len(rows) - 1})]
    parts += [Paragraph(said(lines[first:limit]), "quiet"), Paragraph(said(lines[limit:last]))]
    return [*parts, Section("The rows that this was counted from", (_rows_of(facts, own),))]


def _rows_of(facts: dict, own: dict) -> Part:
    """File and line of every row of the clinician's day, by patient."""
    rows = []
    for day in own["days"]:
        who = (day["patient_id"], day["discipline"])
        lines = [line for line in facts["lines"] if (line["patient_id"], line["discipline"]) == who]
        claims = ", ".join(dict.fromkeys(line["claim_id"] for line in lines))
        notes = ", ".join(dict.fromkeys(block["note_id"] for block in day["blocks"]))
        rows.append([*who, claims, notes, row_ranges([row["source"] for row in [*lines, *day["blocks"]]])])
    return table("patient|disc.|claims|notes|files and lines", rows)


def covered(facts: dict) -> list[Part]:
    """The dates of both extracts, whether the finding's lies in both, and the billing lag."""
    dates = facts["coverage"]
    rows = [
        [name, dates[first] or "none", dates[last] or "none"]
        for name, first, last in (
            ("claims", "claims_first", "claims_last"),
            ("notes", "notes_first", "notes_last"),
            ("both", "first_date", "last_date"),
        )
    ]
    lines = more_text.covered(facts)
    return [table("extract|first service date|last service date", rows), Paragraph(said(lines[lines.index("") :]))]


def nearest(facts: dict) -> list[Part]:
    """The patient's notes and claim lines within 14 days: a wrong date in one of the two systems would show here."""
    near = facts["nearest"]
    notes = [
        [row["source"], row["note_id"], row["note_version"], row["service_date"], row["discipline"], row["status"]]
        for row in near["notes"]
    ]
    lines = [
        [row[name] for name in ("source", "claim_id", "line_number", "service_date", "procedure_code", "billed_units")]
        for row in near["lines"]
    ]
    parts: list[Part] = [Paragraph(said(more_text.nearest(facts)[:1]))]
    parts.append(
        table("file and line|note|version|date|disc.|status", notes, "version") if notes else Paragraph("No note.")
    )
    parts.append(
        table("file and line|claim|line|date|code|units", lines, "line|units") if lines else Paragraph("No claim line.")
    )
    return parts


def twins(facts: dict) -> list[Part]:
    """The line, and the lines of earlier claims that bill the same."""
    again = [line for line in facts["lines"] if line["is_subject"]]
    rows = [
        [
            name,
            line["source"],
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            (line["modifiers"] or "none").replace(";", " "),
            line["rendering_provider_id"] or "unknown",
            line["payer_id"],
        ]
        for name, group in (("first billed", facts["earlier_lines"]), ("billed again", again))
        for line in group
    ]
    marked = range(len(facts["earlier_lines"]), len(rows))
    headers = "which|file and line|claim|line|code|units|modifiers|rendered by|payer"
    return [table(headers, rows, "line|units", marked)]
