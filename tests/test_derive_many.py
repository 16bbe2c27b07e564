"""Many findings derived in one go: each says just what it says when its date is laid out alone, and whole."""

import csv
import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import transforms.models.run as recompute
from flows.explanation.derive.asked import asked_of
from flows.explanation.derive.many import derive_many
from flows.explanation.derive.one import derive
from tests.cli_runs import day
from tests.explain_cases import AS_OF, SAMPLES, audited, derived_at_once, findings_of, manifest_of
from tests.extract_files import write_extract, write_reference
from tests.profiles import PROFILE
from tests.strategies import drawn_extracts
from tests.test_against_oracle import laid_together
from transforms.models.load import load_models


def date_by_date(folder: Path) -> dict[str, str]:
    """finding_id to its derivation as JSON: every date by itself, with all rows that it has."""
    findings = findings_of(folder)
    told = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "flows.explanation.derive.many.asked_of", lambda some, _=False: asked_of(some, has_whole_dates=True)
        )
        for on in sorted({finding["service_date"] for finding in findings}):
            here = [finding for finding in findings if finding["service_date"] == on]
            told |= by_id(derive_many(folder, manifest_of(folder), here))
    return told


def by_id(derivations: list[dict]) -> dict[str, str]:
    return {one["finding"]["finding_id"]: json.dumps(one) for one in derivations}


def not_the_same(derivations: list[dict]) -> list[tuple]:
    """The findings that come out otherwise when they are counted again."""
    again = ((one["finding"], one["recomputed"]) for one in derivations)
    return [(finding["rule_id"], told["differs"]) for finding, told in again if not told["is_same"]]


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory) -> Path:
    return audited(tmp_path_factory.mktemp("many") / "out", SAMPLES, AS_OF, SAMPLES / "reference")


class TestSamples:
    def test_all_at_once_say_what_each_date_says_alone(self, sample_run):
        derivations = derived_at_once(sample_run)
        assert len(derivations) > 50 and not_the_same(derivations) == []
        assert by_id(derivations) == date_by_date(sample_run)

    def test_the_order_is_that_of_the_findings_and_nothing_is_shared(self, sample_run):
        chosen = [findings_of(sample_run)[place] for place in (40, 3, 40, 77)]
        derivations = derived_at_once(sample_run, chosen)
        assert [one["finding"]["finding_id"] for one in derivations] == [one["finding_id"] for one in chosen]
        assert derivations[0] == derivations[2]
        derivations[0]["finding"]["message"] = derivations[0]["rule"]["title"] = "changed"
        derivations[0]["run"].clear()
        assert derivations[2] == derive(sample_run.parent.parent, chosen[2]["finding_id"])

    def test_no_findings_have_no_derivations(self, sample_run):
        assert derived_at_once(sample_run, []) == []

    def test_a_run_that_is_still_being_written(self, sample_run, tmp_path):
        hidden = tmp_path / ".being-written"
        shutil.copytree(sample_run, hidden)
        (hidden / "manifest.json").unlink()
        manifest = {name: value for name, value in manifest_of(sample_run).items() if name != "files"}
        # What is published has columns that no model makes.
        findings = [finding | {"since_last_run": "new"} for finding in findings_of(sample_run)[::9]]
        derivations = derive_many(hidden, manifest, findings)
        assert not_the_same(derivations) == []
        assert {tuple(one["run"]["changed_files"]) for one in derivations} == {()}
        assert {one["finding"].pop("since_last_run") for one in derivations} == {"new"}
        assert derivations == derived_at_once(sample_run, findings_of(sample_run)[::9])

    def test_a_run_that_keeps_a_file_a_month(self, sample_run, tmp_path):
        monthly = tmp_path / sample_run.name
        shutil.copytree(sample_run, monthly)
        for name in ("claims", "notes", "note_blocks"):
            (monthly / "accepted" / name).mkdir()
            (monthly / "accepted" / f"{name}.parquet").rename(monthly / "accepted" / name / "2026-10.parquet")
        assert by_id(derived_at_once(monthly)) == by_id(derived_at_once(sample_run))


def drawn_together(count: int) -> tuple:
    """Random extracts as one: patients of their own, few clinicians for many patients, dates over months.

    The notes' system calls patients and clinicians otherwise than the claims' system does.
    """
    claims, notes, blocks, as_of, reference = laid_together(drawn_extracts(count))
    for row in (*claims, *notes, *blocks):
        _move(row)
    crosswalk = {"patient": {}, "provider": {}}
    for row in (*notes, *blocks):
        for subject, known in crosswalk.items():
            own = row.get(f"{subject}_id")
            if own is not None:
                known[f"emr-{own}"] = own
                row[f"{subject}_id"] = f"emr-{own}"
    return claims, notes, blocks, as_of, reference, crosswalk


def _move(row: dict) -> None:
    """Shares each clinician among the draws of one remainder, and moves the draws' dates apart."""
    number = int(next(row[name] for name in ("claim_id", "note_id") if row.get(name)).split("-")[0])
    for name in ("rendering_provider_id", "provider_id"):
        if row.get(name) is not None:
            row[name] = f"{number % 7}-{row[name].split('-', 1)[1]}"
    if row.get("service_date") is not None:
        row["service_date"] -= timedelta(days=7 * (number % 3))


@pytest.fixture(scope="module")
def drawn_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    claims, notes, blocks, as_of, reference, crosswalk = drawn_together(PROFILE.extracts_explained)
    write_extract(folder / "extracts", claims, notes, blocks)
    write_reference(folder / "reference", reference)
    (folder / "crosswalk").mkdir()
    for subject, known in crosswalk.items():
        rows = ["notes_id,claims_id", *(f"{theirs},{ours}" for theirs, ours in known.items())]
        (folder / "crosswalk" / f"{subject}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return audited(folder / "out", folder / "extracts", as_of, folder / "reference", crosswalk=folder / "crosswalk")


class TestRandomExtracts:
    def test_all_at_once_say_what_each_date_says_alone(self, drawn_run):
        findings, derivations = findings_of(drawn_run), derived_at_once(drawn_run)
        rules = Counter(finding["rule_id"] for finding in findings)
        assert len(rules) > 12 and min(rules["therapist_in_two_places"], rules["provider_day_impossible"]) > 0
        assert not_the_same(derivations) == []
        assert by_id(derivations) == date_by_date(drawn_run)

    def test_a_few_say_what_they_say_among_all(self, drawn_run):
        every = by_id(derived_at_once(drawn_run))
        findings = findings_of(drawn_run)
        by_rule = {finding["rule_id"]: finding for finding in findings}
        for some in (list(by_rule.values()), findings[::50], findings[:1]):
            few = by_id(derived_at_once(drawn_run, some))
            assert few == {name: every[name] for name in few}


#: A rule that a user added, and that looks at every therapy day of its date.
CROWDED = """-- grain: one therapy day with a billed line
-- units: none
-- source: our own choice
with
-- therapy days by date
crowd as (
    select d.service_date, count(*) as therapy_days
    from stg_therapy_day as d
    group by d.service_date
)
select
    case when crowd.therapy_days > 2 then 'violated' else 'passed' end as verdict,
    d.day_key,
    1 as at_risk_units,
    'One of ' || crowd.therapy_days || ' therapy days.' as message
from stg_therapy_day as d
join crowd on crowd.service_date = d.service_date
where d.has_billed_line
"""
#: Another one, whose subject is a date: neither a patient nor a clinician.
CLOSED = """-- grain: one service date with a billed line
-- units: none
-- source: our own choice
select distinct
    'violated' as verdict,
    d.service_date,
    'The clinic was closed.' as message
from stg_therapy_day as d
where d.has_billed_line
"""
REFERENCE = SAMPLES.parent / "reference"
RULE_COLUMNS = (REFERENCE / "audit_rules.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
OWN_RULES = {"crowded_date": CROWDED, "clinic_closed": CLOSED}


def load_with_own_rules(stage: str):
    models = load_models(stage)
    if stage != "findings":
        return models
    return (*models, *(replace(models[0], name=name, text=text) for name, text in OWN_RULES.items()))


@pytest.fixture
def own_rules_run(monkeypatch, tmp_path) -> Path:
    """Three patients of three clinicians on each of two dates; every rule of the user's own is violated."""
    monkeypatch.setattr(recompute, "load_models", load_with_own_rules)
    visits = [day(number) for number in (3, 4, 5, 6, 7, 8)]
    for place, (claim, note, _) in enumerate(visits):
        claim["service_date"] = note["service_date"] = f"2026-03-0{3 + place % 2}"
    write_extract(tmp_path / "extracts", *zip(*visits, strict=True))
    shutil.copytree(REFERENCE, tmp_path / "reference")
    monkeypatch.setattr("transforms.reference.tables.REFERENCE", tmp_path / "reference")
    with (tmp_path / "reference" / "audit_rules.csv").open("a", encoding="utf-8", newline="") as file:
        for name in OWN_RULES:
            known = {"rule_id": name, "title": "A rule of our own", "severity": "review", "family": "record"}
            known |= {"subject": "date", "citation": "ours", "not_checked": "nothing", "last_checked_on": "2026-01-01"}
            csv.DictWriter(file, RULE_COLUMNS).writerow(known)
    return audited(tmp_path / "out", tmp_path / "extracts", date(2026, 3, 20))


class TestARuleOfTheUsersOwn:
    def test_it_is_derived_though_it_looks_at_its_whole_date(self, own_rules_run, monkeypatch):
        monkeypatch.setattr("flows.explanation.derive.many._DATES_AT_ONCE", 1)
        derivations = derived_at_once(own_rules_run)
        assert Counter(one["finding"]["rule_id"] for one in derivations) == {"crowded_date": 6, "clinic_closed": 2}
        assert not_the_same(derivations) == []
        crowded = [one for one in derivations if one["finding"]["rule_id"] == "crowded_date"]
        # one of the two units billed at 60 dollars
        assert {one["finding"]["message"] for one in crowded} == {"One of 3 therapy days."}
        assert {(one["dollars"][0]["at_risk_usd"], len(one["lines"]), len(one["notes"])) for one in crowded} == {
            ("30.0000", 1, 1)
        }
        assert {one["rule"]["violated_when"] for one in derivations} == {"A rule of our own"}
        assert [one["because"] for one in derivations] == [[]] * 8

    def test_of_a_date_alone_no_claim_line_is_the_subject(self, own_rules_run):
        closed = [one for one in derived_at_once(own_rules_run) if one["finding"]["rule_id"] == "clinic_closed"]
        assert [(one["lines"], one["dollars"], one["provider_day"]) for one in closed] == [([], [], None)] * 2
