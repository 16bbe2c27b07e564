"""Everything that findings rest on: gathered once for all of them, then put together for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flows.explanation.derive.asked import Asked
from flows.explanation.derive.clock import CLASH, SHARED, lay_out
from flows.explanation.derive.counts import caps_in_force, patient_sums, reference_rows, therapy_days
from flows.explanation.derive.rebuild import finding_keys, grouped
from flows.explanation.derive.rows import claim_lines, dollar_lines, note_versions, patient_blocks
from flows.explanation.derive.set_aside import set_aside_facts, set_aside_of_patients
from flows.explanation.derive.single_rules import clinician_runs, coverage, nearest_rows, provider_days
from flows.explanation.sentences.words import why_blocks, why_day, why_note, why_undecidable
from transforms.database.duckdb_file import rows_as_dicts
from transforms.models.load import rule_sections
from transforms.reference.definitions import CITED

#: Sections that show dates beside the finding's own.
_OF_DATES = ("covered", "billing_lag", "nearest")


@dataclass(frozen=True)
class Gathered:
    """What the models say of all findings asked.

    again: finding_id to the finding computed again. keys: finding_id to finding_key; subjects and dollars go by that.
    patients and clinicians: by subject number, the parts of a derivation that all its findings share. runs, nearest:
    by the number of the patient's date. coverage: by date. measured: how many of the run's notes give minutes. rules,
    references: by id and key. set_aside: by patient id.
    """

    asked: Asked
    keys: Mapping[str, int]
    again: Mapping[str, dict]
    subjects: Mapping[int, dict]
    dollars: Mapping[int, list[dict]]
    patients: Mapping[int, dict]
    clinicians: Mapping[int, dict]
    runs: Mapping[int, list[dict]]
    nearest: Mapping[int, dict]
    coverage: Mapping[date, dict]
    measured: Mapping[str, Any]
    rules: Mapping[str, dict]
    references: Mapping[str, dict]
    set_aside: Mapping[str, list[dict]]


def gather(con, findings: Sequence[Mapping[str, Any]], asked: Asked) -> Gathered:
    """Runs every query once, on a connection of `rebuilt`."""
    ids = [finding["finding_id"] for finding in findings]
    every = finding_keys(con)
    keys = {one: every[one] for one in ids if one in every}
    subjects = _subjects(con, list(keys.values()))
    lines, clinician_lines = claim_lines(con)
    booked = _numbers(asked, findings, ("clinician",))
    uncovered = _numbers(asked, findings, _OF_DATES)
    return Gathered(
        asked=asked,
        keys=keys,
        again=_again(con, ids),
        subjects=subjects,
        dollars=_dollars(con, list(keys.values())),
        patients=_patients(con, asked, lines),
        clinicians=_clinicians(con, asked, clinician_lines),
        runs=_runs(con, booked),
        nearest=nearest_rows(con, uncovered),
        coverage=coverage(con) if uncovered else {},
        measured=rows_as_dicts(con, "select counting_notes, measured_notes from stg_measure")[0],
        rules={row["rule_id"]: row for row in rows_as_dicts(con, "select * from ref_audit_rule")},
        references={key: row for table in CITED for key, row in reference_rows(con, table).items()},
        set_aside=set_aside_of_patients(con),
    )


def finding_facts(gathered: Gathered, finding: Mapping[str, Any]) -> dict:
    """Everything one finding rests on; which parts there are depends on its rule."""
    rule_id, patient, day = finding["rule_id"], finding["patient_id"], finding["service_date"]
    key = gathered.keys.get(finding["finding_id"])
    subject, dollars = gathered.subjects.get(key), gathered.dollars.get(key, [])
    facts = {
        "finding": finding,
        "rule": dict(gathered.rules.get(rule_id, {"rule_id": rule_id})),
        "reference_row": gathered.references.get(finding["reference_key"]),
        "dollars": dollars,
        "subject": subject,
    }
    if patient is None:
        own = gathered.clinicians.get(gathered.asked.clinician_days.get((finding["provider_id"], day)), {})
        facts["provider_day"] = own.get("provider_day")
        facts["lines"] = _subject_marked(own.get("lines", []), dollars)
        return facts
    number = gathered.asked.patient_days[patient, day]
    facts |= gathered.patients[number]
    facts["set_aside"] = set_aside_facts(gathered.set_aside.get(patient, []), day)
    facts["lines"] = _subject_marked(facts["lines"], dollars)
    facts["measured"] = gathered.measured
    shown = set(rule_sections(rule_id))
    if "clinician" in shown:
        facts["clinician_runs"] = gathered.runs.get(number, [])
    if shown.intersection(_OF_DATES):
        facts["coverage"] = gathered.coverage[day]
        facts["nearest"] = gathered.nearest[number]
    if "twins" in shown:
        twin = subject["twin_line_key"] if subject else None
        facts["earlier_lines"] = [line for line in facts["lines"] if twin is not None and line["line_key"] == twin]
    return facts


def _numbers(asked: Asked, findings: Sequence[Mapping[str, Any]], sections: Sequence[str]) -> list[int]:
    """The numbers of the patients' dates that findings whose rules show one of these sections are about."""
    wanted = set(sections)
    pairs = {
        (row["patient_id"], row["service_date"])
        for row in findings
        if wanted.intersection(rule_sections(row["rule_id"]))
    }
    return sorted(asked.patient_days[pair] for pair in pairs if pair in asked.patient_days)


def _again(con, ids: Sequence[str]) -> dict[str, dict]:
    rows = rows_as_dicts(con, "select * from finding where finding_id in (select unnest(?::varchar[]))", [list(ids)])
    return {row["finding_id"]: row for row in rows}


def _subjects(con, keys: Sequence[int]) -> dict[int, dict]:
    """By finding_key the note, block and lines that a finding names beside its day, and the units it puts at risk."""
    rows = rows_as_dicts(
        con,
        "select finding_key, note_key, block_key, line_key, twin_line_key, at_risk_units from finding_row "
        "where finding_key in (select unnest(?::bigint[]))",
        [list(keys)],
    )
    return {key: own[0] for key, own in grouped(rows, "finding_key").items()}


def _patients(con, asked: Asked, lines: Mapping[int, list[dict]]) -> dict[int, dict]:
    """By patient's date its lines, notes, blocks, therapy days and caps, in words too."""
    if not asked.patient_days:
        return {}
    notes, blocks, days, caps = note_versions(con), patient_blocks(con), therapy_days(con), caps_in_force(con)
    sums = patient_sums(con)
    patients = {}
    for number in asked.patient_days.values():
        patients[number] = {
            "lines": lines.get(number, []),
            "notes": notes.get(number, []),
            "blocks": blocks.get(number, []),
            "days": days.get(number, []),
            "caps": caps.get(number, []),
            "patient_day": sums.get(number),
        }
        _add_words(patients[number])
    return patients


def _clinicians(con, asked: Asked, lines: Mapping[int, list[dict]]) -> dict[int, dict]:
    days = provider_days(con)
    return {
        number: {"provider_day": days.get(number), "lines": lines.get(number, [])}
        for number in asked.clinician_days.values()
    }


def _runs(con, numbers: Sequence[int]) -> dict[int, list[dict]]:
    """By patient's date the clinicians' runs that hold other patients too, with the cells of their drawing."""
    runs = clinician_runs(con, numbers)
    for run in (run for several in runs.values() for run in several):
        lay_out(run["blocks"], CLASH)
    return runs


def _subject_marked(lines: list[dict], subject: list[dict]) -> list[dict]:
    """The lines, those that the finding is about marked."""
    own = {(line["claim_id"], line["line_number"]) for line in subject}
    return [{**line, "is_subject": (line["claim_id"], line["line_number"]) in own} for line in lines]


def _add_words(facts: dict) -> None:
    """The drawing's cells and one sentence for every block, counting note and day."""
    blocks, notes = facts["blocks"], facts["notes"]
    lay_out(blocks, SHARED)
    why_blocks(blocks)
    for note in notes:
        note["why"] = why_note(note, blocks) if note["standing"] == "counting" else None
    for day in facts["days"]:
        day["why_undecidable"] = why_undecidable(day, notes)
        day["why_supported"] = why_day(day, facts)


def _dollars(con, keys: Sequence[int]) -> dict[int, list[dict]]:
    """The subjects' lines with their price: the first of allowed, paid and charge that is known, in dollars."""
    dollars = dollar_lines(con, keys)
    for line in (line for lines in dollars.values() for line in lines):
        amount, risk = line.pop("amount_e4"), line.pop("at_risk_e4")
        line["amount_usd"] = None if amount is None else Decimal(amount).scaleb(-4)
        line["at_risk_usd"] = None if risk is None else Decimal(risk).scaleb(-4)
        known = (name for name in ("allowed", "paid", "charge") if _is_price(line[f"{name}_usd"]))
        line["amount_is"] = next(known, None)
    return dollars


def _is_price(amount: Decimal | None) -> bool:
    return amount is not None and amount >= 0
