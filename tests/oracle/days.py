"""Therapy days: notes, lines and minutes of one patient, date and discipline brought together."""

from collections import Counter, defaultdict

from . import codes, minutes, survivors, units
from .reference import Reference
from .rows import as_date, read_block, read_line, read_note


class TherapyDay:
    """One patient, service date and discipline, with everything the rules ask of it."""

    def __init__(self, patient_id, day, discipline):
        self.patient_id, self.day, self.discipline = patient_id, day, discipline
        self.notes, self.not_billable, self.drafts = [], [], []
        self.lines, self.set_aside = [], []
        self.payer_id = self.payer = self.method = None

    @property
    def key(self):
        """(patient, date, discipline)."""
        return self.patient_id, self.day, self.discipline

    @property
    def blocks(self):
        """Timed one-on-one blocks of its counting notes."""
        return [b for note in self.notes for b in note.blocks if minutes.timed_one_on_one(b)]

    @property
    def timed_lines(self):
        """Its surviving lines of timed codes."""
        return [line for line in self.lines if codes.is_timed(line.code)]

    @property
    def billed(self):
        """Timed units billed."""
        return sum(line.units for line in self.timed_lines)

    @property
    def billed_by_code(self):
        """Timed units billed by counted code."""
        found = Counter()
        for line in self.timed_lines:
            found[codes.counted(line.code)] += line.units
        return found

    def minutes_by_code(self, what="credited"):
        """Minutes (`credited`, `written`, `double_counted`) of its blocks by counted code."""
        found = Counter()
        for block in self.blocks:
            found[codes.counted(block.code)] += getattr(block, what)
        return found

    @property
    def supported(self):
        """Supported minutes."""
        return sum(minutes.supported(note) for note in self.notes)

    @property
    def sure(self):
        """Sure minutes."""
        return sum(minutes.sure(note) for note in self.notes)

    @property
    def incomplete(self):
        """True where minutes are there that no block explains."""
        return any(not note.blocks or minutes.has_unexplained_minutes(note) for note in self.notes)

    @property
    def decidable(self):
        """True where the split over codes can be judged."""
        return not self.incomplete and not any(block.double_counted for block in self.blocks)

    @property
    def ama(self):
        """Units of the AMA count."""
        return sum(units.ama_split(self.minutes_by_code()).values())

    @property
    def cms(self):
        """Units of the CMS count of the supported minutes."""
        return units.count(self.supported)

    @property
    def splits(self):
        """Every lawful split by the day's method; None where the split is not judged."""
        if not self.decidable or self.method not in ("cms_8_minute", "ama_midpoint"):
            return None
        if self.method == "ama_midpoint":
            return [units.ama_split(self.minutes_by_code())]
        return units.cms_splits(self.cms, dict(self.minutes_by_code()))

    @property
    def expected(self):
        """The lawful split nearest to what was billed, or None."""
        return None if self.splits is None else units.nearest(self.splits, self.billed_by_code)

    @property
    def surplus(self):
        """Units billed above expected by counted code; empty where no split is expected."""
        if self.expected is None:
            return Counter()
        return self.billed_by_code - Counter(self.expected)

    @property
    def most_units(self):
        """The most units a lawful reading supports; None where the method cannot say."""
        return self._units(self.cms, max)

    @property
    def fewest_units(self):
        """The fewest units its sure minutes make; None where the method cannot say."""
        return self._units(units.count(self.sure), min)

    def _units(self, cms, choose):
        if self.method == "cms_8_minute":
            return cms
        if self.method is None or not self.decidable:
            return None
        return self.ama if self.method == "ama_midpoint" else choose(cms, self.ama)


class World:
    """All therapy days of an extract, the patient days left unjudged with reasons, the dates covered."""

    def __init__(self, claims, notes, blocks, reference, as_of, unjudged):
        self.reference, self.as_of = Reference(reference), as_date(as_of)
        self.all_lines = [read_line(row) for row in claims]
        self.all_notes = [read_note(row) for row in notes]
        self.unjudged = defaultdict(set)
        for patient_id, day in unjudged:
            self.unjudged[patient_id, as_date(day)].add("quarantined row")
        self.days = {}
        self.counting, self.not_billable, self.drafts = survivors.sort_notes(self.all_notes)
        survivors.hang_blocks(self.counting, [read_block(row) for row in blocks])
        self.lines, self.set_aside = survivors.split_lines(self.all_lines)
        self._place_notes()
        self._place_lines()
        self._credit_minutes()
        self._doubt_prose()
        for therapy_day in self.days.values():
            self._choose_payer(therapy_day)

    def therapy_day(self, patient_id, day, discipline):
        """The therapy day, made at first mention."""
        key = (patient_id, day, discipline)
        if key not in self.days:
            self.days[key] = TherapyDay(*key)
        return self.days[key]

    def is_judged(self, patient_id, day):
        """False for a patient and date that no rule may accuse."""
        return (patient_id, day) not in self.unjudged

    def counting_of(self, patient_id, day):
        """Counting notes of a patient and date, all disciplines."""
        return [n for n in self.counting if (n.patient_id, n.day) == (patient_id, day)]

    def is_justified(self, patient_id, day):
        """True where a counting note of the patient and date gives a reason to exceed a cap."""
        return any(note.justification for note in self.counting_of(patient_id, day))

    @property
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

    def _place_notes(self):
        for kind in ("counting", "not_billable", "drafts"):
            for note in getattr(self, kind):
                place = self.therapy_day(note.patient_id, note.day, note.discipline)
                getattr(place, "notes" if kind == "counting" else kind).append(note)

    def _place_lines(self):
        for line in self.lines + self.set_aside:
            others = [
                note
                for note in self.not_billable + self.drafts
                if (note.patient_id, note.day) == (line.patient_id, line.day)
            ]
            counting = self.counting_of(line.patient_id, line.day)
            line.discipline = survivors.settle_discipline(line, counting, others)
            if line.date_is_the_claims:
                self.unjudged[line.patient_id, line.day].add("a line has its claim's date")
            if line.discipline is None:
                self.unjudged[line.patient_id, line.day].add("a line has no discipline")
                continue
            place = self.therapy_day(line.patient_id, line.day, line.discipline)
            (place.set_aside if line.set_aside else place.lines).append(line)

    def _credit_minutes(self):
        for patient_id, day in {(note.patient_id, note.day) for note in self.counting}:
            notes = self.counting_of(patient_id, day)
            minutes.credit([b for note in notes for b in note.blocks if minutes.timed_one_on_one(b)])

    def _doubt_prose(self):
        for note in self.counting:
            prose = note.prose or any(block.prose for block in note.blocks)
            silent = not note.blocks or any(
                minutes.timed_one_on_one(b) and b.stated is None and b.clock is None for b in note.blocks
            )
            if prose and note.total is None and silent:
                self.unjudged[note.patient_id, note.day].add("minutes in prose")

    def _choose_payer(self, therapy_day):
        billed = Counter()
        for line in therapy_day.lines:
            billed[line.payer_id] += line.units
        if billed:
            therapy_day.payer_id = min(billed, key=lambda payer: (-billed[payer], payer))
            therapy_day.payer = self.reference.payer(therapy_day.payer_id, therapy_day.day)
            therapy_day.method = therapy_day.payer["counting_method"]
