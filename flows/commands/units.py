"""`minutewise units`: one day counted by hand."""

import json
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import click

from flows.option_types import DAY, FOLDER, tell

#: Minutes as a number, or minutes and seconds.
_MINUTES = re.compile(r"(?P<minutes>[0-9]{1,4}(\.[0-9]{1,9})?)|(?P<whole>[0-9]{1,4}):(?P<seconds>[0-5][0-9])")


@click.command(
    epilog="""\b
Examples:
  minutewise units 97112=24 97110=23
  minutewise units 97112=75 --payer MEDICARE --date 2026-10-05
  minutewise units 97112=7.75 97110=7:30
  minutewise units 97112=20 97110=18 --json"""
)
@click.argument("minutes", nargs=-1, required=True, metavar="CODE=MINUTES...")
@click.option("--payer", metavar="ID", help="Count by this payer's kinds of codes, and show its method and caps too.")
@click.option("--date", "on", type=DAY, help="Service date.  [default: today]")
@click.option("--reference", type=FOLDER, help="Your own dated tables; their rows replace ours by key.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def units(minutes, payer, on, reference, as_json):
    """Count the units of one day: both methods, every lawful split, the caps."""
    from flows.one_day.count import count_day
    from flows.one_day.text import units_json, units_text

    on = on or date.today()
    day = count_day(_code_seconds(minutes), payer, on, reference)
    tell(json.dumps(units_json(day), indent=2, default=str) if as_json else units_text(day, payer, on))
    return 0


def _code_seconds(texts: tuple[str, ...]) -> dict[str, int]:
    """Whole seconds by code; minutes are numbers (7.75, to the nearest second) or minutes and seconds (7:45)."""
    read: dict[str, int] = {}
    for text in texts:
        code, equals, minutes = text.partition("=")
        code, found = code.strip().upper(), _MINUTES.fullmatch(minutes.strip())
        if not equals or not code or not found:
            raise click.UsageError(f"{text!r} is not CODE=MINUTES, say 97112=24, 97112=7.75 or 97112=7:45")
        if code in read:
            raise click.UsageError(f"{code} is given twice; add its minutes up")
        if found["whole"]:
            read[code] = int(found["whole"]) * 60 + int(found["seconds"])
        else:
            read[code] = int((Decimal(found["minutes"]) * 60).quantize(Decimal(1), ROUND_HALF_UP))
    if sum(read.values()) > 86_400:
        raise click.UsageError(f"{' '.join(texts)}: a day has 1440 minutes")
    return read
