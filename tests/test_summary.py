"""`summary.json` and `minutewise summary`: counts and nothing else; with --shareable no small count can be found."""

import itertools
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.cli import cli
from flows.commands.summary import summary as summary_command
from flows.summary.counts import summary_counts
from flows.summary.shareable.left_open import Pool, left_open
from flows.summary.shareable.patients_behind import PatientsBehind
from flows.summary.shareable.shareable import shareable
from flows.summary.shareable.steps import step_below, step_end
from tests.cli_runs import audit, day, minutewise, published, refused, write_days
from tests.test_canary import CANARY, HEADER_CANARY, assert_kept_in, assert_silent, write_extracts

FAMILIES = {"r0": "overbilling", "r1": "overbilling", "r2": "overbilling", "r3": "record", "r4": "record"}
SMALL = range(1, 11)
PRICE = Decimal(36)
SEVERITIES = {"errors": "error", "warnings": "warning", "reviews": "review"}


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.publishing.write.write_html", lambda path, report: path.write_text(report.run_id))
        patch.setitem(cli.commands, "summary", summary_command)
        yield


@pytest.fixture(scope="module")
def out(tmp_path_factory, patched) -> Path:
    """Two runs: twelve patients billed too much by 2 units each; then one more of them, and one billed too little."""
    at = tmp_path_factory.mktemp("summary")
    many = [day(number, claims_units=4) for number in range(1, 13)]
    assert audit(write_days(at / "1", *many), at / "out").code == 0
    more = [*many, day(13, claims_units=4), day(14, claims_units=1)]
    assert audit(write_days(at / "2", *more), at / "out").code == 0
    return at / "out"


def current(out: Path) -> Path:
    return out / "runs" / published(out)[1]


def told(out: Path, *options: object) -> dict:
    ran = minutewise("summary", out, "--json", *options)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def rule(document: dict, rule_id: str) -> dict:
    return next(held for held in document["rules"] if held["rule_id"] == rule_id)


class TestSummary:
    def test_it_lies_in_the_run_and_the_manifest_knows_it(self, out):
        folder = current(out)
        manifest = json.loads((folder / "manifest.json").read_text())
        assert "summary.json" in manifest["files"]
        assert minutewise("verify", out).code == 0
        assert told(out) == json.loads((folder / "summary.json").read_text())

    def test_it_adds_up(self, out):
        held = told(out)
        assert held["rows"]["claims"] == {"read": 14, "accepted": 14, "quarantined": 0, "duplicate": 0}
        assert held["violations"] == 14
        assert rule(held, "billed_units_exceed_minutes")["violations"] == 13
        assert rule(held, "billed_units_below_minutes")["violations"] == 1
        assert rule(held, "billed_units_exceed_minutes")["share"] == 13 / 14
        assert held["by_severity"] == {"error": 13, "warning": 1, "review": 0}
        assert {name: sums["violations"] for name, sums in held["families"].items()} == {
            "missed_revenue": 1,
            "overbilling": 13,
            "record": 0,
        }
        # 2 of 4 units are too many, at 60.00 a line: 30.00 a patient.
        assert held["at_risk_usd"] == "390.00" == held["families"]["overbilling"]["at_risk_usd"]

    def test_what_changed_since_the_run_before(self, out):
        changes = told(out)["changes"]
        assert (changes["new"], changes["still_open"], changes["resolved"]) == (2, 12, 0)
        earlier = changes["previous_run"]
        assert told(out, "--run", earlier)["changes"] is None

    def test_the_same_audit_gives_the_same_bytes(self, out, tmp_path):
        first = told(out)["changes"]["previous_run"]
        many = [day(number, claims_units=4) for number in range(1, 13)]
        assert audit(write_days(tmp_path / "1", *many), tmp_path / "out", "--threads", 1).code == 0
        again = current(tmp_path / "out") / "summary.json"
        assert again.read_bytes() == (out / "runs" / first / "summary.json").read_bytes()

    def test_a_person_reads_what_the_audit_printed(self, out):
        ran = minutewise("summary", out)
        assert (ran.code, ran.err) == (0, "")
        assert "Findings: 14. At risk in all, each billed unit once: $390.00" in ran.out
        assert f"Report      {current(out) / 'report.html'}" in ran.out

    def test_a_run_made_before_there_was_a_summary(self, out):
        folder, kept = current(out), (current(out) / "summary.json").read_bytes()
        (folder / "summary.json").unlink()
        try:
            assert told(out)["violations"] == 14
            assert told(out)["changes"] is None
            assert rule(told(out, "--shareable"), "billed_units_below_minutes")["violations"] is None
        finally:
            (folder / "summary.json").write_bytes(kept)


class TestMistakes:
    def test_no_run_there(self, tmp_path, patched):
        refused(minutewise("summary", tmp_path / "nothing"), 2, "no run is published there")

    def test_no_such_run(self, out):
        refused(minutewise("summary", out, "--run", "2026-01-01-000000000000"), 2, "no such run", current(out).name)

    @pytest.mark.parametrize("option", ["--json", "--shareable"])
    def test_a_damaged_run(self, out, option):
        path, kept = current(out) / "summary.json", (current(out) / "summary.json").read_bytes()
        path.write_text("[")
        try:
            refused(minutewise("summary", out, option), 2, "summary.json: is not JSON (line 1, column 2)")
        finally:
            path.write_bytes(kept)

    def test_a_run_without_its_rows_is_not_shared(self, out):
        path = current(out) / "units.parquet"
        path.rename(path.with_suffix(".gone"))
        try:
            refused(minutewise("summary", out, "--shareable"), 2, "missing, damaged or of another version")
        finally:
            path.with_suffix(".gone").rename(path)


class TestShareable:
    def test_thirteen_patients_are_shown_and_one_is_not(self, out):
        held = told(out, "--shareable")
        many, one = rule(held, "billed_units_exceed_minutes"), rule(held, "billed_units_below_minutes")
        assert (many["violations"], many["errors"], many["at_risk_usd"]) == (13, 13, "390.00")
        assert (one["violations"], one["warnings"]) == (None, None)
        assert "rules.billed_units_below_minutes.violations" in held["suppressed"]

    def test_the_one_cannot_be_found_from_a_sum(self, out):
        held = told(out, "--shareable")
        assert held["violations"] is None
        assert held["families"]["missed_revenue"]["violations"] is None
        assert held["families"]["overbilling"] == {"violations": 13, "at_risk_usd": "390.00"}
        assert set(held["by_severity"].values()) == {None}
        assert held["changes"] is None and "changes" in held["suppressed"]

    def test_everything_of_twelve_patients_is_shown(self, out):
        held = told(out, "--shareable", "--run", told(out)["changes"]["previous_run"])
        assert (held["violations"], held["at_risk_usd"]) == (12, "360.00")
        assert held["by_severity"] == {"error": 12, "warning": 0, "review": 0}

    def test_eleven_is_shown_and_ten_is_not(self, tmp_path, patched):
        for patients, violations in ((10, None), (11, 11)):
            days = [day(number, claims_units=4) for number in range(1, patients + 1)]
            audit(write_days(tmp_path / str(patients), *days), tmp_path / f"out{patients}")
            held = told(tmp_path / f"out{patients}", "--shareable")
            assert rule(held, "billed_units_exceed_minutes")["violations"] == violations

    def test_eleven_findings_of_ten_patients_are_not_shown(self, tmp_path, patched):
        days = [day(number, claims_units=4) for number in range(1, 12)]
        for row in days[10]:
            row |= {"patient_id": "P1"} if "patient_id" in row else {}
        audit(write_days(tmp_path / "in", *days), tmp_path / "out")
        assert rule(told(tmp_path / "out"), "billed_units_exceed_minutes")["violations"] == 11
        held = told(tmp_path / "out", "--shareable")
        assert rule(held, "billed_units_exceed_minutes")["violations"] is None
        assert (held["violations"], held["at_risk_usd"]) == (None, None)

    def test_no_row_of_a_few_is_told(self, tmp_path, patched):
        days = [day(number) for number in range(1, 15)]
        days[0][0]["billed_units"] = "two"
        audit(write_days(tmp_path / "in", *days), tmp_path / "out")
        assert told(tmp_path / "out")["rows"]["claims"]["quarantined"] == 1
        held = told(tmp_path / "out", "--shareable")
        assert held["rows"]["claims"] == {"read_at_least": None, "quarantined": None, "duplicate": 0}
        assert held["quarantine_reasons"] is None and held["unjudged_days"] is None

    def test_it_is_read_by_people_too(self, out):
        ran = minutewise("summary", out, "--shareable")
        assert (ran.code, ran.err) == (0, "")
        assert "billed_units_below_minutes" in ran.out and "$390.00" in ran.out
        assert "Findings: withheld." in ran.out
        assert "withheld: rests on fewer than 11 patients" in ran.out
        assert str(out) not in ran.out

    def test_it_holds_no_day_of_service(self, out):
        ran = minutewise("summary", out, "--shareable", "--json")
        held = json.loads(ran.out)
        assert held["period"] == {"first_month": "2026-03", "last_month": "2026-03"}
        assert "2026-03-14" not in ran.out.replace(held["as_of"], "")


def made(findings: list[tuple[str, str, int, bool]], in_scope: int) -> tuple[dict, PatientsBehind]:
    """A run with these findings: (rule, severity, patient, whether it carries PRICE dollars), of so many in scope."""
    rules, people, dollar_people, dollar_findings = [], {}, {}, {}
    for rule_id in FAMILIES:
        own = [finding for finding in findings if finding[0] == rule_id]
        paid = [finding for finding in own if finding[3]]
        for severity in SEVERITIES.values():
            people[rule_id, severity] = frozenset(patient for _, held, patient, _ in own if held == severity)
        dollar_people[rule_id], dollar_findings[rule_id] = frozenset(patient for _, _, patient, _ in paid), len(paid)
        rules.append(
            {
                "rule_id": rule_id,
                "status": "failed" if own else "passed",
                "in_scope": max(in_scope, len(own)),
                "unjudged": 3,
                "violations": len(own),
                **{name: sum(held == severity for _, held, *_ in own) for name, severity in SEVERITIES.items()},
                "at_risk_usd": PRICE * len(paid) if paid else None,
            }
        )
    manifest = dict.fromkeys(("run_id", "previous_run", "since", "until"))
    manifest |= {f"{name}_version": "1" for name in ("code", "schema", "reference")}
    match = dict.fromkeys(("claim_day_share", "note_share", "minimum_share"), 1)
    match |= dict.fromkeys(("claim_days", "claim_days_with_note", "notes", "notes_with_claim"), 400)
    manifest |= {
        "as_of": "2026-03-20",
        "period": {"first": None, "last": None},
        "inputs": [],
        "quarantine_reasons": {},
        "match": match,
        "unjudged_days": {},
        "payers_without_method": {},
        "rules": rules,
        "at_risk_usd": sum(held["at_risk_usd"] or 0 for held in rules),
        "contract_ok": True,
    }
    most = dict.fromkeys(("row", "date", "finding", "therapy day, note"), 40)
    return summary_counts(manifest, FAMILIES), PatientsBehind(people, dollar_people, dollar_findings, {}, most)


def possible(document: dict) -> Iterator[dict[str, int]]:
    """All that a reader must think possible who knows every withheld count to lie in 1 to 10, and the price."""
    known = {held["rule_id"]: held["violations"] for held in document["rules"]}
    withheld = [rule_id for rule_id, count in known.items() if count is None]
    for counts in itertools.product(SMALL, repeat=len(withheld)):
        guess = known | dict(zip(withheld, counts, strict=True))
        sums = {name: sum(guess[one] for one in FAMILIES if FAMILIES[one] == name) for name in document["families"]}
        if all(held["violations"] in (None, sums[name]) for name, held in document["families"].items()) and document[
            "violations"
        ] in (None, sum(guess.values())):
            yield {rule_id: guess[rule_id] for rule_id in withheld}


def pays(document: dict, paid: set[str], guess: dict[str, int]) -> bool:
    """Whether a guess makes the dollars shown, each finding of the rules that carry dollars worth PRICE."""
    least = document["at_risk_usd_at_least"]
    if least is None:
        return True
    shown = sum(Decimal(held["at_risk_usd"]) for held in document["rules"] if held["at_risk_usd"] is not None)
    dollars = shown + PRICE * sum(count for rule_id, count in guess.items() if rule_id in paid)
    return least <= dollars <= step_end(least) + 1


def assert_nothing_found(findings: list[tuple[str, str, int, bool]], in_scope: int = 400) -> dict:
    document = shareable(*made(findings, in_scope))
    paid = {rule_id for rule_id, _, _, carries in findings if carries}
    guesses = [guess for guess in possible(document) if pays(document, paid, guess)]
    for rule_id in guesses[0] if guesses else ():
        assert {guess[rule_id] for guess in guesses} == set(SMALL), (rule_id, document)
    assert guesses
    assert_splits_stay_open(document)
    assert_scopes_stay_open(document)
    return document


def assert_splits_stay_open(document: dict) -> None:
    """The severities of a rule that are withheld may each be anything from 0 to 10, and no sum says more of them."""
    for held in document["rules"]:
        parts = [held[name] for name in SEVERITIES]
        assert parts.count(None) in (0, len(parts))
        if None in parts:
            assert held["violations"] is None or held["violations"] >= 11
            assert set(document["by_severity"].values()) == {None}


def assert_scopes_stay_open(document: dict) -> None:
    """What a rule did not accuse, and what one scope holds beyond another, may be 10 values or more."""
    shown = [held["violations"] for held in document["rules"] if held["violations"] is not None]
    is_small = len(shown) < len(document["rules"])
    for held in document["rules"]:
        if least := held["in_scope_at_least"]:
            most = step_end(least)
            assert most - max(least, held["violations"] or 0) >= 10
            assert not is_small or most - least - (document["violations"] or sum(shown)) >= 10


def of(rule_id: str, count: int, carries: bool = False, severity: str = "error", first: int = 0) -> list[tuple]:
    return [(rule_id, severity, first + number, carries) for number in range(count)]


class TestNothingCanBeFound:
    def test_one_small_count_takes_its_sums_along(self):
        held = assert_nothing_found([*of("r0", 20), *of("r3", 4)])
        assert held["families"]["overbilling"]["violations"] == 20
        assert (held["families"]["record"]["violations"], held["violations"]) == (None, None)

    def test_many_small_counts_have_a_sum(self):
        held = assert_nothing_found([*of("r0", 5), *of("r1", 6, first=5), *of("r2", 4, first=9), *of("r3", 20)])
        assert held["families"]["overbilling"]["violations"] == 15
        assert held["violations"] == 35

    @pytest.mark.parametrize(("counts", "total"), [((5, 6), 11), ((5, 5), None), ((6, 6), None)])
    def test_two_small_counts_have_a_sum_only_where_each_may_be_anything(self, counts, total):
        held = assert_nothing_found([*of("r0", counts[0]), *of("r1", counts[1], first=9)])
        assert held["families"]["overbilling"]["violations"] == total

    def test_the_sum_of_few_patients_is_withheld(self):
        held = assert_nothing_found([*of("r0", 5), *of("r1", 6), *of("r2", 4)])
        assert held["families"]["overbilling"]["violations"] is None

    def test_severities_are_withheld_together(self):
        held = assert_nothing_found([*of("r0", 12), *of("r0", 3, severity="review")])
        assert held["rules"][0]["violations"] == 15
        assert held["rules"][0]["errors"] is None and held["violations"] == 15

    def test_few_findings_with_dollars_among_many(self):
        held = assert_nothing_found([*of("r0", 30), *of("r0", 2, carries=True), *of("r1", 40, carries=True)])
        assert held["rules"][0]["violations"] == 32 and held["rules"][0]["at_risk_usd"] is None
        assert held["at_risk_usd"] is None and held["families"]["overbilling"]["at_risk_usd"] is None

    def test_dollars_by_a_known_price_give_no_count(self):
        # All in all 12 findings at 36.00: 432.00, of which the shown rule has 396.00.
        held = assert_nothing_found([*of("r0", 11, carries=True), *of("r1", 1, carries=True), *of("r2", 2)])
        assert held["at_risk_usd"] is None

    @pytest.mark.parametrize(("few", "step"), [((), 50), (of("r3", 3), None)])
    def test_a_scope_that_shown_violations_nearly_fill(self, few, step):
        # Of 50 to 99 in scope 45 are accused: 54 at the most are left, and 9 where 90 are.
        held = assert_nothing_found([*of("r0", 45), *of("r1", 45), *few], in_scope=60)
        assert held["rules"][0]["in_scope_at_least"] == step

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(FAMILIES)),
                st.sampled_from(sorted(SEVERITIES.values())),
                st.integers(1, 14),
                st.integers(0, 20),
            ),
            max_size=9,
        ),
        st.sets(st.sampled_from(sorted(FAMILIES))),
        st.integers(0, 400),
    )
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_nor_from_any_run(self, groups, paid, in_scope):
        found = [of(name, count, name in paid, level, first) for name, level, count, first in groups]
        assert_nothing_found(list(itertools.chain(*found)), in_scope)


class TestLeftOpen:
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.none() | st.integers(0, 30)), max_size=2),
        st.none() | st.tuples(st.integers(-5, 30), st.integers(0, 45)),
    )
    @settings(max_examples=200, deadline=None)
    def test_it_agrees_with_trying_everything(self, drawn, bounds):
        # 4 counts at the most are tried: of the two pools one may hold 2 and 2, the other none.
        pools = [Pool(*one) for one in drawn if sum(one[:2]) <= 4][:2]
        while sum(pool.with_dollars + pool.without_dollars for pool in pools) > 4:
            pools.pop()
        cells = [(place, carries) for place, pool in enumerate(pools) for carries in self.kinds(pool)]
        found = [set() for _ in cells]
        for values in itertools.product(SMALL, repeat=len(cells)):
            if self.fits(pools, cells, values, bounds):
                for seen, value in zip(found, values, strict=True):
                    seen.add(value)
        if all(pool.total in (None, 0) for pool in pools if not pool.with_dollars + pool.without_dollars):
            assert left_open(pools, bounds) == all(seen == set(SMALL) for seen in found)

    def kinds(self, pool: Pool) -> list[bool]:
        return [True] * pool.with_dollars + [False] * pool.without_dollars

    def fits(self, pools, cells, values, bounds) -> bool:
        for place, pool in enumerate(pools):
            made = sum(value for (held, _), value in zip(cells, values, strict=True) if held == place)
            if pool.total not in (None, made):
                return False
        dollars = sum(value for (_, carries), value in zip(cells, values, strict=True) if carries)
        return bounds is None or bounds[0] <= dollars <= bounds[1]


class TestSteps:
    def test_just_below_and_just_above(self):
        assert [step_below(size) for size in (0, 1, 19, 20, 49, 50, 99, 100, 199, 200)] == [
            *(0, None, None, 20, 20, 50, 50, 100, 100, 200)
        ]
        assert [step_end(step) for step in (0, 20, 50, 100)] == [19, 49, 99, 199]

    def test_large_sizes(self):
        assert step_below(10**9) == 10**9 and math.log10(step_end(10**9) + 1) == math.log10(2 * 10**9)


@pytest.fixture(scope="module")
def planted(tmp_path_factory, patched) -> Path:
    """The output folder of an audit whose extracts hold canaries in every id, name and phrase."""
    at = tmp_path_factory.mktemp("planted")
    assert audit(write_extracts(at / "in"), at / "out").code == 0
    return at / "out"


class TestCanaries:
    """What is planted in ids, names, notes and headers is in no summary, and in none that is shared."""

    def test_no_summary_holds_one(self, planted):
        held = (current(planted) / "summary.json").read_text().lower()
        assert CANARY not in held and HEADER_CANARY.lower() not in held
        assert "quarantine_reasons" in held
        assert_kept_in(planted)

    @pytest.mark.parametrize("options", [(), ("--json",), ("--shareable",), ("--shareable", "--json")])
    def test_none_is_printed(self, planted, options):
        ran = minutewise("summary", planted, *options)
        assert_silent(ran, 0)
        assert "billed_units_exceed_minutes" in ran.out

    def test_a_payer_or_a_file_named_like_a_patient(self, tmp_path, patched):
        days = [day(number) for number in range(1, 4)]
        days[0][0]["payer_id"] = f"{CANARY}-P1"
        folder = write_days(tmp_path / "in", *days)
        (folder / "claims.csv").rename(folder / f"claims_{CANARY}.csv")
        assert audit(folder, tmp_path / "out").code == 0
        held = (current(tmp_path / "out") / "summary.json").read_text()
        assert CANARY not in held.lower()
        assert json.loads(held)["payers_without_method"] == 1
        for options in (("--json",), ("--shareable",), ("--shareable", "--json")):
            assert CANARY not in minutewise("summary", tmp_path / "out", *options).out.lower()
