"""Draws the results of one benchmark or of several: how seconds grow with visits, beside the floor.

python -m flows.bench.chart docs/images/bench.svg RESULT.json [RESULT.json ...]
"""

import json
import sys
from pathlib import Path

import altair as alt
import vl_convert

#: What is drawn, from the cheapest up, each in a colour of its own.
SERIES = {"floor: a bare scan": "#566070", "load, contract, recompute": "#2b6698", "whole audit": "#b25a12"}
WIDTH, HEIGHT = 420, 260
_WHITE = "#ffffff"


def points(documents: list[dict]) -> list[dict]:
    """One row a series and Parquet run: visits, seconds. Of two runs of one size the later document's is taken."""
    runs = {run["visits"]: run for document in documents for run in document["runs"] if run["form"] == "parquet"}
    return [
        {"series": series, "visits": visits, "seconds": seconds, "label": f"{seconds:,.3g} s"}
        for visits, run in sorted(runs.items())
        for series, seconds in zip(
            SERIES,
            (run["floor_seconds"]["median"], run["ratios"]["recomputed_seconds"], run["ratios"]["whole_seconds"]),
            strict=True,
        )
    ]


def chart_svg(documents: list[dict]) -> str:
    """The chart as SVG on white; it loads nothing. Both axes count in powers of ten, so a straight slope of 1 is
    linear growth."""
    rows = points(documents)
    sizes = sorted({row["visits"] for row in rows})
    colour = alt.Color("series:N", sort=list(SERIES), title=None).scale(
        domain=list(SERIES), range=list(SERIES.values())
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("visits:Q", title="visits").scale(type="log").axis(values=sizes, format=",", grid=False),
        y=alt.Y("seconds:Q", title="seconds").scale(type="log").axis(format="~g"),
        color=colour.legend(orient="top"),
    )
    # Findings and the whole audit lie close together: the lower one has its seconds below.
    above, below = (
        base.transform_filter(f"{is_below}(datum.series == '{list(SERIES)[1]}')")
        .mark_text(dy=away, fontSize=11)
        .encode(text="label:N")
        for is_below, away in (("!", -10), ("", 12))
    )
    drawn = (base.mark_line() + base.mark_point(filled=True, size=50) + above + below).properties(
        width=WIDTH, height=HEIGHT, background=_WHITE
    )
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.vegalite_to_svg(drawn.to_dict(validate=False), vl_version=version, allowed_base_urls=[])


if __name__ == "__main__":
    results = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[2:]]
    Path(sys.argv[1]).write_text(chart_svg(results), encoding="utf-8")
