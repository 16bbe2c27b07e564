"""Dollars at risk: units too many, taken from the last lines first, at each line's price of a unit."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from . import codes


def unit_price(line):
    """Dollars a unit: allowed, else paid, else charge, over the line's units; None without money."""
    for amount in (line.allowed, line.paid, line.charge):
        if amount is not None:
            return Fraction(amount) / line.units
    return None


def dollars(lines, excess, surplus=None):
    """Dollars of `excess` units of the lines, those of codes with a `surplus` first. None where no unit
    taken has a price."""
    last_first = sorted(lines, key=lambda line: (line.claim_id, line.line_number), reverse=True)
    taken, surplus = Counter(), Counter(surplus or {})
    for line in last_first:
        n = min(line.units, surplus[codes.counted(line.code)], excess)
        taken[line] += n
        surplus[codes.counted(line.code)] -= n
        excess -= n
    for line in last_first:
        n = min(line.units - taken[line], excess)
        taken[line] += n
        excess -= n
    return total(taken)


def total(taken):
    """Dollars of a Counter line -> units."""
    priced = [unit_price(line) * n for line, n in taken.items() if n and unit_price(line) is not None]
    if not priced:
        return None
    whole = sum(priced)
    return (Decimal(whole.numerator) / Decimal(whole.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def all_units(lines):
    """Dollars of every unit of the lines."""
    return total(Counter({line: line.units for line in lines}))
