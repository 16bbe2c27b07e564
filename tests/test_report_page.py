"""report.html as an analyst uses it: in a real browser, from a file, with the network denied."""

import json
import re
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.report import Report
from expectations.report.page.html import write_html
from expectations.report.page.opened import opened
from flows.explanation.compose.explanation import explanation
from flows.explanation.derive.one import derive
from flows.run.audit import run_audit
from flows.settings import AuditSettings
from tests.browser import Visit, chromium
from tests.cli_runs import rule_ids
from tests.stand_ins import judged_by_findings

pytestmark = pytest.mark.whole_audit

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
#: One planted case a rule whose derivation is drawn in its own way: (rule, patient, date) and words it has to say.
PLANTED = {
    # 24 + 23 = 47 minutes: 38-52, 3 units under CMS; 2 + 2 = 4 under AMA, and 4 billed
    ("billed_units_exceed_minutes", "P-1008", "2026-10-29"): (
        "47 minutes lie in 38-52: 3 units, floor((47 + 7) / 15) = 3.",
        "The one lawful split: 97112 x2, 97110 x1.",
        "together 4 units",
        "allowed $72.00 / 2 x 1",
        "At risk in all: $36.00.",
    ),
    # 08:00-08:30 with two patients at once: 60 credited on 30 clock minutes
    ("therapist_in_two_places", "P-1007", "2026-10-01"): (
        "60 - 30 = 30 too many.",
        "A (P-1007) and B (P-1018) share 08:00-08:30, 30 minutes.",
    ),
    # 13:53-14:23 and 14:08-14:38: 15 minutes lie on both
    ("minutes_counted_twice", "P-1001", "2026-10-14"): ("15 double-counted", "double-counted: another block holds"),
    ("units_exceed_day_cap", "P-1002", "2026-10-09"): ("The caps in force", "code_cap:G0283"),
    ("documented_day_not_billed", "P-1011", "2026-10-09"): ("lies inside: what is missing there is missing",),
    # 11 patients of 90 minutes: 990 credited of at most 960
    ("provider_day_impossible", None, "2026-10-06"): ("One day is taken to hold at most 960 minutes", "990"),
}
CHART = SimpleNamespace(
    name="weeks",
    title="Findings by week",
    caption="Each bar is a week.",
    svg='<svg viewBox="0 0 100 20" width="100" height="20" role="img"><rect width="50" height="9"/></svg>',
    headings=("week", "findings"),
    rows=[("2026-10-05", 31)],
)
SINCE = ("new", "still open", "changed", "reopened", "still open")
DISPOSITIONS = (None, "disputed", "waived", None)


@pytest.fixture(scope="module", autouse=True)
def one_chart():
    """Charts have tests of their own; here one stands for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            sys.modules, "expectations.report.charts.charts", SimpleNamespace(chart_svgs=lambda report: [CHART])
        )
        yield


@pytest.fixture(scope="module")
def browser():
    yield from chromium()


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> tuple[list[dict], list[dict]]:
    """The findings of the samples as the page gets them, and the derivations of the planted cases."""
    out = tmp_path_factory.mktemp("page") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expectations.judge.judge", judged_by_findings)
        asked = AuditSettings(
            out=out, as_of=date(2026, 11, 10), extracts=SAMPLES, reference=SAMPLES / "reference", allow_low_match=True
        )
        folder = run_audit(asked).folder
    findings = pq.read_table(folder / "findings.parquet").to_pylist()
    findings.sort(key=lambda one: (-(one["at_risk_usd"] or 0), one["service_date"], one["finding_id"]))
    for number, finding in enumerate(findings):
        finding["since_last_run"] = SINCE[number % len(SINCE)]
        finding["disposition"] = DISPOSITIONS[number % len(DISPOSITIONS)]
        finding["disposition_reason"] = "Addendum of the therapist is on file" if finding["disposition"] else None
    planted = [one for one in findings if case(one) in PLANTED]
    return findings, [derive(out, one["finding_id"]) for one in planted]


def case(finding: dict) -> tuple:
    return finding["rule_id"], finding["patient_id"], str(finding["service_date"])


def report(findings: Sequence[dict] | pa.Table, derivations: Sequence[dict] = (), **changes) -> Report:
    rows = findings.slice(0, 50).to_pylist() if isinstance(findings, pa.Table) else findings
    rules = [
        {
            "rule_id": rule_id,
            "title": f"Title of {rule_id.replace('_', ' ')}",
            "severity": "error",
            "family": "overbilling",
            "status": "failed",
            "in_scope": 355,
            "unjudged": 5,
            "violations": 16,
            "at_risk_usd": Decimal("765.00"),
            "citation": "CMS Pub. 100-04 ch. 5 s. 20.2.C",
            "not_checked": "Whether the treatment was necessary",
        }
        for rule_id in sorted({str(row["rule_id"]) for row in rows})
    ]
    held = {"run_id": "2026-11-10-abc", "as_of": date(2026, 11, 10), "period": (date(2026, 10, 1), date(2026, 10, 30))}
    explained = {"derivations": derivations, "explanations": [explanation(one) for one in derivations]}
    return Report(**held | {"rules": rules, "findings": findings} | explained | changes)


@pytest.fixture(scope="module")
def sample_page(sample, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(path, report(*sample))
    return path


@pytest.fixture
def visit(browser):
    visits = []

    def visited(path: Path, **settings) -> Visit:
        visits.append(Visit(browser, **{"viewport": {"width": 1200, "height": 800}} | settings))
        visits[-1].open(path)
        return visits[-1]

    yield visited
    for one in visits:
        one.context.close()


@pytest.fixture
def page(visit, sample_page):
    return visit(sample_page).page


def shown(page) -> str:
    return page.locator("#shown").inner_text()


def column(page, heading: str) -> list[str]:
    cells = page.locator(f'#findings-table td[data-label="{heading}"]')
    return cells.evaluate_all("all => all.map(one => one.firstChild.textContent)")


def order(page, heading: str, direction: str, key: str | None = None) -> list[str]:
    """The column after its heading was clicked (or `key` pressed on it) once, and the table is in that order."""
    button = page.locator(f'#findings-table th:has-text("{heading}") [role=button]')
    button.press(key) if key else button.click()
    page.wait_for_selector(f'#findings-table th[aria-sort={direction}]:has-text("{heading}")')
    return column(page, heading)


def opener(page, finding: dict):
    index = page.evaluate(
        "id => JSON.parse(document.getElementById('findings-json').textContent).rows.findIndex(row => row[0] === id)",
        finding["finding_id"],
    )
    return page.locator(f'button.open[data-row="{index}"]')


def test_the_page_works_from_a_file_and_asks_for_nothing_else(visit, sample_page, sample):
    seen = visit(sample_page)
    assert shown(seen.page) == f"{len(sample[0])} of {len(sample[0])} findings shown, 1 to 50 on this page"
    seen.page.locator("button.open").first.click()
    assert seen.requests == [sample_page.as_uri()]
    assert seen.said == []


@pytest.mark.parametrize(
    "field", ["rule_id", "payer_id", "provider_id", "procedure_code", "severity", "since_last_run", "disposition"]
)
def test_a_filter_leaves_the_findings_of_its_value(page, sample, field):
    value = next(one[field] for one in sample[0] if one[field])
    wanted = sum(one[field] == value for one in sample[0])
    name = f"Title of {value.replace('_', ' ')}" if field == "rule_id" else value
    page.locator(f"#filter-{field}").select_option(label=f"{name[:60]} ({wanted})")
    assert shown(page).startswith(f"{wanted} of {len(sample[0])} findings shown")
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_function(
        "total => document.getElementById('shown').textContent.startsWith(total)",
        arg=f"{len(sample[0])} of {len(sample[0])}",
    )


def test_dates_and_words_filter_together_and_are_announced(page, sample):
    day = date(2026, 10, 9)
    page.get_by_label("Service date from").fill(day.isoformat())
    since = sum(one["service_date"] >= day for one in sample[0])
    assert shown(page).startswith(f"{since} of {len(sample[0])}")
    page.get_by_label("Service date to").fill(day.isoformat())
    of_day = [one for one in sample[0] if one["service_date"] == day]
    assert shown(page).startswith(f"{len(of_day)} of {len(sample[0])}")
    page.get_by_label("Search in all columns").fill("p-1002 CAP IN FORCE")
    meant = [one for one in of_day if one["patient_id"] == "P-1002" and "cap in force" in one["message"]]
    assert len(meant) == 1
    assert shown(page) == f"1 of {len(sample[0])} findings shown, 1 to 1 on this page"
    assert page.locator("#shown").get_attribute("aria-live") == "polite"
    page.get_by_label("Search in all columns").fill("no such words")
    assert shown(page) == f"0 of {len(sample[0])} findings shown"
    assert "No finding matches these filters." in page.locator("#findings-table").inner_text()


@pytest.mark.parametrize("heading", ["Date", "Patient", "Clinician", "Payer", "Code", "Rule", "Since last run"])
def test_every_column_of_words_sorts_both_ways(page, heading):
    page.get_by_label("rows a page").select_option("100")
    upwards = order(page, heading, "ascending")
    assert upwards == sorted(upwards, key=str.lower)
    downwards = order(page, heading, "descending")
    assert downwards == sorted(upwards, key=str.lower, reverse=True)


def test_numbers_and_dollars_sort_as_numbers(page, sample):
    page.get_by_label("rows a page").select_option("100")
    for heading, name in (("Billed", "billed_units"), ("At risk", "at_risk_usd")):
        cells = order(page, heading, "ascending")
        numbers = [Decimal(text.lstrip("$")) for text in cells if text not in ("", "unknown")]
        assert numbers == sorted(one[name] for one in sample[0] if one[name] is not None)


@pytest.mark.parametrize("planted", PLANTED, ids=[one[0] for one in PLANTED])
def test_a_row_opens_to_the_derivation_a_reader_can_check(page, sample, planted):
    finding = next(one for one in sample[0] if case(one) == planted)
    page.get_by_label("rows a page").select_option("100")
    button = opener(page, finding)
    assert button.get_attribute("aria-expanded") == "false"
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    derivation = page.locator(f"#{button.get_attribute('aria-controls')}")
    text = derivation.inner_text()
    citation = finding["citation"]
    for words in (
        *PLANTED[planted],
        finding["message"],
        citation,
        f"minutewise explain OUT {finding['finding_id'][:12]}",
    ):
        assert words in text, words
    button.click()
    assert not derivation.is_visible()


def test_the_clock_line_shows_overlaps_and_whose_each_minute_is(page, sample):
    finding = next(one for one in sample[0] if case(one)[0:2] == ("minutes_counted_twice", "P-1001"))
    page.get_by_label("rows a page").select_option("100")
    opener(page, finding).click()
    clock = page.locator(".clock").first
    # 13:53-14:23 is A's; of B's 14:08-14:38 the first 15 minutes stand on A's
    lines = [" ".join(text.split()) for text in clock.locator(".line p").all_inner_texts()]
    assert "A 97112 : 13:53 to 14:23 credited" in lines[1]
    assert "B 97110 : 14:08 to 14:23 double-counted" in lines[2]
    assert "14:23 to 14:38 credited" in lines[2]
    assert "13:53 to 14:23 credited to A; 14:23 to 14:38 credited to B" in lines[3]
    double = clock.locator(".track .double").bounding_box()
    first = clock.locator(".track .credited").first.bounding_box()
    assert double["x"] == pytest.approx(first["x"] + first["width"] / 2, abs=2)
    assert double["x"] + double["width"] == pytest.approx(first["x"] + first["width"], abs=2)


def test_a_finding_without_its_derivation_opens_to_its_own_row_and_says_how_to_get_it(page, sample):
    finding = next(one for one in sample[0] if case(one) not in PLANTED)
    button = opener(page, finding)
    button.click()
    text = page.locator(f"#{button.get_attribute('aria-controls')}").inner_text()
    assert finding["message"] in text
    assert f"The whole derivation: minutewise explain OUT {finding['finding_id'][:12]}" in text
    assert "The whole derivation opens for 6 of them" in page.locator("#findings").inner_text()


def test_what_was_decided_stands_in_the_opened_row(page, sample):
    finding = next(one for one in sample[0] if one["disposition"] == "disputed")
    opener(page, finding).click()
    assert "Addendum of the therapist is on file" in page.locator(".opened").inner_text()


def test_everything_is_done_by_keyboard_alone(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        # Where the keyboard stands is seen.
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", seen[-1]
        if seen[-1] == "open":
            break
    controls = ["filter-text", *(f"filter-{name}" for name in ("rule_id", "payer_id", "severity", "from", "to"))]
    # A date field is several stops of the keyboard.
    assert [name for name in dict.fromkeys(seen) if name in controls] == controls
    assert seen[-1] == "open"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert page.locator(".opened").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".opened").is_visible()
    page.keyboard.press("Space")
    assert page.locator(".opened").is_visible()
    first = order(page, "Date", "ascending", key="Enter")[0]
    last = order(page, "Date", "descending", key="Space")[0]
    assert (first, last) == ("2026-10-01", "2026-10-30")


def test_escape_inside_an_opened_row_closes_it_and_goes_back_to_its_button(page, sample):
    button = opener(page, next(one for one in sample[0] if case(one) in PLANTED))
    button.click()
    page.locator(".opened .scroll").first.focus()
    page.keyboard.press("Escape")
    assert not page.locator(".opened").is_visible()
    assert button.evaluate("one => one === document.activeElement")


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "</script><script>alert(3)</script>",
    "\"'><svg onload=alert(4)>",
    "&lt;img src=x onerror=alert(5)&gt; & <b>bold</b>",
    "pay \u202ednuf\u2066 \u2028 <!-- <script>",
    "x" * 10_000,
    "__proto__",
    "constructor",
    float("nan"),
)
TEXTS = ("patient_id", "provider_id", "payer_id", "procedure_code", "rule_id", "severity", "message", "claim_ids")
TEXTS += ("note_ids", "sources", "clinic_id", "since_last_run", "disposition", "disposition_reason", "citation")


def poisoned(value, text):
    """The derivation with every text in it replaced, but those that choose what is drawn."""
    if isinstance(value, dict):
        kept = ("rule_id", "standing", "marks", "service_date", "as_of", "at_risk_usd", "finding_id", "counting_method")
        kept += ("first_date", "last_date", "value", "amount_usd")
        told = {name: one if name in kept else poisoned(one, text) for name, one in value.items()}
        # What is left of each code is seconds by code, to be told as minutes.
        return told if value and all(isinstance(one, int) for one in value.values()) else told | {"__proto__": text}
    if isinstance(value, list):
        return [poisoned(one, text) for one in value]
    return text if isinstance(value, str) else value


def test_hostile_values_are_inert_on_the_page_and_in_opened_rows(visit, tmp_path, sample):
    findings, derivations = [], []
    for number, text in enumerate(HOSTILE):
        finding_id = f"{number:064x}"
        findings.append({"finding_id": finding_id, "service_date": date(2026, 10, 1)} | dict.fromkeys(TEXTS, text))
        source = sample[1][number % len(sample[1])]
        poison = poisoned(source, str(text))
        derivations.append(poison | {"finding": poison["finding"] | {"finding_id": finding_id}})
    quarantine = [(str(text), 1) for text in HOSTILE]
    path = tmp_path / "report.html"
    write_html(path, report(findings, derivations, quarantine=quarantine, unjudged=quarantine))
    seen = visit(path)
    page = seen.page
    page.get_by_role("button", name="Open all on this page").click()
    assert page.locator(".opened").count() == len(HOSTILE)
    page.get_by_label("Search in all columns").fill("onerror=alert(2)")
    assert shown(page) == f"1 of {len(HOSTILE)} findings shown, 1 to 1 on this page"
    page.get_by_label("Search in all columns").fill("")
    for heading in ("Patient", "Rule", "Disposition"):
        order(page, heading, "ascending")
    assert seen.dialogs == []
    assert seen.said == []
    assert seen.requests == [path.as_uri()]
    assert page.locator("img, b, iframe, main svg[onload]").count() == 0
    assert page.locator("script").count() == 4
    text = page.locator("#findings-table").inner_text()
    for words in ("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "<U+202E>", "cut; 10000 characters"):
        assert words in text, words
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_light_dark_and_paper_each_have_their_colours(visit, sample_page):
    surface = "getComputedStyle(document.body).backgroundColor"
    light = visit(sample_page, color_scheme="light").page
    assert light.evaluate(surface) == "rgb(255, 255, 255)"
    dark = visit(sample_page, color_scheme="dark").page
    assert dark.evaluate(surface) == "rgb(20, 23, 27)"
    dark.locator("button.open").first.click()
    dark.emulate_media(media="print", color_scheme="dark")
    assert dark.evaluate(surface) == "rgb(255, 255, 255)"
    assert dark.locator(".opened").is_visible()
    assert not dark.locator("#filters").is_visible()
    assert not dark.locator("nav").first.is_visible()
    assert dark.locator("#findings-table td[data-label=Patient]").count() == 50
    assert dark.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_text_stands_out_from_its_ground_as_far_as_readers_need(visit, sample_page):
    names = ("ink", "muted", "warn", "good", "link", "bar-2")
    for scheme in ("light", "dark"):
        page = visit(sample_page, color_scheme=scheme).page
        value = "name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"
        for ground in ("surface", "raised"):
            for name in names:
                ratio = contrast(page.evaluate(value, name), page.evaluate(value, ground))
                assert ratio >= 4.5, (scheme, name, ground, ratio)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("width", [380, 768, 1200, 1600])
def test_the_page_itself_never_scrolls_sideways(visit, sample_page, width):
    page = visit(sample_page, viewport={"width": width, "height": 800}).page
    page.locator("button.open").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#findings-table").bounding_box()["width"] <= width


def test_landmarks_headings_captions_and_labels_are_there_for_a_screen_reader(page):
    page.locator("button.open").first.click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert [page.get_by_role(role).count() for role in ("banner", "main", "contentinfo", "search")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag in page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(one => one.tagName)")]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert page.eval_on_selector_all("table", "all => all.filter(one => !one.caption).length") == 0
    unlabelled = "all => all.filter(one => !one.labels.length).length"
    assert page.eval_on_selector_all("#filters input, #filters select", unlabelled) == 0
    ids = page.eval_on_selector_all("[id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))


def test_readers_without_scripts_get_rules_charts_and_fifty_findings(visit, sample_page):
    page = visit(sample_page, java_script_enabled=False).page
    assert page.locator("#static tbody tr").count() == 50
    assert not page.locator("#live").is_visible()
    assert "minutewise explain OUT" in page.locator("#static").inner_text()
    assert page.locator("#verdict tbody tr").count() == len(rule_ids())
    assert page.locator("figure svg").is_visible()


def test_a_hundred_thousand_findings_open_at_once(visit, tmp_path, sample):
    row = dict(sample[0][0]) | {"at_risk_usd": None, "disposition_reason": ""}
    count = 100_000
    dollars = pa.array([Decimal(number % 9_000) for number in range(count)], pa.decimal128(18, 2))
    days = [date(2025, 1, 1) + timedelta(number % 700) for number in range(count)]
    columns = {name: [value] * count for name, value in row.items() if name != "at_risk_usd"}
    columns |= {"finding_id": [f"{number:064x}" for number in range(count)], "service_date": days}
    findings = pa.table(columns | {"at_risk_usd": dollars})
    top = sorted(range(count), key=lambda number: (-(number % 9_000), days[number], number))[:1_000]
    longest = max(sample[1], key=lambda one: len(json.dumps(opened(explanation(one)))))
    derivations = [longest | {"finding": longest["finding"] | {"finding_id": f"{number:064x}"}} for number in top]
    path = tmp_path / "report.html"
    write_html(path, report(findings, derivations))
    assert path.stat().st_size < 5_000_000
    started = time.monotonic()
    page = visit(path).page
    page.wait_for_selector("button.open")
    assert time.monotonic() - started < 5
    assert shown(page) == "1000 of 1000 findings shown, 1 to 50 on this page"
    text = page.locator("#findings").inner_text()
    assert "1,000 of 100,000 findings: the first 25 of every rule, and those with most dollars at risk" in text
    assert "findings.parquet" in text
    assert re.search(r"The whole derivation opens for \d{3} of them", text)
