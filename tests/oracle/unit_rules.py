"""Rules that hold billed units against what the notes support."""

from . import codes, minutes, units
from .caps import stands_in_the_way
from .case import OK, UNJUDGED, VIOLATED, Case, day_case, verdict, whole_minutes
from .days import CMS
from .money import all_units, dollars


def billed_days(world):
    """Therapy days with a surviving line and a counting note."""
    return [day for day in world.days.values() if day.lines and day.notes]


def billed_units_exceed_minutes(world):
    """More timed units than any lawful reading of the day supports."""
    for day in billed_days(world):
        most = day.most_units
        over = most is not None and day.billed > most
        # Beside a block of an unlisted code only units above its minutes too are too many; fewer prove nothing.
        word = verdict(over, most is None or bool(day.unlisted_blocks and not over))
        yield day_case(
            "billed_units_exceed_minutes",
            day,
            word,
            "error",
            billed_units=day.billed,
            expected_units=most,
            supported_minutes=whole_minutes(day.supported),
            at_risk_usd=dollars(day.timed_lines, day.billed - most, day.surplus) if word == VIOLATED else None,
        )


def billed_units_below_minutes(world):
    """Fewer timed units than the day's sure time makes, and no cap stands in the way."""
    for day in billed_days(world):
        fewest = day.fewest_units
        never_paid = any(
            world.reference.is_never_payable(code, day.payer_id, day.day) for code in day.timed_codes_documented
        )
        unlisted = day.unlisted_blocks + day.unlisted_lines + day.unlisted_set_aside
        is_open = fewest is None or bool(day.set_aside) or bool(unlisted)
        below = not (is_open or never_paid) and day.billed < fewest and not stands_in_the_way(world, day)
        unread = below and day.day in world.dates_with_unread_claim
        yield day_case(
            "billed_units_below_minutes",
            day,
            verdict(below, is_open or never_paid or unread),
            "warning",
            billed_units=day.billed,
            expected_units=fewest,
            supported_minutes=whole_minutes(day.sure),
        )


def units_on_wrong_code(world):
    """No lawful split covers what was billed, though the day holds as many units."""
    for day in billed_days(world):
        is_open = day.splits is None or bool(day.unlisted_blocks + day.unlisted_lines)
        wrong = not is_open and day.billed <= day.most_units and sum(day.surplus.values()) > 0
        risk = dollars(day.timed_lines, sum(day.surplus.values()), day.surplus) if wrong else None
        yield day_case(
            "units_on_wrong_code",
            day,
            verdict(wrong, is_open),
            "warning",
            billed_units=day.billed,
            expected_units=day.most_units,
            supported_minutes=whole_minutes(day.supported),
            at_risk_usd=risk,
        )


def billed_code_not_documented(world):
    """A code billed that no block of the day's counting notes documents."""
    for day in billed_days(world):
        said = set().union(*(codes.documented(b.code, b.delivery) for b in day.all_blocks))
        silent_note = any(not note.blocks for note in day.notes)
        unexplained = any(time.has_unexplained for time in day.times)
        for code in sorted({codes.counted(line.code) for line in day.lines}):
            lines = [line for line in day.lines if codes.counted(line.code) == code]
            missing = code not in said
            unread = day.day in world.dates_with_unread_note
            yield day_case(
                "billed_code_not_documented",
                day,
                verdict(missing, missing and (silent_note or unread or (day.is_timed(code) and unexplained))),
                "error",
                (code,),
                procedure_code=code,
                billed_units=sum(line.units for line in lines),
                at_risk_usd=all_units(lines),
            )


def cotreatment_billed_by_both(world):
    """Disciplines that treated a patient together bill more than any sharing of their joint time supports.

    Looks at patients and dates with joint time of a minute or more and timed units of two disciplines."""
    for (patient_id, day), therapy_days in world.days_of.items():
        with_notes = [one for one in therapy_days if one.notes]
        held_apart = sum(one.known for one in with_notes)
        beyond = sum(time.beyond for one in with_notes for time in one.times)
        together = min(held_apart, beyond + sum(b.on_date.full for one in with_notes for b in one.blocks))
        billing = [one for one in therapy_days if one.billed]
        if held_apart - together < minutes.MINUTE or len(billing) < 2:
            continue
        billed = sum(one.billed for one in billing)
        found = {"billed_units": billed, "supported_minutes": whole_minutes(together)}
        if len(with_notes) == len(therapy_days) and not _is_open(therapy_days):
            found["payer_id"] = therapy_days[0].payer_id
            found["expected_units"] = most = _most_of_any_sharing(therapy_days, together)
            all_cms = all(one.method == CMS for one in therapy_days)
            found["severity"] = "error" if all_cms else "review"
            lines = [line for one in therapy_days for line in one.timed_lines]
            found["at_risk_usd"] = dollars(lines, billed - most) if billed > most else None
            word = VIOLATED if billed > most else OK
        else:
            word = UNJUDGED
        yield Case("cotreatment_billed_by_both", (patient_id, day), patient_id, day, word, found)


def _is_open(therapy_days):
    """True where nobody knows what the days hold together: lines of several payers, a day without lines, an
    unlisted code, unknown time."""
    payers = {one.payer_id for one in therapy_days}
    return (
        len(payers) > 1
        or None in payers
        or any(one.unlisted_on_date or one.unlisted_blocks or one.is_unknown for one in therapy_days)
    )


def _most_of_any_sharing(therapy_days, together):
    apart = sum(one.most_units for one in therapy_days)
    under_cms = [one for one in therapy_days if one.method == CMS]
    timed_codes = sum(one.timed_code_count for one in therapy_days if one.method != CMS)
    return min(apart, (together + 420 * len(under_cms) + 449 * timed_codes) // units.QUARTER)
