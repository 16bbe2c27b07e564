"""Rules about billed days, caps, and how lines were written."""

from collections import defaultdict

from . import codes, units
from .caps import cap_tests
from .case import OK, UNJUDGED, VIOLATED, Case, day_case, verdict, whole_minutes
from .days import MIDPOINT
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

    def is_bare(day):
        return not (day.notes or day.not_billable or day.drafts)

    return _billed_without(
        world,
        "billed_day_not_documented",
        "error",
        is_bare,
        lambda day: not world.is_covered(day.day) or (is_bare(day) and day.day in world.dates_with_unread_note),
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
    for day in world.days.values():
        if not day.notes:
            continue
        missed = not day.lines and (_makes_a_unit(day) or bool(_payable_untimed(world, day)))
        nobody_knows = day.is_unknown or any(time.unmeasured for time in day.times)
        never_paid = any(world.reference.is_never_payable(c, None, day.day) for c in day.timed_codes_documented)
        is_open = (
            bool(day.set_aside)
            or day.unlisted_on_date
            or never_paid
            or not world.is_past_lag(day.day)
            or (nobody_knows and not missed)
            or (missed and day.day in world.dates_with_unread_claim)
        )
        yield day_case(
            "documented_day_not_billed",
            day,
            verdict(missed, not day.lines and is_open),
            "warning",
            billed_units=0,
            expected_units=_sure_units(day),
            supported_minutes=whole_minutes(day.sure),
        )


def _sure_units(day):
    """Units of a day's sure time under both methods; under CMS where its split is undecidable."""
    by_cms = units.cms(day.sure)
    return min(by_cms, units.at_least(day.sure_by_code)) if day.decidable else by_cms


def _makes_a_unit(day):
    """True where the sure time makes a unit under both methods, whatever code an undecidable day's is on."""
    if not day.decidable:
        timed_codes = {codes.counted(code) for code in day.timed_codes_documented}
        if day.sure <= MIDPOINT * len(timed_codes) or not all(time.has_blocks for time in day.times):
            return False
    return _sure_units(day) > 0


def _payable_untimed(world, day):
    """Blocks of untimed codes that are ever paid for."""
    return [
        block
        for block in day.all_blocks
        if day.is_untimed(block.code) and not world.reference.is_never_payable(block.code, None, day.day)
    ]


def documented_code_not_billed(world):
    """An untimed code of a block that no line of the patient and date bills, on a day with a line."""
    for day in world.days.values():
        if not (day.lines and day.notes):
            continue
        billed = {codes.counted(line.code) for line in world.standing_of[day.patient_id, day.day]}
        payable = _payable_untimed(world, day)
        for code in sorted({block.code for block in payable}):
            own = [block for block in payable if block.code == code]
            missed = any(not codes.documented(block.code, block.delivery) & billed for block in own)
            # A code that is billed already is billed, whether or not the day's other bills are still to come.
            waits = missed and (day.day in world.dates_with_unread_claim or not world.is_past_lag(day.day))
            yield day_case(
                "documented_code_not_billed",
                day,
                verdict(missed, waits),
                "warning",
                (code,),
                procedure_code=code,
                billed_units=0,
            )


def day_billed_to_several_payers(world):
    """Billed lines of one therapy day that name several payers, each as the primary one."""
    for day in world.days.values():
        if day.payers:
            yield day_case(
                "day_billed_to_several_payers",
                day,
                verdict(len(day.payers) > 1),
                "review",
                billed_units=sum(line.units for line in day.lines),
            )


def units_exceed_day_cap(world):
    """Units of a code to one payer above the lowest cap that they break."""
    for (patient_id, day, code, billing), lines in world.cap_groups.items():
        tests = cap_tests(world, code, day, lines)
        for payer_id in sorted({test.payer_id for test in tests}):
            broken = [test for test in tests if test.payer_id == payer_id and test.excess]
            found = {"procedure_code": code, "billing_provider_id": billing, "payer_id": payer_id}
            if broken:
                worst = min(broken, key=lambda t: (t.cap, t.severity(world), -t.units))
                found.update(
                    severity=worst.severity(world),
                    billed_units=worst.units,
                    cap_units=worst.cap,
                    at_risk_usd=_above_cap(worst),
                )
            subject = (patient_id, day, code, billing, payer_id)
            yield Case("units_exceed_day_cap", subject, patient_id, day, verdict(bool(broken)), found)


def _above_cap(test):
    if test.indicator != 1:
        return dollars(test.lines, test.excess)
    each = [dollars([x], x.units - test.cap) for x in test.lines if x.units > test.cap]
    priced = [amount for amount in each if amount is not None]
    return sum(priced) if priced else None


def timed_units_exceed_payer_day_cap(world):
    """A payer's timed units of a therapy day above its cap on all of them."""
    for day in world.days.values():
        for payer_id in day.payers:
            cap = world.reference.payer(payer_id, day.day)["timed_units_per_day_cap"]
            if cap is None:
                continue
            lines = [line for line in day.timed_lines if line.payer_id == payer_id]
            over = sum(line.units for line in lines) - int(cap)
            yield day_case(
                "timed_units_exceed_payer_day_cap",
                day,
                verdict(over > 0),
                "review" if world.is_justified(day.patient_id, day.day) else "error",
                (payer_id,),
                payer_id=payer_id,
                billed_units=over + int(cap),
                cap_units=int(cap),
                supported_minutes=whole_minutes(day.supported),
                at_risk_usd=dollars(lines, over, day.surplus) if over > 0 else None,
            )


def _lines_by_code(day, wanted):
    found = defaultdict(list)
    for line in day.lines:
        if wanted(line.code):
            found[line.code].append(line)
    return found.items()


def untimed_code_multiple_units(world):
    """An untimed code billed more than once to one payer; for review where the notes hold as many treatments."""
    for day in world.days.values():
        for code, all_payers in _lines_by_code(day, day.is_untimed):
            for payer_id in sorted({line.payer_id for line in all_payers}):
                lines = [line for line in all_payers if line.payer_id == payer_id]
                billed = sum(line.units for line in lines)
                yield day_case(
                    "untimed_code_multiple_units",
                    day,
                    verdict(billed > 1),
                    "review" if day.distinct_blocks(code) >= billed else "error",
                    (code, payer_id),
                    payer_id=payer_id,
                    procedure_code=code,
                    billed_units=billed,
                    expected_units=1,
                    at_risk_usd=dollars(lines, billed - 1),
                )


def timed_code_split_across_lines(world):
    """One timed code on several lines of one claim that differ in nothing that would explain it."""
    for day in world.days.values():
        for code, lines in _lines_by_code(day, day.is_timed):
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
        first_claim = {}
        for line in day.lines:
            first_claim[_says(line)] = min(first_claim.get(_says(line), line.claim_id), line.claim_id)
        for line in day.lines:
            twin = first_claim[_says(line)] < line.claim_id
            yield day_case(
                "claim_line_duplicated",
                day,
                _duplicate(day, line) if twin else OK,
                "error",
                (line.claim_id, line.line_number),
                payer_id=line.payer_id,
                procedure_code=line.code,
                claim_id=line.claim_id,
                line_number=line.line_number,
                billed_units=line.units,
                at_risk_usd=all_units([line]),
            )


def _duplicate(day, line):
    """The verdict on a line with a twin: two visits that the notes hold are no duplicate."""
    if not day.is_timed(line.code):
        billed = sum(other.units for other in day.lines if other.code == line.code)
        return OK if day.distinct_blocks(line.code) >= billed else VIOLATED
    if not day.notes:
        return VIOLATED
    if day.most_units is None:
        return UNJUDGED
    return OK if day.billed <= day.most_units else VIOLATED


def _says(line):
    return line.code, line.modifiers, line.units, line.rendering, line.payer_id
