"""What a rule comes to in a finding: one or more sentences with the finding's own numbers."""

from flows.explanation.clock import clock
from flows.explanation.words import counted


def because(facts: dict) -> list[str]:
    """What the rule comes to here: sentences with the finding's numbers, empty where there is nothing to add."""
    day = subject_day(facts)
    teller = _TELLERS.get(facts["finding"]["rule_id"])
    return teller(facts, day) if teller else []


def subject_day(facts: dict) -> dict | None:
    """The therapy day that the finding is about, or None for a finding over disciplines or patients."""
    discipline = facts["finding"]["discipline"]
    return next((day for day in facts.get("days", []) if discipline and day["discipline"] == discipline), None)


def billed_sum(day: dict, is_timed: bool | None = True) -> str:
    """Units billed by code and in all: 97110 x2 + 97112 x2 = 4."""
    codes = [code for code in day["codes"] if code["billed_units"] and is_timed in (None, code["is_timed"])]
    total = sum(code["billed_units"] for code in codes)
    if not codes:
        return "no unit"
    parts = " + ".join(f"{code['procedure_code']} x{code['billed_units']}" for code in codes)
    return f"{parts} = {total}" if len(codes) > 1 else parts


def _cms(minutes: int, units: int) -> str:
    return f"CMS counts {minutes} minutes as floor(({minutes} + 7) / 15) = {units}"


def _ama(day: dict) -> str:
    own = [code["ama_units"] for code in day["codes"] if code["is_timed"] and code["credited_minutes"]]
    return f"AMA counts each code alone: {' + '.join(map(str, own)) or '0'}" + (
        f" = {day['ama_units']}" if len(own) > 1 else ""
    )


def _limit(day: dict, minutes: int, cms_units: int, which: str, units: int) -> str:
    method = day["counting_method"]
    if method == "ama_midpoint":
        return _ama(day)
    if method == "either":
        return f"{_cms(minutes, cms_units)}, {_ama(day)}; the {which} is {units}"
    return _cms(minutes, cms_units)


def _exceed(facts, day):
    units, billed = day["supported_units"], day["billed_timed_units"]
    limit = _limit(day, day["supported_minutes"], day["cms_units"], "larger", units)
    return [f"Billed {billed_sum(day)}. {limit}.", f"{billed} > {units}: {counted(billed - units, 'unit')} too many."]


def _below(facts, day):
    units, billed = day["sure_units"], day["billed_timed_units"]
    limit = _limit(day, day["sure_minutes"], day["sure_cms_units"], "smaller", units)
    return [
        f"Billed {billed_sum(day)}. {limit}.",
        f"{billed} < {units}: {counted(units - billed, 'unit')} not billed, and no cap stands in the way.",
    ]


def _wrong_code(facts, day):
    above = [code for code in day["codes"] if code["is_timed"] and code["billed_units"] > code["expected_units"]]
    said = [f"Billed {billed_sum(day)}, and {day['supported_units']} are supported: the number holds."]
    for code in above:
        billed, lawful = code["billed_units"], code["expected_units"]
        said.append(
            f"{code['procedure_code']}: {counted(code['credited_minutes'], 'minute')}, billed {billed} > {lawful} in "
            f"the nearest lawful split: {counted(billed - lawful, 'unit')} on the wrong code."
        )
    return said


def _code_missing(facts, day):
    finding, held = facts["finding"], ", ".join(day["documented_codes"]) or "no code"
    return [
        f"Billed {finding['procedure_code']} x{finding['billed_units']}. "
        f"The blocks of the day's counting notes document: {held}."
    ]


def _billed_without(facts, day):
    standings = {"counting": 0, "not_billable": 0, "draft": 0}
    for note in facts["notes"]:
        if note["discipline"] == day["discipline"] and note["standing"] in standings:
            standings[note["standing"]] += 1
    return [
        f"Billed {billed_sum(day, None)}.",
        f"Notes of {day['discipline']} on the day: {standings['counting']} counting, "
        f"{standings['not_billable']} not billable, {counted(standings['draft'], 'draft')}.",
    ]


def _not_billed(facts, day):
    said = [f"No line is billed. {_cms(day['sure_minutes'], day['sure_cms_units'])}; {_ama(day)}."]
    if not day["is_decidable"]:
        said = [f"No line is billed. {_cms(day['sure_minutes'], day['sure_cms_units'])}; the day is undecidable."]
    untimed = sorted({block["procedure_code"] for block in _day_blocks(facts, day) if block["kind"] == "untimed"})
    return said + ([f"Blocks of untimed codes: {', '.join(untimed)}."] if untimed else [])


def _day_blocks(facts, day):
    return [block for block in facts["blocks"] if block["discipline"] == day["discipline"]]


def _twice(facts, day):
    code = facts["finding"]["procedure_code"]
    blocks = [block for block in _day_blocks(facts, day) if block["counted_code"] == code]
    own = [block for block in blocks if block["double_counted_minutes"]]
    parts = " + ".join(f"{block['double_counted_minutes']} of block {block['tag']}" for block in own)
    total = f" = {facts['finding']['double_counted_minutes']}" if len(own) > 1 else ""
    said = [f"Minutes of {code} double-counted: {parts}{total}."]
    if facts["finding"]["severity"] == "review":
        said.append("Blocks of several disciplines lie in the run (co-treatment): either may hold the minute.")
    return said


def _two_places(facts, day):
    said = []
    for run in facts["clinician_runs"]:
        covers = run["end_minute"] - run["start_minute"]
        sums = " + ".join(str(block["credited_minutes"]) for block in run["blocks"])
        patients = len({block["patient_id"] for block in run["blocks"]})
        said.append(
            f"{run['clinician_id']}, {clock(run['start_minute'])}-{clock(run['end_minute'])}: {patients} patients, "
            f"credited {sums} = {run['credited_minutes']} minutes; the run covers {covers}: "
            f"{run['credited_minutes']} - {covers} = {run['excess_minutes']} too many."
        )
    return said


def _note_total(facts, day):
    note = next(note for note in facts["notes"] if note["note_key"] == facts["subject"]["note_key"])
    written, total = note["written_minutes"], note["total_timed_minutes"]
    if total > written:
        return [f"T = {total} > W = {written}: {counted(total - written, 'minute')} of the total stand in no block."]
    return [f"W = {written} > T = {total}: the blocks hold {counted(written - total, 'minute')} more than the total."]


def _stated(facts, day):
    block = next(block for block in facts["blocks"] if block["block_key"] == facts["subject"]["block_key"])
    stated, held = block["stated_minutes"], block["clock_minutes"]
    span = f"{clock(block['start_minute'])}-{clock(block['end_minute'])}"
    said = [f"Block {block['tag']}: {stated} stated > {held} held by {span}: {stated - held} above."]
    if block["clock_has_seconds"]:
        said.append("Its times had seconds, which are cut, so 1 minute above would be let pass.")
    return said


def _code_cap(facts, day):
    finding = facts["finding"]
    caps = [cap for cap in facts["caps"] if cap["reference_key"] == finding["reference_key"]]
    caps = [cap for cap in caps if cap["billing_provider_id"] == finding["billing_provider_id"]]
    lines = [line for cap in caps for line in cap["lines"]]
    parts = " + ".join(str(line["billed_units"]) for line in lines) or finding["billed_units"]
    indicator = caps[0]["indicator"] if caps else None
    total = f" = {finding['billed_units']}" if len(lines) > 1 else ""
    if indicator == "1":
        total = f" by line, the largest {finding['billed_units']}" if len(lines) > 1 else ""
    said = [f"Billed {finding['procedure_code']} x {parts}{total} > cap {finding['cap_units']}."]
    if finding["severity"] == "review":
        said.append("Indicator 3, and a counting note of the date gives a justification: a person has to read it.")
    elif indicator == "2" and any(
        note["cap_justification"] for note in facts["notes"] if note["standing"] == "counting"
    ):
        said.append("Indicator 2 is never exceeded: the note's justification is no help.")
    return said


def _payer_cap(facts, day):
    billed, cap = day["billed_timed_units"], day["timed_units_per_day_cap"]
    said = [f"Billed {billed_sum(day)} > cap {cap}: {counted(billed - cap, 'unit')} above."]
    if facts["finding"]["severity"] == "review":
        said.append("A counting note of the date gives a justification: a person has to read it.")
    return said


def _untimed(facts, day):
    return [f"Billed {facts['finding']['procedure_code']} x{facts['finding']['billed_units']} > 1."]


def _split_lines(facts, day):
    groups: dict[tuple, list] = {}
    for line in facts["lines"]:
        if line["is_subject"]:
            key = (line["claim_id"], line["modifiers"] or "none", line["rendering_provider_id"] or "unknown")
            groups.setdefault(key, []).append(line)
    return [
        f"Claim {claim}: lines {', '.join(str(line['line_number']) for line in lines)} all bill "
        f"{lines[0]['procedure_code']}, modifiers {modifiers}, rendering provider {provider}: "
        f"{' + '.join(str(line['billed_units']) for line in lines)} units."
        for (claim, modifiers, provider), lines in groups.items()
        if len(lines) > 1
    ]


def _duplicated(facts, day):
    subject = next(line for line in facts["lines"] if line["is_subject"])
    said = [
        f"Claim {subject['claim_id']} line {subject['line_number']} ({subject['source']}) bills again what claim "
        f"{twin['claim_id']} line {twin['line_number']} ({twin['source']}) bills."
        for twin in facts["earlier_lines"]
    ]
    if not subject["is_timed"]:
        return [*said, "The code is untimed: once a day whatever the visits."]
    if not day["has_counting_note"]:
        return [*said, "The day has no counting note that could hold two visits."]
    held = day["supported_units"] if day["supported_units"] is not None else day["cms_units"]
    return [*said, f"The notes hold {held} of {day['billed_timed_units']} timed units billed: not two visits."]


def _provider(facts, day):
    own = facts["provider_day"]
    limit = int(own["limit"]["value"])
    needed, credited = own["needed_minutes"], own["credited_minutes"]
    return [
        f"Billed units need at least {needed} minutes: {needed} {'>' if needed > limit else '<='} {limit}.",
        f"One-on-one minutes credited: {credited} {'>' if credited > limit else '<='} {limit}.",
    ]


_TELLERS = {
    "billed_units_exceed_minutes": _exceed,
    "billed_units_below_minutes": _below,
    "units_on_wrong_code": _wrong_code,
    "billed_code_not_documented": _code_missing,
    "billed_day_not_documented": _billed_without,
    "billed_on_unsigned_note": _billed_without,
    "billed_note_marked_not_billable": _billed_without,
    "documented_day_not_billed": _not_billed,
    "minutes_counted_twice": _twice,
    "therapist_in_two_places": _two_places,
    "block_minutes_exceed_note_total": _note_total,
    "note_total_exceeds_blocks": _note_total,
    "stated_minutes_exceed_clock": _stated,
    "units_exceed_day_cap": _code_cap,
    "timed_units_exceed_payer_day_cap": _payer_cap,
    "untimed_code_multiple_units": _untimed,
    "timed_code_split_across_lines": _split_lines,
    "claim_line_duplicated": _duplicated,
    "provider_day_impossible": _provider,
}
