"""`minutewise units` as a person reads it: both counts, every lawful split, the caps."""

from datetime import date

from flows.one_day.count import Cap, Count, Day

NAMES = {
    "cms_8_minute": "CMS 8-minute rule: the day's minutes together",
    "ama_midpoint": "AMA midpoint: each code alone",
}


def units_json(day: Day) -> dict:
    """The document of `--json`: units and splits by method; with a payer, that payer's method and the caps too.

    Codes that nobody listed, and splits beyond those listed, are named where there are any.
    """
    told: dict = {}
    for method, count in day.counts.items():
        told[method] = {"units": count.units, "splits": count.splits}
        if count.split_count > len(count.splits):
            told[method]["splits_not_listed"] = count.split_count - len(count.splits)
    if day.payer is not None:
        told |= {"counting_method": day.counting_method, "caps": [vars(cap) for cap in day.caps]}
    if day.unlisted:
        told |= {"unlisted_codes": list(day.unlisted), "most_units": day.most_units}
    return told


def units_text(day: Day, payer: str | None, on: date) -> str:
    """The counts laid out step by step, so that they can be checked with a pencil."""
    total = sum(day.counted.values())
    wide = max(4, *(len(clock(seconds)) for seconds in [total, *day.seconds.values()]))
    lines = [f"{code}  {clock(seconds):>{wide}} min{_mark(day, code)}" for code, seconds in day.seconds.items()]
    lines += [f"total  {clock(total):>{wide}} min", ""]
    cut = "whole min" if total % 60 else "min"
    lines += [*_cms(day.counts["cms_8_minute"], day.supported_minutes, cut), "", *_ama(day), ""]
    lines += [*_unlisted(day), *_payer(day, payer, on)]
    return "\n".join(lines)


def clock(seconds: int) -> str:
    """Seconds as minutes: 24, or 7:45 where they are not whole."""
    return f"{seconds // 60}:{seconds % 60:02}" if seconds % 60 else str(seconds // 60)


def _mark(day: Day, code: str) -> str:
    if code in day.unlisted:
        return "  unlisted: not in the total"
    return f"  counts with {day.counts_as[code]}" if code in day.counts_as else ""


def _unlisted(day: Day) -> list[str]:
    if not day.unlisted:
        return []
    return [
        f"{', '.join(day.unlisted)}: unlisted; whether this time belongs to the total is not known.",
        f"An audit leaves such a day unjudged unless more than {_units(day.most_units)} are billed, "
        "the most that the time can make with it.",
        "",
    ]


def _cms(count: Count, total: int, cut: str) -> list[str]:
    low, high = max(0, 15 * count.units - 7), 15 * count.units + 7
    lines = [
        NAMES["cms_8_minute"],
        f"  {total} {cut} lies in {low}-{high}, so {_units(count.units)}   floor(({total} + 7) / 15) = {count.units}",
    ]
    if count.units:
        tie = f"{count.split_count:,} splits are lawful (a tie), any one of"
        word = "the split is" if count.split_count == 1 else tie
        lines.append(f"  {word}:")
        lines += [f"    {_split(split)}" for split in count.splits]
        if count.split_count > len(count.splits):
            lines.append(f"    and {count.split_count - len(count.splits):,} more")
    return lines


def _ama(day: Day) -> list[str]:
    lines = [NAMES["ama_midpoint"]]
    count = day.counts["ama_midpoint"]
    split = count.splits[0]
    for code, seconds in day.counted.items():
        own = split.get(code, 0)
        added = f"{seconds} s + 449) / 900" if seconds % 60 else f"{seconds // 60} + 7) / 15"
        lines.append(f"  {code}  {clock(seconds)} min, so {_units(own)}   floor(({added}) = {own}")
    lines.append(f"  together {_units(count.units)}: {_split(split)}" if split else "  together 0 units")
    if day.least_ama_units < count.units:
        lines.append(f"  in whole minutes {_units(day.least_ama_units)}: only fewer than that are called too few")
    return lines


def _payer(day: Day, payer: str | None, on: date) -> list[str]:
    if payer is None:
        return [f"Caps and method depend on the payer: add --payer ID (date {on})."]
    if day.counting_method == "either":
        method = "no method is known, so a count between the two is never called wrong"
    else:
        method = f"counts by {NAMES[day.counting_method].split(':')[0]}"
    lines = [f"Payer {payer} on {on}: {method}."]
    lines += [f"  {_cap(cap)}" for cap in day.caps] or ["  no cap is known for these codes"]
    return lines


def _cap(cap: Cap) -> str:
    what = (
        f"{cap.procedure_code}: at most {_units(cap.cap_units)} a day"
        if cap.procedure_code
        else (f"all timed codes: at most {_units(cap.cap_units)} a day")
    )
    if cap.adjudication_indicator == "3" and cap.cap_units:
        what += " unless the record justifies or carries more"
    return f"{what}  ({cap.citation})"


def _units(number: int) -> str:
    return f"{number} unit" if number == 1 else f"{number} units"


def _split(split: dict[str, int]) -> str:
    return ", ".join(f"{code} x{units}" for code, units in split.items()) or "none"
