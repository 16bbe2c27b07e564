"""Units that a day's minutes support, counted the plain way for the sample generator.

Written from the rule book and shared with nothing else in the repository, so that a mistake in the
audit's own models cannot hide in the samples.
"""

# The timed codes that the samples use.
TIMED_CODES = {"97035", "97110", "97112", "97116", "97129", "97130", "97140", "97530", "97535"}
SECONDARY_TO_PRIMARY = {"97130": "97129"}


def counted_minutes(minutes_by_code: list[tuple[str, int]]) -> dict[str, int]:
    """Minutes per counted code: 97130 is the add-on of 97129 and both are one code."""
    counted: dict[str, int] = {}
    for code, minutes in minutes_by_code:
        code = SECONDARY_TO_PRIMARY.get(code, code)
        counted[code] = counted.get(code, 0) + minutes
    return counted


def cms_split(minutes: dict[str, int], prefer: tuple[str, ...] = ()) -> dict[str, int]:
    """One lawful CMS split: the day's total fixes the units (Pub. 100-04 ch. 5 s. 20.2.C), which go
    one at a time to the code with the most minutes not yet paid for; `prefer` decides among equals."""
    left = dict(minutes)
    units: dict[str, int] = {}
    for _ in range((sum(minutes.values()) + 7) // 15):
        most = max(left.values())
        equals = [code for code in sorted(left) if left[code] == most]
        code = next((code for code in prefer if code in equals), equals[0])
        units[code] = units.get(code, 0) + 1
        left[code] -= 15
    return units


def ama_split(minutes: dict[str, int]) -> dict[str, int]:
    """The one AMA split: each code alone, a unit from its midpoint (8 minutes) on."""
    return {code: (m + 7) // 15 for code, m in sorted(minutes.items()) if m >= 8}


def lawful_units(method: str, minutes: dict[str, int], prefer: tuple[str, ...] = ()) -> dict[str, int]:
    """Units per counted code under `method`; codes without a unit are left out."""
    return ama_split(minutes) if method == "ama_midpoint" else cms_split(minutes, prefer)


def billed_codes(units: dict[str, int]) -> dict[str, int]:
    """The counted units as a claim names them: the first unit of 97129 stays, the rest is 97130."""
    billed: dict[str, int] = {}
    for code, count in units.items():
        if code == "97129" and count > 1:
            billed["97129"], billed["97130"] = 1, count - 1
        else:
            billed[code] = count
    return billed
