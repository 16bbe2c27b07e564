"""Sentences of a derivation: why a block is credited what it is, what a note and a day support, what is undecidable."""

from transforms.database.time_text import clock, long_minutes, mins

#: Rule book s. 3: what differs by less is no difference.
A_MINUTE = 60
#: A sum of more terms than this is not written out.
_MOST_TERMS = 60
#: What a table shows where a record does not say how long.
NOT_KNOWN = "not known"


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 unit, 2 units."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def known(seconds: int | None) -> int | str:
    """A supported time: its minutes, or that it is not known; never 0 for what the record does not say."""
    return NOT_KNOWN if seconds is None else mins(seconds)


def added(parts: list[int]) -> str:
    """The terms of a sum before its result, nothing for one alone: 24 + 23 = ."""
    if len(parts) > _MOST_TERMS:
        return f"the sum of {len(parts):,} = "
    return " + ".join(str(mins(part)) for part in parts) + " = " if len(parts) > 1 else ""


def dollars(amount) -> str:
    """An amount given as text, with cents; with all its places where it has more."""
    whole, _, part = str(amount).partition(".")
    part = part.rstrip("0").ljust(2, "0")
    return f"${int(whole):,}.{part}"


def why_blocks(blocks: list[dict]) -> None:
    """Gives every block of a patient's date its `why`: how it comes to its credited and double-counted time."""
    held_until: dict[int, dict] = {}
    for block in sorted((one for one in blocks if one.get("place")), key=lambda one: one["place"]):
        held_until.setdefault(block["end_second"], block)
    for block in blocks:
        block["why"] = _why_block(block, held_until)


def _why_block(block: dict, held_until: dict[int, dict]) -> str:
    if not block["is_timed_one_on_one"]:
        return _why_no_minutes(block)
    if block["is_unmeasured"]:
        return "minutes not given, and no clock times: how long it took is not known; it documents its code, and adds 0"
    worth = _why_worth(block)
    if block["clock_seconds"] is None:
        return f"{worth}; without clock times it is credited that"
    return f"{worth}; {_why_credit(block, held_until)}"


def _why_no_minutes(block: dict) -> str:
    if block["kind"] == "untimed":
        return "an untimed code: its blocks hold no minutes"
    if block["kind"] == "unlisted":
        return "an unlisted code: whether its time counts is not known"
    if block["kind"] != "timed_15":
        return "not a 15-minute code: outside every count"
    return f"{(block['delivery'] or '').replace('_', ' ')} is not one-on-one: its minutes do not count"


def _why_worth(block: dict) -> str:
    stated, held, worth = block["stated_seconds"], block["clock_seconds"], block["worth_seconds"]
    if held is None:
        return f"states {mins(stated)}: worth {mins(worth)}"
    if block["has_session_clock"] and stated is None:
        return _why_session(block)
    if stated is None:
        return f"no minutes stated, the clock holds {mins(held)}: worth {mins(worth)}"
    if stated > held:
        return f"states {mins(stated)}, the clock holds {mins(held)}: worth the smaller, {mins(worth)}"
    if stated < held:
        return (
            f"states {mins(stated)} of {mins(held)} clock minutes ({mins(held - stated)} at rest): worth {mins(worth)}"
        )
    return f"states {mins(stated)}, the clock holds {mins(held)}: worth {mins(worth)}"


def _why_session(block: dict) -> str:
    """The clock of a whole session on several blocks: what the stated minutes leave of it is written once."""
    held, worth = block["clock_seconds"], block["worth_seconds"]
    said = f"several blocks bear this one clock of {mins(held)}, the session's, and this one states no minutes: "
    said += f"what stated minutes leave of the clock counts once, {mins(worth)} here"
    if not worth:
        said = said.removesuffix(f"{mins(worth)} here") + "on another of the blocks or not at all: worth 0"
    return said + (", and a block of another kind shares it" if worth and block["is_shared_with_other_block"] else "")


def _why_credit(block: dict, held_until: dict[int, dict]) -> str:
    first, worth, credited = block["first_credited_seconds"], block["worth_seconds"], block["credited_seconds"]
    until, double = block["covered_until"], block["double_counted_seconds"]
    if until is None or until <= block["start_second"]:
        said = f"no earlier block reaches into it: credited {mins(first)}"
    else:
        holder = held_until.get(until)
        free = max(0, block["end_second"] - until)
        said = f"{holder['tag'] if holder else 'an earlier block'} covers the clock until {clock(until)}, "
        said += f"{mins(free)} of its own are left: credited {mins(first)}"
    if credited > first:
        said += f", then {mins(credited - first)} of rests in the run are given back: {mins(credited)}"
    if block["note_credited_seconds"] != credited:
        said += f" (in its own note alone {mins(block['note_credited_seconds'])})"
    if double:
        said += f"; {mins(worth)} - {mins(worth - double)} = {mins(double)} double-counted"
    elif worth - credited >= A_MINUTE and not block["has_session_clock"]:
        said += "; not double-counted: the notes' own totals hold each minute once already"
    return said


def why_note(note: dict, blocks: list[dict]) -> str:
    """One sentence: W, C, T and TT of a counting note, and the time that it supports."""
    own = [block for block in blocks if _is_of(block, note) and block["is_timed_one_on_one"]]
    said = _why_supported(note, own)
    supported, sure = note["supported_seconds"], note["sure_seconds"]
    if supported is None or supported == sure:
        return said
    return f"{said}; {_why_less_sure(note, own)}"


def _why_supported(note: dict, own: list[dict]) -> str:
    written, credited, total = note["written_seconds"], note["note_credited_seconds"], note["total_timed_seconds"]
    treatment, supported = note["total_treatment_seconds"], known(note["supported_seconds"])
    if not note["has_blocks"]:
        if total is not None:
            return f"no blocks: its stated total T = {mins(total)}"
        if treatment is not None:
            return f"no blocks and no T: supported is its total treatment time at the most, TT = {supported}"
        return "no blocks, no T and no TT: how long it took is not known"
    sums = f"W = {added([one['written_seconds'] for one in own])}{mins(written)}, "
    sums += f"C = {added([one['note_credited_seconds'] for one in own])}{mins(credited)}"
    if total is None and note["has_unmeasured_block"]:
        if treatment is None:
            return f"{sums}, a block gives no minutes and there is no T: supported is {supported}"
        larger = f"max(C, TT) = max({mins(credited)}, {mins(treatment)}) = {supported}"
        return f"{sums}, a block gives no minutes and there is no T: supported = {larger}"
    if total is None:
        return f"{sums}, no T: supported = C = {supported}"
    less = f"({mins(written)} - {mins(credited)})"
    if total != written and abs(total - written) < A_MINUTE:
        total_once = f"max({mins(total)}, {mins(written)}) - {less} = {supported}"
        return f"{sums}, T = {mins(total)} and W are one total, rounded: supported = max(T, W) - (W - C) = {total_once}"
    if total < written:
        smaller = f"min(T, C) = min({mins(total)}, {mins(credited)}) = {supported}"
        return f"{sums}, T = {mins(total)} < W: supported = {smaller}"
    sign = "=" if total == written else ">"
    return f"{sums}, T = {mins(total)} {sign} W: supported = T - (W - C) = {mins(total)} - {less} = {supported}"


def _why_less_sure(note: dict, own: list[dict]) -> str:
    """What of a note's supported time some reading does not grant."""
    total, written, sure = note["total_timed_seconds"], note["written_seconds"], mins(note["sure_seconds"])
    if total is None and not note["has_blocks"]:
        return f"sure is {sure}, for TT holds untimed treatment too"
    if note["has_blocks"] and total is not None and total >= written + A_MINUTE:
        if note["sure_seconds"] == note["note_credited_seconds"]:
            return f"{mins(total - written)} of T have no block, so sure is only C = {sure}"
        return f"{mins(total - written)} of T have no block, so sure is only {sure} of the blocks"
    reasons = []
    if total is None and note["has_unmeasured_block"]:
        reasons.append("TT, which holds untimed treatment too")
    if total is not None and total != written and abs(total - written) < A_MINUTE:
        reasons.append("what was rounded up")
    if any(block["rest_seconds"] for block in own):
        reasons.append("rests given back")
    if any(block["is_shared_with_other_block"] and block["worth_seconds"] for block in own):
        reasons.append("what is left of a session's clock that a block of another kind shares")
    if not reasons:
        reasons.append("clock that earlier blocks of the day cover")
    return f"sure is {sure}, without {' and '.join(reasons)}"


def _is_of(block: dict, note: dict) -> bool:
    return (block["note_id"], block["note_version"]) == (note["note_id"], note["note_version"])


def counting_notes(day: dict, notes: list[dict]) -> list[dict]:
    """The counting notes of a therapy day."""
    return [note for note in notes if note["standing"] == "counting" and note["discipline"] == day["discipline"]]


def why_day(day: dict, facts: dict) -> list[str]:
    """How a day's supported and sure time come of its notes'; nothing where one note says it all."""
    notes = counting_notes(day, facts["notes"])
    if not notes:
        return []
    if day["has_unknown_note"]:
        unknown = ", ".join(note["note_id"] for note in notes if note["supported_seconds"] is None)
        said = [
            f"How long the day took is not known: note {unknown} says neither a total nor the minutes of every block; "
            "no rule calls its units too many."
        ]
    else:
        said = _why_held(day, notes) if len(notes) > 1 or day["notes_seconds"] != day["clock_bound_seconds"] else []
    return said + _why_sure(day, facts)


def _why_held(day: dict, notes: list[dict]) -> list[str]:
    """S and K: the notes' own totals, and what the clock of the day holds of them."""
    whole, bound, supported = day["notes_seconds"], day["clock_bound_seconds"], day["supported_seconds"]
    said = f"S, the sum over its notes: {added([note['supported_seconds'] for note in notes])}{mins(whole)}."
    if whole == bound:
        return [said]
    beyond = added([note["supported_seconds"] - note["note_credited_seconds"] for note in notes])
    return [
        said,
        f"K, what the clock of the day holds of them: {mins(day['credited_seconds'])} credited over the day"
        f" + what the notes support beyond their own credit, {beyond}{mins(day['beyond_blocks_seconds'])}, = "
        f"{mins(bound)}.",
        f"Supported is the smaller of S and K: {mins(supported)}.",
    ]


def _why_sure(day: dict, facts: dict) -> list[str]:
    """The clock that other disciplines' blocks cover, taken from the sure time."""
    joint = day["joint_seconds"] or 0
    if not joint:
        return []
    own = day["notes_sure_seconds"]
    if day["supported_seconds"] is not None:
        own = min(own, day["supported_seconds"])
    others = facts["patient_day"]["held_seconds"] - day["held_seconds"]
    taken = min(joint, others)
    return [
        f"Other disciplines' blocks lie on {mins(joint)} of its clock, and these disciplines support {mins(others)}: "
        f"sure is {mins(own)} - {mins(taken)} = {mins(day['sure_seconds'])}, for a minute treated together is one "
        "discipline's to bill."
    ]


def why_undecidable(day: dict, notes: list[dict]) -> list[str]:
    """What leaves a day's minutes per code open to two readings; nothing where they are not."""
    reasons = []
    for note in counting_notes(day, notes):
        total, written = note["total_timed_seconds"], note["written_seconds"]
        if not note["has_blocks"]:
            reasons.append(f"note {note['note_id']} has no blocks")
        elif note["has_unmeasured_block"]:
            reasons.append(f"note {note['note_id']} has a block without minutes")
        elif note["is_incomplete"]:
            reasons.append(f"note {note['note_id']} has T > W")
        if note["has_blocks"] and total is not None and total <= written - A_MINUTE:
            reasons.append(f"note {note['note_id']} has T < W")
    if day["double_counted_seconds"]:
        reasons.append(f"{long_minutes(day['double_counted_seconds'])} of its blocks double-counted")
    if day["has_session_clock"]:
        reasons.append("blocks share a session's clock")
    if (day["most_rest_seconds"] or 0) >= A_MINUTE:
        reasons.append("rests were given back to a block")
    if (day["joint_seconds"] or 0) >= A_MINUTE:
        reasons.append(f"{long_minutes(day['joint_seconds'])} of its clock are another discipline's too")
    return reasons
