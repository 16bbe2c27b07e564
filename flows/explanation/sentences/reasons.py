"""What a rule comes to in a finding: one or more sentences with the finding's own numbers."""

from flows.explanation.sentences.words import added, counted, counting_notes, known
from transforms.database.time_text import clock, long_minutes, mins


def reasons(facts: dict) -> list[str]:
    """What the rule comes to here: sentences with the finding's numbers, empty where there is nothing to add."""
    day = subject_day(facts)
    sentences = SENTENCES.get(facts["finding"]["rule_id"])
    return sentences(facts, day) if sentences else []


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


def _ama(day: dict, name: str = "ama_units") -> str:
    own = [code[name] for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]
    return f"AMA counts each code alone: {' + '.join(map(str, own)) or '0'}" + (
        f" = {day[name]}" if len(own) > 1 else ""
    )


def ama_most(day: dict) -> str:
    """The most that AMA can make of a day whose minutes per code are not known, with its arithmetic in seconds."""
    seconds, codes = day["most_seconds"], day["timed_codes"]
    pooled = (seconds + 449 * codes) // 900
    said = f"AMA: however its time lies on the {counted(codes, 'timed code')}, at most "
    said += f"floor(({seconds} s + 449 x {codes}) / 900) = {pooled}"
    if day["most_ama_units"] >= pooled:
        return said
    worth = [code for code in day["codes"] if code["is_timed"]]
    terms = " + ".join(f"floor(({code['worth_seconds']} s + 449) / 900)" for code in worth)
    return f"{said}, and no more than its blocks are worth by code, {terms} = {day['worth_ama_units']}"


def _is_ama_known(day: dict) -> bool:
    return day["is_decidable"] and not day["has_unlisted_block"]


def most_words(day: dict) -> str:
    """The most units that the day supports under its payer's method."""
    cms = _cms(day["most_minutes"], day["most_cms_units"])
    ama = _ama(day) if _is_ama_known(day) else ama_most(day)
    if day["counting_method"] == "ama_midpoint":
        return ama
    if day["counting_method"] == "either":
        return f"{cms}, {ama}; the larger is {day['supported_units']}"
    return cms


def _exceed(facts, day):
    units, billed = day["supported_units"], day["billed_timed_units"]
    said = [f"Billed {billed_sum(day)}. {most_words(day)}."]
    if day["has_unlisted_block"]:
        own, pool = day["supported_seconds"], day["most_seconds"]
        said.append(
            f"{long_minutes(pool - own)} of blocks with unlisted codes are counted too, as if they were timed: "
            "whether they are is not known."
        )
    return [*said, f"{billed} > {units}: {counted(billed - units, 'unit')} too many."]


def _below(facts, day):
    units, billed = day["sure_units"], day["billed_timed_units"]
    limit = _cms(day["sure_minutes"], day["sure_cms_units"])
    if day["counting_method"] == "ama_midpoint":
        limit = _ama(day, "least_ama_units")
    elif day["counting_method"] == "either":
        limit = f"{limit}, {_ama(day, 'least_ama_units')}; the smaller is {units}"
    return [
        f"Billed {billed_sum(day)}. {limit}.",
        f"{billed} < {units}: {counted(units - billed, 'unit')} not billed, and no cap explains it.",
    ]


def _wrong_code(facts, day):
    above = [code for code in day["codes"] if code["is_timed"] and code["billed_units"] > code["expected_units"]]
    said = [f"Billed {billed_sum(day)}, and {day['supported_units']} are supported: the number holds."]
    for code in above:
        billed, lawful = code["billed_units"], code["expected_units"]
        said.append(
            f"{code['procedure_code']}: {long_minutes(code['credited_seconds'])}, billed {billed} > {lawful} in "
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
    cms = _cms(day["sure_minutes"], day["sure_cms_units"])
    said = [f"No line is billed. {cms}; {_ama(day, 'least_ama_units')}."]
    if not day["is_decidable"]:
        timed = sorted({block["counted_code"] for block in _day_blocks(facts, day) if block["kind"] == "timed_15"})
        said = [f"No line is billed. {cms}; the day is undecidable."]
        if timed and day["sure_seconds"] > 450 * len(timed):
            half = mins(450 * len(timed))
            said.append(f"{mins(day['sure_seconds'])} > {half}: more than half a unit for each of its timed codes.")
    untimed = sorted({block["procedure_code"] for block in _day_blocks(facts, day) if block["kind"] == "untimed"})
    return said + ([f"Blocks of untimed codes: {', '.join(untimed)}."] if untimed else [])


def _day_blocks(facts, day):
    return [block for block in facts["blocks"] if block["discipline"] == day["discipline"]]


def _twice(facts, day):
    code = facts["finding"]["procedure_code"]
    blocks = [block for block in _day_blocks(facts, day) if block["counted_code"] == code]
    own = [block for block in blocks if block["double_counted_seconds"]]
    parts = " + ".join(f"{mins(block['double_counted_seconds'])} of block {block['tag']}" for block in own)
    total = f" = {mins(sum(block['double_counted_seconds'] for block in own))}" if len(own) > 1 else ""
    said = [f"Minutes of {code} double-counted: {parts}{total}."]
    billed, units = day["billed_timed_units"], day["supported_units"]
    if units is None:
        return [*said, "Whether more was billed than the minutes support cannot be said: a person has to read it."]
    if billed > units:
        return [*said, f"Billed {billed_sum(day)} > {units} supported: doubled time was billed."]
    return [*said, f"Billed {billed_sum(day)} <= {units} supported: the doubled time was not billed, so a review."]


def _two_places(facts, day):
    said = []
    for run in facts["clinician_runs"]:
        span = f"{run['clinician_id']}, {clock(run['start_second'])}-{clock(run['end_second'])}"
        said.append(f"{span}: {run['patient_count']:,} patients, {run_sum(run)}.")
    return said


def run_sum(run: dict) -> str:
    """The credited time of a clinician's run beside the clock that it covers."""
    covers, credited = run["end_second"] - run["start_second"], run["credited_seconds"]
    is_whole = len(run["blocks"]) == run["block_count"]
    shares = [0 if block["is_shared_with_other_block"] else block["credited_seconds"] for block in run["blocks"]]
    sums = added(shares) if is_whole else f"the sum of {run['block_count']:,} blocks = "
    said = f"credited {sums}{long_minutes(credited)}"
    less = ""
    if run["below_seconds"]:
        said += f", less {mins(run['below_seconds'])} that the notes' totals are below their blocks"
        less = f" - {mins(run['below_seconds'])}"
    return f"{said}; the run covers {mins(covers)}: {mins(credited)}{less} - {mins(covers)} = " + (
        f"{mins(run['excess_seconds'])} too many"
    )


def _note_total(facts, day):
    note = next(note for note in facts["notes"] if note["note_key"] == facts["subject"]["note_key"])
    written, total = note["written_seconds"], note["total_timed_seconds"]
    if total > written:
        return [
            f"T = {mins(total)} > W = {mins(written)}: {long_minutes(total - written)} of the total are in no block."
        ]
    return [
        f"W = {mins(written)} > T = {mins(total)}: the blocks hold {long_minutes(written - total)} more than the total."
    ]


def _stated(facts, day):
    block = next(block for block in facts["blocks"] if block["block_key"] == facts["subject"]["block_key"])
    stated, held = block["stated_seconds"], block["clock_seconds"]
    span = f"{clock(block['start_second'])}-{clock(block['end_second'])}"
    return [f"Block {block['tag']}: {mins(stated)} stated > {mins(held)} held by {span}: {mins(stated - held)} above."]


def _code_cap(facts, day):
    finding = facts["finding"]
    same = ("procedure_code", "reference_key", "billing_provider_id", "payer_id")
    caps = [cap for cap in facts["caps"] if all(cap[name] == finding[name] for name in same)]
    lines = [line for cap in caps for line in cap["lines"]]
    parts = " + ".join(str(line["billed_units"]) for line in lines) or finding["billed_units"]
    indicator = caps[0]["indicator"] if caps else None
    total = f" = {finding['billed_units']}" if len(lines) > 1 else ""
    if indicator == "1":
        total = f" by line, the largest {finding['billed_units']}" if len(lines) > 1 else ""
    said = [f"Billed {finding['procedure_code']} x {parts}{total} > cap {finding['cap_units']}."]
    justified = any(note["cap_justification"] for note in facts["notes"] if note["standing"] == "counting")
    if finding["severity"] == "review":
        if justified:
            said.append(
                "Indicator 3, and a counting note of the date gives a justification: a person has to review it."
            )
        return said + [_carried(cap) for cap in caps[:1] if _is_carried(cap)]
    if indicator == "2" and justified:
        said.append("A cap with indicator 2 is never exceeded, whatever the note's justification.")
    return said


def _is_carried(cap: dict) -> bool:
    return cap["held_seconds"] is not None and (cap["held_seconds"] + 449) // 900 >= cap["tested_units"]


def _carried(cap: dict) -> str:
    held, units = cap["held_seconds"], (cap["held_seconds"] + 449) // 900
    return (
        f"Indicator 3, and the record supports the units: {long_minutes(held)} may count for {cap['counted_code']}, "
        f"floor(({held} s + 449) / 900) = {units} >= {cap['tested_units']}: a person has to review it."
    )


def _payer_cap(facts, day):
    finding = facts["finding"]
    billed, cap = finding["billed_units"], finding["cap_units"]
    several = len(day["payers"]) > 1
    what = f"{billed} timed units to {finding['payer_id']}" if several else billed_sum(day)
    said = [f"Billed {what} > cap {cap}: {counted(billed - cap, 'unit')} above."]
    if finding["severity"] == "review":
        said.append("A counting note of the date gives a justification: a person has to read it.")
    return said


def _untimed(facts, day):
    finding = facts["finding"]
    said = [f"Billed {finding['procedure_code']} x{finding['billed_units']} > 1."]
    if finding["severity"] == "review":
        said.append(
            "The day's counting notes hold as many blocks that document it, of different clinicians or clock times: a "
            "person has to read them."
        )
    return said


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
    if not day["has_counting_note"]:
        return [*said, "The day has no counting note that could hold two visits."]
    if not subject["is_timed"]:
        return [
            *said,
            "The notes hold fewer blocks of it, by different clinicians or at other times, than were billed.",
        ]
    held = day["supported_units"] if day["supported_units"] is not None else day["cms_units"]
    return [*said, f"The notes hold {held} of {day['billed_timed_units']} timed units billed: not two visits."]


def _provider(facts, day):
    own = facts["provider_day"]
    limit = int(own["limit"]["value"])
    needed, credited = own["needed_minutes"], own["credited_seconds"]
    return [
        f"Billed units need at least {needed} minutes: {needed} {'>' if needed > limit else '<='} {limit}.",
        f"One-on-one minutes credited: {mins(credited)} {'>' if credited > 60 * limit else '<='} {limit}.",
    ]


def _cotreatment(facts, day):
    finding, patient = facts["finding"], facts["patient_day"]
    days = facts["days"]
    shared, joint = patient["shared_once_seconds"], patient["joint_seconds"]
    supported = [one for one in days if one["supported_seconds"] is not None and one["has_counting_note"]]
    whole = added([one["supported_seconds"] for one in supported])
    billed = " + ".join(f"{one['discipline']} {one['billed_timed_units']}" for one in days if one["billed_timed_units"])
    cms_days = sum(one["counting_method"] == "cms_8_minute" for one in days)
    codes = sum(one["timed_codes"] for one in days if one["counting_method"] != "cms_8_minute")
    together = (shared + 420 * cms_days + 449 * codes) // 900
    each = added_units([one["supported_units"] for one in days])
    most = finding["expected_units"]
    return [
        f"Billed {billed} = {finding['billed_units']} timed units.",
        f"The disciplines support {whole}{long_minutes(patient['held_seconds'])}, and the patient's clock holds "
        f"{mins(shared)} of them (M): {mins(joint)} were given together (J), and one discipline bills each of these.",
        f"Each day by itself supports {each} units; the time shared once makes at most "
        f"floor(({shared} s + 420 x {cms_days} + 449 x {codes}) / 900) = {together}.",
        f"{finding['billed_units']} > {most}: {counted(finding['billed_units'] - most, 'unit')} too many, however the "
        "time is shared.",
    ]


def added_units(units: list[int | None]) -> str:
    """Units of several days and their sum: 2 + 2 = 4."""
    known_units = [one or 0 for one in units]
    terms = " + ".join(map(str, known_units))
    return f"{terms} = {sum(known_units)}" if len(known_units) > 1 else terms


def _minutes_missing(facts, day):
    silent = []
    for note in counting_notes(day, facts["notes"]):
        if note["total_timed_seconds"] is None and not note["has_blocks"]:
            silent.append(f"note {note['note_id']} has no total of timed minutes and no blocks")
        elif note["total_timed_seconds"] is None and note["has_unmeasured_block"]:
            blocks = [block for block in facts["blocks"] if block["note_id"] == note["note_id"]]
            tags = ", ".join(block["tag"] for block in blocks if block["is_unmeasured"])
            silent.append(f"note {note['note_id']} has no total of timed minutes, and block {tags} gives no minutes")
    counts = facts["measured"]
    return [
        f"Billed {billed_sum(day)}: {'; '.join(silent)}.",
        f"Of the run's {counts['counting_notes']:,} counting notes {counts['measured_notes']:,} give any minutes: it "
        "is not the extract that has none.",
    ]


def _code_not_billed(facts, day):
    code = facts["finding"]["procedure_code"]
    tags = [block["tag"] for block in _day_blocks(facts, day) if block["procedure_code"] == code]
    billed = sorted({line["procedure_code"] for line in facts["lines"] if line["discipline"]})
    return [
        f"Block {', '.join(tags)} documents {code}, an untimed code.",
        f"The lines of the patient and date bill {', '.join(billed) or 'no code'}: neither {code} nor an "
        "equivalent code is among them.",
    ]


def _several_payers(facts, day):
    parts = ", ".join(
        f"{payer['payer_id']} {counted(payer['payer_units'], 'unit')} ({payer['payer_timed_units']} timed)"
        for payer in day["payers"]
    )
    held = known(day["supported_seconds"]) if day["has_counting_note"] else None
    said = [f"Billed, each as the primary payer: {parts}."]
    whose = "it is not known whose they are, so the units of the day are not judged"
    return said + ([f"Supported minutes of the day: {held}; {whose}."] if held is not None else [])


SENTENCES = {
    "billed_units_exceed_minutes": _exceed,
    "billed_units_below_minutes": _below,
    "units_on_wrong_code": _wrong_code,
    "billed_code_not_documented": _code_missing,
    "billed_day_not_documented": _billed_without,
    "billed_on_unsigned_note": _billed_without,
    "billed_note_marked_not_billable": _billed_without,
    "documented_day_not_billed": _not_billed,
    "minutes_counted_twice": _twice,
    "cotreatment_billed_by_both": _cotreatment,
    "timed_minutes_not_documented": _minutes_missing,
    "documented_code_not_billed": _code_not_billed,
    "day_billed_to_several_payers": _several_payers,
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
