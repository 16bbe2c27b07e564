"""Timed units billed against units supported, one point a clinician: the line of honesty is the diagonal."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from expectations.report.charts.svg import (
    BAR,
    FULL_WIDTH,
    GRID,
    MUTED,
    WARN,
    Chart,
    Frame,
    data,
    draw,
    label,
    note,
    words,
)
from expectations.report.values import counted

MOST_CLINICIANS = 400
MOST_LABELLED = 10
_SIDE = 460
#: Room for the name of the line, and the words beside the points.
_BESIDE, _KEY_WIDTH = 50, 510
_BILLED_TITLE = {"title": "units billed", "titleX": -60}
#: Told apart by shape as by colour.
_KINDS = ["billed as supported, or less", "billed more than supported"]
_SIZE = 70
#: Where a number may stand, from its point, in pixels to the right and up, the nearest first.
_SPOTS = ((-12, 4), (-2, 14), (9, 13), (-12, -8), (12, -6), (-18, 16), (-28, 4), (2, 27), (-32, 16), (-14, 28))
_SHAPES, _COLOURS = ["circle", "triangle-up"], [BAR, WARN]


def clinicians_chart(clinicians: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Billed against supported timed units, one point a clinician; None without a clinician who has both."""
    known = [
        one for one in clinicians if one.get("billed_units") is not None and one.get("supported_units") is not None
    ]
    if not known:
        return None
    known.sort(key=lambda one: (-abs(_above(one)), words(one["clinician_id"])))
    shown, left_out = known[:MOST_CLINICIANS], len(known) - MOST_CLINICIANS
    shown.sort(key=lambda one: (-_above(one), words(one["clinician_id"])))
    title = "Timed units billed against units supported, by clinician"
    caption = (
        "On the line, what was billed is what the notes support; triangles above it billed more. The clinicians "
        "furthest above are numbered."
    )
    if left_out > 0:
        caption += f" {counted(left_out, 'clinician')} nearest to the line not drawn."
    svg = draw(_drawn(shown), "clinician_units", title, Frame(FULL_WIDTH, _SIDE + 80, 80, 24))
    headings = ("clinician", "billed units", "supported units", "billed above supported", "therapy days")
    rows = [
        (words(one["clinician_id"]), one["billed_units"], one["supported_units"], _above(one), one.get("days"))
        for one in shown
    ]
    return Chart("clinician_units", title, caption, svg, headings, rows)


def _above(clinician: Mapping[str, Any]) -> int:
    return clinician["billed_units"] - clinician["supported_units"]


def _drawn(clinicians: Sequence[Mapping[str, Any]]) -> alt.HConcatChart:
    units = [one[name] for one in clinicians for name in ("billed_units", "supported_units")]
    # Far from nothing, the points would crowd into a corner: then the scale begins below the least of them.
    low = 0 if min(units) < max(units) * 0.5 else int(min(units) * 0.95)
    high = max(max(units) + (max(units) - low) * 0.06, low + 1)
    x, y = _scale(alt.X, "supported", low, high), _scale(alt.Y, "billed", low, high)
    points = [
        {
            "billed": one["billed_units"],
            "supported": one["supported_units"],
            "kind": _KINDS[_above(one) > 0],
            "told": f"{words(one['clinician_id'])}: {_units_told(one)}",
        }
        for one in clinicians
    ]
    square = alt.layer(*_diagonal(low, high, x, y), _points(points, x, y), _places(clinicians, low, high, x, y))
    square = square.properties(width=_SIDE, height=_SIDE)
    return alt.hconcat(square, _key(clinicians), spacing=_BESIDE, bounds="flush")


def _scale(channel: type[alt.X] | type[alt.Y], name: str, low: float, high: float) -> alt.X | alt.Y:
    place = {"title": "units supported by the notes", "titleY": 36} if channel is alt.X else _BILLED_TITLE
    axis = alt.Axis(tickCount=6, tickMinStep=1, format=",d", domain=True, domainColor=GRID, **place)
    return channel(f"{name}:Q", axis=axis, scale=alt.Scale(domain=[low, high], nice=False, zero=False))


def _points(points: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y) -> alt.Chart:
    marks = alt.Chart(data(points)).mark_point(
        filled=True, opacity=1, fillOpacity=0.75, size=_SIZE, strokeWidth=0, aria=True
    )
    shape = alt.Shape("kind:N", legend=None, scale=alt.Scale(domain=_KINDS, range=_SHAPES))
    fill = alt.Fill("kind:N", legend=None, scale=alt.Scale(domain=_KINDS, range=_COLOURS))
    return marks.encode(x, y, shape, fill, alt.Description("told:N"))


def _places(clinicians: Sequence[Mapping[str, Any]], low: float, high: float, x: alt.X, y: alt.Y) -> alt.Chart:
    """The numbers of those furthest above, each beside its point, clear of one another and of these points."""
    pixel = (high - low) / _SIDE
    points = [(one["supported_units"] / pixel, one["billed_units"] / pixel) for one in _furthest(clinicians)]
    taken, numbers = list(points), []
    for place, (right, up) in enumerate(points, start=1):
        spots = [(right + more, up + higher) for more, higher in _SPOTS]
        free = [spot for spot in spots if all(abs(spot[0] - a) > 11 or abs(spot[1] - b) > 11 for a, b in taken)]
        taken.append((free or spots)[0])
        numbers.append({"supported": taken[-1][0] * pixel, "billed": taken[-1][1] * pixel, "place": str(place)})
    return alt.Chart(data(numbers)).mark_text(fontSize=11).encode(x, y, alt.Text("place:N"))


def _furthest(clinicians: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in clinicians[:MOST_LABELLED] if _above(one) > 0]


def _diagonal(low: float, high: float, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    ends = data([{"supported": end, "billed": end} for end in (low, high)])
    line = alt.Chart(ends).mark_line(stroke=MUTED, strokeDash=[5, 4], strokeWidth=1.5).encode(x, y)
    return [line, note("billed = supported", _SIDE + 5, 0, fill=MUTED)]


def _key(clinicians: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Beside the points: what their shapes say, and by the number at the point who is furthest above the line."""
    above = _furthest(clinicians)
    rows = [
        {
            "y": 130 + place * 22,
            "place": str(place),
            "name": label(words(one["clinician_id"]), 26),
            "above": f"+{_above(one):,}",
            "told": _units_told(one),
        }
        for place, one in enumerate(above, start=1)
    ]
    kinds = [{"y": y, "kind": kind, "told": kind} for y, kind in zip((60, 82), reversed(_KINDS), strict=True)]
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, _SIDE], range=[0, _SIDE], nice=False, zero=False))
    shape = alt.Shape("kind:N", legend=None, scale=alt.Scale(domain=_KINDS, range=_SHAPES))
    fill = alt.Fill("kind:N", legend=None, scale=alt.Scale(domain=_KINDS, range=_COLOURS))
    marks = alt.Chart(data(kinds)).mark_point(filled=True, opacity=1, fillOpacity=0.75, size=_SIZE, strokeWidth=0)
    head = "Furthest above the line, in units" if above else "No clinician billed more units than are supported."
    return alt.layer(
        marks.encode(alt.XValue(10), y, shape, fill),
        _texts(kinds, y, "told", 28, align="left"),
        note(head, 0, 124, fill=MUTED),
        _texts(rows, y, "place", 16, align="right", fill=MUTED),
        _texts(rows, y, "name", 28, align="left"),
        _texts(rows, y, "above", 275, align="right", fontWeight="bold"),
        _texts(rows, y, "told", 290, align="left", fill=MUTED),
    ).properties(width=_KEY_WIDTH, height=_SIDE)


def _texts(rows: Sequence[Mapping[str, Any]], y: alt.Y, column: str, x: float, **mark: Any) -> alt.Chart:
    return alt.Chart(data(rows)).mark_text(**mark).encode(alt.XValue(x), y, alt.Text(f"{column}:N"))


def _units_told(clinician: Mapping[str, Any]) -> str:
    return f"{clinician['billed_units']:,} billed, {clinician['supported_units']:,} supported"
