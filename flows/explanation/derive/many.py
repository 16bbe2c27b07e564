"""Derives many published findings of one run again: one rebuild, and each query once for all of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.explanation.derive.asked import asked_of, may_look_anywhere
from flows.explanation.derive.facts import finding_facts, gather
from flows.explanation.derive.rebuild import changed_files, rebuilt
from flows.explanation.sentences.reasons import reasons
from flows.identity import code_version
from transforms.models.load import violated_when

#: Of a rule that may look at whole dates, so many dates are laid out at once: memory stays bounded.
_DATES_AT_ONCE = 20
_KEPT_KEYS = ("reference_key", "payer_reference_key")


def derive_many(folder: Path, manifest: Mapping, findings: Sequence[Mapping[str, Any]]) -> list[dict]:
    """The derivations of findings of one run, in their order, each a dict that JSON can hold.

    `folder` is the run's folder, which may still be being written; of `manifest`, run_id, as_of and inputs are needed,
    and without files none is told as changed. `findings` are rows of its findings.parquet with their Python values.
    Minutes and units are numbers, dollars text. Raises UsageProblem where files of the run are missing or damaged.
    """
    run = _about_run(folder, manifest)
    derived = _derived(folder, manifest, run, findings, has_whole_dates=False)
    # A rule that does not say what it shows may look at more of its date than its patient and clinician: then the date
    # is laid out whole.
    places = [
        place
        for place, finding in enumerate(findings)
        if may_look_anywhere(finding) and not derived[place]["recomputed"]["is_same"]
    ]
    dates = sorted({findings[place]["service_date"] for place in places})
    for first in range(0, len(dates), _DATES_AT_ONCE):
        some = set(dates[first : first + _DATES_AT_ONCE])
        here = [place for place in places if findings[place]["service_date"] in some]
        again = _derived(folder, manifest, run, [findings[place] for place in here], has_whole_dates=True)
        for place, derivation in zip(here, again, strict=True):
            derived[place] = derivation
    return derived


def _derived(folder: Path, manifest: Mapping, run: dict, findings: Sequence, has_whole_dates: bool) -> list[dict]:
    if not findings:
        return []
    asked = asked_of(findings, has_whole_dates)
    with rebuilt(folder, manifest, asked) as con:
        gathered = gather(con, findings, asked)
    derived = []
    for finding in findings:
        facts = finding_facts(gathered, finding)
        facts["run"] = run
        facts["recomputed"] = _recomputed(gathered.again, finding)
        facts["rule"]["violated_when"] = (
            violated_when(finding["rule_id"]) or facts["rule"].get("title") or finding["rule_id"]
        )
        facts["because"] = reasons(facts) if facts["subject"] else []
        derived.append(plain_values(facts))
    return derived


def _about_run(folder: Path, manifest: Mapping) -> dict:
    names = ("run_id", "as_of", "since", "until", "code_version", "reference_version")
    kept = {name: manifest.get(name) for name in names}
    return {**kept, "derived_by": code_version(), "changed_files": changed_files(folder, manifest)}


def _recomputed(again: Mapping[str, dict], finding: Mapping[str, Any]) -> dict:
    """Whether the models come to the same finding again, and which published columns they see otherwise."""
    held = again.get(finding["finding_id"])
    if held is None:
        return {"is_same": False, "differs": ["finding_id"]}
    differs = [name for name in finding if name in held and held[name] != finding[name]]
    return {"is_same": not differs, "differs": differs}


def plain_values(value):
    """The value as JSON holds it: dates as text, dollars as text, keys of one database left out."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {
            name: plain_values(one) for name, one in value.items() if name in _KEPT_KEYS or not name.endswith("_key")
        }
    if isinstance(value, list | tuple):
        return [plain_values(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
