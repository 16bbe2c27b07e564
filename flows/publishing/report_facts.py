"""Gathers what the reports tell of a run: its findings against those of the run before, sums by clinician, derivations.

Everything is read from the run's own tables and from the published run before it; nothing is counted anew.
"""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.report import (
    CODE_SUMS,
    LONGEST_SET_ASIDE_CELL,
    MOST_CODES,
    MOST_SET_ASIDE,
    MOST_SHOWN,
    OF_EACH_REASON,
    OF_EACH_RULE,
    Changes,
    Report,
    most_telling,
    plain,
)
from flows.explanation.compose.explanation import explanation
from flows.explanation.derive.many import derive_many
from flows.runs.mapping_facts import filtered_rows, inferred_rows
from flows.runs.names import MANIFEST
from flows.set_aside.rows import RUN_ROWS, most_telling_rows
from flows.summary.told import claims_only_lines, rule_status
from transforms.database.duckdb_file import rows_as_dicts

#: The charts of clinicians and minutes look back so far from the last service date.
LOOKS_BACK = timedelta(weeks=53)

_RULES = """
with missed as (
    select rule_id, cast(sum(expected_units - coalesce(billed_units, 0)) as bigint) as missed_units
    from finding group by rule_id
)
select r.*, a.title, a.severity, a.family, a.citation, a.citation_url, a.not_checked,
    case when a.family = 'missed_revenue' then coalesce(m.missed_units, 0) end as missed_units
from rule_result as r
join ref_audit_rule as a on a.rule_id = r.rule_id
left join missed as m on m.rule_id = r.rule_id
order by r.rule_id"""
#: A finding keeps its id while its subject stands, and its evidence hash while what was found of it stands.
#: Where a decision on it held before and holds no more, it is open again.
_SINCE = """
case when before.disposition_status = 'holds' and now.disposition_status <> 'holds' then 'reopened'
    when before.finding_id is not null and before.evidence_hash = now.evidence_hash then 'still open'
    when before.finding_id is not null then 'changed'
    when came_back.finding_id is not null then 'reopened'
    else 'new' end"""
#: One row a clinician; a therapy day is that of the rendering provider who billed most of its date's timed units.
_CLINICIANS = """
with billed as (
    select patient_id, service_date, rendering_provider_id as clinician_id, sum(billed_units) as units
    from ok_claims where service_date >= $since and rendering_provider_id is not null group by all
),
clinician as (
    select patient_id, service_date, clinician_id from billed
    qualify row_number() over (partition by patient_id, service_date order by units desc, clinician_id) = 1
),
therapy_day as (
    select patient_id, service_date, discipline, sum(billed_units) as billed_units,
        any_value(case counting_method when 'cms_8_minute' then day_units_cms when 'ama_midpoint' then day_units_ama
            else greatest(day_units_cms, day_units_ama) end) as supported_units
    from unit_published
    where is_timed and is_judged and not has_several_payers and day_supported_minutes is not null
        and service_date >= $since
    group by patient_id, service_date, discipline
    having sum(billed_units) > 0
)
select c.clinician_id, cast(sum(d.billed_units) as bigint) as billed_units,
    cast(sum(d.supported_units) as bigint) as supported_units, count(*) as days
from therapy_day as d
join clinician as c on c.patient_id = d.patient_id and c.service_date = d.service_date
where d.supported_units is not null
group by c.clinician_id order by c.clinician_id"""
_UNIT_MINUTES = """
select credited_minutes // billed_units as minutes, count(*) as days
from unit_published
where is_timed and is_judged and billed_units > 0 and credited_minutes > 0 and service_date >= $since
group by minutes order by minutes"""
#: Every billed day and unit of units.parquet once, and the days that were documented only.
_CODE_SUMS = ", ".join(f"cast(sum({name}) as bigint) as {name}" for name in CODE_SUMS)
_CODES = """
select strftime(service_date, '%Y-%m') as month, provider_id, procedure_code,
    matched_days + billed_only_days as billed_days, matched_units + billed_only_units as billed_units,
    matched_days, matched_units, billed_only_days, billed_only_units, documented_only_days
from code_count"""
_CODES_BY_MONTH = f"""
select month, provider_id, procedure_code, {_CODE_SUMS} from ({_CODES})
group by month, provider_id, procedure_code order by month desc, provider_id nulls last, procedure_code"""
_CODE_TOTALS = f"select procedure_code, {_CODE_SUMS} from ({_CODES}) group by procedure_code order by procedure_code"


def gather_report(run, con, manifest: dict, folder: Path, findings: str) -> Report:
    """The report of a run whose tables are in `con`; `findings` is the query of the published findings.

    The Parquet files of the run lie in `folder`; the manifest does not name them yet.
    """
    asked = run.asked
    found, changes, resolved = _compared(con, findings, run, _findings_before(run))
    last = con.execute("select max(service_date) from unit_published").fetchone()[0]
    since = {"since": last - LOOKS_BACK} if last else None
    derivations = derive_many(folder, manifest, most_telling(found, MOST_SHOWN, OF_EACH_RULE))
    return Report(
        run_id=run.found.run_id,
        as_of=asked.settings.as_of,
        period=tuple(day and date.fromisoformat(day) for day in manifest["period"].values()),
        inputs=manifest["inputs"],
        match=manifest["match"],
        claims_only="".join(claims_only_lines(manifest)),
        rules=[{**rule, "status": rule_status(rule, manifest)} for rule in rows_as_dicts(con, _RULES)],
        findings=found,
        unjudged=list(manifest["unjudged_days"].items()),
        partly_unjudged=list(manifest["partly_unjudged_days"].items()),
        unlisted_payers=list(manifest["payers_without_method"].items()),
        total_at_risk_usd=Decimal(manifest["at_risk_usd"]),
        reference_versions={"reference": manifest["reference_version"], "code": manifest["code_version"]},
        quarantine=list(manifest["quarantine_reasons"].items()),
        quarantined_without_day=manifest["quarantined_without_day"],
        set_aside=_set_aside(con, manifest),
        filtered=filtered_rows(manifest),
        inferred=inferred_rows(manifest),
        **({} if asked.settings.claims_only else _codes(con)),
        changes=changes,
        resolved=resolved,
        clinicians=rows_as_dicts(con, _CLINICIANS, since) if since else (),
        unit_minutes=con.execute(_UNIT_MINUTES, since).fetchall() if since else (),
        derivations=derivations,
        explanations=[explanation(one) for one in derivations],
    )


def _codes(con) -> dict:
    """What was documented against what was billed."""
    return {
        "codes": rows_as_dicts(con, f"{_CODES_BY_MONTH} limit {MOST_CODES}"),
        "code_totals": rows_as_dicts(con, _CODE_TOTALS),
        "codes_in_all": con.execute(f"select count(*) from ({_CODES_BY_MONTH})").fetchone()[0],
    }


def _set_aside(con, manifest: dict) -> list[dict]:
    """The most telling rows set aside, their cells cut: one may hold a megabyte."""
    rows = most_telling_rows(con, RUN_ROWS, manifest, MOST_SET_ASIDE, OF_EACH_REASON)
    return [{**row, "cell": plain(row["cell"], LONGEST_SET_ASIDE_CELL), "row": None} for row in rows]


def _findings_before(run) -> pa.Table | None:
    """The findings of the run that was current before, over the dates that this one judged; None where it is gone.

    A run that can be read no more is as good as gone: it must not keep the next one from being published.
    """
    asked = run.asked
    if not run.found.previous_run:
        return None
    folder = asked.settings.out / "runs" / run.found.previous_run
    limits = ((">=", asked.settings.since), ("<=", asked.settings.until))
    filters = [("service_date", sign, day) for sign, day in limits if day]
    try:
        if not (folder / MANIFEST).exists():
            return None
        found = pq.read_table(folder / "findings.parquet", filters=filters or None)
    except (OSError, pa.ArrowException):
        return None
    if "disposition_status" not in found.column_names:  # of a time when nothing could be decided
        found = found.append_column("disposition_status", pa.nulls(found.num_rows, pa.string()))
    return found


def _compared(con, findings: str, run, before: pa.Table | None) -> tuple[pa.Table, Changes, list[dict]]:
    """(the findings with since_last_run, what changed, the findings of the run before that stand no more)."""
    if before is None:
        nothing = "cast(null as varchar) as since_last_run"
        return con.execute(f"select *, {nothing} from ({findings})").to_arrow_table(), Changes(), []
    con.register("finding_before", before)
    lives = "select finding_id from finding_life where times_reopened > 0"
    came_back = lives if run.asked.settings.warehouse else "select cast(null as varchar) as finding_id where false"
    found = con.execute(
        f"select now.*, {_SINCE} as since_last_run from ({findings}) as now "
        "left join finding_before as before on before.finding_id = now.finding_id "
        f"left join ({came_back}) as came_back on came_back.finding_id = now.finding_id "
        "order by now.rule_id, now.service_date, now.patient_id, now.discipline, now.procedure_code, now.finding_id"
    ).to_arrow_table()
    resolved = rows_as_dicts(
        con,
        "select * from finding_before where finding_id not in (select finding_id from finding) "
        "order by at_risk_usd desc nulls last, service_date, finding_id",
    )
    con.unregister("finding_before")
    return found, _changes(found, resolved, run.found.previous_run), resolved


def _changes(found: pa.Table, resolved: list[dict], previous_run: str) -> Changes:
    sums = found.group_by("since_last_run").aggregate([("finding_id", "count"), ("at_risk_usd", "sum")]).to_pylist()
    count = {row["since_last_run"]: row["finding_id_count"] for row in sums}
    dollars = {row["since_last_run"]: row["at_risk_usd_sum"] or Decimal(0) for row in sums}
    return Changes(
        previous_run=previous_run,
        new=count.get("new", 0),
        still_open=count.get("still open", 0),
        changed=count.get("changed", 0),
        reopened=count.get("reopened", 0),
        resolved=len(resolved),
        new_usd=dollars.get("new", Decimal(0)) + dollars.get("reopened", Decimal(0)),
        resolved_usd=sum((row["at_risk_usd"] or Decimal(0) for row in resolved), Decimal(0)),
    )
