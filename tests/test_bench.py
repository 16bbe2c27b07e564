"""The benchmark's arithmetic is right, its floor does the work it says, and a whole small run says what it measured."""

import json
import socket
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import duckdb
import pytest

from flows.bench import measure, run
from flows.bench.chart import SERIES, chart_svg, points
from flows.bench.children import run_python
from flows.bench.figures import against_parquet, growth, ratios
from flows.bench.floor import QUERIES
from flows.bench.text import bench_text
from tests.cli_runs import minutewise
from transforms.errors import AuditError

STAGES = {
    "identify": 0.5,
    "extract": 2.0,
    "contract": 3.0,
    "recompute": 4.5,
    "guard": 0.1,
    "judge": 4.0,
    "publish": 6.0,
}


def measured(visits: int, form: str = "parquet", times: float = 1.0) -> dict:
    """A run whose stages took `times` STAGES, with a floor of 2 seconds."""
    one = {
        "form": form,
        "visits": visits,
        "rows": {"claims": 2 * visits, "notes": visits, "note_blocks": 3 * visits},
        "bytes": 1000 * visits,
        "match_share": 0.997,
        "findings": visits // 20,
        "findings_a_thousand_visits": 50.0,
        "seconds": {stage: seconds * times for stage, seconds in STAGES.items()},
        "seconds_within": {"judge_import": 3.0, "publish_workbook": 1.0},
        "seconds_in_all": 24.0 * times,
        "core_seconds": 30.0 * times,
        "peak_memory_bytes": 900_000_000,
        "floor_seconds": {"median": 2.0, "best": 1.5, "each": [2.0]},
    }
    return one | {"ratios": ratios(one)}


def document(*runs: dict, **more) -> dict:
    asked = {"sizes": [], "seed": 1, "threads": 2, "memory_limit": "4GB", "floor_runs": 6}
    return {"machine": run.machine(), "asked": asked, "runs": list(runs), "growth": growth(list(runs)), **more}


class TestArithmetic:
    def test_ratios_to_the_floor(self):
        # 0.5 + 2 + 3 + 4.5 = 10 s, 5 times the 2 s; 24 s less 3 s of import and 1 s of workbook = 20 s, 10 times.
        assert measured(1000)["ratios"] == {
            "recomputed_seconds": 10.0,
            "whole_seconds": 20.0,
            "recomputed_to_floor": 5.0,
            "whole_to_floor": 10.0,
        }

    def test_four_times_the_seconds_for_four_times_the_visits_is_linear(self):
        (step,) = growth([measured(1000), measured(4000, times=4)])
        assert step["recomputed"] == 1.0
        # The import and the workbook do not grow: 96 - 4 = 92 s from 20 s, and log4(4.6) = 1.10.
        assert step["whole"] == 1.1
        assert (step["from_visits"], step["to_visits"]) == (1000, 4000)

    def test_sixteen_times_the_seconds_for_four_times_the_visits_is_square(self):
        assert growth([measured(1000), measured(4000, times=16)])[0]["recomputed"] == 2.0

    def test_csv_against_parquet(self):
        held = against_parquet(measured(1000, "csv", times=2), measured(1000))
        # 20 s against 10; 48 - 4 = 44 s against 20.
        assert held == {"visits": 1000, "recomputed": 2.0, "whole": 2.2}


class TestFloor:
    @pytest.mark.parametrize(
        ("table", "rows", "groups", "total"),
        [
            ("claims", "('P1', '2026-10-01', '97110', 2), ('P1', '2026-10-01', '97110', 1), "
             "('P2', '2026-10-01', '97110', 1)", 2, 4),
            ("note_blocks", "('N1', '97110', 30), ('N1', '97110', 8), ('N1', '97140', 15)", 2, 53),
        ],
    )  # fmt: skip
    def test_it_groups_and_sums_every_row(self, table, rows, groups, total):
        columns = {"claims": "patient_id, service_date, procedure_code, billed_units",
                   "note_blocks": "note_id, procedure_code, minutes"}  # fmt: skip
        source = f"(values {rows}) as given({columns[table]})"
        assert duckdb.sql(QUERIES[table].format(source=source)).fetchone() == (groups, total)


class TestChildren:
    def test_seconds_and_memory_are_the_programs_own(self):
        small = run_python("small", "-c", "print('done')")
        # A child's peak is never below what its parent held, here a whole test run's worth; so a large one is larger.
        large = run_python("large", "-c", "x = bytearray(2_000_000_000); import time; time.sleep(0.3)")
        assert small.output == "done\n" and large.seconds >= 0.3
        assert small.peak_bytes < 2_000_000_000 <= large.peak_bytes

    def test_a_program_that_fails_is_told_of_by_its_last_words(self):
        program = "import sys; print('reading', 'no claims', sep=chr(10), file=sys.stderr); sys.exit(3)"
        with pytest.raises(AuditError, match=r"^the audit ended with 3: no claims$"):
            run_python("the audit", "-c", program)


class TestTold:
    def test_one_column_a_run_and_every_comparison(self):
        pandas = {"visits": 4000, "seconds_in_all": 90.0, "times_the_recomputation": 20.0,
                  "times_load_contract_recompute": 9.0}  # fmt: skip
        csv = measured(4000, "csv", times=8)
        large = measured(4000, times=4)
        text = bench_text(
            document(measured(1000), large, csv=csv, csv_to_parquet=against_parquet(csv, large), pandas=pandas)
        )
        cells = {line[:27].strip(): line[27:].split() for line in text.splitlines()}
        assert cells["visits"] == ["1,000", "4,000", "4,000"]
        assert cells["form"] == ["parquet", "parquet", "csv"]
        assert cells["load, contract, recompute"] == ["10.00", "40.00", "80.00"]
        assert cells["peak memory, megabytes"] == ["900"] * 3
        assert "From 1,000 to 4,000 visits seconds grow as visits to the power of 1.00" in text
        assert "CSV takes 2.00 times" in text and "20.0 times the recomputation" in text

    def test_a_second_run_of_a_day_replaces_none(self, tmp_path):
        asked = {"date": "2026-11-27"}
        first, second = (run.write_results(asked | {"number": number}, tmp_path) for number in (1, 2))
        assert (first.name, second.name) == ("2026-11-27.json", "2026-11-27-2.json")
        assert json.loads(first.read_text())["number"] == 1

    def test_the_chart_has_every_run_and_loads_nothing(self):
        held = [document(measured(1000), measured(4000)), document(measured(4000, times=2))]
        drawn = points(held)
        assert [row["visits"] for row in drawn] == [1000] * len(SERIES) + [4000] * len(SERIES)
        assert [row["seconds"] for row in drawn[3:]] == [2.0, 20.0, 44.0]
        svg = chart_svg(held)
        assert ET.fromstring(svg).tag.endswith("svg")
        assert "href" not in svg and "url(" not in svg
        for series in SERIES:
            assert series in svg


class TestRuns:
    def test_where_the_pandas_version_is_not_it_is_said(self, monkeypatch):
        monkeypatch.setattr(run, "PANDAS", Path("nowhere.py"))
        monkeypatch.setattr(run, "_measured", lambda asked, visits, form, say: (measured(visits, form), None))
        said = []
        asked = run.Asked((1000, 4000), 0, 2000, 1, measure.Limits())
        told = run.bench(asked, said.append)
        assert said == [run.NO_PANDAS]
        assert told["pandas"] is None and "csv" not in told
        assert [one["visits"] for one in told["runs"]] == [1000, 4000]

    def test_csv_is_held_against_parquet_of_its_own_size(self, monkeypatch):
        made = []

        def noted(asked, visits, form, say):
            made.append((visits, form))
            return measured(visits, form, times=visits / 1000), None

        monkeypatch.setattr(run, "_measured", noted)
        told = run.bench(run.Asked((1000,), 2000, 0, 1, measure.Limits()), print)
        assert made == [(1000, "parquet"), (2000, "parquet"), (2000, "csv")]
        assert told["csv_to_parquet"]["recomputed"] == 1.0
        assert [one["visits"] for one in told["runs"]] == [1000]

    def test_kept_extracts_are_used_again_and_others_are_made_anew(self, tmp_path):
        folder = tmp_path / "kept"
        measure.make_extracts(folder, 100, 1, "csv")
        before = (folder / "claims.csv").stat()
        measure.make_extracts(folder, 100, 1, "csv")
        assert (folder / "claims.csv").stat() == before
        measure.make_extracts(folder, 100, 2, "csv")
        assert (folder / "claims.csv").stat().st_mtime_ns > before.st_mtime_ns

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--sizes", "1,0"], "are not factors"),
            (["--sizes", ""], "are not factors"),
            (["--visits", "5"], "not in the range"),
            (["--memory-limit", "4"], "must be a number with its unit"),
        ],
    )
    def test_a_mistake_is_said_before_anything_is_made(self, tmp_path, arguments, said):
        ran = minutewise("bench", "--results", tmp_path / "results", *arguments)
        assert ran.code == 2 and said in ran.err and "making" not in ran.err
        assert not (tmp_path / "results").exists()

    def test_results_are_printed_and_not_left_in_the_folder_one_stands_in(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("flows.bench.run.bench", lambda asked, say: {"runs": []})
        ran = minutewise("bench", "--json")
        assert (ran.code, json.loads(ran.out), list(tmp_path.iterdir())) == (0, {"runs": []}, [])


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked of POSIX")
def test_a_small_benchmark_from_the_command_line(tmp_path):
    ran = minutewise(
        "bench", "--visits", 300, "--sizes", "1", "--results", tmp_path / "results", "--keep", tmp_path / "kept",
        "--threads", 1, "--memory-limit", "1GB", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    (written,) = (tmp_path / "results").iterdir()
    assert json.loads(written.read_text()) == told
    (one,) = told["runs"]
    assert list(one["seconds"]) == list(STAGES)
    assert one["rows"]["claims"] > 500 and one["rows"]["note_blocks"] > 600 and one["findings"] > 0
    assert one["match_share"] > 0.95
    assert one["seconds_in_all"] > sum(one["seconds"].values()) > one["ratios"]["recomputed_seconds"] > 0
    assert len(one["floor_seconds"]["each"]) == told["asked"]["floor_runs"]
    assert one["ratios"]["whole_to_floor"] > one["ratios"]["recomputed_to_floor"] > 1
    # No audit fits into less than Python and DuckDB take, nor did it take more than its limit and these.
    assert 100_000_000 < one["peak_memory_bytes"] < 2_000_000_000
    assert told["csv"]["rows"] == one["rows"] and told["csv"]["findings"] == one["findings"]
    assert told["pandas"]["visits"] == 300 and told["pandas"]["seconds_in_all"] > 0
    assert told["growth"] == []
    assert socket.gethostname() not in ran.out and str(tmp_path) not in ran.out
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["csv-300-1", "parquet-300-1"]
