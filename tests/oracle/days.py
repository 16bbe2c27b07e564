"""Therapy days: notes, lines and time of one patient, date and discipline brought together."""

from collections import Counter, defaultdict
from datetime import timedelta
from functools import cached_property

from . import codes, minutes, spans, survivors, units
from .corrections import Corrections
from .reference import Reference
from .rows import as_date, read_block, read_line, read_note

CMS, AMA, EITHER = "cms_8_minute", "ama_midpoint", "either"
MINUTE = minutes.MINUTE
#: More than 7.5 minutes are a unit of a code under AMA.
MIDPOINT = units.QUARTER // 2


class TherapyDay:
    """One patient, service date and discipline, with everything the rules ask of it. Time is in seconds.

    `others` are the therapy days of other disciplines of the patient and date. Of billed lines of unlisted codes
    with a therapy modifier it knows its own, and whether the date has one."""

    def __init__(self, patient_id, day, discipline, kinds):
        self.patient_id, self.day, self.discipline = patient_id, day, discipline
        self.kinds, self.others = kinds, []
        self.notes, self.not_billable, self.drafts = [], [], []
        self.lines, self.set_aside = [], []
        self.unlisted_lines, self.unlisted_set_aside, self.unlisted_on_date = [], [], False
        self.payers, self.payer_id, self.payer, self.method = [], None, None, None

    @property
    def key(self):
        """(patient, date, discipline)."""
        return self.patient_id, self.day, self.discipline

    # codes

    def kind(self, code):
        """The code's kind here: the payer's own where one payer was billed, else as shipped."""
        return self.kinds.of(code, self.payer_id, self.day)

    def is_timed(self, code):
        """True for a code billed in 15-minute units here."""
        return self.kind(code) == codes.TIMED

    def is_untimed(self, code):
        """True for a code billed once a day here."""
        return self.kind(code) == codes.UNTIMED

    def counts(self, block):
        """True for a block whose minutes count: a timed code, one-on-one, not an aide's."""
        return self.is_timed(block.code) and block.delivery == "one_on_one" and not block.aide

    @cached_property
    def all_blocks(self):
        """Every block of its counting notes."""
        return [block for note in self.notes for block in note.blocks]

    @cached_property
    def blocks(self):
        """Timed one-on-one blocks of its counting notes."""
        return [block for block in self.all_blocks if self.counts(block)]

    @cached_property
    def timed_codes_documented(self):
        """Timed codes that its blocks name, as written."""
        return {block.code for block in self.all_blocks if self.is_timed(block.code)}

    @cached_property
    def unlisted_blocks(self):
        """One-on-one blocks of unlisted codes: nobody knows whether their time is in the pool."""
        return [
            b
            for b in self.all_blocks
            if self.kind(b.code) == codes.UNLISTED and b.delivery == "one_on_one" and not b.aide
        ]

    def distinct_blocks(self, code):
        """How many blocks of different clinicians or clock times document the code."""
        said = [b for b in self.all_blocks if codes.counted(code) in codes.documented(b.code, b.delivery)]
        return len({(block.clinician, block.span) for block in said})

    # what was billed

    @cached_property
    def timed_lines(self):
        """Its surviving lines of timed codes."""
        return [line for line in self.lines if self.is_timed(line.code)]

    @cached_property
    def billed(self):
        """Timed units billed."""
        return sum(line.units for line in self.timed_lines)

    @cached_property
    def billed_by_code(self):
        """Timed units billed by counted code."""
        found = Counter()
        for line in self.timed_lines:
            found[codes.counted(line.code)] += line.units
        return found

    # time

    @cached_property
    def times(self):
        """The NoteTime of each counting note."""
        return [minutes.NoteTime(note, [b for b in note.blocks if self.counts(b)], self.counts) for note in self.notes]

    def by_code(self, seconds_of):
        """Seconds by counted code: the sum of `seconds_of(block)` over its timed one-on-one blocks."""
        found = Counter()
        for block in self.blocks:
            found[codes.counted(block.code)] += seconds_of(block)
        return found

    @cached_property
    def credited_by_code(self):
        """Seconds credited over the therapy day, by counted code."""
        return self.by_code(lambda block: block.on_day.full)

    @cached_property
    def is_unknown(self):
        """True where a counting note does not say how long."""
        return any(time.supported is None for time in self.times)

    @cached_property
    def notes_sum(self):
        """S: what its notes support, an unknown one what its blocks are credited."""
        return sum(time.known for time in self.times)

    @cached_property
    def clock_sum(self):
        """K: what is credited over the day, and what the notes support beyond their own credits."""
        return sum(b.on_day.full for b in self.blocks) + sum(time.beyond for time in self.times)

    @cached_property
    def known(self):
        """Supported time, an unknown note taken for what its blocks are credited."""
        return min(self.notes_sum, self.clock_sum)

    @property
    def supported(self):
        """Supported time; None where it is unknown."""
        return None if self.is_unknown else self.known

    def lacking(self, block):
        """Seconds of the block that are double-counted: 0 unless it lacks a minute or more of its worth in its
        own note, or over the day where the notes' totals do not hold each minute once already."""
        if minutes.is_exempt(block, self.counts):
            return 0
        in_note, on_day = block.worth - block.in_note.full, block.worth - block.on_day.full
        said_of_day = not self.is_unknown and self.notes_sum - self.clock_sum >= MINUTE
        if in_note >= MINUTE:
            return in_note
        return on_day if on_day >= MINUTE and said_of_day else 0

    def covered_by_others(self, blocks):
        """Clock time of these blocks of the day that blocks of other disciplines cover."""
        theirs = [block.span for other in self.others for block in other.blocks if block.span]
        return spans.shared([block.span for block in blocks if block.span], theirs)

    @cached_property
    def shared_at_most(self):
        """Clock time that other disciplines' blocks cover, at most those disciplines' supported time. Nobody
        knows how much an unknown day supports: it is no bound."""
        covered = self.covered_by_others(self.blocks)
        if any(other.is_unknown for other in self.others):
            return covered
        return min(covered, sum(other.known for other in self.others))

    @cached_property
    def sure(self):
        """What every reading of its notes grants."""
        return max(min(sum(time.sure for time in self.times), self.known) - self.shared_at_most, 0)

    @cached_property
    def sure_by_code(self):
        """First credits by counted code, without what other disciplines' blocks cover."""
        found = self.by_code(lambda block: block.on_day.first)
        for code in found:
            own = [block for block in self.blocks if codes.counted(block.code) == code]
            found[code] = max(found[code] - self.covered_by_others(own), 0)
        return found

    @cached_property
    def is_incomplete(self):
        """True where time is there that no block explains."""
        return any(time.is_incomplete for time in self.times)

    @cached_property
    def shares_a_session(self):
        """True where a timed one-on-one block shares a session's clock."""
        return any(block.session for block in self.blocks)

    @cached_property
    def decidable(self):
        """True where the split over codes can be judged."""
        return not (
            self.is_incomplete
            or self.shares_a_session
            or any(time.below for time in self.times)
            or any(self.lacking(block) for block in self.blocks)
            or any(block.on_day.full - block.on_day.first >= MINUTE for block in self.blocks)
            or self.covered_by_others(self.blocks) >= MINUTE
        )

    # units

    @cached_property
    def cms(self):
        """Units of the CMS count of the supported time; None where that is unknown."""
        return None if self.is_unknown else units.cms(self.known)

    @cached_property
    def ama(self):
        """Units of the AMA count of the credited time."""
        return sum(units.ama_split(self.credited_by_code).values())

    def ama_most(self, more=0):
        """The most AMA units under any reading of an undecidable day, with `more` seconds of an unlisted code's."""
        pooled = units.pooled_most(self.known + more, self.timed_code_count)
        if more or self.is_incomplete or self.shares_a_session:
            return pooled
        worth = self.by_code(lambda block: block.worth)
        return min(pooled, sum(units.ama(seconds) for seconds in worth.values()))

    @cached_property
    def timed_code_count(self):
        """How many timed codes its blocks or its bill name, an add-on and its base code being one."""
        return len({codes.counted(code) for code in self.timed_codes_documented} | set(self.billed_by_code))

    @cached_property
    def unlisted_seconds(self):
        """Time of its blocks of unlisted codes; None where one of them has none written."""
        if any(block.is_unmeasured for block in self.unlisted_blocks):
            return None
        return sum(block.written for block in self.unlisted_blocks)

    @cached_property
    def splits(self):
        """Every lawful split by the day's method; None where the split is not judged."""
        if not self.decidable or self.method not in (CMS, AMA):
            return None
        if self.method == AMA:
            return [units.ama_split(self.credited_by_code)]
        return units.cms_splits(self.cms, dict(self.credited_by_code))

    @cached_property
    def expected(self):
        """The lawful split nearest to what was billed, or None."""
        return None if self.splits is None else units.nearest(self.splits, self.billed_by_code)

    @property
    def surplus(self):
        """Units billed above expected by counted code; empty where no split is expected."""
        return Counter() if self.expected is None else self.billed_by_code - Counter(self.expected)

    @cached_property
    def most_units(self):
        """The most units that any lawful reading supports, an unlisted code's time granted; None where nobody
        can say."""
        if self.is_unknown or self.unlisted_seconds is None or self.method is None:
            return None
        more = self.unlisted_seconds
        by_cms = units.cms(self.known + more)
        by_ama = self.ama if self.decidable and not more else self.ama_most(more)
        return {CMS: by_cms, AMA: by_ama, EITHER: max(by_cms, by_ama)}[self.method]

    @cached_property
    def fewest_units(self):
        """The fewest units its sure time makes; None where the method cannot say."""
        if self.method == CMS:
            return units.cms(self.sure)
        if self.method is None or not self.decidable:
            return None
        by_ama = units.at_least(self.sure_by_code)
        return by_ama if self.method == AMA else min(units.cms(self.sure), by_ama)


class World:
    """All therapy days of an extract, the patient days left unjudged with reasons, the dates covered."""

    def __init__(
        self,
        claims,
        notes,
        blocks,
        reference,
        as_of,
        unjudged=(),
        *,
        unjudged_patients=(),
        unread_claims=(),
        unread_notes=(),
    ):
        self.dates_with_unread_claim = {as_date(day) for day in unread_claims}
        self.dates_with_unread_note = {as_date(day) for day in unread_notes}
        self.reference, self.as_of = Reference(reference), as_date(as_of)
        self.all_lines = [read_line(row) for row in claims]
        self.all_notes = [read_note(row) for row in notes]
        self.unjudged = defaultdict(set)
        for patient_id, day in unjudged:
            self._doubt(patient_id, as_date(day), "quarantined_row")
        self.days, self.days_of = {}, defaultdict(list)
        self.counting, self.not_billable, self.drafts = survivors.sort_notes(self.all_notes)
        survivors.hang_blocks(self.counting, [read_block(row) for row in blocks])
        self.corrections = Corrections(self.all_lines)
        self.standing = survivors.standing(self.all_lines, self.corrections.gone)
        self._index_notes()
        self._place_notes()
        self._place_lines()
        self._doubt_claims()
        self._doubt_patients(set(unjudged_patients))
        for therapy_day in list(self.days.values()):
            self._choose_payer(therapy_day)
        self._place_unlisted()
        self._doubt_prose()
        self.lines = [line for day in self.days.values() for line in day.lines]
        self._credit_time()

    def therapy_day(self, patient_id, day, discipline):
        """The therapy day, made at first mention."""
        key = (patient_id, day, discipline)
        if key not in self.days:
            self.days[key] = made = TherapyDay(*key, self.reference.kinds)
            for other in self.days_of[patient_id, day]:
                other.others.append(made)
                made.others.append(other)
            self.days_of[patient_id, day].append(made)
        return self.days[key]

    def is_judged(self, patient_id, day):
        """False for a patient and date that no rule may accuse."""
        return (patient_id, day) not in self.unjudged

    def counting_of(self, patient_id, day):
        """Counting notes of a patient and date, all disciplines."""
        return self._counting_of[patient_id, day]

    def is_justified(self, patient_id, day):
        """True where a counting note of the patient and date gives a reason to exceed a cap."""
        return any(note.justification for note in self.counting_of(patient_id, day))

    @cached_property
    def dates_covered(self):
        """(first, last) service date that both extracts cover, or None."""
        claim_days = [line.day for line in self.all_lines]
        note_days = [note.day for note in self.all_notes]
        if not claim_days or not note_days:
            return None
        return max(min(claim_days), min(note_days)), min(max(claim_days), max(note_days))

    def is_covered(self, day):
        """True inside the dates that both extracts cover."""
        return self.dates_covered is not None and self.dates_covered[0] <= day <= self.dates_covered[1]

    def is_past_lag(self, day):
        """True where "not billed" may be said of a date: covered, and long enough before the as-of date."""
        lag = timedelta(days=self.reference.parameter("billing_lag_days", 5))
        return self.is_covered(day) and day <= self.as_of - lag

    @cached_property
    def measured_share(self):
        """(counting notes that give minutes, counting notes) of the run."""
        given = [n for n in self.counting if n.total is not None or any(not b.is_unmeasured for b in n.blocks)]
        return len(given), len(self.counting)

    @cached_property
    def standing_of(self):
        """(patient, date) -> standing lines of whatever code that bill, and those that were set aside."""
        found = defaultdict(list)
        for line in self.standing:
            if line.set_aside or line.units > 0:
                found[line.patient_id, line.day].append(line)
        return found

    @cached_property
    def shortfalls(self):
        """Counting note -> what its stated total is below what its blocks have written."""
        return {time.note: time.shortfall for day in self.days.values() for time in day.times}

    @cached_property
    def cap_groups(self):
        """(patient, date, code, billing provider) -> surviving lines."""
        groups = defaultdict(list)
        for line in self.lines:
            groups[line.patient_id, line.day, line.code, line.billing].append(line)
        return groups

    def _doubt(self, patient_id, day, reason):
        self.unjudged[patient_id, day].add(reason)

    def _index_notes(self):
        self._counting_of, self._other_notes_of = defaultdict(list), defaultdict(list)
        for note in self.counting:
            self._counting_of[note.patient_id, note.day].append(note)
        for note in self.not_billable + self.drafts:
            self._other_notes_of[note.patient_id, note.day].append(note)

    def _place_notes(self):
        for kind in ("counting", "not_billable", "drafts"):
            for note in getattr(self, kind):
                note.therapy_day = self.therapy_day(note.patient_id, note.day, note.discipline)
                getattr(note.therapy_day, "notes" if kind == "counting" else kind).append(note)

    def _place_lines(self):
        """Lines in scope by their own payer's kinds go to their therapy days; unlisted ones wait."""
        self.unlisted_lines = []
        for line in self.standing:
            kind = self.reference.kinds.of(line.code, line.payer_id, line.day)
            if codes.in_scope(kind):
                self._place_line(line)
            elif kind == codes.UNLISTED:
                self.unlisted_lines.append(line)

    def _settle(self, line):
        place = (line.patient_id, line.day)
        line.discipline = survivors.settle_discipline(line, self._counting_of[place], self._other_notes_of[place])
        return line.discipline

    def _place_line(self, line):
        if not (line.set_aside or line.units > 0):
            return
        if line.date_is_the_claims:
            self._doubt(line.patient_id, line.day, "claim_dated_line")
        if len(line.days) > 1:
            for day in line.days:
                self._doubt(line.patient_id, day, "line_spans_dates")
        if self._settle(line) is None:
            self._doubt(line.patient_id, line.day, "unsettled_discipline")
            return
        place = self.therapy_day(line.patient_id, line.day, line.discipline)
        (place.set_aside if line.set_aside else place.lines).append(line)

    def _place_unlisted(self):
        """A billed line of an unlisted code that bears GP, GO or GN can only need minutes: its day, or where
        its discipline is not settled all days of the date, keep it beside their lines. One that was denied or is a
        secondary payer's may have been billed for what seems not to be."""
        for line in self.unlisted_lines:
            if not (line.set_aside or line.units > 0) or not survivors.therapy_modifiers(line):
                continue
            discipline = self._settle(line)
            for day in self.days_of[line.patient_id, line.day]:
                day.unlisted_on_date = True
                if discipline in (None, day.discipline):
                    (day.unlisted_set_aside if line.set_aside else day.unlisted_lines).append(line)

    def _doubt_claims(self):
        """Leave the patients and dates of corrections unjudged that nobody can follow, or that name no claim
        here while another claim still bills."""
        billing = defaultdict(set)
        for line in self.standing:
            if survivors.bills(line):
                billing[line.patient_id, line.day, line.payer_id].add(line.claim_id)
        for line in self.all_lines:
            if line.claim_id in self.corrections.unclear:
                self._doubt(line.patient_id, line.day, "correction_unclear")
            others = billing[line.patient_id, line.day, line.payer_id] - {line.claim_id}
            if line.claim_id in self.corrections.orphans and others:
                self._doubt(line.patient_id, line.day, "correction_without_original")

    def _doubt_prose(self):
        for note in self.counting:
            prose = note.prose or any(block.prose for block in note.blocks)
            silent = not note.blocks or any(b.is_unmeasured and note.therapy_day.counts(b) for b in note.blocks)
            if prose and note.total is None and silent:
                self._doubt(note.patient_id, note.day, "minutes_in_prose")

    def _doubt_patients(self, patients):
        for row in [*self.all_lines, *self.all_notes]:
            if row.patient_id in patients:
                self._doubt(row.patient_id, row.day, "quarantined_row_undated")

    def _choose_payer(self, day):
        """The day's payer where its lines name one; with none or several the shipped kinds hold."""
        day.payers = sorted({line.payer_id for line in day.lines})
        if len(day.payers) == 1:
            self.bill_to(day, day.payers[0])
        elif day.payers:
            out = [line for line in day.lines if not codes.in_scope(day.kind(line.code))]
            day.lines = [line for line in day.lines if line not in out]
            self.unlisted_lines += [line for line in out if day.kind(line.code) == codes.UNLISTED]

    def bill_to(self, day, payer_id):
        """Make this payer the only one of the day."""
        day.payer_id = payer_id
        day.payer = self.reference.payer(payer_id, day.day)
        day.method = day.payer["counting_method"]

    def _credit_time(self):
        """Find the sessions of each note, then credit time three times: note, therapy day, patient and date."""
        for therapy_days in self.days_of.values():
            for day in therapy_days:
                for note in day.notes:
                    minutes.find_sessions(note, day.counts)
                    minutes.credit([block for block in note.blocks if day.counts(block)], "in_note")
                minutes.credit(day.blocks, "on_day")
            minutes.credit([block for day in therapy_days for block in day.blocks], "on_date")
