"""What a dashboard reads of a run, summary.json: counts, dollars, dates and versions, nobody's id and no name.

Payers' ids may be patients' ids that slipped into another column, file names may hold people's names and a header may
hold a cell: none of them is here. No clock is either: the same audit gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal

from expectations.report import Changes
from flows.runs.manifest_facts import new_inputs
from flows.runs.mapping_facts import filter_sums, inferred_rows

_FATES = ("read", "accepted", "quarantined", "duplicate")
_SEVERITIES = {"error": "errors", "warning": "warnings", "review": "reviews"}
_MATCH = (
    "claim_days",
    "claim_days_with_note",
    "claim_day_share",
    "notes",
    "notes_with_claim",
    "note_share",
    "minimum_share",
    "counting_notes",
    "measured_notes",
    "measured_share",
    "minimum_measured_share",
)


def summary_counts(manifest: Mapping, families: Mapping[str, str], changes: Changes | None = None) -> dict:
    """The counts of a run out of its manifest, as JSON can hold them; dollars are text with two decimals.

    `families` says the family of each rule. `changes` is None where nobody compared the run with the one before.
    The fields are explained in docs/sharing.md.
    """
    rules = [_rule(rule, families) for rule in manifest["rules"]]
    return {
        "run_id": manifest["run_id"],
        "previous_run": manifest["previous_run"],
        "as_of": manifest["as_of"],
        "since": manifest["since"],
        "until": manifest["until"],
        "period": dict(manifest["period"]),
        "versions": {name: manifest[f"{name}_version"] for name in ("code", "schema", "reference")},
        "rows": _rows(manifest),
        "quarantine_reasons": dict(manifest["quarantine_reasons"]),
        "claims_only": manifest.get("claims_only", False),
        "rules_not_judged": list(manifest.get("rules_not_judged", ())),
        "mapping_sha256": (manifest.get("mapping") or {}).get("sha256"),
        "inferred": [
            {name: entry[name] for name in ("table", "column", "kind", "value", "rows")}
            for entry in inferred_rows(manifest)
        ],
        "filtered": [
            {"table": entry["table"], "filter": entry["place"], "rows": entry["rows"]}
            for entry in filter_sums(manifest)
        ],
        "match": {name: manifest["match"].get(name) for name in _MATCH},
        "unjudged_days": dict(manifest["unjudged_days"]),
        "partly_unjudged_days": dict(manifest.get("partly_unjudged_days") or {}),
        "payers_without_method": len(manifest["payers_without_method"]),
        "rules": rules,
        "families": _families(rules),
        "violations": sum(rule["violations"] for rule in rules),
        "by_severity": {name: sum(rule[column] for rule in rules) for name, column in _SEVERITIES.items()},
        "at_risk_usd": _amount(manifest["at_risk_usd"]),
        "findings_without_dollars": sum((manifest.get("findings_without_dollars") or {}).values()),
        "changes": _changes(changes),
        "dispositions": _counts_only(manifest.get("dispositions") or {}),
        "guards_fired": sorted(guard["guard"] for guard in manifest.get("guards", ()) if guard["did_fire"]),
        "contract_ok": manifest["contract_ok"],
    }


def _rule(rule: Mapping, families: Mapping[str, str]) -> dict:
    in_scope, violations = rule["in_scope"], rule["violations"]
    return {
        "rule_id": rule["rule_id"],
        "family": families.get(rule["rule_id"]),
        "status": rule["status"],
        "in_scope": in_scope,
        "unjudged": rule["unjudged"],
        "violations": violations,
        "share": violations / in_scope if in_scope else None,
        **{column: rule[column] for column in _SEVERITIES.values()},
        "at_risk_usd": _amount(rule["at_risk_usd"]),
    }


def _rows(manifest: Mapping) -> dict[str, dict[str, int]]:
    """Rows by table and fate; of a warehouse, those that the night itself read."""
    rows: dict[str, dict[str, int]] = {}
    for entry in new_inputs(manifest):
        held = rows.setdefault(entry["table"], dict.fromkeys(_FATES, 0))
        for fate in _FATES:
            held[fate] += entry[f"rows_{fate}"]
    return dict(sorted(rows.items()))


def _families(rules: list[dict]) -> dict[str, dict]:
    """Violations and dollars by family; a unit that two rules of a family name is counted with both."""
    sums: dict[str, dict] = {}
    for rule in rules:
        if rule["family"]:
            held = sums.setdefault(rule["family"], {"violations": 0, "at_risk_usd": None})
            held["violations"] += rule["violations"]
            if rule["at_risk_usd"] is not None:
                held["at_risk_usd"] = _amount(Decimal(held["at_risk_usd"] or 0) + Decimal(rule["at_risk_usd"]))
    return dict(sorted(sums.items()))


def _changes(changes: Changes | None) -> dict | None:
    if changes is None or changes.previous_run is None:
        return None
    told = asdict(changes)
    return told | {name: _amount(told[name]) for name in ("new_usd", "resolved_usd")}


def _counts_only(counts: Mapping) -> dict:
    """The counts of a mapping, whatever its depth: what is no number is nobody's business here."""
    kept = {str(name): _counts_only(held) if isinstance(held, Mapping) else held for name, held in counts.items()}
    return {name: held for name, held in kept.items() if isinstance(held, int | dict)}


def _amount(dollars) -> str | None:
    return None if dollars is None else f"{Decimal(str(dollars)):.2f}"
