"""The rules as one Great Expectations suite: one expectation a row of the registry, over the findings.

Import this module only inside a function: it imports Great Expectations.
"""

from typing import ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
from great_expectations.expectations.metrics.metric_provider import MetricConfiguration

from expectations.suites.context import shown
from expectations.suites.valueless import OWN_ERROR
from transforms.errors import AuditError

ROW_COUNT = "unexpected_rows_query.row_count"
FAILURE_SEVERITY = {"error": "critical", "warning": "warning", "review": "info"}

# The findings of the rule; joined, so that a rule never counted has none to show.
FINDINGS = (
    "select held.finding_id from {{batch}} as counted join finding as held on held.rule_id = counted.rule_id"
    " where counted.rule_id = '{rule}'"
)
# Beside the findings, each a count of rows of rule_result (the batch), by the name the judgement uses.
# GX gives {{batch}} an alias of its own unless the query holds a join: only a join may name it.
COUNTS = {
    "rows": "select rule_id from {{batch}} where rule_id = '{rule}'",
    "judged": "select rule_id from {{batch}} where rule_id = '{rule}'"
    " and status in ('passed', 'failed', 'not_applicable') and in_scope >= 0",
    "nothing_in_scope": "select rule_id from {{batch}} where rule_id = '{rule}' and in_scope = 0",
    "miscounted": "select rule_id from {{batch}} where rule_id = '{rule}' and violations is distinct from"
    " (select count(*) from finding as held where held.rule_id = '{rule}')",
}


class RuleNotCounted(Exception):
    """A rule that cannot be judged: Great Expectations must report an error, never failed data."""


class RuleHasNoFindings(UnexpectedRowsExpectation):
    """One audit rule holds: it was counted exactly once, and no finding names it.

    Declares row counts only, so that no finding leaves the database. Raises RuleNotCounted (an errored
    expectation) when `rule_result` holds no row for the rule, several, one of status error, or one that
    disagrees with the findings. Nothing in scope is the verdict `not_applicable`.
    """

    rule_id: str
    metric_dependencies: ClassVar[tuple[str, ...]] = (ROW_COUNT,)

    def get_validation_dependencies(self, execution_engine=None, runtime_configuration=None):
        """Adds the counts beside the findings: the same metric, asked with other queries."""
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        domain = dependencies.metric_configurations[ROW_COUNT].metric_domain_kwargs
        for name, query in COUNTS.items():
            asked = {"unexpected_rows_query": query.format(rule=self.rule_id)}
            dependencies.set_metric_configuration(name, MetricConfiguration(ROW_COUNT, domain, asked))
        return dependencies

    def _validate(self, metrics, runtime_configuration=None, execution_engine=None):
        findings = metrics[ROW_COUNT]
        if metrics["rows"] != 1:
            self._refuse(f"has {metrics['rows']} rows in rule_result, not one")
        if metrics["judged"] != 1:
            self._refuse("ended in an error or counted nothing")
        if metrics["miscounted"] or (metrics["nothing_in_scope"] and findings):
            self._refuse(f"has {findings} findings, and its row in rule_result counts otherwise")
        verdict = "failed" if findings else "not_applicable" if metrics["nothing_in_scope"] else "passed"
        return {
            "success": findings == 0,
            "result": {"observed_value": findings, "details": {"verdict": verdict}},
        }

    def _refuse(self, why: str) -> None:
        raise RuleNotCounted(f"{OWN_ERROR}rule {self.rule_id} {why}")


def rule_checks(registry: list[dict]) -> list[RuleHasNoFindings]:
    """One expectation a registry row (dicts with rule_id, title, severity, citation). Raises AuditError."""
    if not registry:
        raise AuditError("ref_audit_rule holds no rule; check data/reference/audit_rules.csv")
    return [_rule_check(row) for row in registry]


def _rule_check(row: dict) -> RuleHasNoFindings:
    rule, severity = row["rule_id"], row["severity"]
    if not rule.isidentifier() or severity not in FAILURE_SEVERITY:
        raise AuditError(f"audit_rules.csv: rule {rule!r} needs a plain id and severity error, warning or review")
    meta = {name: row[name] for name in ("rule_id", "title", "severity", "citation")}
    return RuleHasNoFindings(
        rule_id=rule,
        unexpected_rows_query=FINDINGS.format(rule=rule),
        severity=FAILURE_SEVERITY[severity],
        meta=meta,
        description=shown(f"{rule} ({severity}): {row['title']}. Source: {row['citation']}"),
    )
