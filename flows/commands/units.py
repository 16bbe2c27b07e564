"""`minutewise units`: one day counted by hand."""

import json
import re
from datetime import date

import click

from flows.commands.types import DAY, FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise units 97112=24 97110=23
  minutewise units 97112=75 --payer MEDICARE --date 2026-10-05
  minutewise units 97112=20 97110=18 --json"""
)
@click.argument("minutes", nargs=-1, required=True, metavar="CODE=MINUTES...")
@click.option("--payer", metavar="ID", help="Show this payer's method and caps too.")
@click.option("--date", "on", type=DAY, help="Service date.  [default: today]")
@click.option("--reference", type=FOLDER, help="Your own dated tables, laid over the shipped ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def units(minutes, payer, on, reference, as_json):
    """Count the units of one day: both methods, every lawful split, the caps."""
    from flows.one_day import count_day
    from flows.units_text import units_json, units_text

    on = on or date.today()
    day = count_day(_code_minutes(minutes), payer, on, reference)
    tell(json.dumps(units_json(day), indent=2, default=str) if as_json else units_text(day, payer, on))
    return 0


def _code_minutes(texts: tuple[str, ...]) -> dict[str, int]:
    read: dict[str, int] = {}
    for text in texts:
        code, equals, minutes = text.partition("=")
        code, minutes = code.strip().upper(), minutes.strip()
        if not equals or not code or not re.fullmatch("[0-9]{1,9}", minutes):
            raise click.UsageError(f"{text!r} is not CODE=MINUTES with whole minutes, say 97112=24")
        if code in read:
            raise click.UsageError(f"{code} is given twice; add its minutes up")
        read[code] = int(minutes)
    if sum(read.values()) > 1440:
        raise click.UsageError(f"{' '.join(texts)}: a day has 1440 minutes")
    return read
