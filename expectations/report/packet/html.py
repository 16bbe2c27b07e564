"""A packet as one HTML file: no scripts, nothing loaded, every value escaped, clock pictures as SVG."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.report import plain
from expectations.report.packet.layout import Picture, laid_out
from expectations.report.parts import MINUTE_KINDS, Packet

LONGEST_TEXT = 4_000
_TEMPLATES = Path(__file__).parents[1] / "templates"
#: Of a clock picture, in units of its own: the labels' width, the lanes' width and height.
_LABELS, _LANES, _LANE = 215, 585, 24
_LONGEST_LABEL = 36


def packet_html(packet: Packet) -> bytes:
    """The packet as a self-contained page, in UTF-8: the same packet gives the same bytes."""
    style = (_TEMPLATES / "packet.css").read_text(encoding="utf-8")
    template = _environment().get_template("packet.html.j2")
    return template.render(packet=laid_out(packet), style=style, meaning=MINUTE_KINDS).encode("utf-8")


@cache
def _environment() -> Environment:
    """Where the packet's template is compiled, once for all packets of a process."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {"kind": lambda part: type(part).__name__, "drawn": _drawn}
    return environment


def _shown(value: Any) -> Any:
    """Every value passes here before it is escaped."""
    return value if hasattr(value, "__html__") else plain(value, LONGEST_TEXT)


def _drawn(clock: Picture) -> dict:
    """The picture in numbers: ticks, lanes and bars with their places, and a sentence for who cannot see it."""

    def place(second: int) -> float:
        return round(_LABELS + _LANES * (second - clock.start) / (clock.end - clock.start), 2)

    lanes = [
        {
            "label": plain(lane.label, LONGEST_TEXT)[:_LONGEST_LABEL],
            "y": 26 + number * _LANE,
            "bars": [
                {
                    "x": place(bar.start),
                    "width": round(place(bar.end) - place(bar.start), 2),
                    "kind": bar.kind,
                    "text": bar.text,
                }
                for bar in lane.bars
            ],
        }
        for number, lane in enumerate(clock.lanes)
    ]
    height = 30 + len(lanes) * _LANE
    ticks = [{"x": place(second), "text": text} for second, text in clock.ticks]
    said = f"Clock from {clock.ticks[0][1]} to {clock.ticks[-1][1]}; the tables below hold the same."
    return {"lanes": lanes, "ticks": ticks, "height": height, "width": _LABELS + _LANES + 24, "said": said}
