"""The commands beside audit, and the help of all: exact, quick, and kind to other programs."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli_runs import AS_OF, minutewise, refused, rule_ids, write


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
            (
                ["97110=18", "97140=13", "97116=10", "97035=8"],
                (3, [{"97110": 1, "97140": 1, "97116": 1}]),
                (4, [{"97110": 1, "97140": 1, "97116": 1, "97035": 1}]),
            ),
            (["97112=20", "97110=18"], (3, [{"97112": 2, "97110": 1}]), (2, [{"97112": 1, "97110": 1}])),
            (["97112=0"], (0, [{}]), (0, [{}])),
            (["97112=7"], (0, [{}]), (0, [{}])),
            (["97112=8"], (1, [{"97112": 1}]), (1, [{"97112": 1}])),
            (["97129=10", "97130=10"], (1, [{"97129": 1}]), (1, [{"97129": 1}])),
            (["90912=20", "90913=3"], (2, [{"90912": 2}]), (2, [{"90912": 2}])),
            (["97112=1440"], (96, [{"97112": 96}]), (96, [{"97112": 96}])),
        ],
    )
    def test_ties_and_bounds(self, minutes, cms, ama):
        self._count(minutes, cms, ama)

    @pytest.mark.parametrize(
        ("minutes", "cms", "ama"),
        [
            # AMA: the midpoint of a unit, 7:30, has to be passed; CMS: the day's total in whole minutes, 8 for one
            (["97112=7:30"], (0, [{}]), (0, [{}])),
            (["97112=7:31"], (0, [{}]), (1, [{"97112": 1}])),
            (["97112=7:59"], (0, [{}]), (1, [{"97112": 1}])),
            (["97112=8:00"], (1, [{"97112": 1}]), (1, [{"97112": 1}])),
            # 22:30 is the midpoint of the second unit
            (["97112=22:30"], (1, [{"97112": 1}]), (1, [{"97112": 1}])),
            (["97112=22:59"], (1, [{"97112": 1}]), (2, [{"97112": 2}])),
            (["97112=23:00"], (2, [{"97112": 2}]), (2, [{"97112": 2}])),
            # the total is cut once: 15:20 + 7:39 are 22:59, 15:20 + 7:40 are 23:00
            (["97112=15:20", "97110=7:39"], (1, [{"97112": 1}]), (2, [{"97112": 1, "97110": 1}])),
            (["97112=15:20", "97110=7:40"], (2, [{"97112": 1, "97110": 1}]), (2, [{"97112": 1, "97110": 1}])),
            # three blocks of 7.75 minutes are 23.25, not 21
            (
                ["97112=7.75", "97110=7.75", "97140=7.75"],
                (2, [{"97110": 1, "97112": 1}, {"97110": 1, "97140": 1}, {"97112": 1, "97140": 1}]),
                (3, [{"97110": 1, "97112": 1, "97140": 1}]),
            ),
            # 7.508 minutes are 450.48 s, to the nearest second 450; 7.509 are 451
            (["97112=7.508"], (0, [{}]), (0, [{}])),
            (["97112=7.509"], (0, [{}]), (1, [{"97112": 1}])),
        ],
    )
    def test_seconds_decide_where_they_are_known(self, minutes, cms, ama):
        self._count(minutes, cms, ama)

    @pytest.mark.parametrize(
        ("minutes", "cms"),
        [
            # one unit: 59 s below the most is equal to it, a minute below is not
            (["97112=11:00", "97110=10:01"], (1, [{"97112": 1}, {"97110": 1}])),
            (["97112=11:00", "97110=10:00"], (1, [{"97112": 1}])),
            # 97140 is near 97110 and not near 97112: it may be paid only once 97112 is
            (["97112=12:00", "97110=11:10", "97140=10:20"], (2, [{"97112": 1, "97110": 1}, {"97112": 1, "97140": 1}])),
            # what a unit leaves of a code is compared like any: 24:00 less 15:00 beside 9:59, and beside 10:00
            (["97112=24:00", "97110=9:59"], (2, [{"97112": 1, "97110": 1}, {"97112": 2}])),
            (["97112=24:00", "97110=10:00"], (2, [{"97112": 1, "97110": 1}])),
        ],
    )
    def test_less_than_a_minute_apart_is_equal(self, minutes, cms):
        self._count(minutes, cms)

    def test_more_splits_than_anyone_reads_are_counted(self):
        """Twenty codes of 5 minutes are 100 minutes, 7 units: any 7 of 20 codes are lawful, 77,520 splits."""
        codes = [97032, 97033, 97034, 97035, 97036, 97110, 97112, 97113, 97116, 97124]
        codes += [97140, 97530, 97533, 97535, 97537, 97542, 97750, 97755, 97760, 97761]
        asked = ["units", *(f"{code}=5" for code in codes), "--date", "2026-03-02"]
        cms = json.loads(minutewise(*asked, "--json").out)["cms_8_minute"]
        assert cms["units"] == 7 and len(cms["splits"]) == 100
        assert len({tuple(sorted(split)) for split in cms["splits"]}) == 100
        assert len(cms["splits"]) + cms["splits_not_listed"] == 77_520
        assert "77,520 splits are lawful (a tie)" in minutewise(*asked).out

    @staticmethod
    def _count(minutes, *expected):
        told = json.loads(minutewise("units", *minutes, "--date", "2026-03-02", "--json").out)
        for method, (units, splits) in zip(("cms_8_minute", "ama_midpoint"), expected, strict=False):
            assert told[method]["units"] == units
            assert {tuple(sorted(split.items())) for split in told[method]["splits"]} == {
                tuple(sorted(split.items())) for split in splits
            }
            assert len(told[method]["splits"]) == len(splits)

    @pytest.mark.parametrize(
        ("code", "on", "units"),
        [
            ("97532", "2017-12-31", 1),
            ("G0515", "2018-01-01", 1),
            ("G0515", "2019-12-31", 1),
            ("97129", "2020-01-01", 1),
        ],
    )
    def test_a_code_has_its_kind_on_the_date(self, code, on, units):
        told = json.loads(minutewise("units", f"{code}=15", "--date", on, "--json").out)
        assert told["cms_8_minute"] == {"units": units, "splits": [{code: units}]}

    @pytest.mark.parametrize(
        ("code", "on"), [("97532", "2018-01-01"), ("G0515", "2020-01-01"), ("97129", "2019-12-31")]
    )
    def test_and_none_a_day_before_or_after(self, code, on):
        told = json.loads(minutewise("units", "97112=15", f"{code}=15", "--date", on, "--json").out)
        assert told["unlisted_codes"] == [code]

    def test_a_payer_with_a_kind_of_its_own(self, tmp_path):
        """A Medicaid plan that pays 92507 by 15 minutes: timed there, untimed for everyone else."""
        write(
            tmp_path / "procedure_code.csv",
            "procedure_code,payer_id,kind,short_words,disciplines,effective_from,effective_to,citation,citation_url,"
            "last_checked_on\n92507,STATE-PLAN,timed_15,speech treatment by 15 minutes,SLP,2026-01-01,,the plan's "
            "manual,,2026-11-01\n",
        )
        asked = ["units", "92507=38", "--date", "2026-03-02", "--reference", tmp_path]
        told = json.loads(minutewise(*asked, "--payer", "STATE-PLAN", "--json").out)
        assert told["cms_8_minute"] == {"units": 3, "splits": [{"92507": 3}]}
        refused(minutewise(*asked, "--payer", "MEDICARE"), 2, "92507: is untimed")

    def test_an_unlisted_code_is_named_and_counted_by_nobody(self):
        """40 minutes are 3 units; with the 10 of 97799 they would be 50, still 3, and 13 more make a fourth."""
        asked = ["units", "97112=20", "97110=20", "--payer", "MEDICARE", "--date", "2026-03-02"]
        told = json.loads(minutewise(*asked, "97799=10", "--json").out)
        assert (told["cms_8_minute"]["units"], told["unlisted_codes"], told["most_units"]) == (3, ["97799"], 3)
        assert json.loads(minutewise(*asked, "97799=13", "--json").out)["most_units"] == 4
        shown = minutewise(*asked, "97799=13").out
        assert "97799    13 min  unlisted: not in the total" in shown and "total    40 min" in shown
        assert "unless more than 4 units are billed" in shown

    def test_a_payer_brings_its_method_and_caps(self):
        asked = ["units", "97112=75", "--payer", "MEDICARE", "--date", "2026-03-02"]
        told = json.loads(minutewise(*asked, "--json").out)
        assert told["counting_method"] == "cms_8_minute"
        assert [(cap["procedure_code"], cap["cap_units"]) for cap in told["caps"]] == [("97112", 4)]
        shown = minutewise(*asked).out
        assert "97112: at most 4 units a day unless the record justifies or carries more" in shown
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
        in_seconds = minutewise("units", "97112=7:31", "97110=15:28", "--date", "2026-03-02").out
        assert "total  22:59 min" in in_seconds and "22 whole min lies in 8-22, so 1 unit" in in_seconds
        assert "97112  7:31 min, so 1 unit   floor((451 s + 449) / 900) = 1" in in_seconds
        assert "in whole minutes 1 unit: only fewer than that are called too few" in in_seconds
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
        assert len(document) == len(rule_ids()) and {"rule_id", "severity", "citation"} <= document[0].keys()
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
        monkeypatch.setattr("flows.commands.backends.doctor.PACKAGES", ("duckdb", "no-such-package"))
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
