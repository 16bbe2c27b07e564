"""The report in both forms: same bytes twice, hostile values inert, limits told, contents read back."""

import re
import zipfile
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import openpyxl
import pyarrow as pa
import pytest

from expectations.report import Report, most_dollars, plain
from expectations.report.html import write_html
from expectations.report.workbook import FINDING_COLUMNS, write_workbook

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
        "title": "More timed units billed than the minutes support",
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


@pytest.fixture
def html(tmp_path):
    def write(**changes):
        path = tmp_path / "report.html"
        write_html(path, report(**changes))
        return Page(path)

    return write


@pytest.fixture
def book(tmp_path):
    def write(limit_rows=20_000, **changes):
        path = tmp_path / "findings.xlsx"
        write_workbook(path, report(**changes), limit_rows)
        return openpyxl.load_workbook(path)

    return write


def cells(sheet):
    heading, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def test_the_page_tells_the_summary_before_the_findings(html):
    text = html().text
    said = (
        "99.9 %",
        "not known",
        "1,234.50",
        "1,200",
        "not applicable",
        "quarantined row",
        "ACME",
        "47 minutes support",
    )
    for words in (*said, "Whether the treatment was necessary", "2026-01-02", "claims.csv", "code_cap.csv"):
        assert words in text, words
    assert text.index("not applicable") < text.index("47 minutes support")


def test_a_share_just_below_one_is_not_told_as_one(html):
    assert "100.0 %" not in html(match={"claim_day_share": 0.99999, "note_share": 0.5}).text


def test_a_report_of_nothing_is_whole(html, book):
    empty = {"inputs": [], "match": {}, "rules": [], "findings": [], "unjudged": [], "unlisted_payers": []}
    nothing = empty | {"period": (None, None), "reference_versions": {}}
    assert "No rule was violated" in html(**nothing).text
    assert cells(book(**nothing)["Findings"]) == []


def test_hostile_values_are_inert_on_the_page(html, tmp_path):
    rules = [dict(report().rules[0]) | {"title": HOSTILE["message"], "citation": '" onclick="alert(1)'}]
    page = html(findings=[finding(**HOSTILE)], rules=rules, run_id="<script>1</script>", unjudged=[("<b>", 1)])
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "img", "a", "iframe", "link", "object", "b"}
    assert {name for _, attributes in page.tags for name in attributes} <= {
        "lang", "charset", "http-equiv", "content", "name", "class"
    }  # fmt: skip
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f\uffff]", raw)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }} {% raw %}" in page.text
    assert "<U+202E>" in page.text
    assert "cut; 40000 characters" in page.text
    assert len(raw) < 60_000


def test_hostile_values_are_inert_in_the_workbook(book, tmp_path):
    loaded = book(findings=[finding(**HOSTILE)], run_id="=1+1")
    held = cells(loaded["Findings"])[0]
    assert held["patient_id"] == HOSTILE["patient_id"]
    assert held["claim_ids"] == HOSTILE["claim_ids"]
    assert held["message"] == HOSTILE["message"]
    assert held["clinic_id"] == "00123"
    assert held["note_ids"] == "pay <U+202E> dnuf<U+2066><U+200F>"
    assert held["provider_id"] == "nul\ufffdbell\ufffdesc\ufffd[31m\ufffd\ufffd"
    assert len(held["payer_id"]) == 32_767
    assert held["payer_id"].endswith("(cut; 40000 characters)")
    kinds = {cell.data_type for sheet in loaded for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert not any(cell.hyperlink for sheet in loaded for row in sheet.iter_rows() for cell in row)
    with zipfile.ZipFile(tmp_path / "findings.xlsx") as archive:
        assert not [name for name in archive.namelist() if "external" in name or name.endswith("sheet3.xml.rels")]
        assert b"evil" in archive.read("xl/worksheets/sheet3.xml")
        assert b"<f>" not in archive.read("xl/worksheets/sheet3.xml")
    assert list(tmp_path.iterdir()) == [tmp_path / "findings.xlsx"]


def test_dates_and_numbers_are_real_and_the_header_stays(book):
    sheet = book()["Findings"]
    held = cells(sheet)[0]
    assert list(held) == list(FINDING_COLUMNS)
    assert held["service_date"].date() == date(2026, 1, 5)
    assert held["billed_units"] == 4
    assert held["at_risk_usd"] == 31.25
    assert held["procedure_code"] == "97112"
    assert held["cap_units"] is None
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:Y2"


def test_more_findings_than_fit_are_told_and_those_with_most_dollars_stay(html, book):
    many = [finding(number, at_risk_usd=Decimal(number) if number % 2 else None) for number in range(2_500)]
    text = html(findings=many).text
    assert "2,000 findings with most dollars at risk, of 2,500" in " ".join(text.split())
    assert "f002499" in text
    assert "f002498" not in text
    loaded = book(limit_rows=3, findings=many)
    assert [row["finding_id"] for row in cells(loaded["Findings"])] == ["f002499", "f002497", "f002495"]
    told = [row[1] for row in loaded["Summary"].iter_rows(values_only=True)]
    assert "the 3 with most dollars at risk of 2500; all stand in findings.csv" in told
    assert cells(book(limit_rows=0, findings=many)["Findings"]) == []


def test_a_table_and_a_list_of_findings_give_the_same(tmp_path):
    rows = [finding(number, at_risk_usd=Decimal(number % 3) if number % 4 else None) for number in range(50)]
    table = pa.Table.from_pylist(rows[::-1])
    chosen = [one["finding_id"] for one in most_dollars(rows, 40)]
    assert [one["finding_id"] for one in most_dollars(table, 40)] == chosen
    assert most_dollars(table.slice(0, 0), 5) == []
    for name, findings in (("list", rows), ("table", table)):
        write_html(tmp_path / f"{name}.html", report(findings=findings))
        write_workbook(tmp_path / f"{name}.xlsx", report(findings=findings))
    assert (tmp_path / "list.html").read_bytes() == (tmp_path / "table.html").read_bytes()
    assert (tmp_path / "list.xlsx").read_bytes() == (tmp_path / "table.xlsx").read_bytes()


def test_the_same_report_gives_the_same_bytes(tmp_path, monkeypatch):
    import time

    for number, zone in enumerate(("UTC", "Asia/Kolkata")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        write_html(tmp_path / f"{number}.html", report(findings=[finding(**HOSTILE)]))
        write_workbook(tmp_path / f"{number}.xlsx", report(findings=[finding(**HOSTILE)]))
        time.sleep(1.1)  # past the next whole second, where a clock would show
    monkeypatch.undo()
    time.tzset()
    for kind in ("html", "xlsx"):
        assert (tmp_path / f"0.{kind}").read_bytes() == (tmp_path / f"1.{kind}").read_bytes()


def test_plain_keeps_ordinary_text_of_any_language():
    words = "Übung, 肩, עברית, line\nbreak"
    assert plain(words, 100) == words.replace("\n", " ")
    assert plain(None, 10) == ""
