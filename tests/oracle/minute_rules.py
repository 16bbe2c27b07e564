"""Rules about the minutes of notes, blocks and providers."""

from collections import Counter, defaultdict

from . import codes, minutes
from .case import Case, day_case, verdict

ASSISTANT_MODIFIERS = {"CQ", "CO"}


def minutes_counted_twice(world):
    """A block whose minutes another block of the patient's day was credited already."""
    for day in world.days.values():
        lacking = day.minutes_by_code("double_counted")
        for code in sorted({codes.counted(b.code) for b in day.blocks if b.clock is not None}):
            doubled = [b for b in day.blocks if codes.counted(b.code) == code and b.double_counted]
            shared = [len({member.note.discipline for member in block.run}) > 1 for block in doubled]
            yield day_case(
                "minutes_counted_twice",
                day,
                verdict(bool(doubled)),
                "review" if shared and all(shared) else "error",
                (code,),
                procedure_code=code,
                double_counted_minutes=lacking[code],
                supported_minutes=day.supported,
            )


def clinician(block):
    """Who delivered a block: its own provider, else its note's."""
    return block.provider_id or block.note.provider_id


def therapist_in_two_places(world):
    """Days in a clinician's run that was credited more minutes than the clock has."""
    excess = Counter()
    for run in _clinicians_runs(world):
        too_many = sum(block.credited for block in run) - minutes.covered(run)
        if len({block.note.patient_id for block in run}) < 2 or too_many <= 0:
            continue
        touched = {
            (block.note.patient_id, block.note.day, block.note.discipline)
            for block in run
            for other in run
            if block.note.patient_id != other.note.patient_id and block.stretch & other.stretch
        }
        for key in touched:
            excess[key] += too_many
    for day in world.days.values():
        if any(block.clock is not None for block in day.blocks):
            yield day_case(
                "therapist_in_two_places",
                day,
                verdict(excess[day.key] > 0),
                "error",
                double_counted_minutes=excess[day.key],
                supported_minutes=day.supported,
            )


def _clinicians_runs(world):
    held = defaultdict(list)
    for day in world.days.values():
        for block in day.blocks:
            if block.clock is not None:
                held[clinician(block), day.day].append(block)
    return [run for blocks in held.values() for run in minutes.runs(blocks)]


def _note_rule(world, rule_id, severity, is_wrong):
    for day in world.days.values():
        for note in day.notes:
            if note.blocks and note.total is not None:
                yield day_case(
                    rule_id,
                    day,
                    verdict(is_wrong(minutes.written(note), note.total)),
                    severity,
                    (note.note_id,),
                    note_id=note.note_id,
                    supported_minutes=minutes.supported(note),
                )


def block_minutes_exceed_note_total(world):
    """Blocks that hold more than the note's total."""
    return _note_rule(world, "block_minutes_exceed_note_total", "warning", lambda w, t: w > t)


def note_total_exceeds_blocks(world):
    """A note total above what its blocks hold."""
    return _note_rule(world, "note_total_exceeds_blocks", "review", lambda w, t: t > w)


def stated_minutes_exceed_clock(world):
    """A block that states more minutes than its clock times make."""
    for day in world.days.values():
        for block in day.blocks:
            if block.stated is None or block.clock is None:
                continue
            yield day_case(
                "stated_minutes_exceed_clock",
                day,
                verdict(block.stated - block.clock > (1 if block.seconds else 0)),
                "warning",
                (codes.counted(block.code), block.note_id, block.number),
                procedure_code=codes.counted(block.code),
                note_id=block.note_id,
                block_number=block.number,
            )


def provider_day_impossible(world):
    """More minutes than a provider's day can hold: needed by the units billed, or credited one-on-one."""
    limit = world.reference.parameter("provider_day_minutes", 960)
    needed, credited, billed, seen = Counter(), Counter(), Counter(), set()
    for day in world.days.values():
        judged = world.is_judged(day.patient_id, day.day)
        for provider_id, lines in _own_lines(day).items():
            seen.add((provider_id, day.day))
            if judged:
                needed[provider_id, day.day] += minutes_needed(day.method, lines)
                billed[provider_id, day.day] += sum(line.units for line in lines)
        for block in day.blocks:
            seen.add((clinician(block), day.day))
            if judged:
                credited[clinician(block), day.day] += block.credited
    for key in sorted(seen):
        is_unjudged = key not in needed and key not in credited
        found = {"severity": "review", "provider_id": key[0], "billed_units": billed[key]}
        found.update(supported_minutes=credited[key])
        over = needed[key] > limit or credited[key] > limit
        yield Case("provider_day_impossible", key, None, key[1], verdict(over, is_unjudged), found)


def _own_lines(day):
    found = defaultdict(list)
    for line in day.timed_lines:
        if line.rendering and not line.modifiers & ASSISTANT_MODIFIERS:
            found[line.rendering].append(line)
    return found


def minutes_needed(method, lines):
    """The fewest minutes that could support the timed units of one provider's lines on one therapy day."""
    by_code = Counter()
    for line in lines:
        by_code[codes.counted(line.code)] += line.units
    pooled = 15 * sum(by_code.values()) - 7
    apart = sum(15 * n - 7 for n in by_code.values())
    return {"cms_8_minute": pooled, "ama_midpoint": apart}.get(method, min(pooled, apart))
