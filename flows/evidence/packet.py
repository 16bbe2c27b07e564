"""Puts a packet together: its cover, and for each finding what `minutewise explain` shows, the settling part first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.report import plain
from expectations.report.packet.parts import Form, Packet, Pairs, Paragraph, Part, Section
from flows.evidence.cover import cover
from flows.evidence.day import bill, minutes, notes, table
from flows.evidence.single_rules import clinician, covered, nearest, provider, twins
from flows.evidence.units import caps, money, units
from flows.explanation.derive import set_aside
from flows.explanation.terminal import caps as caps_text
from flows.explanation.terminal import day as sections
from flows.explanation.terminal import single_rules as more_text
from flows.explanation.terminal import text
from flows.explanation.terminal import units as units_text

#: What the explanation tells as text, and what a packet lays out of the same rows.
_LAID_OUT = {
    sections.bill: bill,
    sections.notes: notes,
    sections.minutes: minutes,
    units_text.units: units,
    caps_text.caps: caps,
    caps_text.money: money,
    more_text.clinician: clinician,
    more_text.provider: provider,
    more_text.covered: covered,
    more_text.nearest: nearest,
    more_text.twins: twins,
}
#: Longer ids, codes and file names are cut; sentences, lists of rows and drawings are not.
_LONGEST_ID = 300
_WHOLE_TEXTS = {
    "message", "because", "why", "why_undecidable", "why_supported", "violated_when", "not_checked", "citation",
    "citation_url", "sources", "marks", "billed_codes", "documented_codes", "cap_justification", "disposition_reason",
}  # fmt: skip
_DECISION = {
    "disposition": "Decision",
    "disposition_status": "Status",
    "disposition_by": "Decided by",
    "disposition_on": "Decided on",
    "waived_until": "Waived until",
    "disposition_reason": "Reason",
}


@dataclass(frozen=True)
class InputFile:
    """A file of the extracts as it is named in the packet, with its table, sha256 and rows read."""

    table: str
    name: str
    sha256: str
    rows_read: int


def packet(
    derivations: Sequence[dict], files: Sequence[InputFile], is_masked: bool, mapped: Sequence[tuple[str, int]] = ()
) -> Packet:
    """The packet of findings of one run, in their order; `files` are the run's inputs, `mapped` what a mapping inferred
    and filtered, each in words with its rows.

    Of a masked packet derivations and files are masked already.
    """
    derivations = [_shortened(facts) for facts in derivations]
    read = [file for file in files if any(file.name in _names(facts) for facts in derivations)]
    total = len(derivations)
    findings = tuple(_finding(facts, number, total, files) for number, facts in enumerate(derivations, start=1))
    run = derivations[0]["run"]
    what = "1 finding" if total == 1 else f"{total} findings"
    return Packet(
        f"Evidence packet: {what}",
        f"run {run['run_id']}, as of {run['as_of']}" + (", masked" if is_masked else ""),
        tuple(cover(derivations, read, is_masked, mapped)),
        findings,
    )


def _shortened(value: Any, name: str = "") -> Any:
    """The value with ids that nobody would read to their end cut, which they then say; other text stays whole."""
    if isinstance(value, dict):
        return {one: _shortened(held, one) for one, held in value.items()}
    if isinstance(value, list):
        return [_shortened(one, name) for one in value]
    is_long = isinstance(value, str) and len(value) > _LONGEST_ID and name not in _WHOLE_TEXTS
    return plain(value, _LONGEST_ID) if is_long else value


def _names(facts: dict) -> set[str]:
    """Names of the files that the finding's rows came from."""
    return {source.rpartition(":")[0] for source in (facts["finding"]["sources"] or "").split(";")}


def _finding(facts: dict, number: int, total: int, files: Sequence[InputFile]) -> Section:
    parts: list[Part] = _head(facts)
    rule_id = facts["finding"]["rule_id"]
    own = text.PARTS.get(rule_id, text.WHOLE_DAY)
    parts += [_section(title, part, facts) for title, part in own]
    beside = [(title, part) for title, part in text.WHOLE_DAY if (title, part) not in own and _bears(part, facts)]
    if beside:
        said = "The finding does not rest on what follows: it is the rest of the patient's day, to see it whole."
        parts.append(Section("The rest of the day", (Paragraph(said, "quiet"),)))
        parts += [_section(title, part, facts) for title, part in beside]
    if rows := set_aside.told_rows(facts):
        told = table("file and line|table|column|why|date", rows)
        parts.append(Section("Rows set aside of this patient", (Paragraph(set_aside.lead(facts), "quiet"), told)))
    parts.append(Section("What it rests on", tuple(_foot(facts, files))))
    decided = _decision(facts["finding"])
    parts += [Section("The decision taken in the house", (decided,))] if decided.rows else []
    parts.append(Section("The reviewer's check", (_CHECK,)))
    return Section(f"Finding {number} of {total}: {facts['rule'].get('title') or rule_id}", tuple(parts))


_CHECK = Form(
    ("The rows are as in the extracts", "The arithmetic holds", "I agree", "I disagree", "Cannot be decided"),
    ("Initials", "Date"),
    "Notes",
    2,
)


def _section(title: str, part, facts: dict) -> Section:
    return Section(title, tuple(_LAID_OUT[part](facts)))


def _bears(part, facts: dict) -> bool:
    """Whether a part that the rule does not need has something to show."""
    if facts["finding"]["patient_id"] is None:
        return False
    return {
        sections.bill: bool(facts["lines"]),
        sections.notes: bool(facts["notes"]),
        sections.minutes: bool(facts["blocks"]),
        units_text.units: any(day["has_counting_note"] for day in facts["days"]),
        caps_text.caps: bool(facts["caps"]),
        caps_text.money: False,
    }[part]


def _head(facts: dict) -> list[Part]:
    finding, rule = facts["finding"], facts["rule"]
    day = date.fromisoformat(finding["service_date"])
    named = [
        ("Patient", finding["patient_id"]),
        ("Date of service", f"{day.isoformat()}, {text.WEEKDAYS[day.weekday()]}"),
        ("Discipline", finding["discipline"]),
        ("Code", finding["procedure_code"]),
        ("Payer", finding["payer_id"]),
        ("Provider", finding["provider_id"]),
        ("Billed by", finding["billing_provider_id"]),
        ("Clinic", finding["clinic_id"]),
        ("At risk", text.at_risk_words(facts) or "no dollars"),
        ("Billed, by code", finding.get("billed_codes")),
        ("Documented, by code", finding.get("documented_codes")),
    ]
    parts: list[Part] = [Paragraph(finding["severity"], "severity"), Paragraph(finding["message"], "lead")]
    parts.append(Pairs((("Finding", finding["finding_id"]), ("Rule", finding["rule_id"]))))
    parts.append(Pairs(tuple((name, value) for name, value in named if value is not None), columns=2))
    stated = [
        Paragraph(f"{rule.get('title') or finding['rule_id']}. Called a violation where {rule['violated_when']}.")
    ]
    source = " ".join(part for part in (finding["citation"], rule.get("citation_url")) if part)
    stated += [Paragraph(f"Source: {source}", "quiet")] if source else []
    parts.append(Section("The rule", tuple(stated)))
    if facts["because"]:
        parts.append(Section("What it comes to here", tuple(Paragraph(one, "formula") for one in facts["because"])))
    return parts


def _foot(facts: dict, files: Sequence[InputFile]) -> list[Part]:
    """Sources, limits and versions in the explanation's words, then the files with their hashes."""
    pairs = _pairs(text.foot(facts)[2:])
    run, finding = facts["run"], facts["finding"]
    pairs += [
        ("Code version", f"{run['code_version']} (this packet: {run['derived_by']})"),
        ("Reference version", run["reference_version"] or "-"),
        ("Evidence hash", finding["evidence_hash"] or "-"),
        ("Decision", finding.get("disposition") or "none is recorded"),
    ]
    names = _names(facts)
    rows = [[file.name, file.table, file.sha256] for file in files if file.name in names]
    return [Pairs(tuple(pairs)), table("file|table|sha256", rows)] if rows else [Pairs(tuple(pairs))]


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    """Names and values of the explanation's two columns: a name begins a pair, lines without one go on."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        name, value = line[:14].strip(), line[14:].strip()
        if name or not pairs:
            pairs.append((name, value))
        else:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {value}")
    return pairs


def _decision(finding: dict) -> Pairs:
    rows = ((title, finding[name]) for name, title in _DECISION.items() if finding.get(name) is not None)
    return Pairs(tuple((title, str(value)) for title, value in rows))
