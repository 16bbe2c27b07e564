"""Draws notes and their blocks."""

from decimal import Decimal

from tests.drawing import (
    CLINICIANS,
    CODE_CHANGES,
    DATED_POOL,
    DELIVERIES,
    LENGTHS,
    SECONDS,
    TIMED_POOL,
    UNLISTED,
    UNTIMED_POOL,
)
from tests.oracle.codes import TIMED, Kinds
from tests.oracle.rows import read_block

VERSIONS = [
    [(1, "signed", True)],
    [(1, "signed", True)],
    [(1, "signed", True)],
    [(1, None, True)],
    [(1, "draft", True), (2, "signed", True)],
    [(1, "signed", True), (2, "amended", True)],
    [(1, "signed", True), (2, "draft", True)],
    [(1, "signed", True), (2, "void", True)],
    [(1, "draft", True)],
    [(1, "draft", False)],
    [(1, "signed", False)],
    [(1, "signed", True), (2, "signed", False)],
    [(0, "void", True), (3, "signed", True), (2, "amended", True)],
]
#: How a note writes its time: blocks one after the other; bent, overlapping and contradictory; under one clock;
#: some blocks, or all, without any.
PLAIN, BENT, SESSION, GAPS, SILENT = "plain", "bent", "session", "gaps", "silent"
STYLES = [PLAIN, PLAIN, PLAIN, PLAIN, BENT, BENT, BENT, SESSION, GAPS, SILENT]


def draw_note(d, notes, blocks, place):
    """Append one note, in all its versions, and its blocks. `place` is (patient, date, discipline)."""
    patient_id, day, discipline = place
    note_id = f"N{d.pick(5, 1, 9)}-{len(notes):03}"
    versions = d.pick(*VERSIONS)
    by_version, style, own = d.one_in(2), d.pick(*STYLES), []
    for index, (version, status, billable) in enumerate(versions):
        if by_version or index == 0:
            own = _draw_blocks(d, note_id, version if by_version else None, day, discipline, style)
            blocks += own
        narrative = d.pick(*[None] * 12, "Tolerated well.", "Gait training for 15 minutes.")
        notes.append(
            {
                "note_id": note_id,
                "patient_id": patient_id,
                "service_date": day,
                "provider_id": d.pick(*CLINICIANS),
                "discipline": discipline,
                "note_version": None if version == 1 and len(versions) == 1 else version,
                "status": status,
                "total_timed_minutes": _draw_total(d, own, style),
                "total_treatment_minutes": d.pick(*[None] * 4, 45, 23, 8, Decimal("52.5")),
                "is_billable": billable,
                "cap_justification": d.pick(None, None, None, "Two regions treated."),
                "narrative": narrative,
                "has_minutes_in_prose": bool(narrative and "minutes" in narrative),
            }
        )


def draw_together(d, notes, blocks, patient_id, day):
    """Append signed notes of two disciplines that treated the patient together, or nearly; their places."""
    at, length = 60 * d.pick(480, 540), 60 * d.pick(30, 15, 23, 38, 45)
    places = [(patient_id, day, "PT"), (patient_id, day, d.pick("OT", "SLP"))]
    for clinician, place in zip(CLINICIANS, places, strict=False):
        note = {"note_id": f"N-{len(notes):03}", "patient_id": patient_id, "service_date": day, "status": "signed"}
        note |= {
            "provider_id": clinician,
            "discipline": place[2],
            "total_timed_minutes": d.pick(None, None, length // 60),
        }
        notes.append(note)
        start = at + d.pick(0, 0, 0, 60 * 8, length, length - 59, length - 60)
        for number in range(1, 1 + d.pick(1, 1, 2)):
            row = {"note_id": note["note_id"], "block_number": number, "note_version": None}
            row |= {"procedure_code": d.pick(*TIMED_POOL[place[2]]), "minutes": d.pick(None, length // 60, 8)}
            blocks.append(row | _clock(start, start + length))
            start += length
        if d.one_in(8):
            notes[-1] |= {"total_treatment_minutes": 60}
            blocks[-1] |= {"minutes": None, "started_at": None, "ended_at": None}
    return places


def _draw_total(d, blocks, style):
    """A note total beside what its blocks have written: none, equal, rounded, above or below."""
    written = sum(_written(block) for block in blocks)
    rounded = written // 60 + d.pick(0, 0, 1)
    if style == PLAIN:
        return d.pick(None, None, as_minutes(written), rounded)
    if style in (GAPS, SILENT):
        return d.pick(None, None, None, None, rounded + d.pick(0, 8, 15, 30))
    above = [written + 60, written + 480, written + 900, written + 59]
    below = [written - 60, written - 480, written - 59]
    return d.pick(None, None, rounded, *(as_minutes(max(seconds, 0)) for seconds in (*above, *below)), 23)


def as_minutes(seconds):
    """Seconds as a number of minutes, whole where they are, cut to what two decimals say."""
    if seconds % 60 == 0:
        return seconds // 60
    return (Decimal(seconds) / 60).quantize(Decimal("0.01")).normalize()


def _written(row):
    """Seconds written in a drawn block, where they count."""
    block = read_block(row)
    is_timed = Kinds().of(block.code, None, CODE_CHANGES[-1][-1]) == TIMED
    return block.written if is_timed and block.delivery == "one_on_one" and not block.aide else 0


def _draw_blocks(d, note_id, version, day, discipline, style):
    """Blocks of one note. Plain ones follow each other and state what the clock says, if either; their
    lengths repeat, for ties."""
    at = 60 * d.pick(480, 480, 490, 505, 540, 600, 1425)
    base, found, finer = d.pick(*LENGTHS), [], d.one_in(4)
    is_plain = style != BENT
    session = 60 * d.pick(45, 30, 38, 23)
    for number in range(1, 1 + d.pick(2, 1, 3, 4, 2, 0)):
        length = 60 * (d.pick(base, base, *LENGTHS) if not d.one_in(80) else 700)
        if finer and d.one_in(2):
            length += d.pick(*SECONDS)
        row = {
            "note_id": note_id,
            "block_number": number,
            "note_version": version,
            "procedure_code": _draw_code(d, day, discipline),
            "minutes": d.pick(as_minutes(length), as_minutes(length), None),
            "delivery": d.pick(None, "one_on_one", "one_on_one") if is_plain else d.pick(*DELIVERIES),
            "provider_id": d.pick(None, None, None, None, *CLINICIANS),
            "provider_role": d.pick(None, "therapist", "assistant", "student", None if is_plain else "aide"),
        }
        if style == SILENT or (style == GAPS and d.one_in(2)):
            row["minutes"] = None
        elif style == SESSION and not d.one_in(5):
            row["minutes"] = d.pick(None, None, None, as_minutes(length))
            row |= _clock(at, at + session)
        else:
            at = _draw_times(d, row, at, length, is_plain)
        found.append(row)
    return found


def _draw_code(d, day, discipline):
    if d.one_in(12):
        return d.pick("97545", "97110", "97112", *UNLISTED)
    if day <= CODE_CHANGES[-1][-1] and not d.one_in(3):
        return d.pick(*DATED_POOL)
    return d.pick(*(UNTIMED_POOL if d.one_in(6) else TIMED_POOL)[discipline])


def _draw_times(d, row, at, length, is_plain):
    """Fill in clock times and bend the stated minutes; the second at which the next block may start."""
    if not is_plain and row["minutes"] is not None:
        row["minutes"] = as_minutes(max(length + 60 * d.pick(0, 0, 0, -5, -1, -10, 1, 2, 8), 0))
    if d.one_in(4) or (length > 200 * 60 and at + length >= 24 * 3600):
        if row["minutes"] is None and not d.one_in(10):
            row["minutes"] = as_minutes(length)
        return at + length
    at = max(at + (0 if is_plain else d.pick(0, 0, 0, 0, 300, -length, -300, -60, -900, -59)), 0)
    last = at + length + (d.pick(*SECONDS) if d.one_in(8) else 0)
    row |= _clock(at, at if d.one_in(25) else last)
    return at + length


def _clock(start, end):
    return {"started_at": _time(start), "ended_at": _time(end)}


def _time(total):
    total %= 24 * 3600
    text = f"{total // 3600:02}:{total // 60 % 60:02}"
    return f"{text}:{total % 60:02}" if total % 60 else text
