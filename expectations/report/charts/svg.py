"""Charts as SVG that can stand in a page: drawn by Vega-Lite, coloured by the page, loading nothing.

No place in a drawing may depend on how wide a machine's fonts are: labels are cut by characters, room is set in
pixels, and the frame is ours. So the same report gives the same bytes everywhere.
"""

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from expectations.report import plain

#: The page's colours, by variable; each with the one to take where no page defines it.
INK, MUTED = "currentColor", "var(--muted,#566070)"
GRID, SURFACE = "var(--grid,#d5dae1)", "var(--surface,#fff)"
BAR, BAR_2, WARN = "var(--bar,#2b6698)", "var(--bar-2,#b25a12)", "var(--warn,#b3261e)"
#: Marks in this fill are hatched in WARN.
HATCH = "url(#hatch)"
FULL_WIDTH, HALF_WIDTH = 1100, 520
LONGEST_CELL = 120

_AXIS = {
    "domain": False,
    "gridColor": GRID,
    "labelBound": False,
    "labelColor": MUTED,
    "labelFlush": False,
    "labelFontSize": 12,
    "labelLimit": 0,
    "labelOverlap": False,
    "labelPadding": 6,
    "ticks": False,
    "titleColor": MUTED,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "titleLimit": 0,
}
_CONFIG = {
    "aria": False,
    "axis": _AXIS,
    "background": "transparent",
    "text": {"fontSize": 12, "fill": INK, "limit": 0},
    "view": {"stroke": None},
}
_LONG_FRACTION = re.compile(r"\d+\.\d{3,}(?:e-?\d+)?")
_DROPPED = ("class", "role", "pointer-events", "font-family", "stroke-miterlimit", "opacity", "aria-roledescription")


@dataclass(frozen=True)
class Chart:
    """One chart: a name that is unique on the page, what it shows, its picture, and the same numbers as a table.

    svg: one <svg> element that loads nothing and whose colours are the page's variables (--bar, --bar-2, --warn,
    --muted, --grid, --surface; text takes the current colour). rows: as wide as headings; counts are whole, dollars
    decimal, texts can only be read.
    """

    name: str
    title: str
    caption: str
    svg: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and where its first panel begins, in pixels."""

    width: int
    height: int
    left: int
    top: int


def words(value: Any, missing: str = "not given") -> str:
    """A value as a table shows it: text that can only be read, cut to LONGEST_CELL characters."""
    return plain(value, LONGEST_CELL) if value is not None and str(value).strip() else missing


def label(text: str, longest: int) -> str:
    """The beginning of `text` that has room for `longest` letters; wide letters take two places."""
    room, kept = longest, ""
    for letter in text:
        # Marks that stand on other letters take no place, and a thousand of them would cover the chart.
        if unicodedata.category(letter) in ("Mn", "Me"):
            continue
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return kept[:-1] + "…"
        kept += letter
    return kept


def data(rows: Sequence[Mapping[str, Any]]) -> alt.Data:
    """Rows as data within the chart itself."""
    return alt.Data(values=list(rows))


def note(text: str, x: float, y: float, **mark: Any) -> alt.Chart:
    """One line of text at a place of its panel, in pixels."""
    look = {"align": "left", **mark}
    return alt.Chart(data([{"text": text}])).mark_text(**look).encode(alt.Text("text:N"), alt.XValue(x), alt.YValue(y))


def draw(chart: alt.TopLevelMixin, name: str, title: str, frame: Frame) -> str:
    """The chart as one <svg> element that is named by its title; `name` keeps its ids apart from other charts'."""
    spec = {**chart.to_dict(validate=False), "config": _CONFIG}
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    # With no address allowed, nothing can be loaded, whatever a value holds.
    drawn = vl_convert.vegalite_to_svg(spec, vl_version=version, allowed_base_urls=[])
    root = ET.fromstring(drawn)
    _tidy(root)
    size = {"width": str(frame.width), "height": str(frame.height), "viewBox": f"0 0 {frame.width} {frame.height}"}
    root.attrib = {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img", "aria-label": title}
    root[0].set("transform", f"translate({frame.left},{frame.top})")
    _hatch(root, f"{name}-hatch")
    return ET.tostring(root, encoding="unicode")


def _tidy(parent: ET.Element) -> None:
    """Keeps what is seen, and the descriptions of marks, as <title>, which browsers show under the pointer."""
    parent.tag = parent.tag.rpartition("}")[2]
    for child in list(parent):
        if child.get("class") in ("foreground", "background"):
            parent.remove(child)
            continue
        _tidy(child)
        if child.tag == "g" and not len(child):
            parent.remove(child)
    described = parent.attrib.pop("aria-label", None)
    kept = {key: value for key, value in parent.attrib.items() if not key.startswith("aria-") and key not in _DROPPED}
    parent.attrib = {key: _LONG_FRACTION.sub(_rounded, value) for key, value in kept.items()}
    if described and parent.tag != "g":
        ET.SubElement(parent, "title").text = described


def _rounded(match: re.Match) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _hatch(root: ET.Element, name: str) -> None:
    """Gives the hatched marks their pattern: stripes are told apart without colour, and in print."""
    marks = [mark for mark in root.iter() if mark.get("fill") == HATCH]
    if not marks:
        return
    for mark in marks:
        mark.set("fill", f"url(#{name})")
    definitions = ET.Element("defs")
    size = {"width": "6", "height": "6", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    pattern = ET.SubElement(definitions, "pattern", {"id": name, **size})
    ET.SubElement(pattern, "rect", {"width": "6", "height": "6", "fill": SURFACE})
    ET.SubElement(pattern, "rect", {"width": "3.5", "height": "6", "fill": WARN})
    root.insert(0, definitions)
