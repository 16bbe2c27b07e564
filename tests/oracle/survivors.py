"""Which claim lines and which notes count (the rule book, section 2), and a line's discipline (section 1)."""

from . import codes

MODIFIER_DISCIPLINE = {"GP": "PT", "GO": "OT", "GN": "SLP"}


def gone_claims(lines):
    """Ids of claims that another claim voids or replaces, and of replacements that a later one outdoes."""
    named = {(line.claim_id, line.frequency, line.original) for line in lines}
    named = [n for n in named if n[1] in ("7", "8") and n[2] and n[2] != n[0]]
    gone = {original for _, _, original in named}
    for claim_id, frequency, original in named:
        for other_id, other_frequency, other_original in named:
            both_replace = frequency == "7" and other_frequency == "7"
            if both_replace and original == other_original and other_id > claim_id:
                gone.add(claim_id)
    return gone


def split_lines(lines):
    """(billed lines, set-aside lines), both in scope and of claims that stand."""
    gone = gone_claims(lines)
    standing = [
        line for line in lines if line.claim_id not in gone and line.frequency != "8" and codes.in_scope(line.code)
    ]
    billed = [line for line in standing if not line.set_aside and line.units > 0]
    return billed, [line for line in standing if line.set_aside]


def sort_notes(notes):
    """(counting notes, not-billable notes, drafts) of all note rows."""
    drafts = [note for note in notes if note.status == "draft"]
    counting, not_billable = [], []
    for note_id in sorted({note.note_id for note in notes}):
        versions = [note for note in notes if note.note_id == note_id and note.status != "draft"]
        if not versions:
            continue
        last = max(versions, key=lambda note: note.version)
        if last.status not in ("signed", "amended", None):
            continue
        (counting if last.billable else not_billable).append(last)
    return counting, not_billable, drafts


def hang_blocks(counting, blocks):
    """Give each counting note the blocks of its version and those that name no version."""
    for note in counting:
        for block in blocks:
            if block.note_id == note.note_id and block.version in (None, note.version):
                block.note = note
                note.blocks.append(block)


def settle_discipline(line, counting, others):
    """The line's discipline, or None. `counting` and `others` (drafts and not-billable notes) are those of
    the line's patient and date."""
    if line.stated_discipline:
        return line.stated_discipline
    by_modifier = {MODIFIER_DISCIPLINE[m] for m in line.modifiers if m in MODIFIER_DISCIPLINE}
    if len(by_modifier) == 1:
        return by_modifier.pop()
    of_day = {note.discipline for note in counting}
    if len(of_day) == 1:
        return of_day.pop()
    of_provider = {note.discipline for note in counting if note.provider_id == line.rendering}
    if len(of_provider) == 1:
        return of_provider.pop()
    if codes.discipline_of(line.code):
        return codes.discipline_of(line.code)
    of_others = {note.discipline for note in others}
    if len(of_others) == 1:
        return of_others.pop()
    return "PT" if not counting and not others else None
