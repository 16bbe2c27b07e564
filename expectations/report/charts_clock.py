"""The clock of clinician days on which minutes are booked or counted twice: blocks as bars, the overlap hatched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from expectations.report.charts_svg import (
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
from expectations.report.page_values import counted

MOST_DAYS = 6
MOST_ROWS = 12
#: A day of the clock holds few blocks; what is broken may hold thousands.
MOST_BLOCKS = 120
TWO_PLACES, COUNTED_TWICE = "therapist_in_two_places", "minutes_counted_twice"
_STEPS = (5, 10, 15, 30, 60, 120, 180, 240, 480)
_LEFT, _WIDTH, _ROW, _TOP = 130, 365, 38, 14
_HEADINGS = ("patient", "clinician", "code", "from", "to", "credited minutes", "overlapping minutes")


@dataclass(frozen=True)
class _Day:
    """Blocks with clock times of one clinician's or patient's date; `minutes` of them are too many."""

    title: str
    is_two_places: bool
    minutes: int
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
    days = sorted((day for day in days if day.blocks), key=lambda day: (-day.minutes, not day.is_two_places, day.title))
    return [_chart(f"clock_{place}", day) for place, day in enumerate(days[:MOST_DAYS], start=1)]


def _clinician_day(day: str, clinician: str, runs: Sequence[Mapping[str, Any]]) -> _Day:
    minutes = sum(run["excess_minutes"] for run in runs)
    blocks = []
    for run in runs:
        clocked = _clocked(run["blocks"])
        patients = _patients(clocked)
        blocks += [{**block, "overlaps": _overlaps(block, patients)} for block in clocked]
    title = f"{words(clinician)} on {day}: {counted(minutes, 'minute')} more than the clock holds"
    return _Day(title, True, minutes, blocks)


def _patient_day(day: str, patient: str, blocks: Sequence[Mapping[str, Any]]) -> _Day:
    minutes = sum(block["double_counted_minutes"] or 0 for block in blocks)
    runs = {block["run_number"] for block in blocks if block["double_counted_minutes"]}
    clocked = _clocked(block for block in blocks if block["run_number"] in runs)
    who = _listed(sorted({words(block["clinician_id"]) for block in clocked}))
    title = f"{who} on {day}: {counted(minutes, 'minute')} of {words(patient)} counted twice"
    told = [{**block, "overlaps": _signed(block, "x"), "rests": _signed(block, ".")} for block in clocked]
    return _Day(title, False, minutes, told)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} and {len(names) - 2} others"


def _clocked(blocks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    held = [one for one in blocks if (one["end_minute"] or 0) > (one["start_minute"] or 0)]
    held.sort(key=lambda one: (one["start_minute"], one["end_minute"], str(one["note_id"]), one["block_number"]))
    return held


def _overlaps(block: Mapping[str, Any], patients: Mapping[int, set]) -> list[tuple[int, int]]:
    """The stretches of the block's clock on which a block of another patient lies too."""
    minutes = range(block["start_minute"], block["end_minute"])
    return _stretches([minute for minute in minutes if len(patients[minute]) > 1])


def _patients(blocks: Iterable[Mapping[str, Any]]) -> dict[int, set]:
    """Whose blocks lie on each minute of the clock."""
    patients: dict[int, set] = {}
    for block in blocks:
        for minute in range(block["start_minute"], block["end_minute"]):
            patients.setdefault(minute, set()).add(block["patient_id"])
    return patients


def _signed(block: Mapping[str, Any], wanted: str) -> list[tuple[int, int]]:
    """The stretches of the block's clock that the derivation lays out so: x double-counted, . at rest."""
    cells = enumerate(block.get("cells") or "", block["start_minute"])
    return _stretches([minute for minute, sign in cells if sign == wanted])


def _stretches(minutes: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for minute in minutes:
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + 1)
        else:
            found.append((minute, minute + 1))
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
    times = _time(block["start_minute"]), _time(block["end_minute"])
    held = words(block["patient_id"]), words(block["clinician_id"]), words(block["procedure_code"])
    return (*held, *times, block["credited_minutes"], sum(end - start for start, end in block["overlaps"]))


def _time(minute: int) -> str:
    """HH:MM; past midnight with the days that have passed."""
    days, rest = divmod(minute, 1440)
    return f"{rest // 60:02}:{rest % 60:02}" + (f" +{days}" if days else "")


def _clock(bars: Sequence[tuple[int, Mapping[str, Any]]], rows: Sequence[tuple[str, ...]]) -> alt.LayerChart:
    first, last, step = _span([block for _, block in bars])
    scale = alt.Scale(domain=[first, last], nice=False, zero=False)
    hours = "(floor(datum.value / 60) % 24)"
    clock = f"format({hours}, '02') + ':' + format(datum.value % 60, '02')"
    axis = alt.Axis(title=None, values=list(range(first, last + 1, step)), labelExpr=clock)
    x = alt.X("from:Q", scale=scale, axis=axis)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(rows))), paddingInner=0, paddingOuter=0))
    blocks = [
        {"row": row, "from": one["start_minute"], "to": one["end_minute"], "told": _told(one)} for row, one in bars
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
    """(first minute, last minute, minutes from tick to tick): whole ticks around all blocks, at most eight."""
    first, last = min(one["start_minute"] for one in blocks), max(one["end_minute"] for one in blocks)
    step = next((one for one in _STEPS if last - first <= one * 6), _STEPS[-1])
    return first - first % step, last + -last % step, step


def _codes(bars: Sequence[tuple[int, Mapping[str, Any]]], first: int, last: int) -> list[dict[str, Any]]:
    """The codes above their bars, but for those that would reach into the next code of their row."""
    codes, ends = [], {}
    for row, block in bars:
        code = label(words(block["procedure_code"]), 8)
        start = (block["start_minute"] - first) * _WIDTH / (last - first)
        if start >= ends.get(row, 0):
            codes.append({"row": row, "from": block["start_minute"], "code": code})
            ends[row] = start + 7.5 * len(code)
    return codes


def _told(block: Mapping[str, Any]) -> str:
    who = f"{words(block['patient_id'])}, {words(block['clinician_id'])}, {words(block['procedure_code'])}"
    return (
        f"{who}: {_time(block['start_minute'])} to {_time(block['end_minute'])}, {block['credited_minutes']} credited"
    )
