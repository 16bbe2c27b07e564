"""The report as a page: same bytes twice, hostile values inert, limits told, contents read back."""

import re
import sys
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from types import SimpleNamespace

import pyarrow as pa
import pytest

from expectations.report import Changes, Report, most_dollars, most_telling, plain
from expectations.report.page.bundle import scripts, styles
from expectations.report.page.html import write_html

HOSTILE = {
    "message": "<script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>",
    "patient_id": '=HYPERLINK("http://evil.example","x")',
    "claim_ids": "@SUM(1+1)*cmd|' /C calc'!A0",
    "note_ids": "pay \u202e dnuf\u2066\u200f",
    "provider_id": "nul\x00bell\x07esc\x1b[31m\ud800\uffff",
    "payer_id": "x" * 40_000,
    "clinic_id": "00123",
    "citation": "http://evil.example/",
    "procedure_code": "{{ 7 * 7 }} {% raw %}",
    "sources": "a _x0041_ b",
}


def finding(number=1, **changes):
    return {
        "finding_id": f"f{number:06d}",
        "rule_id": "billed_units_exceed_minutes",
        "severity": "error",
        "service_date": date(2026, 1, 5),
        "patient_id": "P1",
        "procedure_code": "97112",
        "billed_units": 4,
        "expected_units": 3,
        "supported_minutes": 47,
        "at_risk_usd": Decimal("31.2500"),
        "message": "4 units billed, 47 minutes support 3.",
    } | changes


def report(**changes):
    rule = {
        "rule_id": "billed_units_exceed_minutes",
        "status": "failed",
        "in_scope": 1200,
        "unjudged": 2,
        "violations": 1,
        "errors": 1,
        "warnings": 0,
        "reviews": 0,
        "at_risk_usd": Decimal("31.25"),
        "title": "Units billed exceed the units that documented time supports",
        "severity": "error",
        "citation": "CMS Pub. 100-04 ch. 5 s. 20.2.C",
        "not_checked": "Whether the treatment was necessary",
    }
    idle = rule | {"rule_id": "provider_day_impossible", "status": "not_applicable", "at_risk_usd": None}
    held = {
        "run_id": "2026-01-31-abc",
        "as_of": date(2026, 1, 31),
        "period": (date(2026, 1, 2), date(2026, 1, 30)),
        "inputs": [
            {
                "table": "claims",
                "file": "claims.csv",
                "sha256": "ab" * 32,
                "rows_read": 10,
                "rows_accepted": 8,
                "rows_quarantined": 1,
                "rows_duplicate": 1,
            }
        ],
        "match": {"claim_day_share": 0.9996, "note_share": None},
        "rules": [rule, idle],
        "findings": [finding()],
        "unjudged": [("quarantined row", 3)],
        "unlisted_payers": [("ACME", 12)],
        "total_at_risk_usd": Decimal("1234.5000"),
        "reference_versions": {"code_cap.csv": "2026-11-23"},
    }
    return Report(**held | changes)


class Page(HTMLParser):
    """Collects tags with their attributes, and the text between them."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Charts have tests of their own, and cost a second each."""
    monkeypatch.setitem(sys.modules, "expectations.report.charts.charts", SimpleNamespace(chart_svgs=lambda report: []))


@pytest.fixture
def html(tmp_path):
    def write(**changes):
        path = tmp_path / "report.html"
        write_html(path, report(**changes))
        return Page(path)

    return write


def test_the_page_tells_the_summary_before_the_findings(html):
    text = html().text
    said = (
        "99.9%",
        "not known",
        "$1,234.50",
        "1,200",
        "not applicable",
        "quarantined row",
        "ACME",
        "47 minutes support",
    )
    for words in (*said, "Whether the treatment was necessary", "2026-01-02", "claims.csv", "code_cap.csv"):
        assert words in text, words
    assert text.index("not applicable") < text.index("47 minutes support")


def test_each_family_of_rules_has_its_own_totals_and_money_has_one_form(html):
    over = dict(report().rules[0]) | {"family": "overbilling", "at_risk_usd": Decimal("2160.5")}
    missed = over | {"rule_id": "billed_units_below_minutes", "family": "missed_revenue", "violations": 3}
    missed |= {"at_risk_usd": None, "missed_units": 7}
    record = over | {"rule_id": "minutes_counted_twice", "family": "record", "violations": 2, "at_risk_usd": None}
    text = " ".join(html(rules=[missed, record, over], total_at_risk_usd=Decimal("2160.5000")).text.split())
    assert "Over-billing: 1 violation, $2,160.50 at risk" in text
    assert "Missed revenue: 3 violations, 7 units not billed" in text
    assert "Record faults: 2 violations" in text
    assert text.index("Over-billing, together") < text.index("Missed revenue, together")
    assert "2160.5" not in text


def test_what_changed_since_the_run_before_is_told_with_the_findings_that_are_gone(html):
    changes = Changes("2026-01-30-def", 4, 90, 3, 2, 1, Decimal("72"), Decimal("36"))
    gone = finding(7, patient_id="P-GONE", at_risk_usd=Decimal("36.00"))
    text = " ".join(html(changes=changes, resolved=[gone]).text.split())
    told = ("Compared with run 2026-01-30-def", "New 4", "Reopened 2", "Changed 3", "Still open 90", "Resolved 1")
    for words in (*told, "$72.00", "The resolved findings (1)", "P-GONE", "$36.00"):
        assert words in text, words


def test_a_first_run_has_nothing_to_compare_with(html):
    text = html().text
    assert "There is no previous run to compare with" in text
    assert "Compared with run" not in text


def test_a_share_just_below_one_is_not_told_as_one(html):
    assert "100.0%" not in html(match={"claim_day_share": 0.99999, "note_share": 0.5}).text


def test_a_report_of_nothing_is_whole(html):
    empty = {"inputs": [], "match": {}, "rules": [], "findings": [], "unjudged": [], "unlisted_payers": []}
    nothing = empty | {"period": (None, None), "reference_versions": {}}
    assert "No rule was violated" in html(**nothing).text


def test_hostile_values_are_inert_on_the_page(html, tmp_path):
    rules = [dict(report().rules[0]) | {"title": HOSTILE["message"], "citation": '" onclick="alert(1)'}]
    page = html(findings=[finding(**HOSTILE)], rules=rules, run_id="<script>1</script>", unjudged=[("<b>", 1)])
    names = {tag for tag, _ in page.tags}
    assert not names & {"img", "iframe", "link", "object", "b", "base", "embed"}
    kinds = [attributes.get("type") for tag, attributes in page.tags if tag == "script"]
    assert kinds == ["application/json", "application/json", "module", "module"]
    attributes = [pair for tag, held in page.tags for pair in held.items() if tag != "meta"]
    assert not [name for name, _ in attributes if name.startswith("on") or name in ("src", "action", "style")]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    for library in (*scripts(), *styles()):
        raw = raw.replace(library, "")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f\uffff]", raw)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }} {% raw %}" in page.text
    assert r"\u003cU+202E\u003e" in raw
    assert "cut; 40000 characters" in page.text
    assert len(raw) < 60_000


def test_more_findings_than_fit_are_told_and_those_with_most_dollars_stay(html):
    many = [finding(number, at_risk_usd=Decimal(number) if number % 2 else None) for number in range(2_500)]
    text = html(findings=many).text
    told = "1,000 of 2,500 findings: the first 25 of every rule, and those with most dollars at risk"
    assert told in " ".join(text.split())
    assert "f002499" in text
    assert "f002498" not in text


@pytest.mark.parametrize("form", [list, pa.Table.from_pylist], ids=["dicts", "table"])
def test_a_rule_without_dollars_is_shown_though_others_fill_the_page(form):
    rich = [finding(number, at_risk_usd=Decimal(number), double_counted_minutes=None) for number in range(100, 160)]
    poor = {"rule_id": "minutes_counted_twice", "at_risk_usd": None}
    rest = [finding(number, **poor, double_counted_minutes=number) for number in range(10)]
    shown = [row["finding_id"] for row in most_telling(form([*rich, *rest]), 20, 3)]
    assert shown == [f"f{number:06d}" for number in [*range(159, 142, -1), 7, 8, 9]]
    shown = [row["finding_id"] for row in most_telling(form([*rich, *rest]), 70, 3)]
    assert len(shown) == 70 and shown[-1] == "f000009", "where all have room, the order is that of dollars"


def test_a_table_and_a_list_of_findings_give_the_same(tmp_path):
    rows = [finding(number, at_risk_usd=Decimal(number % 3) if number % 4 else None) for number in range(50)]
    table = pa.Table.from_pylist(rows[::-1])
    chosen = [one["finding_id"] for one in most_dollars(rows, 40)]
    assert [one["finding_id"] for one in most_dollars(table, 40)] == chosen
    assert most_dollars(table.slice(0, 0), 5) == []
    for name, findings in (("list", rows), ("table", table)):
        write_html(tmp_path / f"{name}.html", report(findings=findings))
    assert (tmp_path / "list.html").read_bytes() == (tmp_path / "table.html").read_bytes()


def test_the_same_report_gives_the_same_bytes(tmp_path, monkeypatch):
    import time

    for number, zone in enumerate(("UTC", "Asia/Kolkata")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        write_html(tmp_path / f"{number}.html", report(findings=[finding(**HOSTILE)]))
        time.sleep(1.1)  # past the next whole second, where a clock would show
    monkeypatch.undo()
    time.tzset()
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes()


def test_plain_keeps_ordinary_text_of_any_language():
    words = "Übung, 肩, עברית, line\nbreak"
    assert plain(words, 100) == words.replace("\n", " ")
    assert plain(None, 10) == ""


def test_what_people_decided_is_counted_and_takes_nothing_away(html, tmp_path):
    held = {"disposition": "waived", "disposition_status": "holds"}
    past = {"disposition": "waived", "disposition_status": "waiver expired"}
    page = html(findings=[finding(1, **held), finding(2, **held), finding(3, **past), finding(4)])
    assert "Findings by decision, of 4 in all" in page.text
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr><td>(\w+)</td><td>([\w ]+)</td><td class="number">(\d+)</td></tr>', raw)
    assert rows == [("waived", "holds", "2"), ("waived", "waiver expired", "1")]
    assert "What people decided" not in html(findings=[finding(1)]).text
