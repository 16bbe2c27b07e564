"""findings.xlsx, opened by independent readers: real types, a list to choose from, hostile cells inert, limits told."""

import os
import re
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from expectations.report import Changes, Report
from expectations.report.workbook.workbook import write_workbook
from tests.test_report import HOSTILE, finding, report

ROOT = Path(__file__).parent.parent
INPUT_HEADINGS = ["disposition", "decided by", "decided on", "waived until", "reason"]
#: interface.md section 3
PUBLISHED = [
    "finding_id", "rule_id", "severity", "service_date", "patient_id", "discipline", "payer_id", "provider_id",
    "billing_provider_id", "procedure_code", "claim_ids", "note_ids", "sources", "billed_units",
    "expected_units", "expected_units_other_method", "supported_minutes", "double_counted_minutes", "cap_units",
    "at_risk_usd", "message", "clinic_id", "reference_key", "evidence_hash", "citation"
]  # fmt: skip
DECIDED = {
    "disposition": "waived",
    "disposition_status": "holds",
    "disposition_by": "R. Analyst",
    "disposition_on": date(2026, 1, 20),
    "waived_until": date(2026, 3, 31),
    "disposition_reason": "The payer's letter: in review until spring",
}
#: xlsxwriter writes text of this form as markup, unless somebody stands in its way.
MARKUP = '<r></is></c><c r="A9"><f>1+1</f><v>2</v></c><c r="B9" t="inlineStr"><is></r>'


@pytest.fixture
def path(tmp_path):
    return tmp_path / "findings.xlsx"


@pytest.fixture
def book(path):
    def write(limit_rows=20_000, **changes):
        write_workbook(path, report(**changes), limit_rows)
        return openpyxl.load_workbook(path)

    return write


def cells(sheet):
    heading, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def summary(loaded):
    """First cell of each line of the Summary -> the others, with what they are shown as."""
    lines = [row for row in loaded["Summary"].iter_rows() if row[0].value is not None]
    return {
        row[0].value: [(cell.value, cell.number_format) for cell in row[1:] if cell.value is not None] for row in lines
    }


def values(loaded, label):
    return [value for value, _ in summary(loaded)[label]]


class TestSummary:
    def test_dates_shares_and_dollars_are_real(self, book):
        told = summary(book(match={"claim_day_share": 0.9996, "note_share": None}))
        assert told["as of"][0][0].date() == date(2026, 1, 31)
        assert told["first service date"][0][0].date() == date(2026, 1, 2)
        assert told["claim days matched to a note"] == [(0.9996, "0.00%")]
        assert told["notes matched to a claim"] == []
        assert told["at risk in all, each billed unit counted once"] == [(1234.5, '"$"#,##0.00')]

    @pytest.mark.parametrize(("share", "told"), [(1.0, 1.0), (0.999999, 0.9999), (0.9999, 0.9999)])
    def test_a_share_just_below_all_is_not_told_as_all(self, book, share, told):
        assert values(book(match={"claim_day_share": share}), "claim days matched to a note") == [told]

    def test_over_billing_and_missed_revenue_stand_apart(self, book):
        rule = report().rules[0]
        rules = [
            rule | {"rule_id": "a", "family": "overbilling", "violations": 3, "at_risk_usd": Decimal(10)},
            rule | {"rule_id": "b", "family": "overbilling", "violations": 4, "at_risk_usd": Decimal("5.5")},
            rule
            | {"rule_id": "c", "family": "missed_revenue", "violations": 2, "at_risk_usd": None, "missed_units": 6},
        ]
        loaded = book(rules=rules)
        assert values(loaded, "over-billing") == [7, 15.5]
        assert values(loaded, "missed revenue") == [2, 6]
        assert "faults of the record" not in summary(loaded)

    def test_what_changed_since_the_last_run(self, book):
        changes = Changes("2026-01-30-aaa", 2, 30, 4, 1, 5, Decimal(70), Decimal(80))
        loaded = book(changes=changes)
        assert values(loaded, "previous run") == ["2026-01-30-aaa"]
        assert values(loaded, "new") == [2]
        assert values(loaded, "new and reopened together") == [3, 70]
        assert values(loaded, "still open: unchanged") == [30]
        assert values(loaded, "resolved: no longer found") == [5, 80]

    def test_a_first_run_says_that_there_is_none_before(self, book):
        assert "There is no previous run to compare with." in summary(book())

    def test_what_was_read_set_aside_and_left_unjudged(self, book):
        aside = {
            "table": "claims", "file": "claims.csv", "line": 7, "column": "billed_units", "reason": "not_whole",
            "meaning": "a fraction", "cell": "=2.5", "what_to_do": "Look it up.",
        }  # fmt: skip
        left_out = {"table": "notes", "file": "notes.csv", "filter": "kind is T", "rows": 40}
        loaded = book(quarantine=[("claims: not_whole", 3)], set_aside=[aside], filtered=[left_out])
        assert values(loaded, "claims") == [10, 8, 1, 1]
        assert values(loaded, "set aside: claims: not_whole") == [3]
        assert values(loaded, "patients and dates left unjudged: quarantined row") == [3, "quarantined row"]
        assert values(loaded, "therapy days of payer ACME, whose counting method is not known") == [12]
        (held, filtered) = cells(loaded["Set aside"])
        assert held == {
            "table": "claims", "file": "claims.csv", "line": 7, "column": "billed_units", "reason": "not_whole",
            "why": "a fraction", "cell": "=2.5", "what to do": "Look it up.", "rows": 1,
        }  # fmt: skip
        assert (filtered["reason"], filtered["why"], filtered["rows"]) == ("filtered", "kind is T", 40)
        assert any("holds 1 of them" in label for label in summary(loaded)), "three were set aside"
        assert values(loaded, "filtered by the mapping: notes, notes.csv") == [40, "kind is T"]

    def test_files_of_earlier_nights_are_not_counted_as_read(self, book):
        entry = report().inputs[0]
        loaded = book(inputs=[entry | {"is_new": True}, entry | {"file": "old.csv", "is_new": False}])
        assert values(loaded, "claims") == [10, 8, 1, 1]
        assert [row["new to this run"] for row in cells(loaded["Inputs"])] == ["yes", "no"]

    def test_decisions_are_counted_and_decided_findings_stay_in_the_counts(self, book):
        gone = DECIDED | {"disposition_status": "waiver expired"}
        findings = [finding(1, **DECIDED), finding(2, **gone), finding(3), finding(4)]
        loaded = book(findings=findings)
        lines = [row[:3] for row in loaded["Summary"].iter_rows(values_only=True)]
        assert ("waived", 1, "holds") in lines
        assert ("waived", 1, "waiver expired") in lines
        assert values(loaded, "nothing decided") == [2]
        assert values(loaded, "all") == [4, 4]

    def test_how_to_hand_decisions_back(self, book):
        assert any("minutewise dispose OUT --from findings.xlsx" in label for label in summary(book()))


class TestSheets:
    def test_one_sheet_a_severity_that_has_findings(self, book):
        findings = [finding(1), finding(2, severity="review"), finding(3)]
        loaded = book(findings=findings)
        assert loaded.sheetnames == [
            "Summary", "Errors", "Reviews", "Rules", "Resolved", "Set aside",
            "Codes documented against billed", "Inputs", "Data dictionary",
        ]  # fmt: skip
        assert [row["finding_id"] for row in cells(loaded["Errors"])] == ["f000001", "f000003"]
        assert values(loaded, "error") == [2, 2, "Errors"]
        assert values(loaded, "warning") == [0, 0]

    @pytest.mark.parametrize("severity", [None, "notice"])
    def test_a_finding_of_no_known_severity_is_not_lost(self, book, severity):
        assert [row["finding_id"] for row in cells(book(findings=[finding(severity=severity)])["Reviews"])] == [
            "f000001"
        ]

    def test_a_report_of_nothing_is_whole(self, book):
        empty = {"inputs": [], "match": {}, "rules": [], "findings": [], "unjudged": [], "unlisted_payers": []}
        loaded = book(**empty, period=(None, None), reference_versions={})
        assert loaded.sheetnames[:3] == ["Summary", "Errors", "Rules"]
        assert cells(loaded["Errors"]) == []
        assert values(loaded, "all") == [0, 0]

    def test_every_published_column_is_there_and_those_to_fill_in_come_first(self, book):
        heading = [cell.value for cell in book()["Errors"][1]]
        assert heading[:5] == INPUT_HEADINGS
        assert set(PUBLISHED) <= set(heading)
        assert len(set(heading)) == len(heading)
        assert heading.index("at_risk_usd") < heading.index("service_date") < heading.index("message")

    def test_the_header_and_the_first_column_stay_in_sight_and_every_row_can_be_filtered(self, book):
        loaded = book(findings=[finding(number) for number in range(3)])
        sheet = loaded["Errors"]
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}4"
        assert {loaded[name].freeze_panes for name in ("Rules", "Resolved", "Inputs", "Data dictionary")} == {"B2"}

    def test_dates_and_numbers_are_real_and_codes_stay_text(self, book, path):
        held = cells(book()["Errors"])[0]
        assert held["service_date"].date() == date(2026, 1, 5)
        assert (held["billed_units"], held["at_risk_usd"], held["cap_units"]) == (4, 31.25, None)
        assert held["procedure_code"] == "97112"
        assert held["rule_title"] == "Units billed exceed the units that documented time supports"
        heading, row = CalamineWorkbook.from_path(path).get_sheet_by_name("Errors").to_python()
        read = dict(zip(heading, row, strict=True))
        assert (read["service_date"], read["billed_units"], read["at_risk_usd"]) == (date(2026, 1, 5), 4.0, 31.25)
        assert read["procedure_code"] == "97112"

    def test_a_date_before_spreadsheets_begin_is_told_as_text(self, book):
        assert (
            cells(book(findings=[finding(service_date=date(1899, 5, 1))])["Errors"])[0]["service_date"] == "1899-05-01"
        )

    def test_rules_have_their_family_and_a_share_that_is_never_rounded_to_none(self, book):
        rules = [
            report().rules[0] | {"violations": 1, "in_scope": 1_000_000, "family": "overbilling"},
            report().rules[1],
        ]
        first, second = cells(book(rules=[rules[0], rules[1] | {"in_scope": 0}])["Rules"])
        assert (first["family"], first["violated_share"]) == ("over-billing", 0.0001)
        assert (second["status"], second["violated_share"], second["at_risk_usd"]) == ("not applicable", None, None)

    def test_what_is_resolved_stands_on_a_sheet_of_its_own(self, book):
        held = cells(book(resolved=[finding(7), finding(8, at_risk_usd=Decimal(99))])["Resolved"])
        assert [row["finding_id"] for row in held] == ["f000008", "f000007"]
        assert held[0]["rule_title"] == "Units billed exceed the units that documented time supports"
        assert "disposition" not in held[0]

    def test_every_column_of_every_sheet_is_in_the_dictionary(self, book):
        loaded = book(findings=[finding(1), finding(2, severity="warning"), finding(3, severity="review")])
        told = cells(loaded["Data dictionary"])
        assert all(row["meaning"] and row["unit"] and row["source"] for row in told)
        for name in set(loaded.sheetnames) - {"Summary", "Data dictionary"}:
            columns = [row["column"] for row in told if name in row["sheet"].split(", ")]
            assert columns == [cell.value for cell in loaded[name][1]], name


class TestDecisions:
    def test_a_disposition_is_chosen_from_the_list(self, book):
        findings = [finding(1), finding(2), finding(3, severity="warning")]
        for name, rows in (("Errors", "A2:A3"), ("Warnings", "A2")):
            sheet = book(findings=findings)[name]
            checks = {str(check.sqref): check for check in sheet.data_validations.dataValidation}
            choice = checks[rows]
            assert choice.type == "list"
            assert choice.formula1 == '"accepted,disputed,corrected claim sent,false alarm,waived"'
            assert choice.promptTitle and choice.prompt and choice.showInputMessage and choice.showErrorMessage

    def test_dates_are_checked_as_dates(self, book):
        checks = {str(check.sqref): check for check in book()["Errors"].data_validations.dataValidation}
        decided, waived = checks["C2"], checks["D2"]
        assert (decided.type, decided.operator, decided.formula2) == ("date", None, "TODAY()")  # None: between
        assert (waived.type, waived.operator) == ("date", "greaterThanOrEqual")
        assert date.fromordinal(date(1899, 12, 30).toordinal() + int(waived.formula1)) == date(2026, 1, 31)

    def test_a_decision_that_holds_is_filled_in_and_read_back_as_it_was(self, book, path):
        held = cells(book(findings=[finding(1, **DECIDED)])["Errors"])[0]
        day = DECIDED["waived_until"]
        assert [held[name] for name in ("disposition", "decided by", "reason")] == [
            "waived", "R. Analyst", "The payer's letter: in review until spring"
        ]  # fmt: skip
        assert (held["waived until"].date(), held["decided on"].date()) == (day, date(2026, 1, 20))
        assert (held["disposition_status"], held["earlier decision"]) == ("holds", None)
        heading, row = CalamineWorkbook.from_path(path).get_sheet_by_name("Errors").to_python()
        assert [dict(zip(heading, row, strict=True))[name] for name in INPUT_HEADINGS] == [
            "waived", "R. Analyst", date(2026, 1, 20), day, "The payer's letter: in review until spring"
        ]  # fmt: skip

    @pytest.mark.parametrize("status", ["evidence changed", "waiver expired"])
    def test_a_decision_that_holds_no_more_is_shown_and_not_filled_in(self, book, status):
        held = cells(book(findings=[finding(1, **DECIDED | {"disposition_status": status})])["Errors"])[0]
        assert [held[name] for name in INPUT_HEADINGS] == [None] * 5
        assert held["disposition_status"] == status
        assert held["earlier decision"].startswith("waived until 2026-03-31 by R. Analyst on 2026-01-20: The payer's")

    def test_dates_of_decisions_given_as_text_become_dates(self, book):
        given = DECIDED | {"disposition_on": "2026-01-20", "waived_until": "soon"}
        held = cells(book(findings=[finding(1, **given)])["Errors"])[0]
        assert (held["decided on"].date(), held["waived until"]) == (date(2026, 1, 20), "soon")

    def test_where_nothing_was_decided_the_columns_are_empty(self, book):
        held = cells(book()["Errors"])[0]
        assert [held[name] for name in (*INPUT_HEADINGS, "disposition_status", "earlier decision")] == [None] * 7

    def test_what_is_new_decided_or_dear_is_coloured(self, book):
        sheet = book(findings=[finding(1), finding(2)])["Errors"]
        heading = {cell.value: cell.column_letter for cell in sheet[1]}
        rules = {
            str(area.sqref): [rule.formula or rule.type for rule in area.rules] for area in sheet.conditional_formatting
        }
        for column, value in (("disposition", "waived"), ("since_last_run", "new"), ("severity", "error")):
            assert [f'"{value}"'] in rules[f"{heading[column]}2:{heading[column]}3"], column
        assert rules[f"{heading['at_risk_usd']}2:{heading['at_risk_usd']}3"] == ["dataBar"]
        assert "A2:E3" in rules


class TestHostileCells:
    def test_they_are_text_and_nothing_else(self, book, path, tmp_path):
        loaded = book(findings=[finding(**HOSTILE, discipline=MARKUP)], run_id="=1+1")
        held = cells(loaded["Errors"])[0]
        for name in ("patient_id", "claim_ids", "message", "clinic_id", "procedure_code", "citation"):
            assert held[name] == HOSTILE[name]
        assert held["discipline"] == MARKUP
        assert held["note_ids"] == "pay <U+202E> dnuf<U+2066><U+200F>"
        assert held["provider_id"] == "nul\ufffdbell\ufffdesc\ufffd[31m\ufffd\ufffd"
        assert len(held["payer_id"]) == 32_767
        assert held["payer_id"].endswith("(cut; 40000 characters)")
        every = [cell for sheet in loaded for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in every} <= {"s", "n", "d"}
        assert not any(cell.hyperlink for cell in every)
        assert list(tmp_path.iterdir()) == [path]

    def test_no_part_of_the_file_holds_a_formula_a_link_or_a_connection(self, book, path):
        values = HOSTILE | {"discipline": MARKUP, "disposition": "=1+1", "disposition_reason": MARKUP}
        findings = [
            finding(number, **values | {"severity": severity}) for number, severity in enumerate(("error", "x"))
        ]
        rules = [dict(report().rules[0]) | {"title": MARKUP, "citation": "=1+1"}]
        book(findings=findings, resolved=findings, rules=rules, quarantine=[(f"=A1: {MARKUP}", 1)], run_id=MARKUP)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            assert not [
                name for name in names if re.search("external|connection|vba|_rels/sheet|comment|drawing", name)
            ]
            sheets = {name: archive.read(name) for name in names if name.startswith("xl/worksheets/")}
        assert any(b"evil" in content for content in sheets.values())
        for name, content in sheets.items():
            assert not re.search(rb"<f[ >/]|<hyperlink|<c[^>]* t=\"(str|e|b)\"", content), name

    @pytest.mark.parametrize("text", ["a _x0041_ b", "_x0041_x0042_", "_x005F_x0041_", "_x00"])
    def test_text_that_looks_like_an_escape_is_read_as_it_stands(self, book, path, text):
        book(findings=[finding(sources=text)])
        heading, row = CalamineWorkbook.from_path(path).get_sheet_by_name("Errors").to_python()
        assert dict(zip(heading, row, strict=True))["sources"] == text

    def test_editing_a_cell_that_looks_like_a_formula_leaves_it_text(self, book):
        sheet = book(findings=[finding(patient_id="=1+1")])["Errors"]
        places = {cell.value: cell.column for cell in sheet[1]}
        for name in ("patient_id", "message", "decided by", "reason"):
            column = sheet.column_dimensions[sheet.cell(1, places[name]).column_letter]
            assert openpyxl.styles.numbers.BUILTIN_FORMATS[49] == "@"
            assert column.number_format == "@", name
        assert sheet.cell(2, places["patient_id"]).number_format == "@"

    @pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
    def test_a_huge_cell_stays_within_what_a_cell_may_hold(self, book, letter):
        held = cells(book(findings=[finding(message=letter * 40_000)])["Errors"])[0]["message"]
        assert held.startswith(letter) and held.endswith("(cut; 40000 characters)")
        assert len(held.encode("utf-16-le")) <= 2 * 32_767


class TestLimits:
    def test_those_with_most_dollars_stay_and_the_summary_says_so(self, book):
        many = [
            finding(
                number,
                at_risk_usd=Decimal(number) if number % 2 else None,
                severity="warning" if number % 4 == 1 else "error",
            )
            for number in range(2_500)
        ]
        loaded = book(limit_rows=3, findings=many)
        assert [row["finding_id"] for row in cells(loaded["Errors"])] == ["f002499", "f002495"]
        assert [row["finding_id"] for row in cells(loaded["Warnings"])] == ["f002497"]
        told = summary(loaded)
        assert "The 3 of 2500 findings with the most dollars at risk; --workbook-rows sets how many." in told
        assert "All of them are in findings.csv and findings.parquet, next to this workbook." in told
        assert values(loaded, "warning") == [625, 1, "Warnings"]

    def test_with_room_for_all_there_is_nothing_to_say(self, book):
        assert not [
            label for label in summary(book(limit_rows=1)) if label.startswith("The 3 of") or "--workbook-rows" in label
        ]

    def test_no_room_at_all(self, book):
        assert cells(book(limit_rows=0)["Errors"]) == []

    def test_the_resolved_are_limited_too(self, book):
        loaded = book(limit_rows=2, resolved=[finding(n) for n in range(3)], changes=Changes("r", resolved=3))
        assert len(cells(loaded["Resolved"])) == 2
        assert "The sheet Resolved lists the 2 of them with the most dollars." in summary(loaded)


class TestSameBytes:
    def test_a_table_and_a_list_of_findings_give_the_same(self, tmp_path):
        severities = ("error", "warning", "review")
        rows = [
            finding(number, at_risk_usd=Decimal(number % 3) if number % 4 else None, severity=severities[number % 3])
            | (DECIDED if number % 5 else dict.fromkeys(DECIDED))
            for number in range(50)
        ]
        for name, findings in (("list", rows), ("table", pa.Table.from_pylist(rows[::-1]))):
            write_workbook(tmp_path / name, report(findings=findings), 40)
        assert (tmp_path / "list").read_bytes() == (tmp_path / "table").read_bytes()

    def test_whatever_the_clock_the_zone_the_locale_and_the_hash_seed(self, tmp_path):
        code = (
            "import sys; from pathlib import Path\n"
            "from tests.test_report import HOSTILE, finding, report\n"
            "from expectations.report.workbook.workbook import write_workbook\n"
            "write_workbook(Path(sys.argv[1]), report(findings=[finding(**HOSTILE), finding(2, severity='review')]))"
        )
        written = []
        for number, (zone, seed, locale) in enumerate([("UTC", "1", "C.UTF-8"), ("Asia/Kolkata", "2", "de_DE.UTF-8")]):
            path = tmp_path / f"{number}.xlsx"
            setting = {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONPATH": str(ROOT)}
            subprocess.run([sys.executable, "-c", code, path], env=os.environ | setting, cwd=ROOT, check=True)
            written.append(path.read_bytes())
        assert written[0] == written[1]


def test_a_report_that_was_never_given_findings_can_be_written(path):
    write_workbook(path, Report(run_id="r", as_of=date(2026, 1, 31), period=(None, None)))
    assert "Errors" in openpyxl.load_workbook(path).sheetnames
