"""The cover of a packet: which findings, of which run, what the packet is and is not, and how to check it."""

from collections.abc import Sequence

from expectations.report.parts import Form, Pairs, Paragraph, Part, Section
from flows.explanation.compose.tables import table
from flows.explanation.sentences.words import dollars

_IS = (
    "What this is: the whole derivation of each finding listed here, from rows of the claim and note extracts to its "
    "sentence and its dollars, so that it can be checked with a pencil. The rows were counted again for this packet "
    "by the same models that made the finding.",
    "A day is called wrong only when no lawful reading of its note supports what was billed.",
    "What this is not: a legal opinion, a determination of overpayment or of intent, or a judgment whether the "
    "treatment was necessary, skilled, ordered or supervised. The prose of notes is not read. What is not in "
    "the extracts was not examined; each finding names what its rule does not check.",
)
_STEPS = (
    "Find the rows named under What was billed and The notes in the files listed below, by file and line.",
    "Compare them with the chart and the claim in your own systems.",
    "Add up the minutes: each minute of a patient counts once. The owner table says whose it is.",
    "Follow the units by the payer's method; the other method is shown next to it.",
    "Compare what is lawful with what was billed, and tick the reviewer's check of the finding.",
)
_WORDS = (
    ("file:line", "the row of an extract; lines of CSV files count from 1 at the header, rows of Parquet from 1"),
    ("timed code", "a code billed in 15-minute units of one-on-one contact"),
    ("therapy day", "one patient, one service date, one discipline: the level at which units are counted"),
    ("stated, holds", "minutes written in a block; minutes between its clock times"),
    ("worth", "the smaller of stated and held where both are there, else the one that is"),
    ("credited", "of its worth, the minutes that no other block has taken: each minute counts once"),
    ("double", "what a block's worth lacks because other blocks hold these minutes already"),
    ("T, W, C", "of a note: its stated total of timed minutes; written in its blocks; credited of these"),
    ("supported, sure", "minutes that the note carries at the most; at the least, where its total has no blocks"),
    ("floor(x)", "x without its fraction: floor(54 / 15) = 3"),
    ("lawful", "the units that the minutes support, and how they may be divided among codes"),
    (
        "counts as",
        "what the note is to the day: counting (signed or amended, billable), draft, not billable, superseded",
    ),
)
_MASKED = (
    "Masked: ids of patients, claims, notes, providers and clinics, of findings and their evidence, and names of files "
    "are pseudonyms under a key that the sender holds; free text is withheld. Dates of service, codes, payers and "
    "amounts stay, and dates are identifiers under HIPAA: this packet is pseudonymized, not de-identified."
)
_OPEN = "Holds patient identifiers: treat this packet as a medical record."
_SIGNED = Form((), ("Name", "Organization", "Signature", "Date"), "Remarks on the packet as a whole", 4)


_MAPPED = (
    "The organization's own mapping translated its extracts into the audited tables. What it filled in and left out is "
    "listed here, counted over the whole run; the mapping itself is mapping.toml in the run's folder."
)


def cover(
    derivations: Sequence[dict], files: Sequence, is_masked: bool, mapped: Sequence[tuple[str, int]] = ()
) -> list[Part]:
    """The parts of the cover; `files` are the extracts' files that rows of these findings came from, `mapped` what the
    run's mapping inferred and filtered."""
    run = derivations[0]["run"]
    scope = [f"{name} {run[name]}" for name in ("since", "until") if run[name]]
    pairs = (
        ("Run", run["run_id"]),
        ("As of", run["as_of"] + (f", service dates {', '.join(scope)}" if scope else "")),
        ("Made by", f"minutewise {run['code_version']}, reference tables {run['reference_version']}"),
        ("Counted again by", f"minutewise {run['derived_by']}"),
        ("Counted again", _again(derivations)),
    )
    parts: list[Part] = [Paragraph(_MASKED if is_masked else _OPEN, "warning"), Pairs(pairs)]
    if run["changed_files"]:
        names = ", ".join(run["changed_files"])
        parts.append(Paragraph(f"CHANGED: {names}: not as published (sha256 in manifest.json).", "warning"))
    parts.append(Section("The findings", tuple(_list(derivations, is_masked))))
    parts.append(Section("What this is, and what it is not", tuple(Paragraph(one) for one in _IS)))
    parts.append(
        Section(
            "How to check it",
            tuple(Paragraph(f"{number}. {one}", "steps") for number, one in enumerate(_STEPS, start=1)),
        )
    )
    rows = [[file.name, file.table, file.rows_read, file.sha256] for file in files]
    parts.append(Section("The files the rows were read from", (table("file|table|rows|sha256", rows, "rows"),)))
    if mapped:
        told = table("inferred or filtered|rows", [list(line) for line in mapped], "rows")
        parts.append(Section("What a mapping made of the files", (Paragraph(_MAPPED, "quiet"), told)))
    return [*parts, Section("Words", (Pairs(_WORDS),)), Section("The reviewer", (_SIGNED,))]


def _again(derivations: Sequence[dict]) -> str:
    other = [number for number, facts in enumerate(derivations, start=1) if not facts["recomputed"]["is_same"]]
    if not other:
        return "every finding of this packet comes out the same"
    return f"NOT THE SAME: finding {', '.join(map(str, other))}; see What it rests on there"


def _list(derivations: Sequence[dict], is_masked: bool) -> list[Part]:
    rows = []
    for number, facts in enumerate(derivations, start=1):
        finding = facts["finding"]
        who = finding["patient_id"] or finding["provider_id"]
        at_risk = dollars(finding["at_risk_usd"]) if finding["at_risk_usd"] is not None else ""
        named = [facts["rule"].get("title") or finding["rule_id"], finding["severity"], finding["service_date"], who]
        # The first characters are what `explain` takes; a pseudonym is no use but whole.
        known_as = finding["finding_id"] if is_masked else finding["finding_id"][:12]
        rows.append([number, known_as, *named, finding["procedure_code"], at_risk])
    parts: list[Part] = [table("no.|id|finding|severity|date|patient or provider|code|at risk", rows, "no.|at risk")]
    if sum(bool(row[-1]) for row in rows) > 1:
        parts.append(Paragraph("Several findings may put the same billed units at risk: do not add them up."))
    return parts
