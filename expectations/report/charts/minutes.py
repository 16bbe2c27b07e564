"""The minutes that stand behind a billed unit, as a histogram: a heap at 8 is a sign of treatment timed to the rule."""

from collections.abc import Sequence

import altair as alt

from expectations.report.charts.svg import BAR, BAR_2, FULL_WIDTH, MUTED, Chart, Frame, data, draw, note

LAST_MINUTES = 30
_WIDTH, _HEIGHT = 990, 230


def unit_minutes_chart(unit_minutes: Sequence[tuple[int, int]]) -> Chart | None:
    """How many whole minutes stand behind a billed unit, over therapy days and codes; None without any."""
    counts: dict[int, int] = {}
    for minutes, days in unit_minutes:
        counts[min(minutes, LAST_MINUTES + 1)] = counts.get(min(minutes, LAST_MINUTES + 1), 0) + days
    if not sum(counts.values()):
        return None
    title = "Minutes behind a billed unit"
    caption = (
        "Therapy days and timed codes by credited minutes for each billed unit, cut to whole minutes: care given in "
        "full units is at 15; a peak at 8, the fewest minutes of a single unit, suggests treatment timed to the rule. "
        "Below 8 can be lawful where the 8-minute rule pools the minutes of several codes."
    )
    names = [*map(str, range(LAST_MINUTES + 1)), f"{LAST_MINUTES + 1} or more"]
    rows = [(name, counts.get(minutes, 0)) for minutes, name in enumerate(names)]
    svg = draw(_histogram(rows), "unit_minutes", title, Frame(FULL_WIDTH, _HEIGHT + 100, 80, 50))
    return Chart("unit_minutes", title, caption, svg, ("minutes for a billed unit", "therapy days and codes"), rows)


def _histogram(rows: Sequence[tuple[str, int]]) -> alt.LayerChart:
    step = _WIDTH / len(rows)
    values = [
        {
            "from": minutes + 0.06,
            "to": minutes + 0.94,
            "middle": minutes + 0.5,
            "none": 0,
            "days": days,
            "colour": BAR_2 if minutes == 8 else BAR,
            "label": f"{minutes}+" if minutes > LAST_MINUTES else name,
            "told": f"{name} minutes: {days:,}",
        }
        for minutes, (name, days) in enumerate(rows)
    ]
    base = alt.Chart(data(values))
    scale = alt.Scale(domain=[0, len(rows)], nice=False)
    axis = alt.Axis(tickCount=5, tickMinStep=1, format=",d", title="therapy days and codes", titleX=-60)
    bars = base.mark_bar(aria=True).encode(
        alt.X("from:Q", axis=None, scale=scale),
        alt.X2("to"),
        alt.Y("days:Q", axis=axis),
        alt.Y2("none"),
        alt.Fill("colour:N", scale=None),
        alt.Description("told:N"),
    )
    labels = base.mark_text(fill=MUTED).encode(
        alt.X("middle:Q", axis=None, scale=scale), alt.YValue(_HEIGHT + 14), alt.Text("label:N")
    )
    told = note("whole minutes for each billed unit", _WIDTH / 2, _HEIGHT + 36, align="center", fill=MUTED)
    marks = [
        *_mark(8 * step, "8: the fewest minutes of a lone unit", "right"),
        *_mark(15 * step, "15: a full unit", "left"),
    ]
    return alt.layer(bars, labels, told, *marks).properties(width=_WIDTH, height=_HEIGHT)


def _mark(x: float, text: str, align: str) -> list[alt.Chart]:
    """A line at the left edge of a bar, and above it what begins there."""
    line = alt.Chart(data([{}])).mark_rule(stroke=MUTED, strokeDash=[4, 3], strokeWidth=1.5)
    return [
        line.encode(alt.XValue(x), alt.YValue(-22), alt.Y2Value(_HEIGHT)),
        note(text, x + (5 if align == "left" else -5), -16, align=align),
    ]
