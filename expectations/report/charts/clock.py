"""The clock of clinician days on which minutes are booked or counted twice: blocks as bars, the overlap hatched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from expectations.report.charts.svg import (
    BAR,
    HALF_WIDTH,
    HATCH,
    MUTED,
    SURFACE,
    WARN,
    Chart,
    Frame,
    data,
    draw,
    label,
    words,
)
from transforms.database.time_text import clock, long_minutes, mins

MOST_DAYS = 6
MOST_ROWS = 12
#: A day of the clock holds few blocks; what is broken may hold thousands.
MOST_BLOCKS = 120
TWO_PLACES, COUNTED_TWICE = "therapist_in_two_places", "minutes_counted_twice"
_STEPS = tuple(60 * minutes for minutes in (5, 10, 15, 30, 60, 120, 180, 240, 480))
_LEFT, _WIDTH, _ROW, _TOP = 130, 365, 38, 14
_HEADINGS = ("patient", "clinician", "code", "from", "to", "credited minutes", "overlapping minutes")


@dataclass(frozen=True)
class _Day:
    """Blocks with clock times of one clinician's or patient's date; `seconds` of them are too many."""

    title: str
    is_two_places: bool
    seconds: int
    blocks: Sequence[Mapping[str, Any]]


def clock_charts(derivations: Iterable[Mapping[str, Any]]) -> list[Chart]:
    """The days with most minutes booked or counted twice, at most MOST_DAYS, each as a chart of its own."""
    runs: dict[tuple, dict] = {}
    patients: dict[tuple, list] = {}
    for derivation in derivations:
        finding = derivation["finding"]
        day = str(finding["service_date"])
        if finding["rule_id"] == TWO_PLACES:
            # Every patient of a run has a finding of its own; the run is drawn once.
            for run in derivation.get("clinician_runs") or ():
                runs.setdefault((day, run["clinician_id"]), {})[run["run_number"]] = run
        elif finding["rule_id"] == COUNTED_TWICE:
            patients.setdefault((day, finding["patient_id"]), derivation.get("blocks") or ())
    days = [_clinician_day(*key, list(held.values())) for key, held in runs.items()]
    days += [_patient_day(*key, blocks) for key, blocks in patients.items()]
    days = sorted((day for day in days if day.blocks), key=lambda day: (-day.seconds, not day.is_two_places, day.title))
    return [_chart(f"clock_{place}", day) for place, day in enumerate(days[:MOST_DAYS], start=1)]


def _clinician_day(day: str, clinician: str, runs: Sequence[Mapping[str, Any]]) -> _Day:
    seconds = sum(run["excess_seconds"] for run in runs)
    blocks = []
    for run in runs:
        clocked = _clocked(run["blocks"])
        blocks += [{**block, "overlaps": _overlaps(block, clocked)} for block in clocked]
    title = f"{words(clinician)} on {day}: {long_minutes(seconds)} more than the clock holds"
    return _Day(title, True, seconds, blocks)


def _patient_day(day: str, patient: str, blocks: Sequence[Mapping[str, Any]]) -> _Day:
    seconds = sum(block["double_counted_seconds"] or 0 for block in blocks)
    runs = {block["run_number"] for block in blocks if block["double_counted_seconds"]}
    clocked = _clocked(block for block in blocks if block["run_number"] in runs)
    who = _listed(sorted({words(block["clinician_id"]) for block in clocked}))
    title = f"{who} on {day}: {long_minutes(seconds)} of {words(patient)} counted twice"
    shown = [{**block, "overlaps": _signed(block, "x"), "rests": _signed(block, ".~")} for block in clocked]
    return _Day(title, False, seconds, shown)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} and {len(names) - 2} others"


def _clocked(blocks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    held = [one for one in blocks if (one["end_second"] or 0) > (one["start_second"] or 0)]
    held.sort(key=lambda one: (one["start_second"], one["end_second"], str(one["note_id"]), one["block_number"]))
    return held


def _overlaps(block: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """The stretches of the block's clock on which a block of another patient lies too."""
    start, end = block["start_second"], block["end_second"]
    others = [
        (max(start, one["start_second"]), min(end, one["end_second"]))
        for one in blocks
        if one["patient_id"] != block["patient_id"] and one["start_second"] < end and start < one["end_second"]
    ]
    return _stretches(sorted(others))


def _signed(block: Mapping[str, Any], wanted: str) -> list[tuple[int, int]]:
    """The stretches of the block's clock that the derivation lays out so: x double-counted, . at rest."""
    return _stretches([(first, last) for first, last, sign in block.get("marks") or () if sign in wanted])


def _stretches(parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Parts in the order of their starts, those that touch or overlap as one."""
    found: list[tuple[int, int]] = []
    for first, last in parts:
        if found and found[-1][1] >= first:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _chart(name: str, day: _Day) -> Chart:
    names = [_row_name(day, block) for block in day.blocks]
    rows = {row: place for place, row in enumerate(dict.fromkeys(names)) if place < MOST_ROWS}
    bars = [(rows[row], block) for row, block in zip(names, day.blocks, strict=True) if row in rows][:MOST_BLOCKS]
    if day.is_two_places:
        caption = "One row a patient; hatched are clock minutes on which blocks of several patients lie."
    else:
        caption = (
            "One row a block; hatched are minutes that another block of the patient holds already, white is rest: "
            "minutes of the clock that the block does not count."
        )
    if len(bars) < len(day.blocks):
        caption += f" The first {len(bars)} blocks of {len(day.blocks)}; `minutewise explain` lays out all."
    svg = draw(_clock(bars, list(rows)), name, day.title, Frame(HALF_WIDTH, len(rows) * _ROW + _TOP + 26, _LEFT, _TOP))
    return Chart(name, day.title, caption, svg, _HEADINGS, [_row(block) for _, block in bars])


def _row_name(day: _Day, block: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells a row from others: ids whole, for two long ones may begin alike."""
    if day.is_two_places:
        return (str(block["patient_id"]),)
    return (str(block["clinician_id"]), str(block["note_id"]), str(block["note_version"]), str(block["block_number"]))


def _row(block: Mapping[str, Any]) -> tuple[Any, ...]:
    times = clock(block["start_second"]), clock(block["end_second"])
    held = words(block["patient_id"]), words(block["clinician_id"]), words(block["procedure_code"])
    return (
        *held,
        *times,
        mins(block["credited_seconds"]),
        mins(sum(end - start for start, end in block["overlaps"])),
    )


def _clock(bars: Sequence[tuple[int, Mapping[str, Any]]], rows: Sequence[tuple[str, ...]]) -> alt.LayerChart:
    first, last, step = _span([block for _, block in bars])
    scale = alt.Scale(domain=[first, last], nice=False, zero=False)
    hours, minutes = "(floor(datum.value / 3600) % 24)", "(floor(datum.value / 60) % 60)"
    times = f"format({hours}, '02') + ':' + format({minutes}, '02')"
    axis = alt.Axis(title=None, values=list(range(first, last + 1, step)), labelExpr=times)
    x = alt.X("from:Q", scale=scale, axis=axis)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(rows))), paddingInner=0, paddingOuter=0))
    blocks = [
        {"row": row, "from": one["start_second"], "to": one["end_second"], "told": _told(one)} for row, one in bars
    ]
    overlaps = [{"row": row, "from": start, "to": end} for row, one in bars for start, end in one["overlaps"]]
    rests = [{"row": row, "from": start, "to": end} for row, one in bars for start, end in one.get("rests", ())]
    names = [{"row": row, "name": label(words(name[0]), 15)} for row, name in enumerate(rows)]
    layers = [
        alt.Chart(data(blocks))
        .mark_bar(fill=BAR, yOffset=6, height=16, aria=True)
        .encode(x=x, x2="to:Q", y=y, description="told:N"),
        alt.Chart(data(rests)).mark_bar(fill=SURFACE, stroke=BAR, yOffset=6, height=16).encode(x=x, x2="to:Q", y=y),
        alt.Chart(data(overlaps))
        .mark_bar(fill=HATCH, stroke=WARN, strokeWidth=1.5, yOffset=6, height=16)
        .encode(x=x, x2="to:Q", y=y),
        alt.Chart(data(_codes(bars, first, last)))
        .mark_text(align="left", dx=1, dy=-9, fontSize=11, fill=MUTED)
        .encode(x=x, y=y, text="code:N"),
        alt.Chart(data(names)).mark_text(align="right", dy=6).encode(alt.XValue(-10), y, alt.Text("name:N")),
    ]
    return alt.layer(*layers).properties(width=_WIDTH, height=len(rows) * _ROW)


def _span(blocks: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    """(first second, last second, seconds from tick to tick): whole ticks around all blocks, at most eight."""
    first, last = min(one["start_second"] for one in blocks), max(one["end_second"] for one in blocks)
    step = next((one for one in _STEPS if last - first <= one * 6), _STEPS[-1])
    return first - first % step, last + -last % step, step


def _codes(bars: Sequence[tuple[int, Mapping[str, Any]]], first: int, last: int) -> list[dict[str, Any]]:
    """The codes above their bars, but for those that would reach into the next code of their row."""
    codes, ends = [], {}
    for row, block in bars:
        code = label(words(block["procedure_code"]), 8)
        start = (block["start_second"] - first) * _WIDTH / (last - first)
        if start >= ends.get(row, 0):
            codes.append({"row": row, "from": block["start_second"], "code": code})
            ends[row] = start + 7.5 * len(code)
    return codes


def _told(block: Mapping[str, Any]) -> str:
    who = f"{words(block['patient_id'])}, {words(block['clinician_id'])}, {words(block['procedure_code'])}"
    return (
        f"{who}: {clock(block['start_second'])} to {clock(block['end_second'])}, "
        f"{mins(block['credited_seconds'])} credited"
    )
