"""Day caps (the rule book, section 5)."""

from dataclasses import dataclass

from .codes import is_timed


@dataclass
class CapTest:
    """One cap against the lines that it binds. Indicator 1 is tested line by line."""

    cap: int
    indicator: int | None
    lines: list

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

    def severity(self, is_justified):
        """Review where the record may justify it, else error."""
        return "review" if self.indicator == 3 and self.cap > 0 and is_justified else "error"


def cap_groups(world):
    """(patient, date, code, billing provider) -> surviving lines."""
    groups = {}
    for line in world.lines:
        groups.setdefault((line.patient_id, line.day, line.code, line.billing), []).append(line)
    return groups


def cap_tests(world, code, day, lines):
    """Every cap that binds lines of one group: the MUE, and each payer's own."""
    tests, reference = [], world.reference
    mue = reference.cap(code, None, day)
    bound = [x for x in lines if x.professional and reference.payer(x.payer_id, day)["follows_mue"]]
    if mue and bound:
        tests.append(CapTest(*mue, bound))
    for payer_id in sorted({line.payer_id for line in lines}):
        own = reference.cap(code, payer_id, day)
        if own:
            tests.append(CapTest(*own, [line for line in lines if line.payer_id == payer_id]))
    return tests


def stands_in_the_way(world, therapy_day):
    """True where a cap keeps the day from billing more: its payer's on all timed units is reached, or that
    of a timed code billed, over all lines its cap is tested on."""
    day_cap = therapy_day.payer["timed_units_per_day_cap"]
    if day_cap is not None and therapy_day.billed >= int(day_cap):
        return True
    for (patient_id, day, code, _), lines in cap_groups(world).items():
        if (patient_id, day) != (therapy_day.patient_id, therapy_day.day) or not is_timed(code):
            continue
        for test in cap_tests(world, code, day, lines):
            if test.units >= test.cap and any(line in therapy_day.lines for line in test.lines):
                return True
    return False
