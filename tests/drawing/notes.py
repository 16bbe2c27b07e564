"""Draws notes and their blocks."""

from tests.drawing import CLINICIANS, DATES, DELIVERIES, LENGTHS, TIMED_POOL, UNTIMED_POOL
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


def draw_note(d, notes, blocks, place):
    """Append one note, in all its versions, and its blocks. `place` is (patient, date, discipline)."""
    patient_id, day, discipline = place
    note_id = f"N{d.pick(5, 1, 9)}-{len(notes):03}"
    versions = d.pick(*VERSIONS)
    by_version, is_plain, own = d.one_in(2), not d.one_in(2), []
    for index, (version, status, billable) in enumerate(versions):
        if by_version or index == 0:
            own = _draw_blocks(d, note_id, version if by_version else None, discipline, is_plain)
            blocks += own
        narrative = d.pick(*[None] * 8, "Tolerated well.", "Gait training for 15 minutes.")
        notes.append(
            {
                "note_id": note_id,
                "patient_id": patient_id,
                "service_date": day,
                "provider_id": d.pick(*CLINICIANS),
                "discipline": discipline,
                "note_version": None if version == 1 and len(versions) == 1 else version,
                "status": status,
                "total_timed_minutes": _draw_total(d, own, is_plain),
                "is_billable": billable,
                "cap_justification": d.pick(None, None, None, "Two regions treated."),
                "narrative": narrative,
                "has_minutes_in_prose": bool(narrative and "minutes" in narrative),
            }
        )


def _draw_total(d, blocks, is_plain):
    """A note total beside what its blocks have written: none, equal, above or below."""
    written = sum(_written(block) for block in blocks)
    if is_plain:
        return d.pick(None, written)
    above = [written + 1, written + 8, written + 15]
    return d.pick(None, None, written, *above, max(written - 1, 0), max(written - 8, 0), 23)


def _written(row):
    """Minutes written in a drawn block, where they count."""
    block = read_block(row)
    is_timed = Kinds().of(block.code, None, DATES[0]) == TIMED
    return block.written // 60 if is_timed and block.delivery == "one_on_one" and not block.aide else 0


def _draw_blocks(d, note_id, version, discipline, is_plain):
    """Blocks of one note. Plain ones follow each other and state what the clock says, if either; their
    lengths repeat, for ties."""
    at = d.pick(480, 480, 490, 505, 540, 600, 1425)
    base, found = d.pick(*LENGTHS), []
    for number in range(1, 1 + d.pick(2, 1, 3, 4, 2, 0)):
        length = d.pick(base, base, *LENGTHS) if not d.one_in(80) else 700
        row = {
            "note_id": note_id,
            "block_number": number,
            "note_version": version,
            "procedure_code": d.pick(*(UNTIMED_POOL if d.one_in(6) else TIMED_POOL)[discipline]),
            "minutes": d.pick(length, length, None),
            "delivery": d.pick(None, "one_on_one", "one_on_one") if is_plain else d.pick(*DELIVERIES),
            "provider_id": d.pick(None, None, None, None, *CLINICIANS),
            "provider_role": d.pick(None, "therapist", "assistant", "student", None if is_plain else "aide"),
        }
        if d.one_in(12):
            row["procedure_code"] = d.pick("97545", "97110", "97112")
        at = _draw_times(d, row, at, length, is_plain)
        found.append(row)
    return found


def _draw_times(d, row, at, length, is_plain):
    """Fill in clock times and bend the stated minutes; the minute at which the next block may start."""
    if not is_plain and row["minutes"] is not None:
        row["minutes"] = max(length + d.pick(0, 0, 0, -5, -1, -10, 1, 2, 8), 0)
    if d.one_in(4) or (length > 200 and at + length >= 24 * 60):
        if row["minutes"] is None and not d.one_in(10):
            row["minutes"] = length
        return at + length
    at = max(at + (0 if is_plain else d.pick(0, 0, 0, 0, 5, -length, -5, -1, -15)), 0)
    seconds = d.one_in(6)
    first = at * 60 + (d.pick(0, 30, 59) if seconds else 0)
    last = (at + length) * 60 + (d.pick(0, 30, 1) if seconds else 0)
    if last < first or d.one_in(25):
        last = first
    row["started_at"], row["ended_at"] = _time(first, seconds), _time(last, seconds)
    return at + length


def _time(total, seconds):
    total %= 24 * 3600
    text = f"{total // 3600:02}:{total // 60 % 60:02}"
    return f"{text}:{total % 60:02}" if seconds else text
