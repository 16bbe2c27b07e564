"""Minutes that count (the rule book, section 3), walked minute by minute over sets of clock minutes."""

from . import codes


def timed_one_on_one(block):
    """True for a block whose minutes count: a timed code, one-on-one, not an aide's."""
    return codes.is_timed(block.code) and block.delivery == "one_on_one" and not block.aide


def credit(blocks):
    """Credit each block of one patient and date (all disciplines): sets `credited` and `run` on them."""
    clocked = [block for block in blocks if block.clock is not None]
    clocked.sort(key=lambda b: (b.start, b.end, b.note_id, b.number))
    taken = set()
    for block in clocked:
        free = [minute for minute in block.stretch if minute not in taken]
        block.credited = min(block.worth, len(free))
        taken |= block.stretch
    for run in runs(clocked):
        give_back_rests(run)
        for block in run:
            block.run = run
    for block in blocks:
        if block.clock is None:
            block.credited, block.run = block.worth, [block]


def runs(clocked):
    """Lists of blocks joined, directly or through others, by a shared minute; order is kept within each."""
    left, found = list(clocked), []
    while left:
        run, grown = [left.pop(0)], True
        while grown:
            grown = False
            for block in list(left):
                if any(block.stretch & member.stretch for member in run):
                    run.append(block)
                    left.remove(block)
                    grown = True
        found.append(sorted(run, key=clocked.index))
    return found


def covered(run):
    """The clock minutes that a run covers, each once."""
    return len(set().union(*(block.stretch for block in run)))


def give_back_rests(run):
    """Raise blocks of a run one minute at a time, in order, while clock minutes are left over."""
    spare = covered(run) - sum(block.credited for block in run)
    while spare > 0:
        lacking = [block for block in run if block.credited < block.worth]
        if not lacking:
            return
        lacking[0].credited += 1
        spare -= 1


def written(note):
    """W: minutes written in the note's timed one-on-one blocks."""
    return sum(block.written for block in note.blocks if timed_one_on_one(block))


def credited(note):
    """C: minutes credited to the note's timed one-on-one blocks."""
    return sum(block.credited for block in note.blocks if timed_one_on_one(block))


def supported(note):
    """Supported minutes of a counting note."""
    if not note.blocks:
        return note.total or 0
    if note.total is None:
        return credited(note)
    if note.total < written(note):
        return min(note.total, credited(note))
    return note.total - (written(note) - credited(note))


def has_unexplained_minutes(note):
    """True for a note with blocks whose total is above what they hold."""
    return bool(note.blocks) and note.total is not None and note.total > written(note)


def sure(note):
    """Sure minutes: what its blocks were credited where the total is above them, else supported."""
    return credited(note) if has_unexplained_minutes(note) else supported(note)
