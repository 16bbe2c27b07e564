"""The verdicts of a shareable summary: violations, their sums and dollars, and the scopes of the rules."""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil, floor

from flows.summary.shareable.left_open import Pool, left_open
from flows.summary.shareable.page import LEAST, LEAST_RANGE, Page, is_large
from flows.summary.shareable.patients_behind import ROW, PatientsBehind
from flows.summary.shareable.steps import step_below, step_end

_SPLIT = {"error": "errors", "warning": "warnings", "review": "reviews"}


def verdicts(page: Page) -> dict:
    """The rules of a summary, their sums by family and severity, and the dollars; small cells withheld on the page."""
    shown = {rule["rule_id"]: _is_shown(rule, page.behind) for rule in page.summary["rules"]}
    families, total, pools = _sums(page, shown)
    rules = _rules(page, shown, total)
    return {
        "rules": rules,
        "families": families,
        "violations": total,
        "by_severity": _by_severity(page, rules),
        **_dollars(page, rules, pools),
    }


def _people(behind: PatientsBehind, rule_id: str) -> frozenset[int]:
    return frozenset().union(*(behind.people.get((rule_id, severity), frozenset()) for severity in _SPLIT))


def _is_shown(rule: Mapping, behind: PatientsBehind) -> bool:
    return is_large(rule["violations"], len(_people(behind, rule["rule_id"])))


def _pool(rules: list[Mapping], has_sum: bool) -> Pool:
    """Rules whose violations are withheld, with their sum where it is known."""
    carry = sum(rule["at_risk_usd"] is not None for rule in rules)
    return Pool(carry, len(rules) - carry, sum(rule["violations"] for rule in rules) if has_sum else None)


def _sum_shown(page: Page, rules: list[Mapping]) -> bool:
    """Whether the sum of these rules' withheld violations can be known: of enough patients, and each is left open."""
    people = frozenset().union(*(_people(page.behind, rule["rule_id"]) for rule in rules))
    return not rules or (len(people) >= LEAST and left_open([_pool(rules, True)]))


def _sums(page: Page, shown: Mapping[str, bool]) -> tuple[dict, int | None, list[Pool]]:
    """(sums by family, violations in all, the withheld counts by the one shown sum they stand in)."""
    rules = page.summary["rules"]
    left = [rule for rule in rules if not shown[rule["rule_id"]]]
    families, pools = {}, []
    for name, sums in page.summary["families"].items():
        own, path = [rule for rule in left if rule["family"] == name], f"families.{name}"
        has_sum = _sum_shown(page, own)
        if has_sum:
            pools.append(_pool(own, True))
            left = [rule for rule in left if rule["family"] != name]
        has_dollars = all(_dollars_shown(page, rule) for rule in rules if rule["family"] == name)
        families[name] = {
            "violations": page.cell(f"{path}.violations", sums["violations"], has_sum),
            "at_risk_usd": page.cell(f"{path}.at_risk_usd", sums["at_risk_usd"], has_dollars),
        }
    # What the shown families leave over of the total is a sum, too.
    has_sum = _sum_shown(page, left)
    pools.append(_pool(left, has_sum))
    return families, page.cell("violations", page.summary["violations"], has_sum), pools


def _dollars_shown(page: Page, rule: Mapping) -> bool:
    """Whether a rule's dollars can be shown: there are none, or findings and patients enough have them."""
    rule_id, behind = rule["rule_id"], page.behind
    if rule["at_risk_usd"] is None:
        return True
    return (
        _is_shown(rule, behind)
        and behind.dollar_findings.get(rule_id, 0) >= LEAST
        and len(behind.dollar_people.get(rule_id, ())) >= LEAST
    )


def _rules(page: Page, shown: Mapping[str, bool], total: int | None) -> list[dict]:
    told = total
    if told is None:
        told = sum(rule["violations"] for rule in page.summary["rules"] if shown[rule["rule_id"]])
    # Scopes lie within each other: what one holds and another does not may be the violations of a third. Those that
    # are shown, taken from the range of a scope, must leave as much as hides a withheld one.
    told = 0 if all(shown.values()) else told
    return [_rule(page, rule, shown[rule["rule_id"]], told) for rule in page.summary["rules"]]


def _rule(page: Page, rule: Mapping, is_shown: bool, told: int) -> dict:
    rule_id, path = rule["rule_id"], f"rules.{rule['rule_id']}"
    people = page.behind.people
    split_shown = is_shown and all(
        is_large(rule[column], len(people.get((rule_id, severity), ()))) for severity, column in _SPLIT.items()
    )
    return {
        "rule_id": rule_id,
        "family": rule["family"],
        "status": rule["status"],
        "in_scope_at_least": _scope(page, rule, is_shown, told),
        "unjudged_at_least": page.size(f"{path}.unjudged_at_least", rule["unjudged"], _kind(page, rule_id)),
        "violations": page.cell(f"{path}.violations", rule["violations"], is_shown),
        **{column: page.cell(f"{path}.{column}", rule[column], split_shown) for column in _SPLIT.values()},
        "at_risk_usd": page.cell(f"{path}.at_risk_usd", rule["at_risk_usd"], _dollars_shown(page, rule)),
    }


def _kind(page: Page, rule_id: str) -> str:
    return page.behind.subjects.get(rule_id, ROW)


def _scope(page: Page, rule: Mapping, is_shown: bool, told: int) -> int | None:
    """The step that a rule's scope reaches, where it leaves open how many subjects the rule did not accuse."""
    path, count = f"rules.{rule['rule_id']}.in_scope_at_least", rule["in_scope"]
    step = step_below(count)
    if step:
        own = rule["violations"] if is_shown else 0
        is_open = min(step_end(step) - max(step, own), step_end(step) - step - told) >= LEAST_RANGE
        if not is_open:
            return page.cell(path, None, False)
    return page.size(path, count, _kind(page, rule["rule_id"]))


def _by_severity(page: Page, rules: list[dict]) -> dict:
    """By severity only where every rule's split is shown: else these sums would cross those of the families."""
    is_shown = all(rule[column] is not None for rule in rules for column in _SPLIT.values())
    return {
        name: page.cell(f"by_severity.{name}", count, is_shown) for name, count in page.summary["by_severity"].items()
    }


def _dollars(page: Page, rules: list[dict], pools: list[Pool]) -> dict:
    """Dollars in all: exact where no rule's are withheld, else the step they reach, where it leaves open the counts."""
    held, total = page.summary["rules"], Decimal(page.summary["at_risk_usd"])
    withheld = [rule for rule in held if not _dollars_shown(page, rule)]
    if not withheld:
        return {"at_risk_usd": page.summary["at_risk_usd"], "at_risk_usd_at_least": None}
    told = sum(Decimal(rule["at_risk_usd"]) for rule in rules if rule["at_risk_usd"] is not None)
    # Of a rule whose violations are shown, the findings with dollars may be few.
    few = sum(_is_shown(rule, page.behind) for rule in withheld)
    findings = sum(page.behind.dollar_findings.get(rule["rule_id"], 0) for rule in withheld)
    price = sum(Decimal(rule["at_risk_usd"]) for rule in withheld) / max(findings, 1)
    step, people = step_below(int(total)), frozenset().union(*page.behind.dollar_people.values())
    is_open = bool(step) and price > 0 and len(people) >= LEAST
    if is_open:
        bounds = (ceil((step - told) / price), floor((step_end(step) + 1 - told) / price))
        is_open = left_open([*pools, Pool(few, 0)], bounds)
    return {
        "at_risk_usd": page.cell("at_risk_usd", None, False),
        "at_risk_usd_at_least": page.cell("at_risk_usd_at_least", step, is_open),
    }
