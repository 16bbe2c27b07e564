"""Which claim lines and which notes count (the rule book, section 2), and a line's discipline (section 1)."""

from collections import defaultdict

from . import codes

MODIFIER_DISCIPLINE = {"GP": "PT", "GO": "OT", "GN": "SLP"}
BILL_NOTHING = ("8", "0", "9")


def standing(lines, gone):
    """Lines of claims that stand and bill, of whatever code, denied and secondary ones among them."""
    return [line for line in lines if line.claim_id not in gone and line.frequency not in BILL_NOTHING]


def bills(line):
    """True for a standing line that bills its units."""
    return not line.set_aside and line.units > 0


def sort_notes(notes):
    """(counting notes, not-billable notes, drafts) of all note rows."""
    drafts = [note for note in notes if note.status == "draft"]
    versions = defaultdict(list)
    for note in notes:
        if note.status != "draft":
            versions[note.note_id].append(note)
    counting, not_billable = [], []
    for note_id in sorted(versions):
        last = max(versions[note_id], key=lambda note: note.version)
        if last.status in ("signed", "amended", None):
            (counting if last.billable else not_billable).append(last)
    return counting, not_billable, drafts


def hang_blocks(counting, blocks):
    """Give each counting note the blocks of its version and those that name no version."""
    of_note = defaultdict(list)
    for block in blocks:
        of_note[block.note_id].append(block)
    for note in counting:
        for block in of_note[note.note_id]:
            if block.version in (None, note.version):
                block.note = note
                note.blocks.append(block)


def therapy_modifiers(line):
    """Disciplines that the line's GP, GO and GN name."""
    return {MODIFIER_DISCIPLINE[m] for m in line.modifiers if m in MODIFIER_DISCIPLINE}


def settle_discipline(line, counting, others):
    """The line's discipline, or None. `counting` and `others` (drafts and not-billable notes) are those of
    the line's patient and date."""
    if line.stated_discipline:
        return line.stated_discipline
    of_provider = [note for note in counting if note.provider_id == line.rendering]
    by_code = codes.discipline_of(line.code)
    for known in (
        therapy_modifiers(line),
        {note.discipline for note in counting},
        {note.discipline for note in of_provider},
        {by_code} if by_code else set(),
        {note.discipline for note in others} if not counting else set(),
    ):
        if len(known) == 1:
            return known.pop()
    return "PT" if not counting and not others else None
