"""The whole audit over plain rows."""

from dataclasses import dataclass

from . import billing_rules, codes, minute_rules, unit_rules
from .case import OK, UNJUDGED, VIOLATED, whole_minutes
from .days import World
from .rows import as_date

RULES = {
    rule.__name__: rule
    for rule in (
        unit_rules.billed_units_exceed_minutes,
        unit_rules.billed_units_below_minutes,
        unit_rules.units_on_wrong_code,
        unit_rules.billed_code_not_documented,
        unit_rules.cotreatment_billed_by_both,
        billing_rules.billed_day_not_documented,
        billing_rules.billed_on_unsigned_note,
        billing_rules.billed_note_marked_not_billable,
        billing_rules.documented_day_not_billed,
        billing_rules.documented_code_not_billed,
        billing_rules.day_billed_to_several_payers,
        minute_rules.minutes_counted_twice,
        minute_rules.therapist_in_two_places,
        minute_rules.block_minutes_exceed_note_total,
        minute_rules.note_total_exceeds_blocks,
        minute_rules.stated_minutes_exceed_clock,
        minute_rules.timed_minutes_not_documented,
        billing_rules.units_exceed_day_cap,
        billing_rules.timed_units_exceed_payer_day_cap,
        billing_rules.untimed_code_multiple_units,
        billing_rules.timed_code_split_across_lines,
        billing_rules.claim_line_duplicated,
        minute_rules.provider_day_impossible,
    )
}


@dataclass
class Result:
    """What the audit found: `findings` (dicts, see case.COLUMNS), `units` (dicts as in units.parquet, and
    `is_judged`), `counts` by rule (in_scope, unjudged, violations, errors, warnings, reviews), `unjudged`
    ((patient, date) -> reasons), `partly_unjudged` ((patient, date, discipline) -> reasons that leave only some
    rules unjudged), `days` (the therapy days by (patient, date, discipline))."""

    findings: list
    units: list
    counts: dict
    unjudged: dict
    partly_unjudged: dict
    days: dict

    def of(self, rule_id):
        """The findings of one rule."""
        return [row for row in self.findings if row["rule_id"] == rule_id]


def audit(
    claims,
    notes,
    blocks,
    *,
    as_of,
    reference,
    since=None,
    until=None,
    unjudged=(),
    unjudged_patients=(),
    dates_with_unread_claim=(),
    dates_with_unread_note=(),
):
    """Audit canonical rows (lists of dicts; a missing key is null or the default).

    `reference` is a dict of lists of dicts: payer_method, code_cap, parameters, and procedure_code laid over the
    shipped kinds. `unjudged` holds the (patient_id, date) pairs that quarantined rows touched, `unjudged_patients`
    the patients of quarantined rows without a date, and the last two the dates of quarantined rows without a
    patient. Returns a Result over the service dates from `since` to `until`, both included. Raises ValueError for
    clock times that the contract turns away."""
    world = World(
        claims,
        notes,
        blocks,
        reference,
        as_of,
        unjudged,
        unjudged_patients=unjudged_patients,
        unread_claims=dates_with_unread_claim,
        unread_notes=dates_with_unread_note,
    )
    since, until = as_date(since), as_date(until)

    def wanted(day):
        return (since is None or since <= day) and (until is None or day <= until)

    findings, counts = [], {}
    for rule_id, rule in RULES.items():
        words = []
        for case in rule(world):
            if not wanted(case.day):
                continue
            if case.patient_id is not None and not world.is_judged(case.patient_id, case.day):
                case.verdict = UNJUDGED
            words.append(case.verdict)
            if case.verdict == VIOLATED:
                findings.append(case.finding())
        counts[rule_id] = _count(words, [row for row in findings if row["rule_id"] == rule_id])
    days = {key: day for key, day in world.days.items() if wanted(day.day)}
    rows = [row for key in sorted(days) for row in _unit_rows(world, days[key])]
    reasons = {key: why for key, why in world.unjudged.items() if wanted(key[1])}
    partly = {key: why for key, day in days.items() if (why := _partly_unjudged(day))}
    return Result(findings, rows, counts, reasons, partly, days)


def _partly_unjudged(day):
    """Why some rules leave this therapy day unjudged, and others do not."""
    reasons = set()
    if day.unlisted_blocks or day.unlisted_lines or day.unlisted_set_aside or (day.unlisted_on_date and not day.lines):
        reasons.add("code_not_listed")
    if len(day.payers) > 1:
        reasons.add("several_payers")
    return reasons


def _count(words, findings):
    by_severity = [row["severity"] for row in findings]
    return {
        "in_scope": words.count(OK) + words.count(VIOLATED),
        "unjudged": words.count(UNJUDGED),
        "violations": words.count(VIOLATED),
        "errors": by_severity.count("error"),
        "warnings": by_severity.count("warning"),
        "reviews": by_severity.count("review"),
    }


def _unit_rows(world, day):
    """Rows of one therapy day by counted code: every code in scope that was billed or stands in a block."""
    in_blocks = {codes.counted(b.code) for b in day.all_blocks if codes.in_scope(day.kind(b.code))}
    billed = {codes.counted(line.code) for line in day.lines}
    said = set().union(*(codes.documented(b.code, b.delivery) for b in day.all_blocks))
    written, lacking = day.by_code(lambda block: block.written), day.by_code(day.lacking)
    for code in sorted(in_blocks | billed):
        timed = day.is_timed(code)
        expected = day.expected if timed else None
        yield {
            "patient_id": day.patient_id,
            "service_date": day.day,
            "discipline": day.discipline,
            "payer_id": day.payer_id,
            "counting_method": day.method,
            "procedure_code": code,
            "is_timed": timed,
            "is_documented": code in said,
            "written_minutes": whole_minutes(written[code]),
            "credited_minutes": whole_minutes(day.credited_by_code[code]),
            "double_counted_minutes": whole_minutes(lacking[code]),
            "day_supported_minutes": whole_minutes(day.supported),
            "day_sure_minutes": whole_minutes(day.sure),
            "day_units_cms": day.cms,
            "day_units_ama": day.ama,
            "expected_units": None if expected is None else expected.get(code, 0),
            "billed_units": sum(x.units for x in day.lines if codes.counted(x.code) == code),
            "is_tie": day.splits is not None and len(day.splits) > 1,
            "is_decidable": day.decidable,
            "is_judged": world.is_judged(day.patient_id, day.day),
        }
