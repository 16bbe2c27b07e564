"""The digest of a night, over real pairs of audits: it speaks of what changed since the run before, in counts alone."""

import json
import shutil
from pathlib import Path

import pytest

from flows.watch.digest import digest_of
from tests.cli_runs import audit, day, published, write_days

#: 30 minutes make two units; what is billed above them costs $15.00 a unit of a $60.00 line of four.
HONEST = (day(1), day(2), day(3))
EXCESS = day(4, claims_units=4)
RULE = "billed_units_exceed_minutes"


@pytest.fixture
def night(tmp_path):
    """Audits visits as one night and gives its digest; options may be added."""

    def run(*visits, options: tuple = ()) -> str:
        extracts = write_days(tmp_path / "extracts", *visits)
        ran = audit(extracts, tmp_path / "out", "--digest-file", tmp_path / "digest.md", *options)
        assert ran.code == 0
        assert all(line.startswith("minutewise: Guard: ") for line in ran.err.splitlines())
        return (tmp_path / "digest.md").read_text()

    return run


def cells(digest: str, rule: str = RULE) -> list[str]:
    """The rule's row in the digest's table: new, resolved, changed, and the dollars of each."""
    new, _, *others = all_cells(digest, rule)
    return [new, *others]


def all_cells(digest: str, rule: str = RULE) -> list[str]:
    """The same with the reopened findings behind the new ones."""
    (row,) = [line for line in digest.splitlines() if line.startswith(f"| {rule} |")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


class TestFindings:
    def test_the_first_night_has_nothing_to_compare_with(self, night):
        digest = night(*HONEST, EXCESS)
        assert digest.startswith("# minutewise 2026-03-20: 1 finding, the first run of its folder\n")
        assert "$30.00" in digest and "nothing to compare with" in digest

    def test_a_new_finding(self, night):
        night(*HONEST)
        digest = night(*HONEST, EXCESS)
        assert digest.startswith("# minutewise 2026-03-20: findings: 1 new\n")
        assert cells(digest) == ["1", "0", "0", "$30.00", "-", "-"]
        assert f"- {RULE}: failed, was passed" in digest
        assert "- At risk in all, each billed unit once: $30.00, was $0.00" in digest

    def test_a_finding_that_comes_back(self, night, tmp_path):
        kept = ("--warehouse", tmp_path / "clinic.duckdb")
        night(*HONEST, EXCESS, options=kept)
        night(*HONEST, day(4, claims_units=4, minutes=60), options=kept)
        digest = night(*HONEST, EXCESS, options=kept)
        assert digest.startswith("# minutewise 2026-03-20: findings: 1 reopened\n")
        assert all_cells(digest)[:4] == ["0", "1", "0", "0"]

    def test_a_resolved_finding(self, night):
        night(*HONEST, EXCESS)
        digest = night(*HONEST, day(4, claims_units=4, minutes=60))
        assert digest.startswith("# minutewise 2026-03-20: findings: 1 resolved\n")
        assert cells(digest) == ["0", "1", "0", "-", "$30.00", "-"]
        assert f"- {RULE}: passed, was failed" in digest

    def test_a_changed_finding(self, night):
        night(*HONEST, EXCESS)
        # Three units are supported now, and one is above them.
        digest = night(*HONEST, day(4, claims_units=4, minutes=45))
        assert digest.startswith("# minutewise 2026-03-20: findings: 1 changed\n")
        assert cells(digest) == ["0", "0", "1", "-", "-", "-$15.00"]
        assert f"{RULE}: failed" not in digest, "its status is what it was"

    def test_several_at_once(self, night):
        night(day(1), day(2, claims_units=4), day(3, claims_units=4), day(5, claims_units=3))
        digest = night(day(1), day(2), day(3, claims_units=5), day(4, claims_units=4), day(5, claims_units=3))
        assert digest.startswith("# minutewise 2026-03-20: findings: 1 new, 1 resolved, 1 changed\n")
        assert cells(digest)[:3] == ["1", "1", "1"], "the finding of the fifth stands as it did, and is not told"

    def test_nothing_changed(self, night):
        night(*HONEST, EXCESS)
        digest = night(*HONEST, EXCESS, options=("--as-of", "2026-03-21"))
        heading, lead, *rest = digest.strip().split("\n\n")
        assert heading == "# minutewise 2026-03-21: nothing changed"
        assert "compared with" in lead and rest == []

    def test_the_same_audit_again_has_the_same_digest(self, night, tmp_path):
        night(*HONEST)
        told = night(*HONEST, EXCESS)
        (tmp_path / "digest.md").unlink()
        again = audit(tmp_path / "extracts", tmp_path / "out", "--digest-file", tmp_path / "digest.md")
        assert again.code == 0 and "published already" in again.err
        assert (tmp_path / "digest.md").read_text() == told

    def test_the_run_before_is_gone(self, night, tmp_path):
        night(*HONEST)
        shutil.rmtree(tmp_path / "out" / "runs" / published(tmp_path / "out")[1])
        assert "the run before it is gone" in night(*HONEST, EXCESS)

    def test_a_part_of_the_dates_is_compared_over_that_part(self, night):
        night(*HONEST, EXCESS, day(9, claims_units=4))
        digest = night(*HONEST, day(4), day(9), options=("--since", "2026-03-05"))
        assert digest.startswith("# minutewise 2026-03-20: findings: 1 resolved\n")
        assert "Service dates 2026-03-05 to ... only" in digest
        assert cells(digest)[:3] == ["0", "1", "0"]


class TestTheRest:
    def test_rows_set_aside(self, night):
        broken = tuple(row | {"billed_units": "two"} if "billed_units" in row else row for row in day(5))
        night(*HONEST, day(5))
        digest = night(*HONEST, broken)
        assert "- Rows set aside: 8.33% of the rows read, was 0.00%" in digest  # 1 of 12

    def test_payers_are_counted_and_never_named(self, night):
        claim, note, block = day(5)
        night(*HONEST, day(5))
        digest = night(*HONEST, (claim | {"payer_id": "GRANITE"}, note, block))
        assert "1 more payer whose counting method is not known" in digest and "GRANITE" not in digest

    def test_covered_dates_that_move_forward_are_told_and_are_no_news(self, night):
        night(*HONEST)
        digest = night(*HONEST, day(4))
        assert digest.startswith("# minutewise 2026-03-20: nothing changed\n")
        assert "- Service dates 2026-03-01 to 2026-03-04, was 2026-03-01 to 2026-03-03" in digest

    def test_covered_dates_that_shrink_are_news(self, night):
        night(*HONEST)
        digest = night(*HONEST[:2])
        assert digest.startswith("# minutewise 2026-03-20: no finding changed, something else did\n")
        assert "- Service dates 2026-03-01 to 2026-03-02, was 2026-03-01 to 2026-03-03" in digest

    def test_a_guard_comes_first_and_is_news_every_night(self, night, tmp_path):
        def guards(folder: Path, *names: str) -> dict:
            manifest = json.loads((folder / "manifest.json").read_text())
            fired = {"action": "warn", "did_fire": True, "was_overridden": False, "sentence": "in words"}
            manifest["guards"] = [fired | {"guard": name} for name in names]
            (folder / "manifest.json").write_text(json.dumps(manifest))
            return manifest

        runs = tmp_path / "out" / "runs"
        night(*HONEST)
        first = published(tmp_path / "out")[1]
        night(*HONEST, options=("--as-of", "2026-03-21"))
        second = published(tmp_path / "out")[1]
        for before in ((), ("quarantine_share",)):
            guards(runs / first, *before)
            told = digest_of(guards(runs / second, "quarantine_share"), runs / second)
            assert told.is_change
            heading, first_block, *_ = told.text.split("\n\n")
            assert heading == "# minutewise 2026-03-21: guard quarantine_share fired; no finding changed"
            assert first_block == "- Guard warned: quarantine_share: in words"
        told = digest_of(guards(runs / first, "clock_went_back", "empty_delivery"), runs / first)
        assert told.is_change, "the first run of its folder"
        heading, first_block, *_ = told.text.split("\n\n")
        assert heading.startswith("# minutewise 2026-03-20: guards clock_went_back, empty_delivery fired; 0 findings")
        assert first_block.splitlines() == [
            "- Guard warned: clock_went_back: in words",
            "- Guard warned: empty_delivery: in words",
        ]


class TestADeliveryThatStaysAway:
    """On a warehouse with one night of history: a share that is not mounted is an empty folder of extracts."""

    def test_is_told_every_night_until_it_comes(self, night, tmp_path):
        kept = ("--warehouse", tmp_path / "clinic.duckdb", "--metrics-file", tmp_path / "m.prom")
        assert "guard" not in night(*HONEST, EXCESS, options=kept)

        def empty_night(as_of: str) -> str:
            """The digest of a night on an empty folder, which is published all the same."""
            ran = audit(tmp_path / "nothing", tmp_path / "out", *kept, *more, "--as-of", as_of)
            assert ran.code == 0 and "Guard: empty_delivery: nothing was delivered" in ran.err
            return (tmp_path / "digest.md").read_text()

        (tmp_path / "nothing").mkdir()
        more = ("--digest-file", tmp_path / "digest.md")
        delivered = self.last_delivery(tmp_path)
        for as_of, nights in (("2026-03-21", 1), ("2026-03-22", 2), ("2026-03-23", 3)):
            digest = empty_night(as_of)
            assert digest.startswith(f"# minutewise {as_of}: guard empty_delivery fired; ")
            assert f"(nights in a row: {nights}; the last rows came on 2026-03-20)" in digest
            assert self.last_delivery(tmp_path) == delivered
        digest = night(*HONEST, EXCESS, day(5), options=(*kept, "--as-of", "2026-03-24"))
        assert "guard" not in digest
        assert self.last_delivery(tmp_path) >= delivered

    @staticmethod
    def last_delivery(folder: Path) -> float:
        name = "minutewise_last_delivery_timestamp_seconds "
        (line,) = [line for line in (folder / "m.prom").read_text().splitlines() if line.startswith(name)]
        return float(line.removeprefix(name))
