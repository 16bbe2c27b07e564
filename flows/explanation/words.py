"""Sentences of a derivation: why a block is credited what it is, what a note supports, and why a rule speaks."""

from flows.explanation.clock import clock


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 unit, 2 units."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def why_block(block: dict, blocks: list[dict]) -> str:
    """One sentence: how the block comes to its credited and double-counted minutes."""
    if not block["is_timed_one_on_one"]:
        return _why_no_minutes(block)
    worth = _why_worth(block)
    if block["clock_minutes"] is None:
        return f"{worth}; without clock times it is credited that"
    return f"{worth}; {_why_credit(block, blocks)}"


def _why_no_minutes(block: dict) -> str:
    if block["kind"] == "untimed":
        return "an untimed code: its blocks hold no minutes"
    if block["kind"] != "timed_15":
        return "not a 15-minute code: outside every count"
    return f"{(block['delivery'] or '').replace('_', ' ')} is not one-on-one: its minutes do not count"


def _why_worth(block: dict) -> str:
    stated, held = block["stated_minutes"], block["clock_minutes"]
    if held is None:
        return f"states {stated}: worth {stated}" if stated is not None else "no minutes written: worth 0"
    if stated is None:
        return f"no minutes stated, the clock holds {held}: worth {held}"
    if stated > held:
        return f"states {stated}, the clock holds {held}: worth the smaller, {held}"
    if stated < held:
        return f"states {stated} of {held} clock minutes ({held - stated} at rest): worth {stated}"
    return f"states {stated}, the clock holds {held}: worth {stated}"


def _why_credit(block: dict, blocks: list[dict]) -> str:
    first, worth, credited = block["first_credited_minutes"], block["worth_minutes"], block["credited_minutes"]
    until = block["covered_until"]
    if until is None or until <= block["start_minute"]:
        said = f"no earlier block reaches into it: credited {first}"
    else:
        earlier = [other for other in blocks if other.get("place") and other["place"] < block["place"]]
        holder = next((other["tag"] for other in earlier if other["end_minute"] == until), "an earlier block")
        free = max(0, block["end_minute"] - until)
        said = f"{holder} covers the clock until {clock(until)}, {free} of its own are left: credited {first}"
        if first == worth:
            return said
    if credited > first:
        said += f", then {credited - first} of rests in the run are given back: {credited}"
    if block["double_counted_minutes"]:
        said += f"; {worth} - {credited} = {block['double_counted_minutes']} double-counted"
    return said


def why_note(note: dict, blocks: list[dict]) -> str:
    """One sentence: W, C and T of a counting note, and the minutes that it supports."""
    written, credited, total = note["written_minutes"], note["credited_minutes"], note["total_timed_minutes"]
    supported = note["supported_minutes"]
    if not note["has_blocks"]:
        return f"no blocks: its stated total T = {total}" if total is not None else "no blocks and no total: 0 minutes"
    own = [block for block in blocks if _is_of(block, note) and block["is_timed_one_on_one"]]
    sums = f"W = {_sum(own, 'written_minutes')}{written}, C = {_sum(own, 'credited_minutes')}{credited}"
    if total is None:
        return f"{sums}, no T: supported = C = {supported}"
    if total < written:
        return f"{sums}, T = {total} < W: supported = min(T, C) = min({total}, {credited}) = {supported}"
    said = f"{sums}, T = {total} {'=' if total == written else '>'} W: "
    said += f"supported = T - (W - C) = {total} - ({written} - {credited}) = {supported}"
    if total > written:
        said += f"; {total - written} of T have no block, so sure is only C = {note['sure_minutes']}"
    return said


def _is_of(block: dict, note: dict) -> bool:
    return (block["note_id"], block["note_version"]) == (note["note_id"], note["note_version"])


def _sum(blocks: list[dict], name: str) -> str:
    return " + ".join(str(block[name]) for block in blocks) + " = " if len(blocks) > 1 else ""


def why_undecidable(day: dict, notes: list[dict]) -> list[str]:
    """What leaves a day's minutes per code open to two readings; nothing where they are not."""
    own = [note for note in notes if note["standing"] == "counting" and note["discipline"] == day["discipline"]]
    reasons = [f"note {note['note_id']} has no blocks" for note in own if not note["has_blocks"]]
    reasons += [f"note {note['note_id']} has T > W" for note in own if note["has_blocks"] and note["is_incomplete"]]
    if day["double_counted_minutes"]:
        reasons.append(f"{counted(day['double_counted_minutes'], 'minute')} of its blocks double-counted")
    return reasons
