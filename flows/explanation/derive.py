"""Derives one published finding again, from its run alone: every row, minute, unit and dollar it rests on.

The finding's service date is laid out anew from the run's accepted rows and counted by the audit's own SQL models
(flows/explanation/rebuild.py), so that a derivation can neither know more nor count otherwise than the audit did.
"""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from flows.explanation.because import because
from flows.explanation.clock import CLASH, SHARED, lay_out
from flows.explanation.counts import caps_in_force, reference_row, therapy_days
from flows.explanation.more import clinician_runs, coverage, earlier_twins, nearest_rows, provider_day
from flows.explanation.rebuild import changed_files, finding_key, published_rows, rebuilt_day
from flows.explanation.rows import claim_lines, dollar_lines, note_versions, patient_blocks
from flows.explanation.rules import VIOLATED_WHEN
from flows.explanation.words import why_block, why_note, why_undecidable
from flows.identity import code_version
from flows.publish import MANIFEST, current_run, read_published
from transforms.engine import rows_as_dicts
from transforms.errors import UsageProblem

SHORTEST_PREFIX = 4
_HEX = set("0123456789abcdef")
_REFERENCE_TABLES = ("ref_payer_method", "ref_code_cap", "ref_parameter")
_ABOUT_COVERAGE = ("billed_day_not_documented", "documented_day_not_billed")


def derive(out: Path, finding_id: str, run_id: str | None = None) -> dict:
    """The derivation of one finding as a dict that JSON can hold; minutes and units as numbers, dollars as text.

    `finding_id` may be its first characters, at least 4. Raises UsageProblem where the run or the finding is not
    there, or several findings begin so.
    """
    wanted = _checked(finding_id)
    folder = _run_folder(out, run_id)
    finding = _find(out, folder, wanted)
    manifest = read_published(out, folder.name)
    with rebuilt_day(folder, manifest, finding["service_date"]) as con:
        facts = _facts(con, finding)
        facts["run"] = _about_run(folder, manifest)
        facts["recomputed"] = _recomputed(con, finding)
        facts["rule"]["violated_when"] = VIOLATED_WHEN.get(finding["rule_id"], facts["rule"]["title"])
        facts["because"] = because(facts) if facts["subject"] else []
    return _plain(facts)


def _checked(finding_id: str) -> str:
    wanted = finding_id.strip().lower()
    if not wanted or not set(wanted) <= _HEX or len(wanted) > 64:
        raise UsageProblem(
            "a finding_id is made of the characters 0-9 and a-f, 64 at most; copy it from findings.csv or report.html"
        )
    if len(wanted) < SHORTEST_PREFIX:
        raise UsageProblem(f"{wanted}: too short, give at least {SHORTEST_PREFIX} characters of the finding_id")
    return wanted


def _runs(out: Path) -> list[str]:
    """Published runs, the last first; a run under way is hidden."""
    runs = (path.parent.name for path in (out / "runs").glob(f"*/{MANIFEST}"))
    return sorted((name for name in runs if not name.startswith(".")), reverse=True)


def _run_folder(out: Path, run_id: str | None) -> Path:
    runs = _runs(out)
    if not runs:
        raise UsageProblem(f"{out}: no run is published there; run `minutewise audit --out {out}` first")
    chosen = run_id or current_run(out)
    if chosen is None:
        raise UsageProblem(f"{out}: no run over all dates is published there yet; choose one with --run: {_few(runs)}")
    if chosen not in runs:
        named = "no such run" if run_id else "the run that `current` names is not there"
        raise UsageProblem(f"{out}: {named}; choose one with --run: {_few(runs)}")
    return out / "runs" / chosen


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _find(out: Path, folder: Path, wanted: str) -> dict:
    found = _begin_so(folder, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        told = [f"{row['finding_id'][: len(wanted) + 6]} ({row['rule_id']})" for row in found]
        raise UsageProblem(f"{wanted}: {len(found)} findings begin so, give more characters: {_few(told)}")
    others = (name for name in _runs(out) if name != folder.name)
    elsewhere = [name for name in others if _begin_so(out / "runs" / name, wanted)]
    advice = (
        f"it is in another run, add --run {elsewhere[0]}"
        if elsewhere
        else ("take a finding_id from its findings.csv, or choose another run with --run")
    )
    raise UsageProblem(f"{wanted}: no finding of run {folder.name} begins so; {advice}")


def _begin_so(folder: Path, wanted: str) -> list[dict]:
    return published_rows(folder, "findings", "starts_with(finding_id, ?) order by finding_id", [wanted])


def _facts(con, finding: dict) -> dict:
    """Everything the finding rests on; which parts there are depends on its rule."""
    rule_id, patient, day = finding["rule_id"], finding["patient_id"], finding["service_date"]
    key = finding_key(con, finding["finding_id"])
    facts = {"finding": finding, "rule": _rule(con, finding)}
    facts["reference_row"] = next(
        (row for table in _REFERENCE_TABLES if (row := reference_row(con, table, finding["reference_key"]))), None
    )
    facts["dollars"] = _dollars(con, key) if key is not None else []
    facts["subject"] = _subject(con, key) if key is not None else None
    if patient is None:
        facts["provider_day"] = provider_day(con, finding["provider_id"], day)
        facts["lines"] = _subject_marked(claim_lines(con, day, provider=finding["provider_id"]), facts["dollars"])
        return facts
    facts["lines"] = _subject_marked(claim_lines(con, day, patient=patient), facts["dollars"])
    facts["notes"] = note_versions(con, day, patient)
    facts["blocks"] = patient_blocks(con, patient)
    facts["days"] = therapy_days(con, patient)
    facts["caps"] = caps_in_force(con, patient)
    _add_words(facts)
    if rule_id == "therapist_in_two_places":
        facts["clinician_runs"] = clinician_runs(con, patient)
        for run in facts["clinician_runs"]:
            lay_out(run["blocks"], CLASH)
    if rule_id in _ABOUT_COVERAGE:
        facts["coverage"] = coverage(con, day)
        facts["nearest"] = nearest_rows(con, patient, day)
    if rule_id == "claim_line_duplicated":
        subject = next((line for line in facts["lines"] if line["is_subject"]), None)
        facts["earlier_lines"] = earlier_twins(con, subject["line_key"]) if subject else []
    return facts


def _subject(con, key: int) -> dict:
    """The note, block and line that the finding names beside its day, and the units it puts at risk (null: none)."""
    return rows_as_dicts(
        con, "select note_key, block_key, line_key, at_risk_units from finding_row where finding_key = ?", [key]
    )[0]


def _subject_marked(lines: list[dict], subject: list[dict]) -> list[dict]:
    """The lines, those that the finding is about marked."""
    own = {(line["claim_id"], line["line_number"]) for line in subject}
    return [{**line, "is_subject": (line["claim_id"], line["line_number"]) in own} for line in lines]


def _add_words(facts: dict) -> None:
    """The drawing's cells and one sentence for every block, counting note and day."""
    blocks, notes = facts["blocks"], facts["notes"]
    lay_out(blocks, SHARED)
    for block in blocks:
        block["why"] = why_block(block, blocks)
    for note in notes:
        note["why"] = why_note(note, blocks) if note["standing"] == "counting" else None
    for day in facts["days"]:
        day["why_undecidable"] = why_undecidable(day, notes)


def _rule(con, finding: dict) -> dict:
    rows = rows_as_dicts(con, "select * from ref_audit_rule where rule_id = ?", [finding["rule_id"]])
    return rows[0] if rows else {"rule_id": finding["rule_id"]}


def _dollars(con, key: int) -> list[dict]:
    """The subject's lines with their price: the first of allowed, paid and charge that is known, in dollars."""
    lines = dollar_lines(con, key)
    for line in lines:
        amount, risk = line.pop("amount_e4"), line.pop("at_risk_e4")
        line["amount_usd"] = None if amount is None else Decimal(amount).scaleb(-4)
        line["at_risk_usd"] = None if risk is None else Decimal(risk).scaleb(-4)
        known = (name for name in ("allowed", "paid", "charge") if _is_price(line[f"{name}_usd"]))
        line["amount_is"] = next(known, None)
    return lines


def _is_price(amount: Decimal | None) -> bool:
    return amount is not None and amount >= 0


def _about_run(folder: Path, manifest: dict) -> dict:
    names = ("run_id", "as_of", "since", "until", "code_version", "reference_version")
    kept = {name: manifest.get(name) for name in names}
    return {**kept, "derived_by": code_version(), "changed_files": changed_files(folder, manifest)}


def _recomputed(con, finding: dict) -> dict:
    """Whether the models come to the same finding again, and which published columns they see otherwise."""
    again = rows_as_dicts(con, "select * from finding where finding_id = ?", [finding["finding_id"]])
    if not again:
        return {"is_same": False, "differs": ["finding_id"]}
    differs = [name for name in finding if name in again[0] and again[0][name] != finding[name]]
    return {"is_same": not differs, "differs": differs}


def _plain(value):
    """The value as JSON holds it: dates as text, dollars as text, keys of one run left out."""
    if isinstance(value, dict):
        kept = ("reference_key", "payer_reference_key")
        return {name: _plain(one) for name, one in value.items() if name in kept or not name.endswith("_key")}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
