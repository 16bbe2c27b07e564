"""The first sheet of the workbook: what the run found, what it is worth, what changed, and how to work with it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, ROUND_UP, Decimal
from typing import Any

from expectations.report import CODE_SUMS, UNKNOWN_DOLLARS, Report, tally, without_dollars
from expectations.report.workbook.findings import SEVERITY_SHEETS
from transforms.unjudged import why_unjudged

#: A line's style and its cells.
Line = tuple[str, Sequence[Any]]

FAMILIES = {"overbilling": "over-billing", "missed_revenue": "missed revenue", "record": "faults of the record"}
OTHER_FAMILY = "other rules"
_HOW_TO = (
    "1. Go through Errors, then Warnings, then Reviews: most dollars come first. Filters are on; sort as you like.",
    "2. Choose a disposition in the first column, and say who decided, when and why. Leave the rest of the row alone.",
    "3. Waived needs the last day on which the waiver holds; the day after, the finding reopens.",
    "4. Save the workbook, then run: minutewise dispose OUT --from findings.xlsx   (OUT is the folder of the runs)",
    "5. The next audit shows the decisions in every report. A finding that is decided on still counts.",
    "A decision holds for what was found. When units or minutes change, the finding is open again and shows it.",
)


def share_cut(share: Any) -> float | None:
    """A share of 0 to 1, cut to a hundredth of a percent: nearly all never reads as all."""
    return None if share is None else _hundredths(Decimal(str(share)), ROUND_FLOOR)


def share_raised(part: int | None, whole: int | None) -> float | None:
    """part of whole, rounded up to a hundredth of a percent: a few never read as none; None without a whole."""
    return _hundredths(Decimal(part or 0) / Decimal(whole), ROUND_UP) if whole else None


def _hundredths(share: Decimal, rounding: str) -> float:
    return float(share.quantize(Decimal("0.0001"), rounding=rounding))


def summary_lines(report: Report, sheets: Mapping[str, int], resolved_shown: int) -> Iterator[Line]:
    """The lines of the sheet; `sheets` says how many findings stand on each sheet of findings."""
    yield "title", ["Therapy claim audit"]
    yield "", ["This workbook holds patient identifiers: treat it as a medical record."]
    if report.claims_only:
        yield "heading", [f"{report.claims_only}."]
    yield from _section(
        "The run",
        ("run", report.run_id),
        ("as of", report.as_of),
        ("first service date", report.period[0]),
        ("last service date", report.period[1]),
        *(() if report.claims_only else _met(report)),
    )
    yield from _found(report, sheets)
    yield from _worth(report)
    yield from _changed(report, resolved_shown)
    yield from _decided(report)
    if not report.claims_only:
        yield from _codes(report)
    yield from _section("How to work with this workbook", *((step,) for step in _HOW_TO))
    yield from _read(report)
    versions = sorted((str(name), str(version)) for name, version in report.reference_versions.items())
    yield from _section("Versions", *versions)


def _met(report: Report) -> Sequence[Sequence[Any]]:
    """How much of claims and notes meets, and gives minutes."""
    return (
        ("claim days matched to a note", share_cut(report.match.get("claim_day_share"))),
        ("notes matched to a claim", share_cut(report.match.get("note_share"))),
        ("notes that give minutes", share_cut(report.match.get("measured_share"))),
    )


def _section(heading: str, *lines: Sequence[Any]) -> Iterator[Line]:
    yield "", []
    yield "heading", [heading, "", "", ""]
    for line in lines:
        yield "", line


def _found(report: Report, sheets: Mapping[str, int]) -> Iterator[Line]:
    in_all, here = len(report.findings), sum(sheets.values())
    counted = tally(report.findings, "severity")
    yield from _section("Findings")
    yield "columns", ["severity", "findings", "in this workbook", "sheet"]
    for severity, sheet in SEVERITY_SHEETS.items():
        yield "", [severity, counted[severity,], sheets.get(sheet, 0), sheet if sheets.get(sheet) else None]
    yield "", ["all", in_all, here]
    if here < in_all:
        yield (
            "",
            [f"The {here} of {in_all} findings with the most dollars at risk; --workbook-rows sets how many."],
        )
        yield "", ["All of them are in findings.csv and findings.parquet, next to this workbook."]


def _worth(report: Report) -> Iterator[Line]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for rule in report.rules:
        groups.setdefault(FAMILIES.get(rule.get("family"), OTHER_FAMILY), []).append(rule)
    yield from _section("What it is worth")
    yield "columns", ["kind of fault", "findings", "at risk", "units missed"]
    for family in (*FAMILIES.values(), OTHER_FAMILY):
        if rules := groups.get(family):
            yield "", [family, *(_sum(rules, name) for name in ("violations", "at_risk_usd", "missed_units"))]
    unknown = sum(without_dollars(report).values())
    total = report.total_at_risk_usd if report.total_at_risk_usd or not unknown else UNKNOWN_DOLLARS
    yield "", ["at risk in all, each billed unit counted once", None, total]
    if unknown:
        yield "", ["findings whose dollars are unknown because their lines have no amount", unknown]
    yield "", ["A billed unit that several rules name counts in each line above. Missed units carry no dollars."]


def _sum(rules: Sequence[Mapping[str, Any]], name: str) -> Any:
    """The sum of what is known, None where nothing is."""
    known = [rule[name] for rule in rules if rule.get(name) is not None]
    return sum(known) if known else None


def _changed(report: Report, resolved_shown: int) -> Iterator[Line]:
    changes = report.changes
    if changes.previous_run is None:
        yield from _section("Since the last run", ("There is no previous run to compare with.",))
        return
    yield from _section("Since the last run", ("previous run", changes.previous_run))
    yield "columns", ["findings that are", "findings", "at risk"]
    yield "", ["new", changes.new]
    yield "", ["reopened: resolved before, open again", changes.reopened]
    yield "", ["new and reopened together", changes.new + changes.reopened, changes.new_usd]
    yield "", ["changed: different evidence", changes.changed]
    yield "", ["still open: unchanged", changes.still_open]
    yield "", ["resolved: no longer found", changes.resolved, changes.resolved_usd]
    if resolved_shown < changes.resolved:
        yield "", [f"The sheet Resolved lists the {resolved_shown} of them with the most dollars."]


def _decided(report: Report) -> Iterator[Line]:
    counted = tally(report.findings, "disposition", "disposition_status")
    yield from _section("What was decided")
    yield "columns", ["disposition", "findings", "status"]
    for (disposition, status), findings in sorted(counted.items(), key=lambda one: (one[0][0] or "", one[0][1] or "")):
        if disposition is not None:
            yield "", [disposition, findings, status or "holds"]
    yield "", ["nothing decided", sum(count for (disposition, _), count in counted.items() if disposition is None)]


def _codes(report: Report) -> Iterator[Line]:
    """What a billing system's own count is held against: therapy days and units of every code together."""
    yield from _section("Codes: documented against billed")
    yield "columns", ["therapy days and codes that are", "days", "billed units"]
    sums = {name: sum(row[name] for row in report.code_totals) for name in CODE_SUMS}
    yield "", ["billed in all", sums["billed_days"], sums["billed_units"]]
    yield "", ["billed and documented", sums["matched_days"], sums["matched_units"]]
    yield "", ["billed only", sums["billed_only_days"], sums["billed_only_units"]]
    yield "", ["documented only", sums["documented_only_days"]]
    if len(report.codes) < report.codes_in_all:
        yield "", [f"The sheet of codes holds the last {len(report.codes)} of {report.codes_in_all} rows."]


def _read(report: Report) -> Iterator[Line]:
    fresh = [entry for entry in report.inputs if entry.get("is_new", True)]
    yield from _section("What was read")
    yield "columns", ["table", "rows read", "accepted", "set aside", "repeated"]
    for table in sorted({str(entry.get("table")) for entry in fresh}):
        entries = [entry for entry in fresh if str(entry.get("table")) == table]
        names = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
        yield "", [table, *(_sum(entries, name) for name in names)]
    if len(fresh) < len(report.inputs):
        earlier = len(report.inputs) - len(fresh)
        yield "", [f"{earlier} files of earlier nights were not read again; the sheet Inputs names them."]
    for reason, rows in report.quarantine:
        yield "", [f"set aside: {reason}", rows]
    in_all = sum(rows for _, rows in report.quarantine)
    if len(report.set_aside) < in_all:
        told = f"The sheet Set aside holds {len(report.set_aside)} of them, some of every reason"
        yield "", [f"{told}; minutewise quarantine OUT --csv FILE writes all."]
    for entry in report.filtered:
        yield "", [f"filtered by the mapping: {entry['table']}, {entry['file']}", entry["rows"], entry["filter"]]
    for entry in report.inferred:
        yield "", [f"inferred: {entry['table']}.{entry['column']}", entry["rows"], f"from {entry['taken_from']}"]
    for reason, days in report.unjudged:
        yield "", [f"patients and dates left unjudged: {reason}", days, why_unjudged(reason)]
    for reason, days in report.partly_unjudged:
        yield "", [f"therapy days that some rules leave unjudged: {reason}", days, why_unjudged(reason)]
    for payer, days in report.unlisted_payers:
        yield "", [f"therapy days of payer {payer}, whose counting method is not known", days]
