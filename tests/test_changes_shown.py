"""What the reports are told of a run: what changed since the run before, clinicians' units, minutes a unit."""

from decimal import Decimal

import pytest

import flows.publishing.write
from expectations.report import Changes
from tests.cli_runs import audit, day, published, write_days
from tests.clinic_nights import Clinic
from tests.extract_files import write_extract

TOO_MANY = day(3, claims_units=4)
HONEST = day(3)
#: Rules about what was not billed, each with the units it misses.
MISSED_REVENUE = {"billed_units_below_minutes": 0, "documented_day_not_billed": 0, "documented_code_not_billed": 0}


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """The reports that the runs of the test came to, in order."""
    reports = []
    monkeypatch.setattr(flows.publishing.write, "write_html", lambda _path, report: reports.append(report))
    return reports


def since(report) -> dict[str, str | None]:
    """What became of each finding since the run before, by patient."""
    return {row["patient_id"]: row["since_last_run"] for row in report.findings.to_pylist()}


class TestChanges:
    def test_a_first_run_has_nothing_to_compare_with(self, tmp_path, told):
        audit(write_days(tmp_path / "extracts", day(1), TOO_MANY), tmp_path / "out")
        (report,) = told
        assert report.changes == Changes() and report.resolved == []
        assert since(report) == {"P3": None}

    def test_every_finding_is_new_open_or_changed_and_those_gone_are_listed(self, tmp_path, told):
        out = tmp_path / "out"
        stays, moves = day(4, claims_units=4), day(5, claims_units=4)
        audit(write_days(tmp_path / "1", day(1), TOO_MANY, stays, moves), out)
        before = published(out)[1]
        more = day(6, claims_units=3)
        audit(write_days(tmp_path / "2", day(1), HONEST, stays, day(5, claims_units=5), more), out)
        report = told[-1]
        assert since(report) == {"P4": "still open", "P5": "changed", "P6": "new"}
        assert [row["patient_id"] for row in report.resolved] == ["P3"]
        # 60 dollars for 4 units, 2 of them too many; 60 for 3 units, 1 too many.
        assert report.changes == Changes(before, 1, 1, 1, 0, 1, Decimal("20.0000"), Decimal("30.0000"))

    def test_a_run_of_some_dates_is_compared_over_those_alone(self, tmp_path, told):
        out, extracts = tmp_path / "out", write_days(tmp_path / "1", day(1), TOO_MANY, day(4, claims_units=4))
        audit(extracts, out)
        audit(extracts, out, "--since", "2026-03-04")
        assert since(told[-1]) == {"P4": "still open"}
        assert told[-1].resolved == [], "the finding of the 3rd was not looked for"

    def test_a_run_before_that_is_gone_is_no_run_to_compare_with(self, tmp_path, told):
        out = tmp_path / "out"
        audit(write_days(tmp_path / "1", day(1), TOO_MANY), out)
        (out / "runs" / published(out)[1] / "manifest.json").unlink()
        audit(write_days(tmp_path / "2", day(1), day(2), TOO_MANY), out)
        assert told[-1].changes == Changes() and since(told[-1]) == {"P3": None}

    @pytest.mark.parametrize("size", [0, 2_000])
    def test_findings_before_that_cannot_be_read_keep_no_run_from_being_published(self, tmp_path, told, size):
        out = tmp_path / "out"
        audit(write_days(tmp_path / "1", day(1), TOO_MANY), out)
        damaged = out / "runs" / published(out)[1] / "findings.parquet"
        damaged.write_bytes(damaged.read_bytes()[:size])
        ran = audit(write_days(tmp_path / "2", day(1), day(2), TOO_MANY), out)
        assert ran.code == 0, ran.err
        assert told[-1].changes == Changes() and since(told[-1]) == {"P3": None}

    def test_what_was_resolved_and_comes_back_is_reopened_in_a_warehouse(self, tmp_path, told):
        clinic = Clinic(tmp_path)

        def files(units):
            claims, notes, blocks = zip(day(1), day(3, claims_units=units), strict=True)
            return {"claims.csv": claims, "notes.csv": notes, "note_blocks.csv": blocks}

        for units in (4, 2, 4):
            clinic.night(files(units))
        assert [since(report) for report in told] == [{"P3": None}, {}, {"P3": "reopened"}]
        assert [report.changes.resolved for report in told] == [0, 1, 0]
        assert told[-1].changes.reopened == 1 and told[-1].changes.new == 0


class TestSums:
    def test_a_clinician_stands_with_billed_and_supported_timed_units(self, tmp_path, told):
        # 30 minutes are 2 units, 45 are 3; an untimed code is no timed unit.
        untimed = day(7, claims_units=1, code="97014")
        visits = (day(1), day(3, claims_units=4), day(6, claims_units=1, minutes=45), untimed)
        audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
        assert [tuple(row.values()) for row in told[-1].clinicians] == [
            ("T1", 2, 2, 1),
            ("T3", 4, 2, 1),
            ("T6", 1, 3, 1),
        ]

    def test_a_day_is_his_who_billed_most_of_it(self, tmp_path, told):
        claim, note, block = day(3, claims_units=1)
        other = claim | {"line_number": 2, "billed_units": 3, "rendering_provider_id": "T9", "procedure_code": "97112"}
        first = day(1)
        write_extract(tmp_path / "extracts", [first[0], claim, other], [first[1], note], [first[2], block])
        audit(tmp_path / "extracts", tmp_path / "out")
        assert {row["clinician_id"]: row["billed_units"] for row in told[-1].clinicians} == {"T1": 2, "T9": 4}

    def test_minutes_a_billed_unit_are_counted_by_day_and_code(self, tmp_path, told):
        # 30 minutes on 2 units are 15 each; 8 on 1 are the least that carries a unit; 30 on 4 are 7.
        visits = (day(1), day(2), day(3, claims_units=1, minutes=8), day(4, claims_units=4))
        audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
        assert told[-1].unit_minutes == [(7, 1), (8, 1), (15, 2)]

    def test_missed_units_are_the_lawful_ones_not_billed(self, tmp_path, told):
        # 45 minutes are 3 units, 1 was billed.
        visits = (day(1), day(3, claims_units=1, minutes=45), day(4, claims_units=4))
        audit(write_days(tmp_path / "extracts", *visits), tmp_path / "out")
        missed = {rule["rule_id"]: rule["missed_units"] for rule in told[-1].rules if rule["missed_units"] is not None}
        assert missed == MISSED_REVENUE | {"billed_units_below_minutes": 2}
        families = {rule["rule_id"]: rule["family"] for rule in told[-1].rules}
        assert families["billed_units_exceed_minutes"] == "overbilling"


class TestRowsOfNobody:
    def test_rows_without_a_readable_patient_are_told_before_what_they_may_be_missed_by(self, tmp_path, told):
        broken = [day(2), day(3)]
        broken[0][1]["patient_id"] = ""
        ran = audit(write_days(tmp_path / "extracts", day(1), *broken, day(4)), tmp_path / "out")
        assert told[-1].quarantined_without_day == {"notes": 1}
        assert "without a readable patient or date: notes 1." in ran.out

    def test_a_row_with_both_leaves_its_day_unjudged_and_is_not_told_so(self, tmp_path, told):
        broken = day(2)
        broken[1]["discipline"] = ""
        ran = audit(write_days(tmp_path / "extracts", day(1), broken, day(4)), tmp_path / "out")
        assert told[-1].quarantined_without_day == {} and "readable" not in ran.out
        assert dict(told[-1].unjudged) == {"quarantined_row": 1}

    def test_an_extract_without_a_therapy_day_is_no_clean_bill(self, tmp_path):
        extracts = write_days(tmp_path / "extracts", day(1))
        assert "NO THERAPY DAY WAS JUDGED" not in audit(extracts, tmp_path / "sound").out
        for file in extracts.iterdir():
            file.write_text(file.read_text().splitlines()[0] + "\n")
        ran = audit(extracts, tmp_path / "out", "--override-guard", "no_accepted_claims")
        assert ran.code == 0 and "NO THERAPY DAY WAS JUDGED" in ran.out
