"""The commands beside audit, and the help of all: exact, quick, and kind to other programs."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli_runs import AS_OF, minutewise, refused, write


class TestUnits:
    def test_json_is_exactly_both_counts_and_every_split(self):
        ran = minutewise("units", "97112=24", "97110=23", "--date", "2026-03-02", "--json")
        assert (ran.code, ran.err) == (0, "")
        assert json.loads(ran.out) == {
            "cms_8_minute": {"units": 3, "splits": [{"97112": 2, "97110": 1}]},
            "ama_midpoint": {"units": 4, "splits": [{"97112": 2, "97110": 2}]},
        }
        assert '"97112": 2,\n' in ran.out, "the code with most units comes first"

    @pytest.mark.parametrize(
        ("minutes", "cms", "ama"),
        [
            (
                ["97112=20", "97110=20"],
                (3, [{"97110": 2, "97112": 1}, {"97110": 1, "97112": 2}]),
                (2, [{"97110": 1, "97112": 1}]),
            ),
            (["97110=33", "97140=7"], (3, [{"97110": 2, "97140": 1}]), (2, [{"97110": 2}])),
            (["97112=7", "97110=7", "97140=7"], (1, [{"97110": 1}, {"97112": 1}, {"97140": 1}]), (0, [{}])),
            (["97112=20", "97110=18"], (3, [{"97112": 2, "97110": 1}]), (2, [{"97112": 1, "97110": 1}])),
            (["97112=0"], (0, [{}]), (0, [{}])),
            (["97112=7"], (0, [{}]), (0, [{}])),
            (["97112=8"], (1, [{"97112": 1}]), (1, [{"97112": 1}])),
            (["97129=10", "97130=10"], (1, [{"97129": 1}]), (1, [{"97129": 1}])),
            (["97112=1440"], (96, [{"97112": 96}]), (96, [{"97112": 96}])),
        ],
    )
    def test_ties_and_bounds(self, minutes, cms, ama):
        told = json.loads(minutewise("units", *minutes, "--date", "2026-03-02", "--json").out)
        for method, (units, splits) in (("cms_8_minute", cms), ("ama_midpoint", ama)):
            assert told[method]["units"] == units
            assert {tuple(sorted(split.items())) for split in told[method]["splits"]} == {
                tuple(sorted(split.items())) for split in splits
            }
            assert len(told[method]["splits"]) == len(splits)

    def test_a_payer_brings_its_method_and_caps(self):
        asked = ["units", "97112=75", "--payer", "MEDICARE", "--date", "2026-03-02"]
        told = json.loads(minutewise(*asked, "--json").out)
        assert told["counting_method"] == "cms_8_minute"
        assert [(cap["procedure_code"], cap["cap_units"]) for cap in told["caps"]] == [("97112", 4)]
        shown = minutewise(*asked).out
        assert "97112: at most 4 units a day unless the record justifies more" in shown
        assert "no method is known" in minutewise("units", "97112=24", "--payer", "NEW", "--date", AS_OF).out

    def test_a_terminal_that_cannot_show_a_letter(self):
        command = [sys.executable, "-c", "from flows.cli import main; main()"]
        command += ["units", "97112=24", "--payer", "Ω", "--date", AS_OF]
        western = os.environ | {"PYTHONIOENCODING": "latin-1"}
        ran = subprocess.run(command, capture_output=True, env=western, check=True)
        assert ran.stderr == b"" and rb"Payer \u03a9 on" in ran.stdout

    def test_text_can_be_checked_with_a_pencil(self):
        shown = minutewise("units", "97112=20", "97110=20", "--date", "2026-03-02").out
        assert "40 min lies in 38-52, so 3 units" in shown
        assert "2 splits are lawful (a tie)" in shown
        assert "97112  20 min, so 1 unit " in shown
        assert "add --payer ID" in shown


class TestOtherCommands:
    def test_a_reader_that_stops_reading_is_no_error(self):
        command = [sys.executable, "-c", "from flows.cli import main; main()", "rules"]
        ran = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ran.stdout.close()
        assert ran.stderr.read() == b"" and ran.wait() == 0
        ran.stderr.close()

    def test_rules_are_a_table_and_a_document(self):
        document = json.loads(minutewise("rules", "--json").out)
        assert len(document) == 19 and {"rule_id", "severity", "citation"} <= document[0].keys()
        shown = minutewise("rules").out
        assert all(row["rule_id"] in shown for row in document)

    @pytest.mark.parametrize("address", [None, "http://x:y/api", "nonsense", "http://localhost:1/api"])
    def test_doctor_says_what_is_here(self, monkeypatch, address):
        monkeypatch.delenv("PREFECT_API_URL", raising=False)
        if address:
            monkeypatch.setenv("PREFECT_API_URL", address)
        ran = minutewise("doctor", "--json")
        found = json.loads(ran.out)
        assert (ran.code, ran.err, found["ok"]) == (0, "", True)
        assert found["packages"]["duckdb"] and found["prefect_server"]
        assert minutewise("doctor").out.startswith("minutewise ")

    def test_doctor_misses_a_package(self, monkeypatch):
        monkeypatch.setattr("flows.doctor.PACKAGES", ("duckdb", "no-such-package"))
        ran = minutewise("doctor")
        assert ran.code == 2 and "no-such-package MISSING" in ran.out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nowhere", "abcdef"], ["no run is published there", "minutewise audit"]),
            (["out", "no such id"], ["0-9 and a-f"]),
            (["out", "abcdef", "--run", "none"], ["no such run", "--run"]),
            (["out"], ["FINDING_ID"]),
        ],
    )
    def test_explain_names_what_is_not_there(self, tmp_path, monkeypatch, arguments, said):
        monkeypatch.chdir(tmp_path)
        if arguments[0] == "out":
            write(tmp_path / "out" / "runs" / "2026-03-20-0" / "manifest.json", "{}")
            write(tmp_path / "out" / "current", "2026-03-20-0\n")
        refused(minutewise("explain", *arguments), 2, *said)


class TestHelp:
    @pytest.mark.parametrize("command", [None, "audit", "units", "explain", "rules", "sql", "doctor"])
    def test_every_command_shows_examples(self, command):
        ran = minutewise(*([command] if command else []), "--help")
        assert (ran.code, ran.err) == (0, "")
        assert "Example" in ran.out and f"  minutewise {command or 'audit'}" in ran.out
