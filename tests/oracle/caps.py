"""Day caps (the rule book, section 5)."""

from dataclasses import dataclass

from . import codes, units


@dataclass
class CapTest:
    """One cap of one payer against the lines that it binds. Indicator 1 is tested line by line."""

    cap: int
    indicator: int | None
    lines: list

    @property
    def payer_id(self):
        """The payer whose lines it binds."""
        return self.lines[0].payer_id

    @property
    def tested(self):
        """Units of each test: one a line under indicator 1, else one of all lines."""
        each = [line.units for line in self.lines]
        return each if self.indicator == 1 else [sum(each)]

    @property
    def units(self):
        """The most units tested at once."""
        return max(self.tested)

    @property
    def excess(self):
        """Units above the cap, over all tests."""
        return sum(units - self.cap for units in self.tested if units > self.cap)

    def severity(self, world):
        """Review where the record may justify it or carries the units itself, else error."""
        if self.indicator != 3 or self.cap == 0:
            return "error"
        first = self.lines[0]
        justified = world.is_justified(first.patient_id, first.day)
        return "review" if justified or carried_by_minutes(world, self.lines, self.units) else "error"


def carried_by_minutes(world, lines, billed):
    """True where the code's credited time, on an undecidable day all its supported time, makes the units billed.
    Nobody knows that an unknown day's does not."""
    seconds, code = 0, lines[0].code
    for day in {world.days[line.patient_id, line.day, line.discipline] for line in lines}:
        if not day.is_timed(code) or not day.notes:
            continue
        if day.is_unknown:
            return True
        seconds += day.credited_by_code[codes.counted(code)] if day.decidable else day.known
    return units.ama(seconds) >= billed


def cap_tests(world, code, day, lines):
    """Every cap that binds lines of one code, date and billing provider: for each payer the MUE, and its own."""
    tests, reference = [], world.reference
    for payer_id in sorted({line.payer_id for line in lines}):
        own = [line for line in lines if line.payer_id == payer_id]
        bound = [line for line in own if line.professional and reference.payer(payer_id, day)["follows_mue"]]
        mue, cap = reference.cap(code, None, day), reference.cap(code, payer_id, day)
        if mue and bound:
            tests.append(CapTest(*mue, bound))
        if cap:
            tests.append(CapTest(*cap, own))
    return tests


def stands_in_the_way(world, day):
    """True where a cap keeps the day from billing more: its payer's on all timed units is reached, or that of a
    timed code billed; of a code with an add-on, those of both."""
    day_cap = day.payer["timed_units_per_day_cap"]
    if day_cap is not None and day.billed >= int(day_cap):
        return True
    return any(
        all(_is_reached(world, day, one) for one in codes.together(code))
        for code in {line.code for line in day.timed_lines}
    )


def _is_reached(world, day, code):
    """True where the code can take no more units: a cap on its lines is reached, or, not billed, is 0."""
    own = [line for line in day.timed_lines if line.code == code]
    if not own:
        return world.reference.is_never_payable(code, day.payer_id, day.day)
    groups = {(line.patient_id, line.day, line.code, line.billing) for line in own}
    return any(
        test.units >= test.cap
        for key in groups
        for test in cap_tests(world, code, day.day, world.cap_groups[key])
        if any(line in own for line in test.lines)
    )
