"""`minutewise explain` as a person reads it: one finding, from the rows of the extracts to its sentence and dollars."""

from datetime import date
from itertools import zip_longest

from flows.explanation.derive.set_aside import set_aside_text
from flows.explanation.terminal.caps import caps, money
from flows.explanation.terminal.day import bill, minutes, notes
from flows.explanation.terminal.single_rules import clinician, covered, nearest, provider, twins
from flows.explanation.terminal.units import units
from flows.text_table import dollars, in_force, inert, row_ranges, wrap

#: Named here, because strftime would speak the machine's language.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BILL = ("What was billed", bill)
_NOTES = ("The notes", notes)
_MINUTES = ("The minutes", minutes)
_UNITS = ("The units", units)
_CAPS = ("The caps in force", caps)
_MONEY = ("The dollars", money)
_COVERED = ("The dates that both extracts cover", covered)
_NEAREST = ("The patient's nearest other dates", nearest)
WHOLE_DAY = (_BILL, _NOTES, _MINUTES, _UNITS, _CAPS, _MONEY)
_WITHOUT_CAPS = (_BILL, _NOTES, _MINUTES, _UNITS, _MONEY)
#: What is shown for a rule, the part that settles it first.
PARTS = {
    "billed_code_not_documented": _WITHOUT_CAPS,
    "billed_day_not_documented": (_BILL, _NOTES, _COVERED, _NEAREST, _MONEY),
    "documented_code_not_billed": (_BILL, _MINUTES, _NOTES, _COVERED, _NEAREST),
    "timed_minutes_not_documented": (_NOTES, _MINUTES, _BILL, _UNITS),
    "cotreatment_billed_by_both": (_BILL, _MINUTES, _NOTES, _UNITS, _MONEY),
    "day_billed_to_several_payers": (_BILL, _NOTES, _MINUTES, _UNITS),
    "billed_on_unsigned_note": (_BILL, _NOTES, _MONEY),
    "billed_note_marked_not_billable": (_BILL, _NOTES, _MONEY),
    "documented_day_not_billed": (_BILL, _NOTES, _MINUTES, _UNITS, _COVERED, _NEAREST),
    "minutes_counted_twice": (_MINUTES, _NOTES, _BILL, _UNITS),
    "therapist_in_two_places": (("The clinician's clock", clinician), _BILL, _NOTES, _MINUTES),
    "block_minutes_exceed_note_total": (_NOTES, _MINUTES, _BILL, _UNITS),
    "note_total_exceeds_blocks": (_NOTES, _MINUTES, _BILL, _UNITS),
    "stated_minutes_exceed_clock": (_MINUTES, _NOTES, _BILL, _UNITS),
    "units_exceed_day_cap": (_BILL, _CAPS, _MONEY, _NOTES, _MINUTES, _UNITS),
    "timed_units_exceed_payer_day_cap": (_BILL, _CAPS, _MONEY, _NOTES, _MINUTES, _UNITS),
    "untimed_code_multiple_units": (_BILL, _CAPS, _MONEY, _NOTES),
    "timed_code_split_across_lines": (_BILL, _NOTES),
    "claim_line_duplicated": (_BILL, ("Billed before", twins), _NOTES, _MINUTES, _UNITS, _MONEY),
    "provider_day_impossible": (("The clinician's day", provider),),
}


def explain_text(derivation: dict) -> str:
    """The derivation as plain text of at most 100 columns where ids allow; nothing in it can move a terminal."""
    facts = inert(derivation)
    text = _head(facts)
    for number, (title, part) in enumerate(PARTS.get(facts["finding"]["rule_id"], WHOLE_DAY), start=1):
        text += ["", f"{number}. {title.upper()}", "", *part(facts)]
    if aside := set_aside_text(facts):
        text += ["", "ROWS SET ASIDE OF THIS PATIENT", "", *aside]
    return "\n".join(line.rstrip() for line in [*text, "", *foot(facts)])


def day_text(derivation: dict) -> str:
    """A patient's date as plain text: why it is left unjudged, its findings, rows, minutes and units."""
    facts = inert(derivation) | {"finding": {"discipline": None}}
    day = date.fromisoformat(facts["service_date"])
    text = [f"PATIENT {facts['patient_id']}, {day.isoformat()}, {WEEKDAYS[day.weekday()]}", ""]
    for one in facts["unjudged"]:
        silent = f"Some rules leave {one['discipline']} unjudged" if one["discipline"] else "No rule accuses"
        text += wrap(f"{silent} ({one['reason']}): {one['why']}.", hanging=4)
    text += wrap("Every rule judges the date.") if not facts["unjudged"] and facts["days"] else []
    text += [f"  {one['severity']:<7}  {one['finding_id'][:12]}  {one['rule_id']}" for one in facts["findings"]]
    for number, (title, part) in enumerate(WHOLE_DAY[:-1], start=1):
        text += ["", f"{number}. {title.upper()}", "", *part(facts)]
    if aside := set_aside_text(facts):
        text += ["", "ROWS SET ASIDE OF THIS PATIENT", "", *aside]
    text += ["", *_said("Run", f"{facts['run_id']}, as of {facts['as_of']}")]
    return "\n".join(line.rstrip() for line in text)


def _head(facts: dict) -> list[str]:
    finding, rule = facts["finding"], facts["rule"]
    text = [f"FINDING {finding['finding_id']}", "", f"{finding['severity'].upper()}  {rule.get('title', '')}"]
    text += ["", *wrap(finding["message"]), "", *_subject(facts), *by_code(finding), ""]
    text += wrap(f"Rule  {finding['rule_id']}: {rule.get('violated_when')}.", hanging=8)
    for number, sentence in enumerate(facts["because"]):
        text += wrap(("Here  " if not number else "      ") + sentence, hanging=8)
    return text


def by_code(finding: dict) -> list[str]:
    """What was billed and what is documented on the day, by code."""
    named = (("billed", "billed_codes"), ("documented", "documented_codes"))
    return [
        line for name, column in named if finding.get(column) for line in wrap(f"{name:<12}{finding[column]}", 2, 14)
    ]


def at_risk_words(facts: dict) -> str | None:
    """The dollars at risk, unknown where no line of the subject has money, None where the rule puts none at risk."""
    amount, subject = facts["finding"]["at_risk_usd"], facts["subject"]
    if amount is not None:
        return dollars(amount)
    return "unknown" if subject and subject["at_risk_units"] else None


def _subject(facts: dict) -> list[str]:
    finding = facts["finding"]
    day = date.fromisoformat(finding["service_date"])
    named = [
        ("patient", finding["patient_id"]),
        ("date", f"{day.isoformat()}, {WEEKDAYS[day.weekday()]}"),
        ("discipline", finding["discipline"]),
        ("code", finding["procedure_code"]),
        ("at risk", at_risk_words(facts)),
        ("payer", finding["payer_id"]),
        ("provider", finding["provider_id"]),
        ("billed by", finding["billing_provider_id"]),
        ("clinic", finding["clinic_id"]),
    ]
    told = [f"{name:<12}{value}" for name, value in named if value is not None]
    half = (len(told) + 1) // 2
    return [f"  {one:<40}  {other}" for one, other in zip_longest(told[:half], told[half:], fillvalue="")]


def foot(facts: dict) -> list[str]:
    rule, finding, row = facts["rule"], facts["finding"], facts["reference_row"]
    text = ["WHAT IT RESTS ON", "", *_said("Citation", finding["citation"] or "-")]
    text += [f"{'':14}{rule['citation_url']}"] if rule.get("citation_url") else []
    if row:
        text += _said("Reference", f"{row['reference_key']}, {in_force(row)}: {row['citation']}")
        is_new = row["citation_url"] not in (None, "", rule.get("citation_url"))
        text += [f"{'':14}{row['citation_url']}"] if is_new else []
    text += _said("Not checked", f"{rule.get('not_checked') or '-'}.")
    text += _said("Rows", row_ranges((finding["sources"] or "-").split(";")))
    return text + _run(facts)


def _said(name: str, text: str) -> list[str]:
    return wrap(f"{name:<12}{text}", hanging=14)


def _run(facts: dict) -> list[str]:
    run, again = facts["run"], facts["recomputed"]
    bounds = (f"{name} {run[name]}" for name in ("since", "until") if run[name])
    scope = "".join(f", {bound}" for bound in bounds)
    text = _said("Run", f"{run['run_id']}, as of {run['as_of']}{scope}")
    if again["is_same"]:
        said = "the run's accepted rows, counted again now by the same SQL models, give the same finding."
    else:
        said = f"COUNTED AGAIN NOW THE FINDING IS NOT THE SAME ({', '.join(again['differs'])})."
        if run["code_version"] != run["derived_by"]:
            said += f" The run was made by code {run['code_version']}, this is {run['derived_by']}."
    text += _said("Recomputed", said)
    if run["changed_files"]:
        text += _said("CHANGED", f"{', '.join(run['changed_files'])}: not as published (sha256 in manifest.json)")
    return text
