"""Rules about billed days, caps, and how lines were written."""

from collections import defaultdict
from datetime import timedelta

from . import codes, units
from .caps import cap_groups, cap_tests
from .case import Case, day_case, verdict
from .money import all_units, dollars


def _billed_without(world, rule_id, severity, is_wrong, is_unjudged=lambda day: False):
    for day in world.days.values():
        if day.lines:
            yield day_case(
                rule_id,
                day,
                verdict(is_wrong(day), is_unjudged(day)),
                severity,
                billed_units=sum(line.units for line in day.lines),
                at_risk_usd=all_units(day.lines),
            )


def billed_day_not_documented(world):
    """Lines billed and no note of any kind, inside the dates that both extracts cover."""
    return _billed_without(
        world,
        "billed_day_not_documented",
        "error",
        lambda day: not (day.notes or day.not_billable or day.drafts),
        lambda day: not world.is_covered(day.day),
    )


def billed_on_unsigned_note(world):
    """Lines billed and only a draft."""
    return _billed_without(
        world,
        "billed_on_unsigned_note",
        "error",
        lambda day: bool(day.drafts) and not (day.notes or day.not_billable),
    )


def billed_note_marked_not_billable(world):
    """Lines billed, no counting note, but one marked not billable."""
    return _billed_without(
        world,
        "billed_note_marked_not_billable",
        "warning",
        lambda day: bool(day.not_billable) and not day.notes,
    )


def documented_day_not_billed(world):
    """A counting note that holds something to bill, and no line."""
    lag = timedelta(days=world.reference.parameter("billing_lag_days", 5))
    for day in world.days.values():
        if not day.notes:
            continue
        too_soon = bool(day.set_aside) or not world.is_covered(day.day) or day.day > world.as_of - lag
        cms = units.count(day.sure)
        has_unit = cms > 0 and (day.ama > 0 or not day.decidable)
        untimed = any(_payable_untimed(world, day, b.code) for note in day.notes for b in note.blocks)
        missed = not day.lines and (has_unit or untimed)
        yield day_case(
            "documented_day_not_billed",
            day,
            verdict(missed, not day.lines and too_soon),
            "warning",
            billed_units=0,
            expected_units=min(cms, day.ama) if day.decidable else cms,
            supported_minutes=day.sure,
        )


def _payable_untimed(world, day, code):
    mue = world.reference.cap(code, None, day.day)
    return code in codes.UNTIMED and not (mue and mue[0] == 0)


def units_exceed_day_cap(world):
    """Units of a code above the lowest cap that they break."""
    for (patient_id, day, code, billing), lines in cap_groups(world).items():
        tests = cap_tests(world, code, day, lines)
        if not tests:
            continue
        justified = world.is_justified(patient_id, day)
        broken = [test for test in tests if test.excess]
        found = {"procedure_code": code, "billing_provider_id": billing}
        if broken:
            worst = min(broken, key=lambda t: (t.cap, t.severity(justified), -t.units))
            payers = {line.payer_id for line in worst.lines}
            found.update(
                severity=worst.severity(justified),
                payer_id=payers.pop() if len(payers) == 1 else None,
                billed_units=worst.units,
                cap_units=worst.cap,
                at_risk_usd=_above_cap(worst),
            )
        subject = (patient_id, day, code, billing)
        yield Case("units_exceed_day_cap", subject, patient_id, day, verdict(bool(broken)), found)


def _above_cap(test):
    if test.indicator != 1:
        return dollars(test.lines, test.excess)
    each = [dollars([x], x.units - test.cap) for x in test.lines if x.units > test.cap]
    priced = [amount for amount in each if amount is not None]
    return sum(priced) if priced else None


def timed_units_exceed_payer_day_cap(world):
    """Timed units of a therapy day above its payer's cap on all of them."""
    for day in world.days.values():
        if not day.lines or day.payer["timed_units_per_day_cap"] is None:
            continue
        cap = int(day.payer["timed_units_per_day_cap"])
        over = day.billed > cap
        yield day_case(
            "timed_units_exceed_payer_day_cap",
            day,
            verdict(over),
            "review" if world.is_justified(day.patient_id, day.day) else "error",
            billed_units=day.billed,
            cap_units=cap,
            supported_minutes=day.supported,
            at_risk_usd=dollars(day.timed_lines, day.billed - cap, day.surplus) if over else None,
        )


def _lines_by_code(day, wanted):
    found = defaultdict(list)
    for line in day.lines:
        if wanted(line.code):
            found[line.code].append(line)
    return found.items()


def untimed_code_multiple_units(world):
    """An untimed code billed more than once on a therapy day."""
    for day in world.days.values():
        for code, lines in _lines_by_code(day, lambda code: not codes.is_timed(code)):
            billed = sum(line.units for line in lines)
            yield day_case(
                "untimed_code_multiple_units",
                day,
                verdict(billed > 1),
                "error",
                (code,),
                procedure_code=code,
                billed_units=billed,
                expected_units=1,
                at_risk_usd=dollars(lines, billed - 1),
            )


def timed_code_split_across_lines(world):
    """One timed code on several lines of one claim that differ in nothing that would explain it."""
    for day in world.days.values():
        for code, lines in _lines_by_code(day, codes.is_timed):
            written = [(line.claim_id, line.modifiers, line.rendering) for line in lines]
            yield day_case(
                "timed_code_split_across_lines",
                day,
                verdict(len(set(written)) < len(written)),
                "warning",
                (code,),
                procedure_code=code,
                billed_units=sum(line.units for line in lines),
            )


def claim_line_duplicated(world):
    """A line that stands on an earlier surviving claim as well, unless the notes hold both."""
    for day in world.days.values():
        holds = day.most_units if day.decidable else day.cms
        for line in day.lines:
            twin = any(_same(line, other) and other.claim_id < line.claim_id for other in world.lines)
            spared = codes.is_timed(line.code) and bool(day.notes) and day.billed <= holds
            yield day_case(
                "claim_line_duplicated",
                day,
                verdict(twin and not spared),
                "error",
                (line.claim_id, line.line_number),
                payer_id=line.payer_id,
                procedure_code=line.code,
                claim_id=line.claim_id,
                line_number=line.line_number,
                billed_units=line.units,
                at_risk_usd=all_units([line]),
            )


def _same(line, other):
    def says(x):
        return x.patient_id, x.day, x.code, x.modifiers, x.units, x.rendering, x.payer_id

    return says(line) == says(other)
