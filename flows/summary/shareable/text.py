"""A shareable summary for people: what is withheld is called so, and sizes are told as the step they reach."""

from collections.abc import Mapping

from flows.runs.manifest_facts import dollars

WITHHELD = "withheld"
_HEAD = ("rule", "status", "violations", "in scope", "unjudged", "at risk")
_TEXT_COLUMNS = 2


def shareable_text(document: Mapping) -> str:
    """The summary that flows/summary/shareable/shareable.py made, as plain text in columns."""
    parts = [_lead(document), _table(document), _totals(document)]
    if document["suppressed"]:
        parts.append(
            [
                f"withheld: rests on fewer than {document['least_patients']} patients, or would let such a number be "
                "worked out.",
                "500+: the step that a size reaches, of 20, 50, 100, 200, 500, 1000 and so on.",
            ]
        )
    return "\n\n".join("\n".join(lines) for lines in parts)


def _lead(document: Mapping) -> list[str]:
    match, months = document["match"], [month or WITHHELD for month in document["period"].values()]
    lines = [
        f"Claim days matched to a note: {_share(match['claim_day_share_at_least'])} of "
        f"{_size(match['claim_days_at_least'])}; notes matched to a claim: {_share(match['note_share_at_least'])} of "
        f"{_size(match['notes_at_least'])}",
        f"Service dates {' to '.join(months) if WITHHELD not in months else WITHHELD}, as of {document['as_of']}"
        + (", a part of the dates" if document["is_part"] else ""),
    ]
    for table, rows in document["rows"].items():
        lines.append(
            f"Rows of {table}: read {_size(rows['read_at_least'])}, quarantined {_count(rows['quarantined'])}, "
            f"repeated {_count(rows['duplicate'])}"
        )
    for title, name in (("Set aside", "quarantine_reasons"), ("Patients and dates left unjudged", "unjudged_days")):
        if document[name] != {}:
            lines.append(f"{title}: {_counts(document[name])}")
    return lines


def _table(document: Mapping) -> list[str]:
    rows = [_HEAD, *(_row(rule, document["suppressed"]) for rule in document["rules"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return ["  ".join(map(_placed, row, widths, range(len(widths)))).rstrip() for row in rows]


def _row(rule: Mapping, withheld: list[str]) -> tuple[str, ...]:
    # No dollars may mean that no money is known, which is told by a dash.
    amount = f"rules.{rule['rule_id']}.at_risk_usd" in withheld
    return (
        rule["rule_id"],
        rule["status"].replace("_", " "),
        _count(rule["violations"]),
        _size(rule["in_scope_at_least"]),
        _size(rule["unjudged_at_least"]),
        WITHHELD if amount else dollars(rule["at_risk_usd"]),
    )


def _placed(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place < _TEXT_COLUMNS else cell.rjust(width)


def _totals(document: Mapping) -> list[str]:
    lines = [f"Findings: {_count(document['violations'])}. At risk in all, each billed unit once: {_amount(document)}"]
    families = {name: sums["violations"] for name, sums in document["families"].items()}
    lines.append(f"By kind: {_counts(families)}")
    lines.append(f"By severity: {_counts(document['by_severity'])}")
    if document["changes"]:
        counts = {name: count for name, count in document["changes"].items() if name != "previous_run"}
        lines.append(f"Since the run before: {_counts(counts)}")
    elif "changes" in document["suppressed"]:
        lines.append(f"Since the run before: {WITHHELD}")
    return lines


def _amount(document: Mapping) -> str:
    if document["at_risk_usd"] is not None:
        return dollars(document["at_risk_usd"])
    least = document["at_risk_usd_at_least"]
    return WITHHELD if least is None else f"${least:,} or more"


def _counts(counts: Mapping | None) -> str:
    if counts is None:
        return WITHHELD
    return ", ".join(f"{name.replace('_', ' ')} {_count(count)}" for name, count in counts.items()) or "none"


def _count(count: int | None) -> str:
    return WITHHELD if count is None else f"{count}"


def _size(least: int | None) -> str:
    return WITHHELD if least is None else f"{least}{'+' if least else ''}"


def _share(least: float | None) -> str:
    return f"{WITHHELD} share" if least is None else f"at least {round(least * 100)}%"
