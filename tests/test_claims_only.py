"""An audit of claims alone: the rules that need no note, and what a note might excuse for review only."""

import json
from datetime import date

import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.cli_runs import audit, day, minutewise, published, refused, write_days
from tests.extract_files import write_extract
from tests.harness import audit_folder
from transforms.models.load import load_models, rules_without_notes

AS_OF = date(2026, 3, 20)
#: Rules of docs/rules.md s. 6 whose verdict looks at lines alone.
NEED_NO_NOTE = {
    "units_exceed_day_cap",
    "timed_units_exceed_payer_day_cap",
    "untimed_code_multiple_units",
    "timed_code_split_across_lines",
    "claim_line_duplicated",
    "day_billed_to_several_payers",
    "provider_day_impossible",
}
PAYER_CAP = (
    "payer_id,counting_method,follows_mue,timed_units_per_day_cap,effective_from,effective_to,citation,last_checked_on\n"
    "BLUE,ama_midpoint,false,4,2020-01-01,,the payer's manual,2026-03-01\n"
)


def line(claim_id="C1", **said) -> dict:
    return {
        "claim_id": claim_id,
        "line_number": 1,
        "patient_id": "P1",
        "payer_id": "MEDICARE",
        "service_date": "2026-03-02",
        "procedure_code": "97110",
        "billed_units": 2,
        "rendering_provider_id": "T1",
        "billing_provider_id": "B1",
        "modifiers": "GP",
    } | said


def found(folder, *lines, notes=(), blocks=(), claims_only=True, reference=None) -> set[tuple[str, str]]:
    write_extract(folder, lines, notes, blocks)
    if reference:
        (folder / "reference").mkdir()
        (folder / "reference" / "payer_method.csv").write_text(reference, encoding="utf-8")
    at = folder / "reference" if reference else None
    result = audit_folder(folder, AS_OF, at, claims_only=claims_only)
    return {(row["rule_id"], row["severity"]) for row in result.findings}


def test_which_rules_need_no_note():
    assert rules_without_notes() == NEED_NO_NOTE


def test_a_day_without_a_note_is_no_finding(tmp_path):
    """The same folder holds another patient's note: with notes the day would be called undocumented."""
    note = {"note_id": "N2", "patient_id": "P2", "service_date": "2026-03-02", "provider_id": "T1", "discipline": "PT"}
    honest = line("C2", patient_id="P2", billed_units=1)
    assert ("billed_day_not_documented", "error") in found(tmp_path, line(), honest, notes=[note], claims_only=False)
    assert found(tmp_path, line(), honest, notes=[note]) == set()


@pytest.mark.parametrize(
    ("code", "units", "said"),
    [
        ("97112", 4, set()),  # its MUE is 4, and a justification in the record may exceed it (indicator 3)
        ("97112", 5, {("units_exceed_day_cap", "review")}),
        ("97161", 1, set()),  # its MUE is 1, and nothing may exceed it (indicator 2)
        ("97161", 2, {("units_exceed_day_cap", "error"), ("untimed_code_multiple_units", "review")}),
    ],
)
def test_a_cap_that_a_note_may_justify_is_for_review(tmp_path, code, units, said):
    assert found(tmp_path, line(procedure_code=code, billed_units=units)) == said


@pytest.mark.parametrize(("units", "said"), [(4, set()), (5, {("timed_units_exceed_payer_day_cap", "review")})])
def test_a_payers_cap_on_the_day(tmp_path, units, said):
    assert found(tmp_path, line(payer_id="BLUE", billed_units=units), reference=PAYER_CAP) == said


def test_a_line_on_two_claims_is_for_review_where_notes_might_show_two_visits(tmp_path):
    assert found(tmp_path, line("C1"), line("C2")) == {("claim_line_duplicated", "review")}
    assert found(tmp_path, line("C1"), line("C2"), claims_only=False) == {("claim_line_duplicated", "error")}
    assert found(tmp_path, line("C1"), line("C2", billed_units=1)) == set()


def test_split_lines_and_several_payers_are_as_ever(tmp_path):
    split = (line(billed_units=1), line(billed_units=1, line_number=2))
    assert found(tmp_path, *split) == {("timed_code_split_across_lines", "warning")}
    assert found(tmp_path, split[0], split[1] | {"modifiers": "GP;59"}) == set()
    several = found(tmp_path, line(), line("C2", payer_id="BLUE", procedure_code="97112"))
    assert several == {("day_billed_to_several_payers", "review")}


def test_a_clinicians_day_is_judged_by_its_units(tmp_path):
    """64 units of one therapy day need 15 x 64 - 7 = 953 minutes, 65 need 968; a day holds 960. The cap is exceeded by
    both."""
    for units, is_found in ((64, False), (65, True)):
        rules = {rule for rule, _ in found(tmp_path, line(billed_units=units))}
        assert ("provider_day_impossible" in rules) is is_found


def test_corrections_and_voids_resolve_without_notes(tmp_path):
    void = line("C2", claim_frequency_code="8", original_claim_id="C1")
    assert found(tmp_path, line("C1", procedure_code="97112", billed_units=5), void) == set()


class TestARun:
    @pytest.fixture
    def extracts(self, tmp_path):
        return write_days(tmp_path / "extracts", day(1, claims_units=7), day(2))

    def test_says_first_that_it_read_no_notes(self, extracts, tmp_path):
        ran = audit(extracts, tmp_path / "out", "--claims-only")
        assert ran.code == 0, ran.err
        first, second, *_ = ran.out.splitlines()
        assert first.startswith(
            f"CLAIMS ONLY: no note was read. 7 rules need none and were judged; {len(load_models('findings')) - 7} were"
        )
        assert second.startswith("Service dates"), "no share of what meets"
        assert (
            sum("not judged (claims only)" in one for one in ran.out.splitlines()) == len(load_models("findings")) - 7
        )
        (run_id,), current = published(tmp_path / "out")
        assert current == run_id
        run = tmp_path / "out" / "runs" / run_id
        manifest = json.loads((run / "manifest.json").read_bytes())
        assert manifest["claims_only"] and {entry["table"] for entry in manifest["inputs"]} == {"claims"}
        assert "billed_units_exceed_minutes" in manifest["rules_not_judged"]
        assert json.loads((run / "summary.json").read_bytes())["rules_not_judged"] == manifest["rules_not_judged"]
        rules = {row["rule_id"]: row for row in pq.read_table(run / "rules.parquet").to_pylist()}
        assert {rules[rule]["status"] for rule in manifest["rules_not_judged"]} == {"not_applicable"}

    def test_says_so_in_report_and_workbook(self, extracts, tmp_path):
        assert audit(extracts, tmp_path / "out", "--claims-only").code == 0
        (run_id,), _ = published(tmp_path / "out")
        run = tmp_path / "out" / "runs" / run_id
        page = (run / "report.html").read_text(encoding="utf-8")
        assert '<p class="notice">CLAIMS ONLY: no note was read.' in page
        assert "not judged (claims only)" in page and "Claim days matched to a note" not in page
        book = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)
        cells = [str(row[0]) for row in book["Summary"].values if row and row[0]]
        assert cells[2].startswith("CLAIMS ONLY") and "Codes: documented against billed" not in cells
        assert "not judged (claims only)" in {cell for row in book["Rules"].values for cell in row}

    def test_a_finding_is_explained_as_it_was_found(self, extracts, tmp_path):
        """97110 x7 against an MUE of 6 that a justification may exceed."""
        assert audit(extracts, tmp_path / "out", "--claims-only").code == 0
        (run_id,), _ = published(tmp_path / "out")
        findings = pq.read_table(tmp_path / "out" / "runs" / run_id / "findings.parquet").to_pylist()
        assert [(row["rule_id"], row["severity"]) for row in findings] == [("units_exceed_day_cap", "review")]
        told = minutewise("explain", tmp_path / "out", findings[0]["finding_id"], "--json")
        assert told.code == 0, told.err
        assert json.loads(told.out)["recomputed"]["is_same"]

    def test_notes_and_a_warehouse_are_refused_with_it(self, extracts, tmp_path):
        out = tmp_path / "out"
        for option, place in (("--notes", extracts / "notes.csv"), ("--warehouse", tmp_path / "w.duckdb")):
            refused(
                audit(extracts, out, "--claims-only", option, place),
                2,
                f"{option} goes not with --claims-only",
                out=out,
            )

    def test_it_is_not_published_over_a_run_with_notes(self, extracts, tmp_path):
        assert audit(extracts, tmp_path / "out").code == 0
        before = published(tmp_path / "out")
        ran = audit(extracts, tmp_path / "out", "--claims-only")
        assert ran.code == 2 and "holds runs with notes" in ran.err
        assert published(tmp_path / "out") == before

    def test_a_mapping_of_notes_that_are_not_there_does_no_harm(self, tmp_path):
        extracts = write_days(tmp_path / "extracts", day(1))
        mapping = tmp_path / "map.toml"
        mapping.write_text('[notes]\nfiles = "visits*.csv"\n', encoding="utf-8")
        assert audit(extracts, tmp_path / "out", "--claims-only", "--mapping", mapping).code == 0
