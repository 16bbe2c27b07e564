"""Puts a packet together: its cover, and of each finding the explanation and what an outside reviewer needs beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from expectations.report import plain
from expectations.report.parts import Form, Packet, Pairs, Paragraph, Part, Section
from flows.evidence.cover import cover
from flows.explanation.compose.explanation import explanation
from flows.explanation.compose.tables import table

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
    made = explanation(facts)
    *sections, rests_on = made.sections
    parts: list[Part] = [Paragraph(made.severity, "severity"), Paragraph(made.message, "lead")]
    parts += [Pairs((("Finding", made.finding_id),)), made.subject, *sections]
    parts.append(Section(rests_on.title, (*rests_on.parts, *_versions(facts, files))))
    decided = _decision(facts["finding"])
    parts += [Section("The organization's decision", (decided,))] if decided.rows else []
    parts.append(Section("The reviewer's check", (_CHECK,)))
    return Section(f"Finding {number} of {total}: {made.title}", tuple(parts))


_CHECK = Form(
    ("The rows are as in the extracts", "The arithmetic holds", "I agree", "I disagree", "Cannot be decided"),
    ("Initials", "Date"),
    "Notes",
    2,
)


def _versions(facts: dict, files: Sequence[InputFile]) -> list[Part]:
    """What made the finding, the decision on record, and the files of its rows with their hashes."""
    run, finding = facts["run"], facts["finding"]
    pairs = (
        ("Code version", f"{run['code_version']} (this packet: {run['derived_by']})"),
        ("Reference version", run["reference_version"] or "-"),
        ("Evidence hash", finding["evidence_hash"] or "-"),
        ("Decision", finding.get("disposition") or "none is recorded"),
    )
    names = _names(facts)
    rows = [[file.name, file.table, file.sha256] for file in files if file.name in names]
    return [Pairs(pairs), table("file|table|sha256", rows)] if rows else [Pairs(pairs)]


def _decision(finding: dict) -> Pairs:
    rows = ((title, finding[name]) for name, title in _DECISION.items() if finding.get(name) is not None)
    return Pairs(tuple((title, str(value)) for title, value in rows))
