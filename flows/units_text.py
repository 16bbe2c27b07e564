"""`minutewise units` as a person reads it: both counts, every lawful split, the caps."""

from datetime import date

from flows.one_day import Cap, Count, Day

NAMES = {
    "cms_8_minute": "CMS 8-minute rule: the day's minutes together",
    "ama_midpoint": "AMA midpoint: each code alone",
}


def units_json(day: Day) -> dict:
    """The document of `--json`: units and splits by method; with a payer, that payer's method and the caps too."""
    counts = {method: {"units": count.units, "splits": count.splits} for method, count in day.counts.items()}
    if day.payer is None:
        return counts
    return {**counts, "counting_method": day.counting_method, "caps": [vars(cap) for cap in day.caps]}


def units_text(day: Day, payer: str | None, on: date) -> str:
    """The counts laid out step by step, so that they can be checked with a pencil."""
    total = sum(day.minutes.values())
    lines = [f"{code}  {minutes:>4} min" for code, minutes in day.minutes.items()]
    lines += [f"total  {total:>4} min", ""]
    lines += [*_cms(day.counts["cms_8_minute"], total), "", *_ama(day.counts["ama_midpoint"], day.minutes), ""]
    lines += _payer(day, payer, on)
    return "\n".join(lines)


def _cms(count: Count, total: int) -> list[str]:
    low, high = max(0, 15 * count.units - 7), 15 * count.units + 7
    lines = [
        NAMES["cms_8_minute"],
        f"  {total} min lies in {low}-{high}, so {_units(count.units)}   floor(({total} + 7) / 15) = {count.units}",
    ]
    if count.units:
        word = (
            "the split is" if len(count.splits) == 1 else f"{len(count.splits)} splits are lawful (a tie), any one of"
        )
        lines.append(f"  {word}:")
        lines += [f"    {_split(split)}" for split in count.splits]
    return lines


def _ama(count: Count, minutes: dict[str, int]) -> list[str]:
    lines = [NAMES["ama_midpoint"]]
    split = count.splits[0]
    for code, spent in minutes.items():
        if code == "97130" and "97129" in split:
            lines.append(f"  {code}  counts with 97129")
            continue
        own = split.get(code, 0)
        lines.append(f"  {code}  {spent} min, so {_units(own)}   floor(({spent} + 7) / 15) = {(spent + 7) // 15}")
    lines.append(f"  together {_units(count.units)}: {_split(split)}" if split else "  together 0 units")
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
        what += " unless the record justifies more"
    return f"{what}  ({cap.citation})"


def _units(number: int) -> str:
    return f"{number} unit" if number == 1 else f"{number} units"


def _split(split: dict[str, int]) -> str:
    return ", ".join(f"{code} x{units}" for code, units in split.items()) or "none"
