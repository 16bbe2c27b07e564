"""Findings and dollars at risk as bars, side by side: by week, and by what the findings name."""

from collections.abc import Sequence
from decimal import Decimal

import altair as alt

from expectations.report.charts.sums import MOST_WEEKS, Sum
from expectations.report.charts.svg import (
    BAR,
    BAR_2,
    FULL_WIDTH,
    GRID,
    HALF_WIDTH,
    MUTED,
    Chart,
    Frame,
    data,
    draw,
    label,
    note,
)
from expectations.report.values import counted, money

ONCE_A_FINDING = "Dollars count a billed unit once for each finding that names it."
_FINDINGS, _DOLLARS = "Findings", "Dollars at risk"
_NONE = "–"
_ROW, _TOP = 22, 28
_WEEK_PANEL, _WEEK_HEIGHT, _DATE_ROOM = 440, 200, 84


def weeks_chart(weeks: Sequence[Sum], earlier: int) -> Chart:
    """Findings and dollars by week of the service date; `earlier` findings lie before the weeks shown."""
    cut = f" The last {MOST_WEEKS} weeks; {counted(earlier, 'earlier finding')} not drawn." if earlier else ""
    title = "Findings and dollars at risk by week"
    caption = f"Each week of service dates by its Monday.{cut} {ONCE_A_FINDING}"
    panels = alt.hconcat(_week_panel(weeks, True), _week_panel(weeks, False), spacing=110, bounds="flush")
    svg = draw(panels, "weeks", title, Frame(FULL_WIDTH, _WEEK_HEIGHT + _TOP + 30, 70, _TOP))
    return Chart("weeks", title, caption, svg, ("week from", "findings", "dollars at risk"), _rows(weeks))


def _week_panel(weeks: Sequence[Sum], is_findings: bool) -> alt.LayerChart:
    step = _WEEK_PANEL / len(weeks)
    every = max(1, -(-_DATE_ROOM // max(1, int(step))))
    axis = alt.Axis(
        title=None, labelAngle=0, grid=False, domain=True, domainColor=GRID, values=_names(weeks)[every // 2 :: every]
    )
    values = [
        {"week": week.name, "value": _value(week, is_findings), "told": f"{week.name}: {_told(week, is_findings)}"}
        for week in weeks
    ]
    bars = (
        alt.Chart(data(values))
        .mark_bar(fill=BAR if is_findings else BAR_2, width=min(40, step * 0.8), aria=True)
        .encode(
            x=alt.X("week:O", sort=None, axis=axis),
            y=alt.Y("value:Q", title=None, axis=_value_axis(is_findings)),
            description="told:N",
        )
    )
    heading = note(_FINDINGS if is_findings else _DOLLARS, 0, -14, fill=MUTED)
    return alt.layer(bars, heading).properties(width=_WEEK_PANEL, height=_WEEK_HEIGHT)


def _value_axis(is_findings: bool) -> alt.Axis:
    shape = {"format": ",d", "tickMinStep": 1} if is_findings else {"format": "$,~f"}
    return alt.Axis(tickCount=4, **shape)


def names_chart(name: str, of: str, sums: Sequence[Sum], hint: str = "", is_wide: bool = False) -> Chart:
    """Findings and dollars by what the findings name, one bar a row; `of` says in words what that is."""
    title = f"Findings and dollars at risk by {of}"
    cut = "The grey bars of the others are cut short. " if _is_cut(sums) else ""
    caption = f"Most dollars first; {_NONE} where no dollars are at risk. {cut}{hint}{ONCE_A_FINDING}"
    # Pixels: the names, the bars of findings and of dollars; letters that fit the names.
    room, findings, dollars, letters = (390, 230, 280, 62) if is_wide else (134, 95, 115, 15)
    left, right = _name_panel(sums, True, findings, letters), _name_panel(sums, False, dollars, 0)
    panels = alt.hconcat(left, right, spacing=65, bounds="flush")
    frame = Frame(FULL_WIDTH if is_wide else HALF_WIDTH, len(sums) * _ROW + _TOP + 4, room, _TOP)
    svg = draw(panels, name, title, frame)
    return Chart(name, title, caption, svg, (of, "findings", "dollars at risk"), _rows(sums))


def _name_panel(sums: Sequence[Sum], is_findings: bool, width: int, letters: int) -> alt.LayerChart:
    height = len(sums) * _ROW
    # The others together may be many times the longest name: they would leave no room to compare names.
    longest = max(_value(one, is_findings) for one in sums if not one.is_others)
    rows = [
        {
            "row": row,
            "name": label(one.name, letters),
            "value": min(_value(one, is_findings), longest),
            "told": _told(one, is_findings),
            "colour": GRID if one.is_others else BAR if is_findings else BAR_2,
        }
        for row, one in enumerate(sums)
    ]
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.3, paddingOuter=0.15))
    # Where no name has a dollar, all bars stand at nothing; a scale needs a length all the same.
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, longest or 1], nice=False))
    base = alt.Chart(data(rows))
    foot = alt.Chart(data([{}])).mark_rule(stroke=MUTED)
    layers = [
        base.mark_bar().encode(x, y, alt.Fill("colour:N", scale=None)),
        base.mark_text(align="left", dx=5).encode(x, y, alt.Text("told:N")),
        foot.encode(alt.XValue(0), alt.YValue(0), alt.Y2Value(height)),
        note(_FINDINGS if is_findings else _DOLLARS, 0, -12, fill=MUTED),
    ]
    if letters:
        layers.append(base.mark_text(align="right").encode(alt.XValue(-8), y, alt.Text("name:N")))
    return alt.layer(*layers).properties(width=width, height=height)


def _is_cut(sums: Sequence[Sum]) -> bool:
    """Whether the others together outweigh the first name in findings or in dollars."""
    named = [one for one in sums if not one.is_others]
    return any(
        _value(one, is_findings) > max(_value(name, is_findings) for name in named)
        for one in sums
        if one.is_others
        for is_findings in (True, False)
    )


def _value(one: Sum, is_findings: bool) -> float:
    return one.findings if is_findings else float(one.dollars or 0)


def _told(one: Sum, is_findings: bool) -> str:
    if is_findings:
        return f"{one.findings:,}"
    return _NONE if one.dollars is None else money(one.dollars)


def _names(sums: Sequence[Sum]) -> list[str]:
    return [one.name for one in sums]


def _rows(sums: Sequence[Sum]) -> list[tuple[str, int, Decimal | None]]:
    return [(one.name, one.findings, one.dollars) for one in sums]
