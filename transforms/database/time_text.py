"""Seconds in words: as minutes, with seconds where they are not whole, and as times of day."""


def mins(seconds: int | None) -> int | str | None:
    """Seconds as a cell or a term of a sum: 24, or 7 min 45 s where they make no whole minutes."""
    if seconds is None:
        return None
    whole, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    if rest:
        return f"{sign}{whole} min {rest} s" if whole else f"{sign}{rest} s"
    return -whole if seconds < 0 else whole


def cell(seconds: int | None) -> int | str | None:
    """The same for a narrow column: 24, or 7m 45s."""
    told = mins(seconds)
    return told.replace(" min", "m").replace(" s", "s") if isinstance(told, str) else told


def long_minutes(seconds: int) -> str:
    """Seconds with their noun: 1 minute, 24 minutes, 7 min 45 s."""
    told = mins(seconds)
    if isinstance(told, str):
        return told
    return f"{told:,} minute" + ("" if told == 1 else "s")


def clock(second: int) -> str:
    """A second of the day as HH:MM, or HH:MM:SS where it is no whole minute; past midnight with +1."""
    days, rest = divmod(second, 86_400)
    told = f"{rest // 3600:02}:{rest // 60 % 60:02}" + (f":{rest % 60:02}" if rest % 60 else "")
    return told + (f"+{days}" if days else "")
