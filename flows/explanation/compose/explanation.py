"""An explanation put together: what a finding is about, its rule, and the sections that its rule's file asks for."""

from collections.abc import Callable, Iterable
from datetime import date

from expectations.report.parts import Explanation, Pairs, Paragraph, Part, Section
from expectations.report.values import in_force, row_ranges
from flows.explanation.compose.caps import caps, money
from flows.explanation.compose.rows import bill, minutes, notes
from flows.explanation.compose.set_aside import set_aside
from flows.explanation.compose.single_rules import billing_lag, clinician, clinician_day, covered, nearest, twins
from flows.explanation.compose.tables import paragraphs
from flows.explanation.compose.units import units
from flows.explanation.sentences.words import dollars
from transforms.models.load import rule_sections

#: Named here, because strftime would speak the machine's language.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: The sections that a rule's header may name under `shows` (transforms/models/load.py), each with its title.
SECTIONS: dict[str, tuple[str, Callable[[dict], list[Part]]]] = {
    "bill": ("What was billed", bill),
    "notes": ("The notes", notes),
    "minutes": ("The minutes", minutes),
    "units": ("The units", units),
    "caps": ("The caps in force", caps),
    "dollars": ("The dollars", money),
    "clinician": ("The clinician's clock", clinician),
    "clinician_day": ("The clinician's day", clinician_day),
    "covered": ("The dates that both extracts cover", covered),
    "billing_lag": ("The billing lag", billing_lag),
    "nearest": ("The patient's nearest other dates", nearest),
    "twins": ("Billed before", twins),
}
#: What is shown of a finding whose rule names no sections, and of a patient's date.
WHOLE_DAY = ("bill", "notes", "minutes", "units", "caps", "dollars")


def explanation(facts: dict) -> Explanation:
    """The explanation of a derivation (derive/many.py), for whoever draws it."""
    finding, rule = facts["finding"], facts["rule"]
    own = rule_sections(finding["rule_id"]) or WHOLE_DAY
    beside = [name for name in WHOLE_DAY if name not in own and _bears(name, facts)]
    sections = [_rule(facts), *_here(facts), *_sections(own, facts)]
    if beside:
        said = "The finding does not depend on what follows. It completes the picture of the patient's day."
        sections.append(Section("The rest of the day", (Paragraph(said, "quiet"), *_sections(beside, facts)), True))
    sections += [*set_aside(facts), Section("What it rests on", (Pairs(tuple(_rests_on(facts))),))]
    title = rule.get("title") or finding["rule_id"]
    subject = Pairs(tuple(_subject(facts)), columns=2)
    return Explanation(finding["finding_id"], finding["severity"], title, finding["message"], subject, tuple(sections))


def patient_date(facts: dict) -> list[Section]:
    """The sections of a patient's date (derive/patient_day.py), whether it has findings or none."""
    facts = facts | {"finding": {"discipline": None}}
    return [*_sections(WHOLE_DAY[:-1], facts), *set_aside(facts)]


def dated(day: str) -> str:
    """A date with its weekday."""
    return f"{day}, {WEEKDAYS[date.fromisoformat(day).weekday()]}"


def _sections(names: Iterable[str], facts: dict) -> list[Section]:
    return [Section(SECTIONS[name][0], tuple(SECTIONS[name][1](facts))) for name in names]


def _bears(name: str, facts: dict) -> bool:
    """Whether a section that the rule does not name has something to show of the patient's day."""
    if facts["finding"]["patient_id"] is None:
        return False
    return {
        "bill": bool(facts["lines"]),
        "notes": bool(facts["notes"]),
        "minutes": bool(facts["blocks"]),
        "units": any(day["has_counting_note"] for day in facts["days"]),
        "caps": bool(facts["caps"]),
        "dollars": False,
    }[name]


def _subject(facts: dict) -> list[tuple[str, str]]:
    finding = facts["finding"]
    named = (
        ("Patient", finding["patient_id"]),
        ("Date of service", dated(finding["service_date"])),
        ("Discipline", finding["discipline"]),
        ("Code", finding["procedure_code"]),
        ("At risk", at_risk_words(facts)),
        ("Payer", finding["payer_id"]),
        ("Provider", finding["provider_id"]),
        ("Billed by", finding["billing_provider_id"]),
        ("Clinic", finding["clinic_id"]),
        ("Billed, by code", finding.get("billed_codes")),
        ("Documented, by code", finding.get("documented_codes")),
    )
    return [(name, value) for name, value in named if value is not None]


def at_risk_words(facts: dict) -> str:
    """The dollars at risk; unknown where no line of the subject has money."""
    amount, subject = facts["finding"]["at_risk_usd"], facts["subject"]
    if amount is not None:
        return dollars(amount)
    return "unknown" if subject and subject["at_risk_units"] else "no dollars"


def _rule(facts: dict) -> Section:
    finding, rule = facts["finding"], facts["rule"]
    said = f"{finding['rule_id']}: violated when {rule['violated_when'].rstrip('.')}."
    return Section("The rule", (Paragraph(said),))


def _here(facts: dict) -> list[Section]:
    """What the rule comes to in this finding, with its numbers."""
    if not facts["because"]:
        return []
    return [Section("What it comes to here", tuple(paragraphs(facts["because"], "formula")))]


def _rests_on(facts: dict) -> list[tuple[str, str]]:
    rule, finding, row = facts["rule"], facts["finding"], facts["reference_row"]
    cited = (finding["citation"], rule.get("citation_url"))
    pairs = [("Citation", " ".join(part for part in cited if part) or "-")]
    if row:
        is_new = row["citation_url"] not in (None, "", rule.get("citation_url"))
        address = f" {row['citation_url']}" if is_new else ""
        pairs.append(("Reference", f"{row['reference_key']}, {in_force(row)}: {row['citation']}{address}"))
    pairs.append(("Not checked", f"{rule.get('not_checked') or '-'}."))
    pairs.append(("Rows", row_ranges((finding["sources"] or "-").split(";"))))
    return pairs + _run(facts)


def _run(facts: dict) -> list[tuple[str, str]]:
    run, again = facts["run"], facts["recomputed"]
    bounds = "".join(f", {name} {run[name]}" for name in ("since", "until") if run[name])
    pairs = [("Run", f"{run['run_id']}, as of {run['as_of']}{bounds}")]
    if again["is_same"]:
        said = "the run's accepted rows, counted again now by the same SQL models, give the same finding."
    else:
        said = f"COUNTED AGAIN NOW THE FINDING IS NOT THE SAME ({', '.join(again['differs'])})."
        if run["code_version"] != run["derived_by"]:
            said += f" The run was made by code {run['code_version']}, this is {run['derived_by']}."
    pairs.append(("Recomputed", said))
    if run["changed_files"]:
        names = ", ".join(run["changed_files"])
        pairs.append(("CHANGED", f"{names}: not as published (sha256 in manifest.json)"))
    return pairs
