"""How it is told: one report as HTML and as a workbook, from the same numbers."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from expectations.report.parts import Explanation

#: What people can decide of a finding; `minutewise dispose` takes these words and no others.
DISPOSITIONS = ("accepted", "disputed", "corrected claim sent", "false alarm", "waived")
#: What stands for the dollars of a finding whose lines hold no amount: not known is not none.
UNKNOWN_DOLLARS = "unknown"
#: So many findings the page and the derivations hold, among them so many of every rule.
MOST_SHOWN, OF_EACH_RULE = 1_000, 25
#: So many rows set aside a report holds, among them so many of every table and reason; a cell of them is cut.
MOST_SET_ASIDE, OF_EACH_REASON, LONGEST_SET_ASIDE_CELL = 2_000, 25, 200
#: So many rows of codes by month and clinician a report holds; what is summed in them: therapy days, and billed units.
MOST_CODES = 20_000
CODE_SUMS = (
    "billed_days",
    "billed_units",
    "matched_days",
    "matched_units",
    "billed_only_days",
    "billed_only_units",
    "documented_only_days",
)


@dataclass(frozen=True)
class Changes:
    """What a run changed against the run before it; `previous_run` is None where there is none to compare with.

    Counts of findings: `new`, `reopened` and `changed` (same subject, other evidence) stand in this run, as does
    `still_open`; `resolved` stood in the run before only. Dollars are at risk; `new_usd` is of new and reopened ones.
    """

    previous_run: str | None = None
    new: int = 0
    still_open: int = 0
    changed: int = 0
    reopened: int = 0
    resolved: int = 0
    new_usd: Decimal = Decimal(0)
    resolved_usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Report:
    """All that a report tells of one run. Money is decimal US dollars, minutes and units are whole.

    claims_only: what is said first of a run that read no notes; empty of every other.
    inputs: dicts as in the manifest's `inputs`. match: claim_day_share, note_share and measured_share (notes
    that give any minutes), each 0 to 1 or None; minimum_measured_share, below which the notes hardly hold any.
    rules: dicts with the columns of rules.parquet and title, severity, family, citation, not_checked, and
    missed_units (units lawful and not billed; None where a rule has none). findings: dicts or a table, with the
    columns of findings.parquet and `since_last_run` (new, still open, changed, reopened; null: nothing to compare
    with). unjudged: (reason, patients and dates). partly_unjudged: (reason, therapy days that some rules leave
    unjudged). unlisted_payers: (payer id, therapy days) of payers whose counting method nobody
    has told us. total_at_risk_usd counts each billed unit once. quarantine: (table and reason, rows);
    quarantined_without_day: table -> those rows of it whose patient or date cannot be read. set_aside: of the rows
    set aside the most telling ones, dicts table, file, line, column, reason, cell, what_to_do; filtered: dicts table,
    file, filter and rows of what a mapping left out; inferred: dicts table, column, taken_from (in words) and rows of
    what it filled in.
    codes: what was documented against what was billed, dicts month, provider_id, procedure_code and CODE_SUMS, the last
    months first; code_totals: the same sums by code over all dates; codes_in_all: rows of `codes` before it was cut.
    changes: against the run before. resolved: findings of the run before that stand no more, as dicts.
    clinicians: dicts clinician_id, billed_units, supported_units (timed units of the therapy days that could be
    judged), days. unit_minutes: (whole minutes per billed unit, therapy days and codes). derivations: of the
    findings with most dollars, each as `minutewise explain --json` gives it. explanations: the same in parts.
    """

    run_id: str
    as_of: date
    period: tuple[date | None, date | None]
    claims_only: str = ""
    inputs: Sequence[Mapping[str, Any]] = ()
    match: Mapping[str, Any] = field(default_factory=dict)
    rules: Sequence[Mapping[str, Any]] = ()
    findings: Sequence[Mapping[str, Any]] | pa.Table = ()
    unjudged: Sequence[tuple[str, int]] = ()
    partly_unjudged: Sequence[tuple[str, int]] = ()
    unlisted_payers: Sequence[tuple[str, int]] = ()
    total_at_risk_usd: Decimal = Decimal(0)
    reference_versions: Mapping[str, Any] = field(default_factory=dict)
    quarantine: Sequence[tuple[str, int]] = ()
    quarantined_without_day: Mapping[str, int] = field(default_factory=dict)
    set_aside: Sequence[Mapping[str, Any]] = ()
    filtered: Sequence[Mapping[str, Any]] = ()
    inferred: Sequence[Mapping[str, Any]] = ()
    codes: Sequence[Mapping[str, Any]] = ()
    code_totals: Sequence[Mapping[str, Any]] = ()
    codes_in_all: int = 0
    changes: Changes = field(default_factory=Changes)
    resolved: Sequence[Mapping[str, Any]] = ()
    clinicians: Sequence[Mapping[str, Any]] = ()
    unit_minutes: Sequence[tuple[int, int]] = ()
    derivations: Sequence[Mapping[str, Any]] = ()
    explanations: Sequence[Explanation] = ()


def with_dollars(rules: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Ids of the rules that put billed units at risk: where no line has money, the dollars of a finding are unknown."""
    return frozenset(rule["rule_id"] for rule in rules if rule.get("family") == "overbilling")


def without_dollars(report: Report) -> dict[Any, int]:
    """By rule the findings that put units at risk, and none of whose lines holds an amount."""
    at_risk = with_dollars(report.rules)
    counts = tally(report.findings, "rule_id", "at_risk_usd")
    return {rule: number for (rule, usd), number in counts.items() if usd is None and rule in at_risk}


def most_dollars(findings: Sequence[Mapping[str, Any]] | pa.Table, limit: int) -> list[Mapping[str, Any]]:
    """The `limit` findings with most dollars at risk, those without last; ties by date and finding id."""
    if isinstance(findings, pa.Table):
        if not findings.num_rows:
            return []
        order = [("at_risk_usd", "descending"), ("service_date", "ascending"), ("finding_id", "ascending")]
        return findings.take(pc.sort_indices(findings, sort_keys=order)[:limit]).to_pylist()
    return sorted(findings, key=_rank)[:limit]


def most_telling(findings: Sequence[Mapping[str, Any]] | pa.Table, limit: int, of_each_rule: int) -> list:
    """At most `limit` findings, as dicts: the first `of_each_rule` of every rule, then those with most dollars.

    First in a rule is most dollars, then most double-counted minutes; all stand in the order of most_dollars.
    """
    if len(findings) <= limit:
        return most_dollars(findings, limit)
    if not isinstance(findings, pa.Table):
        findings = pa.Table.from_pylist([dict(finding) for finding in findings])
    order = [("at_risk_usd", "descending"), ("double_counted_minutes", "descending")]
    order += [("service_date", "ascending"), ("finding_id", "ascending")]
    ranked = pc.sort_indices(findings, sort_keys=[key for key in order if key[0] in findings.column_names])
    rules = findings["rule_id"].take(ranked).to_pylist()
    seen: Counter[str] = Counter()
    first, rest = [], []
    for place, rule in zip(ranked.to_pylist(), rules, strict=True):
        seen[rule] += 1
        (first if seen[rule] <= of_each_rule else rest).append(place)
    return most_dollars(findings.take((first + rest)[:limit]), limit)


def tally(findings: Sequence[Mapping[str, Any]] | pa.Table, *names: str) -> Counter[tuple[Any, ...]]:
    """How many findings have which values of these columns; without one of the columns, none."""
    if not isinstance(findings, pa.Table):
        return Counter(tuple(finding.get(name) for name in names) for finding in findings)
    if not set(names) <= set(findings.column_names):
        return Counter({(None,) * len(names): len(findings)})
    counted = findings.group_by(list(names)).aggregate([([], "count_all")])
    keys = zip(*(counted[name].to_pylist() for name in names), strict=True)
    return Counter(dict(zip(keys, counted["count_all"].to_pylist(), strict=True)))


def plain(value: Any, longest: int) -> str:
    """The value as text that can only be read: no control characters, no hidden change of direction.

    Text longer than `longest` characters is cut, and says so.
    """
    if value is None:
        return ""
    text = str(value)
    # Whether a cell is huge must not cost time: what is cut away is never looked at.
    shown = "".join(map(_inert, text[: longest + 1]))
    if len(text) > longest or len(shown) > longest:
        told = f" … (cut; {len(text)} characters)"
        shown = shown[: longest - len(told)] + told
    return shown


def _inert(character: str) -> str:
    if character in "\t\n\r":
        return " "
    kind = unicodedata.category(character)
    is_noncharacter = ord(character) & 0xFFFE == 0xFFFE
    if kind in ("Cc", "Cs") or is_noncharacter:
        return "\N{REPLACEMENT CHARACTER}"
    if kind in ("Cf", "Zl", "Zp"):
        # Marks of direction and other unseen signs: named, so that a reader sees they are there.
        return f"<U+{ord(character):04X}>"
    return character


def _rank(finding: Mapping[str, Any]) -> tuple:
    dollars, day = finding.get("at_risk_usd"), finding.get("service_date")
    order = (dollars is None, -(dollars or 0), day is None, day or date.min)
    return (*order, str(finding.get("finding_id") or ""))
