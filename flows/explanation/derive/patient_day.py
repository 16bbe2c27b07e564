"""Derives what a run knows of one patient and date: rows, minutes and units, and why it is left unjudged if it is."""

from datetime import date
from pathlib import Path

from flows.explanation.derive.asked import Asked
from flows.explanation.derive.facts import gather
from flows.explanation.derive.many import plain_values
from flows.explanation.derive.rebuild import rebuilt
from flows.explanation.derive.set_aside import set_aside_facts
from flows.runs.choose import choose_run
from flows.runs.read import published_rows, read_published
from transforms.database.duckdb_file import rows_as_dicts
from transforms.errors import UsageProblem
from transforms.unjudged import why_unjudged

_REASONS = """
select distinct u.reason from stg_unjudged_day as u
join asked_patient_day as a on a.patient_key = u.patient_key and a.service_date = u.service_date order by u.reason
"""


def derive_day(out: Path, patient: str, day: date, run_id: str | None = None) -> dict:
    """Everything that a run holds of a patient's date, as a dict that JSON can hold, findings or none.

    Keys: patient_id, service_date, run_id, as_of, unjudged (reason, why, and the discipline where only some rules are
    silent), findings (finding_id, rule_id, severity), set_aside, and the parts of a finding's derivation: lines, notes,
    blocks, days, caps. Raises UsageProblem where the run holds no row of the patient on the date.
    """
    folder = choose_run(out, run_id)
    manifest = read_published(out, folder.name)
    asked = Asked({(patient, day): 0}, {}, frozenset(), [day])
    with rebuilt(folder, manifest, asked) as con:
        gathered = gather(con, [], asked)
        reasons = [row["reason"] for row in rows_as_dicts(con, _REASONS)]
    facts = gathered.patients[0]
    aside = set_aside_facts(gathered.set_aside.get(patient, []), day)
    if not (facts["lines"] or facts["notes"] or aside["rows"]):
        raise UsageProblem(
            f"run {folder.name} holds no row of this patient on {day}; write the id as the claims do, or choose "
            "another run with --run"
        )
    where = "patient_id = ? and service_date = ? order by rule_id, finding_id"
    found = published_rows(folder, "findings", where, [patient, day])
    return plain_values(
        {
            "patient_id": patient,
            "service_date": day,
            "run_id": folder.name,
            "as_of": manifest["as_of"],
            "unjudged": [{"reason": one, "why": why_unjudged(one), "discipline": None} for one in reasons]
            + ([] if reasons else _partly(facts["days"])),
            "findings": [{name: row[name] for name in ("finding_id", "rule_id", "severity")} for row in found],
            "set_aside": aside,
            **facts,
            "lines": [{**line, "is_subject": False} for line in facts["lines"]],
        }
    )


def _partly(days: list[dict]) -> list[dict]:
    """Why some rules are silent on a therapy day, and the others not."""
    reasons = [
        (day, reason)
        for day in days
        for reason, holds in (
            ("several_payers", day["has_several_payers"] and day["has_counting_note"]),
            ("code_not_listed", day["has_unlisted_block"] or day["has_unlisted_line"]),
        )
        if holds
    ]
    return [{"reason": one, "why": why_unjudged(one), "discipline": day["discipline"]} for day, one in reasons]
