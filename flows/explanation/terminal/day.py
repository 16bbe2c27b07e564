"""The rows of a derivation as text: bill, notes and minutes. Each part takes the derivation and gives lines."""

from flows.explanation.sentences.clock import MOST_DRAWN, draw
from flows.explanation.sentences.words import NOT_KNOWN
from flows.text_table import WIDTH, table, wrap
from transforms.database.told_time import cell, clock

_STANDINGS = {
    "bills": "yes",
    "void": "no: a void",
    "gone": "gone",
    "out_of_scope": "no: out of scope",
    "no_units": "no: 0 units",
    "not_listed": "no: not listed",
    "no_final_bill": "no: no final bill",
    "denied": "no: denied",
    "secondary_payer": "no: 2nd payer",
}


def bill(facts: dict) -> list[str]:
    """Every claim line of the patient and date, and how its discipline was settled."""
    lines = facts["lines"]
    if not lines:
        return ["  The extracts hold no claim line of this patient on this date."]
    billers = len({line["billing_provider_id"] for line in lines}) > 1
    headers = ["", "claim", "line", "code", "units", "mods", "payer", "by", "billed by", "disc.", "counts", "row"]
    rows = [
        [
            "*" if line["is_subject"] else "",
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            line["billed_units"],
            line["modifiers"],
            line["payer_id"],
            line["rendering_provider_id"],
            (line["billing_provider_id"] or "unknown") if billers else "",
            line["discipline"],
            standing_words(line),
            line["source"],
        ]
        for line in lines
    ]
    text = table(headers, rows, "line units")
    if any(line["is_subject"] for line in lines):
        text += ["", "  * what the finding is about"]
    return text + settled_words(lines)


def standing_words(line: dict) -> str:
    if line["standing"] == "gone" and line["named_by"]:
        return f"gone: see {line['named_by']}"
    return _STANDINGS[line["standing"]]


def settled_words(lines: list[dict]) -> list[str]:
    ways: dict[str, list[str]] = {}
    for line in lines:
        if line["discipline_source"]:
            name = f"{line['claim_id']} line {line['line_number']}"
            ways.setdefault(line["discipline_source"], []).append(name)
    said = (f"{way}" if len(ways) == 1 else f"{way} ({', '.join(named)})" for way, named in ways.items())
    return wrap("Discipline settled by: " + "; ".join(said) + ".") if ways else []


def notes(facts: dict) -> list[str]:
    """Every version of the notes of the date, with W, C, T and what each counting note supports."""
    versions = facts["notes"]
    if not versions:
        return ["  The extracts hold no note of this patient on this date, not even a draft."]
    several = len({note["discipline"] for note in versions}) > 1
    headers = ["note", "v", "disc.", "by", "status", "stands as", "blocks", "T", "TT", "W", "C", "support", "sure"]
    headers += ["row"]
    rows = [
        [
            note["note_id"],
            note["note_version"],
            note["discipline"] if several else "",
            note["clinician_id"],
            note["status"] or "no status",
            note["standing"].replace("_", " "),
            note["block_count"],
            *note_times(note),
            note["source"],
        ]
        for note in versions
    ]
    text = [*table(headers, rows, "v blocks T TT W C support sure"), ""]
    if any(note["why"] for note in versions):
        text += wrap(
            "T the note's total of timed minutes"
            + ("; TT its total treatment time" if any(note["total_treatment_seconds"] for note in versions) else "")
            + "; W written in its timed one-on-one blocks; C credited of W over the note"
        )
    for note in versions:
        if note["why"]:
            text += wrap(f"{note['note_id']}  {note['why']}.", hanging=4)
    return text[:-1] if not text[-1] else text


def note_times(note: dict) -> list:
    """T, TT, W, C, supported and sure time of a note as cells."""
    supported, counts = note["supported_seconds"], note["standing"] == "counting"
    written, credited = (note["written_seconds"], note["note_credited_seconds"]) if note["has_blocks"] else (None, None)
    return [
        *map(cell, (note["total_timed_seconds"], note["total_treatment_seconds"], written, credited)),
        NOT_KNOWN if counts and supported is None else cell(supported),
        cell(note["sure_seconds"]),
    ]


def minutes(facts: dict) -> list[str]:
    """The clock of the day, one row a block, and how each block comes to its minutes."""
    blocks = facts["blocks"]
    if not blocks:
        return ["  No counting note of the date has a block."]
    text = [f"  {line}".rstrip() for line in draw(blocks, block_labels(blocks), WIDTH - 2)]
    text += [""] if text else []
    if sum(bool(block["clock_seconds"]) for block in blocks) > MOST_DRAWN:
        text = [f"  More than {MOST_DRAWN} blocks have clock times: they are listed, and not drawn.", ""]
    return [*text, *block_table(blocks), *_whys(blocks)]


def block_labels(blocks: list[dict]) -> list[str]:
    several = len({block["discipline"] for block in blocks}) > 1
    return [
        f"{block['tag']} {block['procedure_code']}" + (f" {block['discipline']}" if several else "") for block in blocks
    ]


def block_table(blocks: list[dict], with_patient: bool = False) -> list[str]:
    """One row a block: clock, stated, written, worth, credited and double-counted minutes."""
    several = len({block["discipline"] for block in blocks}) > 1
    headers = ["", "patient", "note", "block", "code", "disc.", "clock", "min", "stated", "written", "worth"]
    headers += ["credited", "double"]
    rows = [
        [
            block["tag"],
            block["patient_id"] if with_patient else "",
            block["note_id"],
            block["block_number"],
            block["procedure_code"],
            block["discipline"] if several else "",
            span(block),
            *block_times(block),
        ]
        for block in blocks
    ]
    where = "; ".join(f"{block['tag']} {block['source']}" for block in blocks)
    return [*table(headers, rows, "block min stated written worth credited double"), *wrap(f"Rows: {where}", hanging=8)]


def _whys(blocks: list[dict]) -> list[str]:
    """The sentences of the blocks, those that say the same together."""
    said: dict[str, list[str]] = {}
    for block in blocks:
        said.setdefault(block["why"], []).append(block["tag"])
    return ["", *(line for why, tags in said.items() for line in wrap(f"{', '.join(tags)}  {why}.", hanging=6))]


def block_times(block: dict) -> list:
    """What the clock holds, stated, written, worth, credited and double-counted time of a block as cells."""
    stated = "not given" if block["is_unmeasured"] else cell(block["stated_seconds"])
    names = ("written_seconds", "worth_seconds", "credited_seconds", "double_counted_seconds")
    return [cell(block["clock_seconds"]), stated, *(cell(block[name]) for name in names)]


def span(block: dict) -> str:
    """The clock times of a block, or nothing."""
    if block["start_second"] is None:
        return ""
    return f"{clock(block['start_second'])}-{clock(block['end_second'])}"
