"""The top of the page from a report: what changed, the verdict by family of rules, what was read and set aside."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from expectations.report import Report, plain, tally
from transforms.contract.fields import REASONS, remedy

#: Longer lists are cut, and the page says where the rest stands.
MOST_LISTED = 200
_FAMILIES = {
    "overbilling": ("Over-billing", "More was billed than the record carries: what a payer can take back."),
    "missed_revenue": (
        "Missed revenue",
        "Lawful units that were not billed. Their price is not known, so there are no dollars.",
    ),
    "record": ("Record faults", "What the notes or claims contradict themselves in, whatever was billed."),
}
_OTHER = ("Other rules", "Rules that no family was given for.")
_SUMS = ("violations", "errors", "warnings", "reviews")
_READ = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")


def families(report: Report) -> list[dict[str, Any]]:
    """The rules in groups by family, those with most dollars and violations first, each group with its own totals."""
    groups = []
    for family, (title, said) in {**_FAMILIES, None: _OTHER}.items():
        rules = [rule for rule in report.rules if _family(rule) == family]
        if rules:
            totals = {name: sum(rule.get(name) or 0 for rule in rules) for name in _SUMS}
            totals |= {"at_risk_usd": _dollars(report, rules), "missed_units": _sum(rules, "missed_units")}
            groups.append({"title": title, "said": said, "rules": sorted(rules, key=_weight), "totals": totals})
    return groups


def _family(rule: Mapping[str, Any]) -> str | None:
    family = rule.get("family")
    return family if family in _FAMILIES else None


def _dollars(report: Report, rules: Sequence[Mapping[str, Any]]) -> Any:
    """The group's dollars: each billed unit once where the group holds them all, else as its rules add up."""
    own, whole = _sum(rules, "at_risk_usd"), _sum(report.rules, "at_risk_usd")
    return report.total_at_risk_usd if own is not None and own == whole else own


def missed_units(report: Report) -> int | None:
    """Units that were lawful and not billed, None where no rule counts them."""
    return _sum(report.rules, "missed_units")


def _sum(rules: Sequence[Mapping[str, Any]], name: str) -> Any:
    """The sum of what is known, None where nothing is."""
    known = [rule[name] for rule in rules if rule.get(name) is not None]
    return sum(known) if known else None


def _weight(rule: Mapping[str, Any]) -> tuple:
    dollars = rule.get("at_risk_usd") or Decimal(0)
    return (-dollars, -(rule.get("violations") or 0), str(rule["rule_id"]))


def violation_share(rule: Mapping[str, Any]) -> Any:
    """Violations among what the rule could judge, 0 to 1; None where nothing was in scope."""
    return Decimal(rule["violations"] or 0) / Decimal(rule["in_scope"]) if rule.get("in_scope") else None


def lacks_minutes(report: Report) -> bool:
    """Whether so few notes give any minutes that the page says so first."""
    return (report.match.get("measured_share") or 0) < report.match.get("minimum_measured_share", 0) and bool(
        report.match.get("counting_notes")
    )


def read(report: Report) -> dict[str, Any]:
    """The files read: the first MOST_LISTED, and the sums over all of them by table."""
    tables: dict[str, dict[str, int]] = {}
    for file in report.inputs:
        sums = tables.setdefault(str(file["table"]), {"files": 0} | dict.fromkeys(_READ, 0))
        sums["files"] += 1
        for name in _READ:
            sums[name] += file.get(name) or 0
    return {"tables": tables, "files": report.inputs[:MOST_LISTED], "more": max(0, len(report.inputs) - MOST_LISTED)}


def set_aside(report: Report) -> dict[str, Any]:
    """What was set aside: (table and reason, why, what to do, rows) of every reason, some rows, and how many more."""
    reasons = []
    for what, rows in report.quarantine:
        reason = what.rpartition(": ")[2]
        reasons.append((what, REASONS.get(reason, reason), remedy(reason), rows))
    shown = _some_of_each(report.set_aside)
    return {"reasons": reasons, "rows": shown, "more": max(0, sum(rows for *_, rows in reasons) - len(shown))}


def _some_of_each(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most MOST_LISTED of the rows, in their order: of every table and reason as many as there is room for."""
    seen: Counter[tuple] = Counter()
    ranked = []
    for place, row in enumerate(rows):
        kind = (row["table"], row["reason"])
        seen[kind] += 1
        ranked.append((seen[kind], place))
    return [rows[place] for place in sorted(place for _, place in sorted(ranked)[:MOST_LISTED])]


def changed(report: Report) -> list[tuple[str, str, int, Any]]:
    """What changed since the run before: (name, meaning, findings, dollars or None)."""
    changes = report.changes
    return [
        ("New", "were not in the previous run", changes.new, None),
        ("Reopened", "were resolved or waived before and are open again", changes.reopened, None),
        ("Changed", "have different evidence than before", changes.changed, None),
        ("Still open", "are unchanged", changes.still_open, None),
        ("Resolved", "were in the previous run and are gone", changes.resolved, changes.resolved_usd),
    ]


def decided(report: Report) -> list[tuple[str, str, int]]:
    """What people decided of the findings: (disposition, whether it holds, findings); nothing was removed for it."""
    counts = tally(report.findings, "disposition", "disposition_status")
    return sorted(
        (plain(what, 100), plain(status, 100), number) for (what, status), number in counts.items() if what is not None
    )
