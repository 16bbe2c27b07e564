"""`minutewise explain`: the numbers that a billing expert gets with a pencil, from the published run alone.

What the planted sample cases have to say stands in explain_cases.py.
"""

import csv
import json
import re
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations.report.parts import Paragraph
from expectations.report.values import row_ranges
from flows.explanation.compose.clock import clock_line
from flows.explanation.compose.explanation import SECTIONS
from flows.explanation.derive.clock import CLASH, MOST_DRAWN, SHARED, lay_out
from flows.explanation.derive.one import derive
from flows.explanation.derive.rebuild import READ_FILES
from flows.explanation.sentences.reasons import SENTENCES
from flows.explanation.sentences.words import dollars
from flows.explanation.terminal.clock import draw
from flows.explanation.terminal.text import explain_text
from flows.text_table import inert
from tests.cli_runs import day, minutewise, write_days
from tests.explain_cases import AS_OF, EXPECTED, SAMPLES, audited, derived_at_once, finding_ids
from tests.extract_files import write_extract, write_reference
from transforms.database.time_text import cell, clock, long_minutes, mins
from transforms.errors import UsageProblem
from transforms.models.load import load_models, rule_sections

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def sample_out(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("explain") / "out"
    audited(out, SAMPLES, AS_OF, SAMPLES / "reference")
    return out


@pytest.fixture(scope="module")
def sample_ids(sample_out) -> dict[tuple, str]:
    return finding_ids(next((sample_out / "runs").iterdir()))


@pytest.fixture(scope="module")
def at_once(sample_out) -> dict[str, dict]:
    """finding_id to its derivation, all of them derived in one go."""
    return {one["finding"]["finding_id"]: one for one in derived_at_once(next((sample_out / "runs").iterdir()))}


class TestSamples:
    @pytest.mark.parametrize("subject", EXPECTED, ids=lambda subject: f"{subject[0]}-{subject[1]}-{subject[2]}")
    def test_the_text_says_what_a_pencil_gives(self, sample_out, sample_ids, at_once, subject):
        derivation = derive(sample_out, sample_ids[subject])
        assert json.dumps(derivation) == json.dumps(at_once[sample_ids[subject]])
        assert derivation["recomputed"] == {"is_same": True, "differs": []}
        text = explain_text(json.loads(json.dumps(derivation)))
        told = " ".join(text.split())
        assert [said for said in EXPECTED[subject] if " ".join(said.split()) not in told] == []
        assert derivation["finding"]["message"] in told
        assert [line for line in text.splitlines() if len(line) > 100 and "https://" not in line] == []

    def test_every_rule_of_the_rule_book_is_here(self):
        """A rule that somebody added since may have no sample, and no sentences of its own."""
        with (ROOT / "data" / "reference" / "audit_rules.csv").open(encoding="utf-8") as file:
            rules = {row["rule_id"] for row in csv.DictReader(file)}
        assert {subject[0] for subject in EXPECTED} <= rules and set(SENTENCES) <= rules
        assert len({subject[0] for subject in EXPECTED}) >= 23

    def test_each_unit_goes_to_a_code_with_the_most_unpaid_and_all_make_the_lawful_split(self, at_once):
        """Rule book s. 4: one unit at a time, 15 minutes each; less than a minute below the most is equal to it."""
        days = [
            one_day for one in at_once.values() for one_day in one.get("days", []) if one_day["cms_8_minute"]["steps"]
        ]
        assert len(days) > 40
        for one_day in days:
            timed = [code for code in one_day["codes"] if code["is_timed"] and code["credited_seconds"]]
            unpaid = {code["procedure_code"]: code["credited_seconds"] for code in timed}
            given = dict.fromkeys(unpaid, 0)
            for number, step in enumerate(one_day["cms_8_minute"]["steps"], start=1):
                most = max(unpaid.values())
                assert (step["unit"], step["most_seconds"]) == (number, most)
                assert most - 60 < unpaid[step["code"]] == step["unpaid_seconds"]
                equal = [code for code in unpaid if code != step["code"] and unpaid[code] > most - 60]
                assert step["tied_with"] == equal
                unpaid[step["code"]] -= 900
                given[step["code"]] += 1
                assert step["left"] == {code: max(0, seconds) for code, seconds in unpaid.items()}
            assert sum(given.values()) == one_day["cms_units"]
            assert {code: units for code, units in given.items() if units} in one_day["cms_8_minute"]["splits"]
            if one_day["counting_method"] == "cms_8_minute":
                assert given == {code["procedure_code"]: code["expected_units"] for code in timed}

    def test_every_rule_names_sections_that_there_are(self):
        for model in load_models("findings"):
            assert rule_sections(model.name) and set(rule_sections(model.name)) <= set(SECTIONS), model.name

    def test_the_command_prints_text_or_json(self, sample_out, sample_ids):
        wanted = sample_ids["units_on_wrong_code", "P-1011", "2026-10-28", None]
        shown = minutewise("explain", sample_out, wanted[:10])
        assert (shown.code, shown.err) == (0, "") and shown.out.startswith(f"FINDING {wanted}")
        document = json.loads(minutewise("explain", sample_out, wanted[:10].upper(), "--json").out)
        (therapy_day,) = document["days"]
        assert therapy_day["cms_8_minute"]["splits"] == [{"97110": 2, "97112": 1}, {"97112": 2, "97110": 1}]
        assert [step["code"] for step in therapy_day["cms_8_minute"]["steps"]] == ["97112", "97110", "97112"]
        assert not [name for name in document["lines"][0] if name.endswith("_key")]

    def test_the_run_alone_is_enough(self, sample_out, sample_ids, tmp_path):
        run = next((sample_out / "runs").iterdir())
        for name in (*(f"{name}.parquet" for name in READ_FILES), "manifest.json"):
            (tmp_path / "runs" / run.name / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(run / name, tmp_path / "runs" / run.name / name)
        for subject in list(EXPECTED)[::6]:
            there, here = derive(tmp_path, sample_ids[subject], run.name), derive(sample_out, sample_ids[subject])
            # The code's own digest may move under somebody who edits it while this runs.
            assert there | {"run": None} == here | {"run": None}

    def test_a_changed_file_is_told(self, sample_out, sample_ids, tmp_path):
        out = tmp_path / "out"
        shutil.copytree(sample_out, out)
        path = next((out / "runs").iterdir()) / "accepted" / "note_blocks.parquet"
        with duckdb.connect() as con:
            con.execute("create table b as select * from read_parquet(?)", [str(path)])
            con.execute("update b set minutes = 30 where note_id = 'N-30070' and minutes = 24")
            con.execute("update b set end_second = start_second + 1800 where note_id = 'N-30070' and minutes = 30")
            con.execute(f"copy b to '{path}' (format parquet)")
        wanted = sample_ids["billed_units_exceed_minutes", "P-1008", "2026-10-29", None]
        derivation = derive(out, wanted)
        assert derivation["run"]["changed_files"] == ["accepted/note_blocks.parquet"]
        text = " ".join(explain_text(derivation).split())
        assert "COUNTED AGAIN NOW THE FINDING IS NOT THE SAME" in text and "not as published" in text


class TestWhatIsNotThere:
    def test_a_prefix_must_name_one_finding(self, sample_out, sample_ids, monkeypatch):
        monkeypatch.setattr("flows.explanation.derive.one.SHORTEST_PREFIX", 1)
        first = sorted(sample_ids.values())[40][0]
        with pytest.raises(UsageProblem, match=r"findings begin so, give more characters: .*and \d+ more|begin so"):
            derive(sample_out, first)

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [("abc", "too short"), ("0" * 12, "no finding of run"), ("P-1008", "0-9 and a-f"), (" ", "0-9 and a-f")],
    )
    def test_what_is_no_finding_is_refused(self, sample_out, wanted, said):
        with pytest.raises(UsageProblem, match=said):
            derive(sample_out, wanted)

    @pytest.mark.parametrize("run_id", ["2026-01-01-none", "../runs", "."])
    def test_a_run_that_is_not_there(self, sample_out, run_id):
        with pytest.raises(UsageProblem, match="no such run; choose one with --run"):
            derive(sample_out, "abcdef", run_id)

    def test_no_run_at_all(self, tmp_path):
        with pytest.raises(UsageProblem, match="no run is published there; run `minutewise audit"):
            derive(tmp_path / "nothing", "abcdef")

    @pytest.mark.parametrize("name", ["findings.parquet", "accepted/notes.parquet", "accepted/ref_parameter.parquet"])
    def test_a_damaged_run_is_no_traceback(self, sample_out, sample_ids, tmp_path, name):
        out = tmp_path / "out"
        shutil.copytree(sample_out, out)
        (next((out / "runs").iterdir()) / name).write_bytes(b"not Parquet")
        ran = minutewise("explain", out, next(iter(sample_ids.values())))
        assert ran.code == 2 and "missing, damaged" in ran.err and "Traceback" not in ran.err


def test_a_run_over_part_of_the_dates(sample_out, sample_ids):
    part = audited(
        sample_out, SAMPLES, AS_OF, SAMPLES / "reference", since=date(2026, 10, 28), until=date(2026, 10, 29)
    )
    subject = ("billed_day_not_documented", "P-1005", "2026-10-29", None)
    assert finding_ids(part)[subject] == sample_ids[subject]
    derivation = derive(sample_out, sample_ids[subject], part.name)
    assert derivation["recomputed"]["is_same"]
    # What both extracts cover is said of all accepted rows, not of the dates judged.
    assert derivation["coverage"]["first_date"] == "2026-10-01"
    assert "since 2026-10-28, until 2026-10-29" in explain_text(derivation)
    outside = sample_ids["therapist_in_two_places", "P-1008", "2026-10-15", None]
    with pytest.raises(UsageProblem, match=f"no finding of run {part.name} begins so; it is in another run, add --run"):
        derive(sample_out, outside, part.name)


class TestOwnExtracts:
    def test_hostile_ids_are_inert(self, tmp_path):
        claim, note, block = day(3, claims_units=4)
        turned = "P\u202e3\u2066"
        extracts = write_days(
            tmp_path / "extracts",
            (claim | {"patient_id": turned, "claim_id": "C\u2028" + "9" * 90}, note | {"patient_id": turned}, block),
        )
        folder = audited(tmp_path / "out", extracts, date(2026, 3, 20))
        ran = minutewise("explain", tmp_path / "out", next(iter(finding_ids(folder).values())))
        assert ran.code == 0 and "P<U+202E>3<U+2066>" in ran.out and "C<U+2028>9" in ran.out
        assert [line for line in ran.out.split("\n") if not line.isprintable()] == []

    def test_nothing_in_a_derivation_can_move_a_terminal(self, sample_out, sample_ids):
        derivation = derive(sample_out, sample_ids["timed_units_exceed_payer_day_cap", "P-1033", "2026-10-02", None])
        evil = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202e"
        for row in (derivation["finding"], *derivation["notes"], *derivation["lines"], *derivation["blocks"]):
            for name in ("patient_id", "claim_id", "note_id", "source", "cap_justification", "message", "sources"):
                if row.get(name):
                    row[name] += evil
        text = explain_text(derivation)
        assert "<U+001B>[2J<U+001B>]0;owned<U+0007><U+000D><U+000A><U+009B>31m<U+202E>" in text
        assert [line for line in text.split("\n") if not line.isprintable()] == []

    def test_a_payer_on_either_count_and_a_voided_and_a_denied_line(self, tmp_path):
        claim, note, block = day(3, claims_units=4, minutes=20)
        claim |= {"payer_id": "SOMEBODY", "allowed_usd": None, "charge_usd": "100.01"}
        denied = claim | {"line_number": 2, "procedure_code": "97112", "claim_status": "denied"}
        write_extract(tmp_path / "extracts", [claim, denied], [note], [block])
        folder = audited(tmp_path / "out", tmp_path / "extracts", date(2026, 3, 20))
        wanted = finding_ids(folder)["billed_units_exceed_minutes", "P3", "2026-03-03", None]
        text = " ".join(explain_text(derive(tmp_path / "out", wanted)).split())
        # 20 minutes are 1 unit under both; 3 of 4 units of 100.01 are 75.0075
        assert (
            "CMS counts 20 minutes as floor((20 + 7) / 15) = 1, AMA counts each code alone: 1; the larger is 1." in text
        )
        assert "Payer SOMEBODY's counting method is unknown" in text
        assert "no: denied" in text
        assert "charge $100.01 / 4 x 3 = $75.0075 $75.0075" in text
        assert "At risk in all: $75.01 ($75.0075, half a cent up)." in text

    def test_of_several_payers_each_is_named_with_its_units(self, tmp_path):
        claim, note, block = day(3, claims_units=3, minutes=20)
        other = claim | {"claim_id": "C4", "payer_id": "AMA", "billed_units": 1, "procedure_code": "97112"}
        write_extract(tmp_path / "extracts", [claim, other], [note], [block])
        write_reference(tmp_path / "reference", {"payer_method": [ama_row()]})
        folder = audited(tmp_path / "out", tmp_path / "extracts", date(2026, 3, 20), tmp_path / "reference")
        ids = finding_ids(folder)
        # 4 units on 20 minutes would be too many of one payer; nobody knows whose minutes these are
        assert {rule for rule, *_ in ids if rule.startswith("billed_units")} == set()
        wanted = ids["day_billed_to_several_payers", "P3", "2026-03-03", None]
        text = " ".join(explain_text(derive(tmp_path / "out", wanted)).split())
        assert "each as the primary payer: MEDICARE 3 units (3 timed), AMA 1 unit (1 timed)." in text
        assert "MEDICARE 3 (CMS 8-minute rule), AMA 1 (AMA midpoint)" in text
        assert "Supported minutes of the day: 20; it is not known whose they are" in text


def ama_row() -> dict:
    return {
        "payer_id": "AMA",
        "counting_method": "ama_midpoint",
        "follows_mue": "false",
        "effective_from": "2020-01-01",
    }


def block_of(start: int, end: int, credited: int, double: int = 0, tag: str = "A") -> dict:
    """A block as a derivation has it; given in minutes."""
    row = {"tag": tag, "start_second": 60 * start, "end_second": 60 * end, "clock_seconds": 60 * (end - start)}
    return row | {"credited_seconds": 60 * credited, "double_counted_seconds": 60 * double}


def drawn(blocks: list[dict]) -> list[str]:
    """The clock line of the blocks as a terminal of 100 columns shows it."""
    (line,) = clock_line(blocks, [block["tag"] for block in blocks])
    return draw(line, 98)


def cells(block: dict) -> str:
    """The block's marks, one character a minute."""
    return "".join(kind * ((last - first) // 60) for first, last, kind in block["marks"])


class TestDrawing:
    @pytest.mark.parametrize(
        ("blocks", "drawn"),
        [
            # a rest is laid where the other block stands
            ([block_of(0, 30, 15), block_of(10, 25, 15)], ["#" * 10 + "." * 15 + "#" * 5, "#" * 15]),
            # three stretches of 10 wanted where the clock holds 60: two of them on the same 10 minutes
            (
                [block_of(0, 60, 10), block_of(50, 60, 10), block_of(50, 60, 10)],
                ["#" * 10 + "." * 50, "#" * 10, "+" * 10],
            ),
            ([block_of(0, 20, 20), block_of(10, 20, 0, 10)], ["#" * 20, "x" * 10]),
        ],
    )
    def test_marks_hold_each_kind_as_long_as_counted(self, blocks, drawn):
        lay_out(blocks, SHARED)
        assert [cells(block) for block in blocks] == drawn

    def test_seconds_are_laid_out_as_seconds(self):
        # 7 minutes and 45 seconds each: the second block stands half a minute on the first
        first, second = block_of(0, 0, 0), block_of(0, 0, 0)
        first |= {"end_second": 465, "clock_seconds": 465, "credited_seconds": 465}
        second |= {"start_second": 435, "end_second": 900, "clock_seconds": 465, "credited_seconds": 435}
        second["double_counted_seconds"] = 30
        lay_out([first, second], SHARED)
        assert first["marks"] == [[0, 465, "#"]]
        assert second["marks"] == [[435, 465, "x"], [465, 900, "#"]]

    def test_too_many_to_read_are_not_drawn(self):
        blocks = [block_of(number, number + 2, 1) for number in range(MOST_DRAWN + 1)]
        lay_out(blocks, SHARED)
        (said,) = clock_line(blocks, ["A"] * len(blocks))
        assert said == Paragraph("More than 300 blocks have clock times: they are listed, and not drawn.", "quiet")

    def test_a_long_run_is_scaled_to_the_width(self):
        blocks = [block_of(480, 900, 420), block_of(500, 920, 420, tag="B")]
        lay_out(blocks, CLASH)
        lines = drawn(blocks)
        assert max(map(len, lines)) <= 98 and any("one character is" in line for line in lines)
        assert any(line.startswith("B") and "!" in line for line in lines)

    def test_far_blocks_are_drawn_apart_minute_by_minute(self):
        blocks = [block_of(480, 520, 40), block_of(900, 930, 30, tag="B")]
        lay_out(blocks, SHARED)
        lines = drawn(blocks)
        assert [line for line in lines if line.startswith("A")] == ["A  " + "#" * 40]
        assert [line for line in lines if line.startswith("B")] == ["B  " + "#" * 30]

    def test_past_midnight(self):
        assert (clock(86_340), clock(87_000), clock(87_005)) == ("23:59", "00:10+1", "00:10:05+1")


class TestTime:
    def test_minutes_and_seconds_where_they_are_not_whole(self):
        assert [mins(seconds) for seconds in (0, 60, 465, 45, -90, None)] == [
            0, 1, "7 min 45 s", "45 s", "-1 min 30 s", None
        ]  # fmt: skip
        assert [cell(seconds) for seconds in (1440, 465)] == [24, "7m 45s"]
        assert [long_minutes(seconds) for seconds in (60, 1440, 465)] == ["1 minute", "24 minutes", "7 min 45 s"]


def test_small_things():
    assert row_ranges(["a.csv:3", "a.csv:4", "a.csv:5", "b.csv:1", "a.csv:9"]) == "a.csv:3-5, 9; b.csv:1"
    assert (dollars("36"), dollars("1234.5"), dollars("18.0750")) == ("$36.00", "$1,234.50", "$18.075")
    assert inert({"a": ["\ud800", "é", 3]}) == {"a": ["<U+D800>", "é", 3]}
    assert not re.search(r"[^\x20-\x7e]", inert("\x00\x7f\u200b"))
