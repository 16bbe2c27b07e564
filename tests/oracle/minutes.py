"""Time that counts (the rule book, section 3), in seconds of clock stretches."""

from . import spans

MINUTE = 60


def find_sessions(note, counts):
    """Set `session` on blocks of one note that share a session's clock, and `held` on those that state no time.

    `counts(block)` is true for timed one-on-one blocks. A session is at least two blocks, of whatever kind, with
    the very same clock, one of which is timed, one-on-one and states no minutes."""
    for span in {block.span for block in note.blocks if block.span}:
        members = [block for block in note.blocks if block.span == span]
        timed = [block for block in members if counts(block)]
        silent = sorted((b for b in timed if b.stated is None), key=lambda b: b.number)
        if len(members) < 2 or not silent:
            continue
        left = max(silent[0].clock - sum(b.stated for b in timed if b.stated is not None), 0)
        for block in members:
            block.session = members
        for block in silent:
            block.held = left if block is silent[0] else 0


def is_exempt(block, counts):
    """True for a block of a session's clock whose stated minutes do not alone exceed the clock."""
    return bool(block.session) and sum(b.stated or 0 for b in block.session if counts(b)) <= block.clock


def shared_with_untimed(block, counts):
    """What the block holds of a session's clock that a block of another kind shares."""
    return (block.held or 0) if any(not counts(member) for member in block.session) else 0


def credit(blocks, name):
    """Credit each block of a set, every second once; the result goes into the Credit called `name` of each."""
    clocked = sorted((b for b in blocks if b.span), key=lambda b: (b.start, b.end, b.note_id, b.number))
    earlier = []
    for block in clocked:
        got = getattr(block, name)
        free = spans.length([*earlier, block.span]) - spans.length(earlier)
        got.first = got.full = min(block.worth, free)
        earlier = spans.union([*earlier, block.span])
    for run in runs(clocked):
        give_back_rests(run, name)
    for block in blocks:
        if not block.span:
            got = getattr(block, name)
            got.first = got.full = block.worth


def runs(blocks):
    """Lists of blocks joined, directly or through others, by overlap, each in the order of crediting."""
    found = []
    for block in sorted(blocks, key=lambda b: (b.start, b.end, b.note_id, b.number)):
        if found and block.start < max(member.end for member in found[-1]):
            found[-1].append(block)
        else:
            found.append([block])
    return found


def covered(run):
    """The clock time that a run covers, each second once."""
    return spans.length([block.span for block in run])


def give_back_rests(run, name):
    """Raise the credits of a run towards their worth, in order, while clock time is left over."""
    spare = covered(run) - sum(getattr(block, name).first for block in run)
    for block in run:
        got = getattr(block, name)
        raised = min(block.worth - got.first, max(spare, 0))
        got.full += raised
        spare -= raised


class NoteTime:
    """What one counting note holds: `written` (W), `credited` (Cn), `supported` (None: unknown), `sure`."""

    def __init__(self, note, timed, counts):
        self.note, self.timed = note, timed
        self.total, self.has_blocks = note.total, bool(note.blocks)
        self.written = sum(block.written for block in timed)
        self.credited = sum(block.in_note.full for block in timed)
        self.unmeasured = any(block.is_unmeasured for block in timed)
        first = sum(0 if shared_with_untimed(b, counts) else b.on_day.first for b in timed)
        self.supported = self._supported()
        self.sure = self._sure(first)

    @property
    def is_one_total(self):
        """True where T and W are less than a minute apart: one total, rounded."""
        return self.total is not None and abs(self.total - self.written) < MINUTE

    @property
    def above(self):
        """True where T is a minute or more above W."""
        return self.total is not None and self.total - self.written >= MINUTE

    @property
    def below(self):
        """True where T is a minute or more below W."""
        return self.total is not None and self.written - self.total >= MINUTE

    @property
    def is_incomplete(self):
        """True where the note has time that no block explains."""
        return not self.has_blocks or self.unmeasured or self.above

    @property
    def has_unexplained(self):
        """True where T is above W and no block is left that could hold the rest."""
        return self.above and not self.unmeasured

    @property
    def shortfall(self):
        """What T is below W."""
        return 0 if self.total is None else max(self.written - self.total, 0)

    @property
    def known(self):
        """Supported time, or what is credited where it is unknown."""
        return self.credited if self.supported is None else self.supported

    @property
    def beyond(self):
        """What the note supports beyond what its blocks are credited."""
        return max(self.known - self.credited, 0)

    def _supported(self):
        if self.total is None and (self.unmeasured or not self.has_blocks):
            return None if self.note.treatment is None else max(self.credited, self.note.treatment)
        if self.total is None:
            return self.credited
        if not self.has_blocks:
            return self.total
        if self.is_one_total:
            return max(self.total, self.written) - (self.written - self.credited)
        if self.total > self.written:
            return self.total - (self.written - self.credited)
        return min(self.total, self.credited)

    def _sure(self, first):
        """The same with first credits over the day, and without what only some readings grant."""
        if self.total is None:
            return first
        if not self.has_blocks:
            return self.total
        if self.is_one_total:
            return max(min(self.total, self.written) - (self.written - first), 0)
        return first if self.total > self.written else min(self.total, first)
