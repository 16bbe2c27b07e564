"""Rules about the minutes of notes, blocks and providers."""

from collections import Counter, defaultdict

from . import codes, minutes, spans
from .case import Case, day_case, verdict, whole_minutes
from .days import CMS, EITHER

ASSISTANT_MODIFIERS = {"CQ", "CO"}


def minutes_counted_twice(world):
    """A block whose time another block was credited already; an error where the doubled time was billed."""
    for day in world.days.values():
        was_billed = day.most_units is not None and day.billed > day.most_units
        lacking = day.by_code(day.lacking)
        for code in sorted({codes.counted(b.code) for b in day.blocks if b.span}):
            yield day_case(
                "minutes_counted_twice",
                day,
                verdict(lacking[code] > 0),
                "error" if was_billed else "review",
                (code,),
                procedure_code=code,
                double_counted_minutes=whole_minutes(lacking[code]),
                supported_minutes=whole_minutes(day.supported),
            )


def surely_credited(world, blocks):
    """Seconds credited to these blocks, without what a session's clock shares with an untimed block, and less
    what the totals of their notes are below what is written."""
    credited = sum(
        block.on_day.full - min(block.on_day.full, minutes.shared_with_untimed(block, block.note.therapy_day.counts))
        for block in blocks
    )
    return credited - sum(world.shortfalls[note] for note in {block.note for block in blocks})


def therapist_in_two_places(world):
    """Days in a clinician's run that was credited more time than the clock has."""
    excess = Counter()
    for run in _clinicians_runs(world):
        too_many = surely_credited(world, run) - minutes.covered(run)
        if too_many < minutes.MINUTE:
            continue
        touched = {
            block.note.therapy_day.key
            for block in run
            for other in run
            if block.note.patient_id != other.note.patient_id and spans.overlap(block.span, other.span)
        }
        for key in touched:
            excess[key] += too_many
    for day in world.days.values():
        if any(block.span for block in day.blocks):
            yield day_case(
                "therapist_in_two_places",
                day,
                verdict(excess[day.key] > 0),
                "error",
                double_counted_minutes=whole_minutes(excess[day.key]),
                supported_minutes=whole_minutes(day.supported),
            )


def _clinicians_runs(world):
    """Runs of one clinician's blocks on one date that hold blocks of several patients."""
    held = defaultdict(list)
    for day in world.days.values():
        for block in day.blocks:
            if block.span:
                held[block.clinician, day.day].append(block)
    for blocks in held.values():
        for run in minutes.runs(blocks):
            if len({block.note.patient_id for block in run}) > 1:
                yield run


def _note_rule(world, rule_id, severity, is_wrong):
    for day in world.days.values():
        for time in day.times:
            if time.has_blocks and time.total is not None:
                yield day_case(
                    rule_id,
                    day,
                    verdict(is_wrong(time)),
                    severity,
                    (time.note.note_id,),
                    note_id=time.note.note_id,
                    supported_minutes=whole_minutes(time.supported),
                )


def block_minutes_exceed_note_total(world):
    """Blocks that hold a minute or more above the note's total."""
    return _note_rule(world, "block_minutes_exceed_note_total", "warning", lambda time: time.below)


def note_total_exceeds_blocks(world):
    """A note total a minute or more above what its blocks hold, none of them unmeasured."""
    return _note_rule(world, "note_total_exceeds_blocks", "review", lambda time: time.has_unexplained)


def stated_minutes_exceed_clock(world):
    """A block that states a minute or more above what its clock times make."""
    for day in world.days.values():
        for block in day.blocks:
            if block.stated is None or block.span is None:
                continue
            yield day_case(
                "stated_minutes_exceed_clock",
                day,
                verdict(block.stated - block.clock >= minutes.MINUTE),
                "warning",
                (codes.counted(block.code), block.note_id, block.number),
                procedure_code=codes.counted(block.code),
                note_id=block.note_id,
                block_number=block.number,
            )


def timed_minutes_not_documented(world):
    """Timed units billed on a day with a note that does not say how long."""
    given, counting = world.measured_share
    too_few = counting and given < world.reference.share("minimum_measured_share", "0.5") * counting
    for day in world.days.values():
        if not (day.billed and day.notes):
            continue
        silent = any(
            note.total is None
            and (
                not note.blocks
                or any(
                    day.counts(b) and b.is_unmeasured and codes.counted(b.code) in day.billed_by_code
                    for b in note.blocks
                )
            )
            for note in day.notes
        )
        yield day_case(
            "timed_minutes_not_documented",
            day,
            verdict(silent, bool(too_few)),
            "warning",
            billed_units=day.billed,
            supported_minutes=whole_minutes(day.supported),
        )


def provider_day_impossible(world):
    """More time than a provider's day can hold: needed by the units billed, or credited one-on-one."""
    limit = world.reference.parameter("provider_day_minutes", 960)
    needed, billed, seen, held = Counter(), Counter(), set(), defaultdict(list)
    for day in world.days.values():
        judged = world.is_judged(day.patient_id, day.day)
        for provider_id, lines in _own_lines(day).items():
            seen.add((provider_id, day.day))
            if judged:
                needed[provider_id, day.day] += minutes_needed(day.method, lines)
                billed[provider_id, day.day] += sum(line.units for line in lines)
        for block in day.blocks:
            seen.add((block.clinician, day.day))
            if judged:
                held[block.clinician, day.day].append(block)
    for key in sorted(seen):
        credited = max(whole_minutes(surely_credited(world, held[key])), 0) if key in held else 0
        found = {"severity": "review", "provider_id": key[0], "billed_units": billed[key]}
        found.update(supported_minutes=credited)
        word = verdict(needed[key] > limit or credited > limit, key not in needed and key not in held)
        yield Case("provider_day_impossible", key, None, key[1], word, found)


def _own_lines(day):
    found = defaultdict(list)
    for line in day.timed_lines:
        if line.rendering and not line.modifiers & ASSISTANT_MODIFIERS:
            found[line.rendering].append(line)
    return found


def minutes_needed(method, lines):
    """The fewest minutes that could support the timed units of one provider's lines on one therapy day. A day
    billed to several payers has no method and is counted as AMA."""
    by_code = Counter()
    for line in lines:
        by_code[codes.counted(line.code)] += line.units
    pooled = 15 * sum(by_code.values()) - 7
    apart = sum(15 * n - 7 for n in by_code.values())
    return {CMS: pooled, EITHER: min(pooled, apart)}.get(method, apart)
