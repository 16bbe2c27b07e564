"""The parts of a derivation that single rules need, as text: a clinician's runs and day, covered dates, duplicates."""

from datetime import date, timedelta

from flows.explanation.derive.rows import MOST_OF_OTHERS
from flows.explanation.sentences.because import run_sum
from flows.explanation.sentences.clock import draw
from flows.explanation.terminal.day import block_table
from flows.text_table import WIDTH, in_force, row_ranges, table, wrap
from transforms.database.told_time import clock, long_minutes
from transforms.database.told_time import minutes as told


def clinician(facts: dict) -> list[str]:
    """Each run of a clinician's overlapping blocks of several patients: drawing, blocks and sums."""
    text = []
    for run in facts["clinician_runs"]:
        blocks = run["blocks"]
        labels = [f"{block['tag']} {block['patient_id']} {block['procedure_code']}" for block in blocks]
        text += wrap(f"Clinician {run['clinician_id']}, blocks joined by overlap, of all patients:")
        text += ["", *(f"  {line}".rstrip() for line in draw(blocks, labels, WIDTH - 2)), ""]
        text += [*block_table(blocks, with_patient=True), "", *not_listed(run)]
        text += [*wrap(capital(run_sum(run)) + "."), *double_booked(run, facts), ""]
    return text[:-1]


def not_listed(run: dict) -> list[str]:
    """How many blocks of the run are not among those shown."""
    more = run["block_count"] - len(run["blocks"])
    if not more:
        return []
    said = (
        f"{more:,} more blocks of the run are not listed: of other patients' blocks those next to this patient's stand "
    )
    return wrap(f"{said}here, at most {MOST_OF_OTHERS}. The run holds {run['patient_count']:,} patients.")


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def double_booked(run: dict, facts: dict) -> list[str]:
    """Which of this patient's blocks overlap another patient's."""
    own = facts["finding"]["patient_id"]
    said = []
    for mine in (block for block in run["blocks"] if block["patient_id"] == own):
        for other in run["blocks"]:
            first = max(mine["start_second"], other["start_second"])
            last = min(mine["end_second"], other["end_second"])
            if other["patient_id"] != own and first < last:
                said += wrap(
                    f"{mine['tag']} ({own}) and {other['tag']} ({other['patient_id']}) share "
                    f"{clock(first)}-{clock(last)}, {long_minutes(last - first)}."
                )
    return said


def provider(facts: dict) -> list[str]:
    """What the units of each therapy day need at the least, and what the notes credit the clinician."""
    own = facts["provider_day"]
    if own is None:
        return ["  No row of this clinician is among the accepted rows of the date."]
    several = len({day["discipline"] for day in own["days"]}) > 1
    rows = [
        [
            day["patient_id"],
            day["discipline"] if several else "",
            day["payer_id"],
            ", ".join(f"{code['procedure_code']} x{code['billed_units']}" for code in day["codes"]),
            need_words(day),
            day["needed_minutes"] or "",
            credited_words(day),
            told(day["credited_seconds"] - day["below_seconds"]) or "",
            "" if day["is_judged"] else "unjudged: left out",
        ]
        for day in own["days"]
    ]
    headers = ["patient", "disc.", "payer", "billed", "15n - 7", "needs", "blocks", "credited", ""]
    rows.append(
        ["all", "", "", str(own["billed_units"]), "", own["needed_minutes"], "", told(own["credited_seconds"]), ""]
    )
    text = [*table(headers, rows, "needs credited"), ""]
    text += wrap(
        "needs: the least minutes that carry the timed units billed; CMS: 15n - 7 for the n units of a therapy day; "
        "AMA: 15u - 7 for the u units of each code; a payer on either count: the smaller"
    )
    limit = own["limit"]
    text += wrap(
        f"One day is taken to hold at most {_whole(limit['value'])} minutes: row {limit['reference_key']}, "
        f"{in_force(limit)}; {limit['citation']}."
    )
    return [*text, *_aside(facts), "", "  Rows of the claims and the notes:", *_provider_rows(facts, own)]


def credited_words(day: dict) -> str:
    """The credited time of a therapy day's blocks added up, less what its notes' totals are below them."""
    said = " + ".join(str(told(block["credited_seconds"])) for block in day["blocks"])
    return f"{said} - {told(day['below_seconds'])}" if day["below_seconds"] else said


def need_words(day: dict) -> str:
    if not day["codes"]:
        return ""
    if day["counting_method"] == "cms_8_minute":
        return f"15 x {day['billed_units']} - 7"
    return " + ".join(f"{15 * code['billed_units'] - 7}" for code in day["codes"])


def _whole(value: str) -> str:
    return value.rstrip("0").rstrip(".") if "." in value else value


def _aside(facts: dict) -> list[str]:
    aside = [
        f"{line['claim_id']} line {line['line_number']}"
        for line in facts["lines"]
        if line["standing"] == "bills" and line["is_timed"] and {"CQ", "CO"} & set((line["modifiers"] or "").split(";"))
    ]
    return wrap(f"Left out, an assistant's (CQ or CO): {', '.join(aside)}.") if aside else []


def _provider_rows(facts: dict, own: dict) -> list[str]:
    """File and line of every row of the clinician's day, by patient."""
    text = []
    for day in own["days"]:
        who = (day["patient_id"], day["discipline"])
        lines = [line for line in facts["lines"] if (line["patient_id"], line["discipline"]) == who]
        ids = sorted({line["claim_id"] for line in lines} | {block["note_id"] for block in day["blocks"]})
        rows = row_ranges([row["source"] for row in [*lines, *day["blocks"]]])
        text += wrap(f"{day['patient_id']} {day['discipline']}  {', '.join(ids)}  {rows}", 4, 6)
    return text


def covered(facts: dict) -> list[str]:
    """The dates of both extracts, whether the finding's lies in both, and the billing lag."""
    dates, day = facts["coverage"], facts["finding"]["service_date"]
    text = table(
        ["", "first", "last"],
        [
            ["claims", dates["claims_first"], dates["claims_last"]],
            ["notes", dates["notes_first"], dates["notes_last"]],
            ["both", dates["first_date"], dates["last_date"]],
        ],
    )
    inside = (dates["first_date"] or "9999") <= day <= (dates["last_date"] or "")
    text += ["", f"  {day} lies {'inside: what is missing there is missing' if inside else 'outside'}."]
    lag = dates["billing_lag"]
    if facts["finding"]["rule_id"] in ("documented_day_not_billed", "documented_code_not_billed") and lag:
        days = int(_whole(lag["value"]))
        last = date.fromisoformat(facts["run"]["as_of"]) - timedelta(days)
        text += wrap(
            f"As of {facts['run']['as_of']} less {days} days of billing lag is {last}: {day} is not later, so its "
            f"claim is due (row {lag['reference_key']}; {lag['citation']})."
        )
    return text


def nearest(facts: dict) -> list[str]:
    """Notes and claim lines of the patient within 14 days: a wrong date in one of the two systems would show here."""
    near = facts["nearest"]
    of_note = ("service_date", "note_id", "note_version", "discipline", "status", "source")
    of_line = ("service_date", "claim_id", "line_number", "procedure_code", "billed_units", "source")
    notes = table(["date", "note", "v", "disc.", "status", "row"], _picked(near["notes"], of_note), "v")
    lines = table(["date", "claim", "line", "code", "units", "row"], _picked(near["lines"], of_line), "line units")
    text = ["  A date mistaken in one of the two systems would show here (14 days around, the nearest first).", ""]
    return [*text, *(notes or ["  no note"]), "", *(lines or ["  no claim line"])]


def _picked(rows: list[dict], names: tuple[str, ...]) -> list[list]:
    return [[row[name] for name in names] for row in rows]


def twins(facts: dict) -> list[str]:
    """The line, and the lines of earlier claims that bill the same."""
    lines = [line for line in facts["lines"] if line["is_subject"]]
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
        for name, group in (("first billed", facts["earlier_lines"]), ("again", lines))
        for line in group
    ]
    headers = ["", "claim", "line", "code", "units", "modifiers", "by", "payer", "row"]
    return table(headers, rows, "line units")
