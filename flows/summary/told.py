"""What a run came to, in counts only: for the terminal, for --json and for Prefect's artifacts."""

from decimal import Decimal
from pathlib import Path

from flows.runs.manifest_facts import dollars, new_inputs
from flows.runs.mapping_facts import mapped_entries, of_files

#: The status of a rule that needs notes, in a run that read none.
NOT_JUDGED = "not judged (claims only)"


def dollars_in_all(manifest: dict) -> str:
    """The dollars at risk, each billed unit once, and of how many findings nobody knows any."""
    known, unknown = manifest["at_risk_usd"], sum((manifest.get("findings_without_dollars") or {}).values())
    if not unknown:
        return dollars(known)
    whose = f"{unknown} finding{'' if unknown == 1 else 's'}, whose lines hold no amount"
    return f"{dollars(known)}, and unknown for {whose}" if Decimal(known) else f"unknown: {whose}"


def share(part: float | None) -> str:
    """A share as a percentage, cut and never rounded up, so that nearly all never reads as all."""
    return "-" if part is None else f"{int(part * 1000) / 10:g}%"


def night_lines(night: dict) -> list[str]:
    """What a run on a warehouse did: files taken in, dates computed again, findings that came and went."""
    moved = ", ".join(f"{what} {dates}" for what, dates in night["moved_by"].items()) or "nothing"
    lives = ", ".join(f"{status} {count}" for status, count in night["findings"].items()) or "none"
    removed = f", {len(night['removed'])} taken back" if night["removed"] else ""
    return [
        f"New files {night['new_files']}{removed}; service dates computed again {night['service_dates_recomputed']} "
        f"(moved by: {moved})",
        f"Findings since the first night: {lives}",
    ]


def rule_rows(manifest: dict) -> list[dict]:
    """One dict a rule, gravest first, for a table: counts and dollars only."""
    order = {"error": 0, "failed": 1, "passed": 2, "not_applicable": 3}
    unknown = manifest.get("findings_without_dollars") or {}
    ordered = sorted(manifest["rules"], key=lambda rule: (order[rule["status"]], -rule["violations"], rule["rule_id"]))
    return [
        {
            "rule": rule["rule_id"],
            "status": rule_status(rule, manifest),
            "violations": rule["violations"],
            "in scope": rule["in_scope"],
            "unjudged": rule["unjudged"],
            "at risk": _rule_dollars(rule, unknown),
        }
        for rule in ordered
    ]


def rule_status(rule: dict, manifest: dict) -> str:
    """The status of a rule in words: of one that needs notes, in a run that read none, that it was not judged."""
    if rule["rule_id"] in manifest.get("rules_not_judged", ()):
        return NOT_JUDGED
    return rule["status"].replace("_", " ")


def claims_only_lines(manifest: dict) -> list[str]:
    """What is said first of a run that read no notes."""
    if not manifest.get("claims_only"):
        return []
    left_out = len(manifest["rules_not_judged"])
    return [
        f"CLAIMS ONLY: no note was read. {len(manifest['rules']) - left_out} rules need none and were judged; "
        f"{left_out} were not. Nothing is said about documentation, and what a note might justify is marked for review"
    ]


def _rule_dollars(rule: dict, unknown: dict[str, int]) -> str:
    is_unknown = rule["at_risk_usd"] is None and rule["rule_id"] in unknown
    return "unknown" if is_unknown else dollars(rule["at_risk_usd"])


def lead_lines(manifest: dict, with_files: bool = True) -> list[str]:
    """What a reader has to know before the table: how much meets, what was read, what was left out.

    A file's name may hold a person's: without `with_files` none is said.
    """
    match, period = manifest["match"], manifest["period"]
    inputs = new_inputs(manifest)
    read = sum(entry["rows_read"] for entry in inputs)
    quarantined = sum(entry["rows_quarantined"] for entry in inputs)
    repeated = sum(entry["rows_duplicate"] for entry in inputs)
    met = (
        f"Claim days matched to a note: {share(match['claim_day_share'])} "
        f"({match['claim_days_with_note']} of {match['claim_days']}); notes matched to a claim: "
        f"{share(match['note_share'])} ({match['notes_with_claim']} of {match['notes']}); "
        f"notes that give minutes: {share(match.get('measured_share'))} "
        f"({match.get('measured_notes', '-')} of {match.get('counting_notes', '-')})"
    )
    lines = [
        *(claims_only_lines(manifest) or [*minutes_lines(match), met]),
        f"Service dates {period['first'] or '-'} to {period['last'] or '-'}, as of {manifest['as_of']}",
        f"Rows read {read}: accepted {read - quarantined - repeated}, quarantined {quarantined}, repeated {repeated}",
    ]
    if not period["first"]:
        lines.append("NO THERAPY DAY WAS JUDGED: the extracts have no accepted row of one")
    if manifest.get("warehouse"):
        lines += night_lines(manifest["warehouse"])
    if manifest["quarantine_reasons"]:
        reasons = ", ".join(f"{reason} {rows}" for reason, rows in manifest["quarantine_reasons"].items())
        lines.append(f"Set aside: {reasons}")
    lines += aside_lines(manifest, with_files)
    if manifest.get("quarantined_without_day"):
        rows = ", ".join(f"{table} {count}" for table, count in manifest["quarantined_without_day"].items())
        lines.append(
            f"Of these, without a readable patient or date: {rows}. Fix these first: they can leave many days "
            "unjudged, and a missing note can cause a false finding"
        )
    if manifest["unjudged_days"]:
        reasons = ", ".join(f"{reason} {days}" for reason, days in manifest["unjudged_days"].items())
        lines.append(f"Patients and dates left unjudged: {reasons}")
    if manifest.get("partly_unjudged_days"):
        reasons = ", ".join(f"{reason} {days}" for reason, days in manifest["partly_unjudged_days"].items())
        lines.append(f"Therapy days that some rules leave unjudged: {reasons}")
    if manifest.get("dispositions"):
        lines.append(disposition_line(manifest))
    if manifest["payers_without_method"]:
        lines.append(
            f"Payers whose counting method is not known: {len(manifest['payers_without_method'])} "
            "(wrong only if wrong by either method; add a row to payer_method.csv with --reference)"
        )
    lines += [f"{words}: {of_files(entry, with_files)}" for words, entry in mapped_entries(manifest)]
    if not manifest["contract_ok"]:
        lines.append(f"Great Expectations: {len(manifest['contract_failures'])} contract checks failed")
    return lines


def minutes_lines(match: dict) -> list[str]:
    """What is said first of notes that give no minutes, or hardly any: nothing else of the run reads right without."""
    counting, measured = match.get("counting_notes"), match.get("measured_notes")
    if not counting or measured >= counting * match["minimum_measured_share"]:
        return []
    lack = "HAVE NO MINUTES" if not measured else "RARELY HAVE MINUTES"
    return [
        f"THE NOTES {lack}: {measured} of {counting} give any. A day whose note gives none has neither too many nor "
        "too few units; codes and days are still judged. Export the minutes or the clock times of the blocks, or the "
        "note's total, or say in a mapping which columns hold them"
    ]


def aside_lines(manifest: dict, with_files: bool = True) -> list[str]:
    """The cells that could not be read in rows that stand all the same, by file and column."""
    return [
        f"Unreadable cells left empty in accepted rows: {entry['table']}"
        + (f" {entry['file']}" if with_files else "")
        + ": "
        + ", ".join(f"{column} {cells}" for column, cells in entry["cells_set_aside"].items())
        for entry in new_inputs(manifest)
        if entry.get("cells_set_aside")
    ]


def disposition_line(manifest: dict) -> str:
    """How many findings people have decided of, by what they decided; those open again apart. All stay counted."""
    counts = manifest["dispositions"].items()
    settled = {name: of["holds"] for name, of in counts if "holds" in of}
    again = {f"{name}, {status}": count for name, of in counts for status, count in of.items() if status != "holds"}
    findings = sum(rule["violations"] for rule in manifest["rules"])
    told = [f"Of {findings} findings {sum(settled.values())} are disposed of", _listed(settled)]
    if again:
        told += [f"; open again {sum(again.values())}", _listed(again)]
    return "".join(told)


def _listed(counts: dict[str, int]) -> str:
    return ": " + ", ".join(f"{name} {count}" for name, count in counts.items()) if counts else ""


def markdown_summary(manifest: dict) -> str:
    """The summary as Markdown, counts only."""
    rows = rule_rows(manifest)
    table = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    table += ["| " + " | ".join(str(cell) for cell in row.values()) + " |" for row in rows]
    lead = [f"- {line}" for line in lead_lines(manifest, with_files=False)]
    total = f"At risk in all, each billed unit once: {dollars_in_all(manifest)}"
    return "\n".join([f"# Audit {manifest['run_id']}", "", *lead, "", *table, "", total, ""])


def text_summary(manifest: dict, folder: Path) -> str:
    """The summary for a terminal or a log: plain text in columns."""
    rows = rule_rows(manifest)
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    numeric = {"violations", "in scope", "unjudged", "at risk"}

    def line(cells: dict) -> str:
        placed = (
            str(cell).rjust(widths[name]) if name in numeric else str(cell).ljust(widths[name])
            for name, cell in cells.items()
        )
        return "  ".join(placed).rstrip()

    return "\n".join(
        [
            *lead_lines(manifest),
            "",
            line({name: name for name in rows[0]}),
            line({name: "-" * widths[name] for name in rows[0]}),
            *(line(row) for row in rows),
            "",
            f"Findings: {sum(rule['violations'] for rule in manifest['rules'])}. "
            f"At risk in all, each billed unit once: {dollars_in_all(manifest)}",
            "",
            f"Report      {folder / 'report.html'}",
            f"Workbook    {folder / 'findings.xlsx'}",
            f"Findings    {folder / 'findings.csv'}",
            f"Set aside   {folder / 'quarantine.parquet'}",
            f"Everything  {folder}",
        ]
    )
