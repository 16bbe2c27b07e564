"""The textfile that Prometheus' node_exporter reads: when an audit last ended, how, and what it published.

A run that fails publishes nothing, so what the file says of the published state stays as it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from flows.runs.manifest_facts import new_inputs, quarantine_share
from flows.watch.events import warn

#: Counts only: node_exporter runs as a user of its own and must be able to read the file.
FILE_MODE = 0o644
#: What the run says, whether it published or not.
OF_THE_RUN = {
    "minutewise_last_run_timestamp_seconds": "When an audit last ended, well or badly.",
    "minutewise_last_exit_code": "Exit code of the last audit: 0 and 1 published, any other did not.",
    "minutewise_run_seconds": "Seconds the last audit took, notifications aside.",
    "minutewise_stage_seconds": "Seconds a stage of the last audit took.",
}
#: What is published: a run that fails leaves these as they were.
OF_THE_PUBLISHED = {
    "minutewise_last_success_timestamp_seconds": "When an audit was last published, exit code 0 or 1.",
    "minutewise_last_delivery_timestamp_seconds": "When a run that read a row was last published.",
    "minutewise_findings": "Findings of the published run by rule and severity.",
    "minutewise_unjudged": "Subjects a rule left unjudged.",
    "minutewise_rules": "Rules of the published run by status.",
    "minutewise_at_risk_usd": "Dollars at risk over all findings, each billed unit once.",
    "minutewise_rows": "Rows read by the published run, by what became of them.",
    "minutewise_quarantine_share": "Share of the rows read that was set aside, 0 to 1; 0 where none was read.",
    "minutewise_match_share": "Share of claim days matched to a note, and of notes matched to a claim, 0 to 1.",
    "minutewise_payers_without_method": "Payers whose counting method no reference row says.",
    "minutewise_guards_fired": "Guards that warned or were overridden.",
    "minutewise_last_service_date_timestamp_seconds": "Last service date of the published run, midnight UTC.",
}
_SEVERITIES = {"errors": "error", "warnings": "warning", "reviews": "review"}
_STATUSES = ("passed", "failed", "not_applicable", "error")


#: Stays as it was on a night that publishes but reads nothing.
LAST_DELIVERY = "minutewise_last_delivery_timestamp_seconds"


@dataclass(frozen=True)
class Ended:
    """How an audit ended: when (seconds since 1970), after how many seconds, in all and by stage, and with which code.

    `manifest` is that of the published run, None where nothing was published.
    """

    at: float
    exit_code: int
    seconds: float
    stage_seconds: dict[str, float]
    manifest: dict | None


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]):
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def write_metrics(path: Path, ended: Ended) -> None:
    """Replaces the file as a whole; raises OSError where it cannot be written."""
    families = _run_families(ended)
    if ended.manifest:
        families += _published_families(ended.at, ended.manifest)
        if not _has_read(ended.manifest):
            families += [one for one in _kept(path) if one.name == LAST_DELIVERY]
    else:
        families += _kept(path)
    registry = CollectorRegistry()
    registry.register(_Families(families))
    write_to_textfile(str(path), registry)
    path.chmod(FILE_MODE)


def _kept(path: Path) -> list[Metric]:
    """What the file before says of the published state; nothing, and a warning, where it cannot be read."""
    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as problem:
        warn(f"--metrics-file {path}: what it said before cannot be read ({type(problem).__name__}) and is lost")
        return []
    return [family for family in families if family.name in OF_THE_PUBLISHED]


def _run_families(ended: Ended) -> list[Metric]:
    stages = _family("minutewise_stage_seconds", "stage")
    for stage, seconds in ended.stage_seconds.items():
        stages.add_metric([stage], seconds)
    return [
        _number("minutewise_last_run_timestamp_seconds", ended.at),
        _number("minutewise_last_exit_code", ended.exit_code),
        _number("minutewise_run_seconds", ended.seconds),
        stages,
    ]


def _published_families(at: float, manifest: dict) -> list[Metric]:
    rows = _family("minutewise_rows", "outcome")
    for outcome in ("accepted", "quarantined", "duplicate"):
        rows.add_metric([outcome], sum(entry[f"rows_{outcome}"] for entry in new_inputs(manifest)))
    match = _family("minutewise_match_share", "side")
    for side, share in (("claim_days", "claim_day_share"), ("notes", "note_share")):
        if manifest["match"][share] is not None:
            match.add_metric([side], manifest["match"][share])
    guards = [guard for guard in manifest.get("guards", []) if guard["did_fire"]]
    families = [
        _number("minutewise_last_success_timestamp_seconds", at),
        *_rule_families(manifest["rules"]),
        _number("minutewise_at_risk_usd", float(manifest["at_risk_usd"])),
        rows,
        _number("minutewise_quarantine_share", quarantine_share(manifest)),
        match,
        _number("minutewise_payers_without_method", len(manifest["payers_without_method"])),
        _number("minutewise_guards_fired", len(guards)),
    ]
    if _has_read(manifest):
        finished = datetime.fromisoformat(manifest["finished_at"]).timestamp()
        families.append(_number(LAST_DELIVERY, finished))
    if last := manifest["period"]["last"]:
        midnight = datetime.combine(date.fromisoformat(last), datetime.min.time(), UTC).timestamp()
        families.append(_number("minutewise_last_service_date_timestamp_seconds", midnight))
    return families


def _has_read(manifest: dict) -> bool:
    return any(entry["rows_read"] for entry in new_inputs(manifest))


def _rule_families(rules: list[dict]) -> list[Metric]:
    findings = _family("minutewise_findings", "rule", "severity")
    unjudged = _family("minutewise_unjudged", "rule")
    statuses = _family("minutewise_rules", "status")
    for rule in rules:
        for column, severity in _SEVERITIES.items():
            findings.add_metric([rule["rule_id"], severity], rule[column])
        unjudged.add_metric([rule["rule_id"]], rule["unjudged"])
    for status in _STATUSES:
        statuses.add_metric([status], sum(rule["status"] == status for rule in rules))
    return [findings, unjudged, statuses]


def _family(name: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, (OF_THE_RUN | OF_THE_PUBLISHED)[name], labels=labels)


def _number(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, (OF_THE_RUN | OF_THE_PUBLISHED)[name], value=value)
