"""Rules that hold billed units against what the notes support."""

from . import codes
from .caps import stands_in_the_way
from .case import day_case, verdict
from .money import all_units, dollars


def billed_days(world):
    """Therapy days with a surviving line and a counting note."""
    return [day for day in world.days.values() if day.lines and day.notes]


def billed_units_exceed_minutes(world):
    """More timed units than any lawful reading of the day supports."""
    for day in billed_days(world):
        most = day.most_units
        word = verdict(most is not None and day.billed > most, most is None)
        risk = dollars(day.timed_lines, day.billed - most, day.surplus) if word == "violated" else None
        yield day_case(
            "billed_units_exceed_minutes",
            day,
            word,
            "error",
            billed_units=day.billed,
            expected_units=most,
            supported_minutes=day.supported,
            at_risk_usd=risk,
        )


def billed_units_below_minutes(world):
    """Fewer timed units than the day's sure minutes make, and no cap stands in the way."""
    for day in billed_days(world):
        fewest = day.fewest_units
        unjudged = fewest is None or bool(day.set_aside)
        below = not unjudged and day.billed < fewest
        yield day_case(
            "billed_units_below_minutes",
            day,
            verdict(below and not stands_in_the_way(world, day), unjudged),
            "warning",
            billed_units=day.billed,
            expected_units=fewest,
            supported_minutes=day.sure,
        )


def units_on_wrong_code(world):
    """No lawful split covers what was billed, though the day holds as many units."""
    for day in billed_days(world):
        unjudged = day.splits is None
        wrong = not unjudged and day.billed <= day.most_units and sum(day.surplus.values()) > 0
        risk = dollars(day.timed_lines, sum(day.surplus.values()), day.surplus) if wrong else None
        yield day_case(
            "units_on_wrong_code",
            day,
            verdict(wrong, unjudged),
            "warning",
            billed_units=day.billed,
            expected_units=day.most_units,
            supported_minutes=day.supported,
            at_risk_usd=risk,
        )


def billed_code_not_documented(world):
    """A code billed that no block of the day's counting notes documents."""
    for day in billed_days(world):
        blocks = [block for note in day.notes for block in note.blocks]
        said = set().union(*(codes.documented(b.code, b.delivery) for b in blocks)) if blocks else set()
        for code in sorted({codes.counted(line.code) for line in day.lines}):
            lines = [line for line in day.lines if codes.counted(line.code) == code]
            silent_note = any(not note.blocks for note in day.notes)
            unjudged = silent_note or (codes.is_timed(code) and day.incomplete)
            yield day_case(
                "billed_code_not_documented",
                day,
                verdict(code not in said, code not in said and unjudged),
                "error",
                (code,),
                procedure_code=code,
                billed_units=sum(line.units for line in lines),
                at_risk_usd=all_units(lines),
            )
