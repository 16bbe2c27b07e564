"""The charts of the report: what they sum, what they leave out, and that nothing in them acts, loads or collides."""

import re
import shutil
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from expectations.report import Report
from expectations.report.charts import svg as charts_svg
from expectations.report.charts.charts import chart_svgs

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=//evil.example/x onerror='alert(1)'>",
    "pay \u202e dnuf\u2066\u200f",
    "url(//evil.example/x) & ]]>",
    "nul\x00bell\x07\ud800\uffff",
    "x" * 10_000,
)


def finding(number=1, **changes):
    held = {
        "finding_id": f"f{number:06d}",
        "rule_id": "billed_units_exceed_minutes",
        "service_date": date(2026, 1, 7),
        "patient_id": "P1",
        "provider_id": "PT-01",
        "payer_id": "MEDICARE",
        "clinic_id": "CL-A",
        "procedure_code": "97112",
        "at_risk_usd": Decimal("30.00"),
    }
    return held | changes


def charts(**held):
    made = chart_svgs(Report("run", date(2026, 11, 10), (None, None), **held))
    return {chart.name: chart for chart in made}


def rows_by(name, findings, **held):
    return list(map(tuple, charts(findings=findings, **held)[name].rows))


def block(patient="P1", start=480, end=510, **changes):
    """A block from minute `start` to minute `end` of the day, laid out in seconds as an explanation lays it out."""
    held = {
        "note_id": f"N-{patient}",
        "note_version": 1,
        "block_number": 1,
        "patient_id": patient,
        "clinician_id": "PT-01",
        "procedure_code": "97110",
        "start_second": start * 60,
        "end_second": end * 60,
        "credited_seconds": (end - start) * 60,
        "double_counted_seconds": 0,
        "run_number": 1,
        "marks": [[start * 60, end * 60, "#"]],
    }
    return held | changes


def two_places(*blocks, excess=15, day="2026-10-15", clinician="PT-01"):
    run = {"clinician_id": clinician, "run_number": 1, "excess_seconds": excess * 60, "blocks": list(blocks)}
    held = {"rule_id": "therapist_in_two_places", "service_date": day, "patient_id": blocks[0]["patient_id"]}
    return {"finding": held, "clinician_runs": [run], "blocks": []}


def counted_twice(*blocks):
    held = {"rule_id": "minutes_counted_twice", "service_date": "2026-10-14", "patient_id": "P1"}
    return {"finding": held, "blocks": list(blocks)}


def every_chart(name="PT-01"):
    """A report in which every chart has data, and every value of an extract is `name`."""
    values = dict.fromkeys(("provider_id", "payer_id", "clinic_id", "procedure_code", "rule_id"), name)
    first, second = block(name, procedure_code=name, clinician_id=name), block("P2", 500, 530)
    return {
        "findings": [finding(1, **values), finding(2)],
        "clinicians": [{"clinician_id": name, "billed_units": 12, "supported_units": 9, "days": 3}],
        "unit_minutes": [(8, 4), (15, 9)],
        "derivations": [
            two_places(first, second, clinician=name),
            counted_twice(block(marks=[[28800, 28920, "x"]], run_number=None)),
        ],
    }


def test_a_week_begins_on_monday():
    sunday, monday = date(2026, 1, 4), date(2026, 1, 5)
    rows = rows_by("weeks", [finding(1, service_date=sunday), finding(2, service_date=monday)])
    assert rows == [("2025-12-29", 1, Decimal(30)), ("2026-01-05", 1, Decimal(30))]


def test_a_week_without_a_finding_is_shown_empty():
    days = (date(2026, 1, 5), date(2026, 1, 19))
    rows = rows_by("weeks", [finding(service_date=day) for day in days])
    assert [row[:2] for row in rows] == [("2026-01-05", 1), ("2026-01-12", 0), ("2026-01-19", 1)]


@pytest.mark.parametrize(("weeks", "told"), [(52, ""), (53, "The last 53 weeks; 1 earlier finding not drawn.")])
def test_weeks_look_back_53_and_say_what_is_cut(weeks, told):
    last = date(2026, 10, 5)
    chart = charts(findings=[finding(service_date=last), finding(service_date=last - timedelta(weeks=weeks))])["weeks"]
    assert len(chart.rows) == 53
    assert told in chart.caption and ("not drawn" in chart.caption) == bool(told)


def test_names_stand_by_dollars_then_findings_then_name():
    found = [finding(payer_id="B", at_risk_usd=Decimal("10")), finding(payer_id="A", at_risk_usd=Decimal("9.99"))]
    found += [finding(payer_id=payer, at_risk_usd=None) for payer in ("D", "E", "E", "C", None)]
    assert rows_by("payers", found) == [
        ("B", 1, Decimal("10")),
        ("A", 1, Decimal("9.99")),
        ("E", 2, None),
        ("C", 1, None),
        ("D", 1, None),
        ("not given", 1, None),
    ]


def test_a_finding_of_a_whole_day_is_not_one_without_its_code():
    chart = charts(findings=[finding(procedure_code=None), finding()])["codes"]
    assert ("not given", 1, Decimal(30)) in chart.rows and "names no code" in chart.caption


@pytest.mark.parametrize(("clinics", "last"), [(16, "CL-15"), (17, "2 others")])
def test_after_fifteen_names_the_rest_stand_together(clinics, last):
    found = [finding(clinic_id=f"CL-{n:02}", at_risk_usd=Decimal(100 - n)) for n in range(clinics)]
    rows = rows_by("clinics", found)
    assert len(rows) == 16 and rows[-1][0] == last
    assert sum(row[2] for row in rows) == sum(one["at_risk_usd"] for one in found)


def test_others_that_outweigh_every_name_are_said_to_be_cut_short():
    few = [finding(clinic_id=f"CL-{n:02}", at_risk_usd=Decimal(1)) for n in range(17)]
    chief = [finding(clinic_id="CL-00", at_risk_usd=Decimal(1)) for _ in range(5)]
    assert "cut short" in charts(findings=few)["clinics"].caption
    assert "cut short" not in charts(findings=few + chief)["clinics"].caption


def test_rules_are_called_by_their_titles():
    rules = [
        {
            "rule_id": "billed_units_exceed_minutes",
            "title": "Units billed exceed the units that documented time supports",
        }
    ]
    assert (
        rows_by("rules", [finding()], rules=rules)[0][0]
        == "Units billed exceed the units that documented time supports"
    )


def test_dollars_are_said_to_count_once_a_finding():
    made = charts(findings=[finding()])
    for name in ("weeks", "rules", "clinics", "clinicians", "payers", "codes"):
        assert "Dollars count a billed unit once for each finding that names it." in made[name].caption


def test_a_table_and_dicts_make_the_same_charts():
    found = [finding(number, clinic_id=f"CL-{number % 3}") for number in range(20)]
    kinds = pa.Table.from_pylist(found).schema
    money = kinds.get_field_index("at_risk_usd")
    kinds = kinds.set(money, pa.field("at_risk_usd", pa.decimal128(18, 2)))
    assert charts(findings=found) == charts(findings=pa.Table.from_pylist(found, kinds))


def test_charts_without_data_are_left_out():
    assert charts() == {}
    assert "clinics" not in charts(findings=[finding(clinic_id=None)])
    assert charts(clinicians=[{"clinician_id": "A", "billed_units": 4, "supported_units": None}]) == {}
    assert charts(unit_minutes=[(8, 0)]) == {}
    assert charts(derivations=[two_places(block(start_second=None, end_second=None))]) == {}


def test_a_clinician_above_the_line_is_a_triangle_and_numbered_and_one_on_it_is_not():
    above = {"clinician_id": "PT-01", "billed_units": 13, "supported_units": 12, "days": 4}
    chart = charts(clinicians=[above | {"billed_units": 12, "clinician_id": "PT-02"}, above])["clinician_units"]
    assert list(chart.rows) == [("PT-01", 13, 12, 1, 4), ("PT-02", 12, 12, 0, 4)]
    assert "+1" in texts(chart.svg) and "+0" not in texts(chart.svg)
    assert "billed = supported" in texts(chart.svg)
    honest = charts(clinicians=[above | {"billed_units": 12}])["clinician_units"]
    assert "No clinician billed more units than are supported." in texts(honest.svg)


def test_at_most_ten_clinicians_are_named_and_four_hundred_drawn():
    many = [{"clinician_id": f"PT-{n:03}", "billed_units": 900 + n, "supported_units": 900} for n in range(402)]
    chart = charts(clinicians=many)["clinician_units"]
    assert "PT-392" in texts(chart.svg) and "PT-391" not in texts(chart.svg)
    assert len(chart.rows) == 400 and "2 clinicians nearest to the line not drawn." in chart.caption


def test_minutes_behind_a_unit_from_nothing_to_thirty_and_more():
    rows = dict(charts(unit_minutes=[(0, 1), (8, 5), (30, 2), (31, 3), (90, 4)])["unit_minutes"].rows)
    assert len(rows) == 32
    assert (rows["0"], rows["8"], rows["30"], rows["31 or more"]) == (1, 5, 2, 7)


def test_the_clock_hatches_minutes_on_which_two_patients_lie():
    # 08:00-08:45 and 08:30-09:00 share 15 minutes; a third patient at 09:00 only touches.
    blocks = (block("P1", 480, 525), block("P2", 510, 540), block("P3", 540, 555))
    chart = charts(derivations=[two_places(*blocks), two_places(*blocks)])["clock_1"]
    assert chart.title == "PT-01 on 2026-10-15: 15 minutes more than the clock holds"
    assert [row[0] for row in chart.rows] == ["P1", "P2", "P3"]
    assert [row[3:] for row in chart.rows] == [
        ("08:00", "08:45", 45, 15),
        ("08:30", "09:00", 30, 15),
        ("09:00", "09:15", 15, 0),
    ]
    assert chart.svg.count("url(#clock_1-hatch)") == 2
    assert {"08:00", "09:00", "P3"} <= set(texts(chart.svg))


def test_the_clock_of_a_patient_hatches_what_is_counted_twice():
    marks = [[495 * 60, 510 * 60, "x"], [510 * 60, 525 * 60, "#"]]
    later = block("P1", 495, 525, block_number=2, double_counted_seconds=15 * 60, marks=marks)
    chart = charts(derivations=[counted_twice(block("P1", 480, 510), later)])["clock_1"]
    assert chart.title == "PT-01 on 2026-10-14: 15 minutes of P1 counted twice"
    assert [row[-1] for row in chart.rows] == [0, 15]


def test_six_days_with_most_minutes_are_drawn():
    days = [two_places(block("P1"), block("P2"), excess=n, day=f"2026-10-{n:02}") for n in range(1, 9)]
    made = charts(derivations=days)
    assert list(made) == [f"clock_{n}" for n in range(1, 7)]
    assert "2026-10-08" in made["clock_1"].title and "2026-10-03" in made["clock_6"].title


def test_a_clock_past_midnight_says_so():
    chart = charts(derivations=[two_places(block("P1", 1420, 1450), block("P2", 1420, 1450))])["clock_1"]
    assert chart.rows[0][3:5] == ("23:40", "00:10+1")
    assert "00:10" in texts(chart.svg)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_is_only_text(value):
    for chart in charts(**every_chart(value)).values():
        root = ET.fromstring(chart.svg)
        assert {one.tag.rpartition("}")[2] for one in root.iter()} <= SVG_ELEMENTS
        attributes = [(name, held) for one in root.iter() for name, held in one.attrib.items() if name != "aria-label"]
        assert not [name for name, _ in attributes if name.startswith("on") or name.endswith(("href", "src"))]
        assert all(re.fullmatch(r"url\(#[\w-]+\)", held) for _, held in attributes if "url(" in held)
        told = [*texts(chart.svg), root.get("aria-label"), chart.title, chart.caption]
        told += [cell for row in chart.rows for cell in row if isinstance(cell, str)]
        assert max(map(len, told)) < 500
        assert not re.search("[\x00-\x1f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\uffff]", "".join(told))


SVG_ELEMENTS = {"svg", "g", "path", "line", "text", "title", "defs", "pattern", "rect"}


def test_marks_that_pile_upon_a_letter_do_not_cover_the_chart():
    assert charts_svg.label("PT" + "\u0301" * 90 + "-01", 10) == "PT-01"
    assert charts_svg.label("理学療法士", 6) == "理学…"


def test_the_same_report_gives_the_same_bytes_whatever_the_fonts(monkeypatch):
    first = charts(**every_chart())
    assert charts(**every_chart()) == first
    # Every letter of another width: no place in a drawing may move.
    fonts = {"font": "monospace", "axis": charts_svg._AXIS | {"labelFont": "monospace", "titleFont": "monospace"}}
    monkeypatch.setattr(charts_svg, "_CONFIG", charts_svg._CONFIG | fonts)
    assert charts(**every_chart()) == first


def test_charts_stand_on_one_page_without_sharing_an_id_and_take_its_colours():
    made = charts(**every_chart())
    svgs = "".join(chart.svg for chart in made.values())
    ids = re.findall(r'\bid="([^"]+)"', svgs)
    assert ids and len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", svgs)) <= set(ids)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svgs))
    assert all(re.match(r"(var\(--[\w-]+,#\w+\)|currentColor|none|url\(#)", colour) for colour in colours)
    for chart in made.values():
        assert 'role="img"' in chart.svg and ET.fromstring(chart.svg).get("aria-label") == chart.title


def test_a_chart_is_as_wide_as_it_says_and_a_busy_report_stays_small():
    found = [
        finding(
            n,
            provider_id=f"PT-{n % 200:03}",
            payer_id=f"PAYER {n % 20}",
            service_date=date(2025, 9, 1) + timedelta(n % 420),
        )
        for n in range(4000)
    ]
    clinicians = [{"clinician_id": f"PT-{n}", "billed_units": 900 + n % 70, "supported_units": 930} for n in range(200)]
    made = charts(findings=found, clinicians=clinicians, unit_minutes=[(n, 10) for n in range(60)])
    assert sum(len(chart.svg) for chart in made.values()) < 400_000
    widths = {ET.fromstring(chart.svg).get("width") for chart in made.values()}
    assert widths == {"1100", "520"}


def test_a_browser_draws_every_chart_within_its_frame_in_the_page_colours():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser_path = shutil.which("chromium")
    if not browser_path:
        pytest.skip("no chromium on the PATH to draw the charts with")
    made = charts(**every_chart("<b>x</b><script>alert(1)</script>"))
    style = ":root { --bar: rgb(1, 2, 3); color: rgb(9, 8, 7) }"
    page_text = f"<!doctype html><meta charset=utf-8><style>{style}</style>" + "".join(c.svg for c in made.values())
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        asked, dialogs = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.set_content(page_text)
        fills = page.evaluate("[...document.querySelectorAll('svg path, svg text')].map(e => getComputedStyle(e).fill)")
        outside = page.evaluate(_OUTSIDE)
        elements = page.evaluate("document.querySelectorAll('script, b, img').length")
        browser.close()
    assert "rgb(1, 2, 3)" in fills and "rgb(9, 8, 7)" in fills
    assert (outside, asked, dialogs, elements) == ([], [], [], 0)


#: The texts that reach over the edge of their drawing.
_OUTSIDE = """[...document.querySelectorAll('svg text')].filter(text => {
    const own = text.getBoundingClientRect(), frame = text.ownerSVGElement.getBoundingClientRect()
    return own.left < frame.left || own.right > frame.right || own.top < frame.top || own.bottom > frame.bottom
}).map(text => text.textContent)"""


def texts(svg):
    """The texts that a reader sees in the drawing."""
    return [one.text or "" for one in ET.fromstring(svg).iter() if one.tag.endswith("}text")]
