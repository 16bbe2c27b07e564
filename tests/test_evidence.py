"""`minutewise evidence`: a packet that a reviewer checks with a pencil, as HTML and as PDF, masked or not."""

import json
import re
import shutil
import stat
import time
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pypdfium2
import pytest

from expectations.report.packet.html import packet_html
from expectations.report.packet.layout import laid_out, owners
from expectations.report.packet.pdf import packet_pdf
from expectations.report.parts import MINUTE_KINDS, Packet, Paragraph, Section, Table
from flows.evidence.mask import WITHHELD, Mask
from flows.evidence.packet import packet
from flows.evidence.write import derived
from flows.explanation.compose.clock import clock_line
from flows.explanation.terminal.clock import SIGNS
from tests.cli_runs import minutewise, refused, rule_ids
from tests.explain_cases import EXPECTED
from tests.test_explain import AS_OF, SAMPLES, audited, finding_ids
from tests.test_report import HOSTILE

#: One planted finding of each rule.
SUBJECTS = {subject[0]: subject for subject in reversed(list(EXPECTED))}
TEMPLATES = Path(__file__).parent.parent / "expectations" / "report" / "templates"
CLAIM_ID = re.compile(r"C-\d+")
VOID = {"meta", "line", "rect", "path", "circle"}
ID_COLUMNS = {
    "finding_id",
    "evidence_hash",
    "patient_id",
    "claim_id",
    "note_id",
    "provider_id",
    "rendering_provider_id",
    "billing_provider_id",
    "clinic_id",
    "cap_justification",
}


@pytest.fixture(scope="module", autouse=True)
def one_code_version():
    """The digest of the code, which may move under somebody who edits it while this runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.explanation.derive.many.code_version", lambda: "0.0+test")
        yield


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evidence") / "out"
    audited(folder, SAMPLES, AS_OF, SAMPLES / "reference")
    return folder


@pytest.fixture(scope="module")
def ids(out) -> list[str]:
    """A finding of each rule."""
    known = finding_ids(next((out / "runs").iterdir()))
    return [known[subject] for subject in SUBJECTS.values()]


@pytest.fixture(scope="module")
def derivations(out, ids) -> list[dict]:
    return derived(out, ids, None)


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> Path:
    return key_file(tmp_path_factory.mktemp("key") / "mask.key", "0123456789abcdef" * 4)


@pytest.fixture(scope="module")
def both(out, ids, tmp_path_factory) -> tuple[Path, Path]:
    """The packet of a finding of each rule, as HTML and PDF."""
    folder = tmp_path_factory.mktemp("packets") / "new" / "folder"
    ran = minutewise("evidence", out, *ids, "--to", folder, "--pdf")
    assert (ran.code, ran.err) == (0, "")
    return tuple(Path(line) for line in ran.out.splitlines())


def key_file(path: Path, key: str) -> Path:
    path.write_text(key + "\n")
    path.chmod(0o600)
    return path


class Page(HTMLParser):
    """The tags, attributes and text of a page; every tag that is opened must be closed in its order."""

    def __init__(self, content: bytes):
        super().__init__()
        self.tags, self.attributes, self.text, self._open = set(), set(), "", []
        self.feed(content.decode("utf-8"))
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not (self._open and self._open[-1] == "style"):
            self.text += data


def pdf_pages(content: bytes) -> list[str]:
    """The text of each page; where a line or a word was broken, nothing stands."""
    document = pypdfium2.PdfDocument(content)
    return [closed(page.get_textpage().get_text_range()) for page in document]


def closed(text: str) -> str:
    """The text without blanks, breaks and what marks a place for one, hyphens too: at a line's end they are no text."""
    return re.sub("[-\\s\u00ad\u200b\ufffe\x02]", "", text)


def seconds_told(text: str) -> int:
    """Seconds of a time told as 24, as 7 min 45 s, or as 45 s."""
    minutes, seconds = re.fullmatch(r"(?:(\d+)(?: min)?)?(?: ?(\d+) s)?", text).groups()
    return 60 * int(minutes or 0) + int(seconds or 0)


class TestEachRule:
    def test_both_forms_say_what_a_pencil_gives(self, both, derivations):
        page, pdf = Page(both[0].read_bytes()), "".join(pdf_pages(both[1].read_bytes()))
        assert len(derivations) == len(SUBJECTS) >= 23 and set(SUBJECTS) <= set(rule_ids())
        for facts in derivations:
            finding, rule = facts["finding"], facts["rule"]
            expected = [finding["message"], finding["finding_id"], finding["evidence_hash"], rule["title"]]
            expected += [rule["violated_when"], rule["citation"], rule["citation_url"] or "", rule["not_checked"]]
            expected += facts["because"]
            for row in (*facts.get("notes", ()), *facts.get("blocks", ())):
                expected += [row["why"] or "", row["source"]]
            if finding["patient_id"]:
                expected += [line["source"] for line in facts["lines"]]
            for said in expected:
                assert closed(said) in closed(page.text), said
                assert closed(said) in pdf, said

    def test_the_units_stand_step_by_step_under_both_methods(self, out, ids, tmp_path):
        wanted = ids[list(SUBJECTS).index("billed_units_exceed_minutes")]
        ran = minutewise("evidence", out, wanted, "--to", tmp_path, "--pdf")
        html, pdf = (Path(line) for line in ran.out.splitlines())
        # 24 minutes of 97112 and 23 of 97110: 47 lie in 38-52; 3 units under CMS, 2 + 2 under AMA, 4 billed
        for text in (closed(Page(html.read_bytes()).text), "".join(pdf_pages(pdf.read_bytes()))):
            for said in (
                "CMS 8-minute rule: the payer's method",
                "47 minutes lie in 38-52: 3 units, floor((47 + 7) / 15) = 3",
                "1 97112 23 9 24 unpaid is the most",
                "The one lawful split: 97112 x2, 97110 x1",
                "AMA midpoint: the other method",
                "97110 23 floor((23 + 7) / 15) = 2",
                "the day 47 4 3 1",
                "1 of 2 units at risk: allowed $72.00 / 2 x 1 = $36.00",
                "Credited: A 24 + B 23 = 47 minutes.",
            ):
                assert closed(said) in text, said

    def test_the_clock_gives_every_credited_minute_an_owner(self, derivations):
        seen = 0
        for facts in derivations:
            runs = facts.get("clinician_runs") or []
            for blocks in (facts.get("blocks") or [], *(run["blocks"] for run in runs)):
                drawn = clock_line(blocks, [block["tag"] for block in blocks]) if blocks else []
                table = owners(drawn[0]) if drawn else None
                for block in (one for one in blocks if one.get("marks")):
                    own = [row for row in table.rows if row[2] == block["tag"]]
                    too = [row for row in table.rows if f"{block['tag']} credited too" in row[3]]
                    assert sum(seconds_told(row[1]) for row in own + too) == block["credited_seconds"]
                    seen += 1
        assert seen > 20

    def test_every_kind_of_minute_has_its_name_and_pattern(self):
        """In the packet's legend, its HTML and its PDF, and on the report's page."""
        style, pdf, page = ((TEMPLATES / name).read_text() for name in ("packet.css", "packet.typ", "page_opened.js"))
        for kind in MINUTE_KINDS:
            assert f"rect.{kind} " in style.replace(",", " ") and f"\n  {kind}: (" in pdf
            assert kind in ("owner", "overlap") or (f' {kind}: "' in page and kind in SIGNS)

    def test_overlaps_are_drawn(self, derivations):
        facts = next(one for one in derivations if one["finding"]["rule_id"] == "therapist_in_two_places")
        blocks = facts["clinician_runs"][0]["blocks"]
        drawn = Section("", tuple(clock_line(blocks, [block["tag"] for block in blocks])))
        (picture, _) = laid_out(Packet("", "", (), (drawn,))).findings[0].parts
        lanes = {lane.label: lane.bars for lane in picture.lanes}
        shared = next(bar for bar in lanes["B"] if bar.kind == "clash")
        assert (lanes["overlap"][0].start, lanes["overlap"][0].end) == (shared.start, shared.end)
        assert {bar.text for bar in lanes["owner"]} == {"A", "B"}

    def test_what_people_decided_is_told(self, derivations):
        plain = derivations[0]
        decided = {"disposition": "waived", "disposition_by": "J. Doe", "waived_until": "2026-12-31"}
        facts = plain | {"finding": plain["finding"] | decided | {"disposition_reason": "contract in renewal"}}
        page = Page(packet_html(packet([facts], [], is_masked=False)))
        assert "contract in renewal" in page.text and "2026-12-31" in page.text
        assert "none is recorded" in Page(packet_html(packet([plain], [], is_masked=False))).text

    def test_a_finding_that_does_not_come_out_again_says_so(self, out, ids, tmp_path):
        copy = tmp_path / "out"
        shutil.copytree(out, copy)
        path = next((copy / "runs").iterdir()) / "accepted" / "note_blocks.parquet"
        with duckdb.connect() as con:
            con.execute("create table b as select * from read_parquet(?)", [str(path)])
            con.execute("update b set minutes = 30, end_second = start_second + 1800 where note_id = 'N-30070'")
            con.execute(f"copy b to '{path}' (format parquet)")
        wanted = ids[list(SUBJECTS).index("billed_units_exceed_minutes")]
        ran = minutewise("evidence", copy, wanted, "--to", tmp_path)
        text = Page(Path(ran.out.strip()).read_bytes()).text
        assert "NOT THE SAME: finding 1" in text and "CHANGED: accepted/note_blocks.parquet" in text


class TestForms:
    def test_nothing_on_the_page_acts_or_loads(self, both):
        content = both[0].read_bytes()
        page = Page(content)
        assert not page.tags & {"script", "img", "a", "iframe", "link", "object", "form", "input"}
        assert not [name for name in page.attributes if name.startswith("on") or name in ("href", "src", "style")]
        assert b"default-src 'none'" in content

    def test_hostile_values_are_only_read(self, derivations):
        facts = json.loads(
            json.dumps(next(one for one in derivations if one["finding"]["rule_id"] == "units_exceed_day_cap"))
        )
        hostile = HOSTILE | {"claim_id": HOSTILE["claim_ids"], "note_id": HOSTILE["note_ids"], "source": "#eval[1]:7"}
        hostile |= {"cap_justification": '"; #panic() $x$ *b* `c` <l> @m \\u{41}', "clinician_id": "x" * 10_000}
        # A code is five characters of a code by the contract: what stands in its place is tried elsewhere.
        hostile["modifiers"] = hostile.pop("procedure_code")
        soiled = soil(facts, hostile)
        soiled["notes"][0] |= {"cap_justification": hostile["cap_justification"], "standing": "counting"}
        made = packet([soiled], [], is_masked=False)
        content = packet_html(made)
        page = Page(content)
        assert not page.tags & {"script", "img", "l"}
        assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
        for said in (
            HOSTILE["message"],
            "<U+202E>",
            "{{ 7 * 7 }} {% raw %}",
            HOSTILE["patient_id"],
            "40000 characters",
        ):
            assert said in page.text, said
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f\uffff]", content.decode())
        text = "".join(pdf_pages(packet_pdf(made)))
        for said in ("<script>alert(1)</script>", "#eval[1]:7", "#panic() $x$ *b* `c` <l> @m", "<U+202E>"):
            assert closed(said) in text, said

    def test_the_same_findings_give_the_same_bytes(self, both, out, ids, tmp_path, monkeypatch):
        time.sleep(1.1)  # past the next whole second, where a clock would show
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        ran = minutewise("evidence", out, *ids, "--to", tmp_path, "--pdf")
        monkeypatch.undo()
        time.tzset()
        for path, again in zip(both, ran.out.splitlines(), strict=True):
            assert path.read_bytes() == Path(again).read_bytes()

    def test_a_long_table_goes_on_under_its_headers(self):
        rows = tuple((str(number), f"row {number}") for number in range(300))
        table = Table(("number", "what it says"), rows, frozenset({"number"}))
        pages = pdf_pages(packet_pdf(Packet("t", "r", (), (Section("Long", (table,)),))))
        assert len(pages) > 5
        assert all("whatitsays" in page for page in pages[1:])
        assert "row0" in pages[1] and "row299" in pages[-1]

    def test_signs_that_the_fonts_lack_are_named(self):
        made = Packet("t", "r", (Paragraph("Übung ≤ 5 €, 肩, \N{HEBREW LETTER ALEF}"),), ())
        (page,) = pdf_pages(packet_pdf(made))
        assert closed("Übung ≤ 5 €, <U+80A9>, <U+05D0>") in page
        assert "肩" in Page(packet_html(made)).text

    def test_the_pages_hold_something_and_nothing_runs_out(self, both):
        document = pypdfium2.PdfDocument(both[1])
        for page in document:
            picture = page.render(scale=0.5).to_numpy()
            margin = int(1.2 / 2.54 * 72 * 0.5)
            assert picture.min() < 100
            assert picture[:, :margin].min() == picture[:, -margin:].min() == 255


def soil(value, hostile: dict):
    """The value with hostile text in every field that an extract fills."""
    if isinstance(value, dict):
        return {
            name: hostile[name] if name in hostile and isinstance(one, str) else soil(one, hostile)
            for name, one in value.items()
        }
    return [soil(one, hostile) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def masked(out, ids, key, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("masked")
    ran = minutewise("evidence", out, *ids, "--to", folder, "--pdf", "--mask", "--mask-key-file", key)
    assert (ran.code, ran.err) == (0, "")
    return tuple(Path(line) for line in ran.out.splitlines())


class TestMask:
    def test_no_id_of_the_run_is_left(self, masked, out):
        known = real_ids(next((out / "runs").iterdir())) | {"claims.csv", "notes.csv", "note_blocks.csv"}
        assert len(known) > 900
        html, pdf = masked[0].read_text(encoding="utf-8"), "".join(pdf_pages(masked[1].read_bytes()))
        for text in (html, closed(html), pdf, str(masked[0].name), masked[1].read_bytes().decode("latin-1")):
            assert [one for one in known if one in text or closed(one) in text] == []
        assert "file1:" in pdf and "pseudonymized,notdeidentified" in pdf
        assert not re.search("(^|[^-])None([^-]|$)", Page(masked[0].read_bytes()).text)

    def test_numbers_and_dates_stay(self, masked, derivations):
        text = Page(masked[0].read_bytes()).text
        for facts in derivations:
            for said in CLAIM_ID.split(facts["finding"]["message"]):
                assert said in text
            assert facts["finding"]["service_date"] in text

    def test_the_same_key_gives_the_same_names_another_key_others(self, out, ids, key, masked, tmp_path):
        again = minutewise("evidence", out, *ids, "--to", tmp_path, "--mask", "--mask-key-file", key)
        assert Path(again.out.strip()).read_bytes() == masked[0].read_bytes()
        other = key_file(tmp_path / "other.key", "fedcba9876543210" * 4)
        ran = minutewise("evidence", out, *ids, "--to", tmp_path, "--mask", "--mask-key-file", other)
        found = [set(re.findall("(?:patient|claim|note|provider)-[A-Z2-7]{6}-[A-Z2-7]{6}", text.read_text()))
                 for text in (masked[0], Path(ran.out.strip()))]  # fmt: skip
        assert len(found[0]) == len(found[1]) > 30 and not found[0] & found[1]

    def test_the_same_id_of_two_kinds_has_two_names(self):
        mask = Mask(b"k" * 32, [])
        assert mask.id("patient", "17") != mask.id("claim", "17").replace("claim", "patient")
        assert len({mask.id("patient", str(number)) for number in range(100_000)}) == 100_000

    def test_text_that_nobody_vouched_for_is_left_out(self, derivations):
        plain = next(facts for facts in derivations if facts["finding"]["rule_id"] == "units_exceed_day_cap")
        facts = plain | {"new": "P-1", "notes": [{**note, "nickname": "Sam"} for note in plain["notes"]]}
        facts["notes"][0]["cap_justification"] = "Sam asked for it"
        told = Mask(b"k" * 32, ["claims.csv"]).derivation(facts)
        assert told["new"] is None and told["notes"][0]["nickname"] is None
        assert told["notes"][0]["cap_justification"] == WITHHELD
        assert {line["source"].partition(":")[0] for line in told["lines"]} == {"file-1"}
        assert told["notes"][0]["source"].startswith("file-unknown:")

    @pytest.mark.parametrize(
        ("text", "mode", "said"),
        [
            ("a pass", 0o600, "shorter than 32 characters"),
            ("k" * 31, 0o600, "shorter than 32 characters"),
            ("k" * 32, 0o640, "others than its owner can read it"),
            ("k" * 32 + "\n" + "m" * 32, 0o600, "more than one line"),
        ],
    )
    def test_a_key_that_is_none(self, out, ids, tmp_path, text, mode, said):
        path = key_file(tmp_path / "mask.key", text)
        path.chmod(mode)
        ran = minutewise("evidence", out, ids[0], "--to", tmp_path / "new", "--mask", "--mask-key-file", path)
        refused(ran, 2, "--mask-key-file", said)
        assert text not in ran.err and not (tmp_path / "new").exists()


def real_ids(run: Path) -> set[str]:
    """Every id and word of a person that the run holds."""
    found = set()
    with duckdb.connect() as con:
        for path in (run / "findings.parquet", *(run / "accepted").rglob("*.parquet")):
            columns = [row[0] for row in con.execute(f"describe select * from '{path}'").fetchall()]
            for column in ID_COLUMNS & set(columns):
                rows = con.execute(f"select distinct {column} from '{path}' where {column} is not null").fetchall()
                found |= {row[0] for row in rows}
    return found


class TestCommand:
    def test_without_a_folder_named_it_writes_below_the_output_folder(self, out, ids, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        ran = minutewise("evidence", out, ids[0])
        assert ran.out == f"{out / 'evidence' / f'evidence-{ids[0][:12]}.html'}\n" and Path(ran.out.strip()).is_file()
        assert list(tmp_path.iterdir()) == []

    def test_files_are_for_their_owner_only_and_replaced_as_a_whole(self, out, ids, both, tmp_path):
        assert both[0].name == f"evidence-{ids[0][:12]}-and-{len(ids) - 1}.html"
        assert {stat.S_IMODE(path.stat().st_mode) for path in both} == {0o600}
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in both[0].parents[:2]} == {0o700}
        old = tmp_path / f"evidence-{ids[0][:12]}.html"
        old.write_text("old")
        old.chmod(0o644)
        ran = minutewise("evidence", out, ids[0][:10].upper(), ids[0], "--to", tmp_path)
        assert ran.out == f"{old}\n" and list(tmp_path.iterdir()) == [old]
        assert stat.S_IMODE(old.stat().st_mode) == 0o600 and old.read_text().startswith("<!DOCTYPE html>")

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (["abc"], "too short"),
            (["0" * 12], "no finding of run"),
            (["P-1008"], "0-9 and a-f"),
            (["", "x"], "0-9 and"),
        ],
    )
    @pytest.mark.parametrize("place", ["first", "second"])
    def test_what_is_no_finding_is_refused(self, out, ids, tmp_path, wanted, said, place):
        asked = wanted if place == "first" else [ids[0], *wanted]
        refused(minutewise("evidence", out, *asked, "--to", tmp_path / "new"), 2, said)
        assert not (tmp_path / "new").exists()

    def test_a_run_that_is_not_there(self, out, ids, tmp_path):
        refused(
            minutewise("evidence", out, ids[0], "--run", "2026-01-01-none"), 2, "no such run; choose one with --run"
        )
        refused(minutewise("evidence", tmp_path, ids[0]), 2, "no run is published there")

    def test_a_damaged_run(self, out, ids, tmp_path):
        shutil.copytree(out, tmp_path / "out")
        (next((tmp_path / "out" / "runs").iterdir()) / "accepted" / "notes.parquet").write_bytes(b"not Parquet")
        refused(minutewise("evidence", tmp_path / "out", ids[0], "--to", tmp_path), 2, "missing, damaged")

    @pytest.mark.parametrize("options", [["--mask"], ["--mask-key-file", "mask.key"]])
    def test_a_mask_needs_its_key(self, out, ids, options):
        refused(minutewise("evidence", out, ids[0], *options), 2, "--mask and --mask-key-file go together")

    def test_a_folder_that_cannot_be_written(self, out, ids, tmp_path):
        (tmp_path / "file").write_text("")
        ran = minutewise("evidence", out, ids[0], "--to", tmp_path / "file" / "below")
        refused(ran, 2, "cannot be written (Not a directory)", "--to")
