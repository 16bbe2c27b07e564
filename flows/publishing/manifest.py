"""What a run says of itself: versions, what was read and set aside, rows a stage, findings a rule."""

import json
from datetime import UTC, datetime

from flows.identity import SCHEMA_VERSION, code_version, reference_version
from flows.set_aside.rows import mapped_columns
from transforms.database.duckdb_file import rows_as_dicts
from transforms.models.load import rules_without_notes
from transforms.warehouse.tables import CELLS_SET_ASIDE, WAREHOUSE_SCHEMA


def describe(run, con) -> dict:
    """The manifest of a run, without its files and seconds: counts, names and versions, never a patient's value."""
    found = run.found
    settings = run.asked.settings
    return {
        "run_id": found.run_id,
        "previous_run": found.previous_run,
        "audit_digest": found.audit_digest,
        "as_of": settings.as_of.isoformat(),
        "since": _iso(settings.since),
        "until": _iso(settings.until),
        "period": _period(con),
        "code_version": code_version(),
        "schema_version": SCHEMA_VERSION,
        "reference_version": reference_version(settings.reference),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "claims_only": settings.claims_only,
        "rules_not_judged": _not_judged(con) if settings.claims_only else [],
        "inputs": _held(con) if found.warehouse else _inputs(con),
        "warehouse": _night(run, con) if found.warehouse else None,
        "match": _match(found.match) | _measured(run, con),
        "mapping": {"file": found.mapping.file_name, "sha256": found.mapping.sha256} if found.mapping else None,
        "mapped_columns": mapped_columns(found.mapping),
        "inferred": rows_as_dicts(con, "select * from inference order by all"),
        "filtered": rows_as_dicts(
            con,
            'select table_name as "table", file_name as file, place, filter, row_count as rows from filter_count '
            "order by all",
        ),
        "ignored_columns": rows_as_dicts(
            con,
            'select f.table_name as "table", f.file_name as file, i.column_name as "column" from ignored_column as i '
            "join delivered_file as f on f.file_number = i.file_number order by all",
        ),
        "rows": {
            row["stage"]: row["row_count"]
            for row in rows_as_dicts(con, "select stage, row_count from stage_count order by place")
        },
        "discipline_settled_by": _sums(con, "discipline"),
        "quarantine_reasons": dict(
            con.execute(
                "select table_name || ': ' || reason, count(*) from quarantine group by 1 order by 1"
            ).fetchall()
        ),
        # Of the patient and date that such a row belongs to nobody knows: no day is left unjudged for it.
        "quarantined_without_day": dict(
            con.execute(
                "select table_name, count(*) from quarantine where table_name in ('claims', 'notes') "
                "and (patient_id is null or service_date is null) group by 1 order by 1"
            ).fetchall()
        ),
        "unjudged_days": _sums(con, "unjudged"),
        "partly_unjudged_days": _sums(con, "partly_unjudged"),
        "payers_without_method": _sums(con, "unlisted_payer"),
        "days_with_several_payers": _sums(con, "several_payers").get("", 0),
        "rules": rows_as_dicts(con, "select * from rule_result order by rule_id"),
        "rule_problems": rows_as_dicts(con, "select distinct rule_id, problem from rule_error order by all"),
        "findings_by_severity": dict(
            con.execute("select severity, count(*) from finding group by 1 order by 1").fetchall()
        ),
        "at_risk_usd": _total(con),
        "findings_without_dollars": _without_dollars(con),
        "contract_ok": found.verdict.contract_ok,
        "contract_failures": found.verdict.contract_failures,
        **found.watched,
    }


def _not_judged(con) -> list[str]:
    """The rules that need notes, of a run that read none."""
    rules = con.execute("select rule_id from rule_result order by rule_id").fetchall()
    return [rule for (rule,) in rules if rule not in rules_without_notes()]


def _night(run, con) -> dict:
    """What a night did to its warehouse: files taken in and removed, and the dates computed again by what moved."""
    asked, found = run.asked, run.found
    ((as_of, delivery, last_file),) = con.execute(
        "select as_of, delivery_number, file_number from house_state"
    ).fetchall()
    return {
        "path": str(asked.settings.warehouse.resolve()),
        "is_encrypted": asked.settings.key is not None,
        "as_of": _iso(as_of),
        "house_schema": WAREHOUSE_SCHEMA,
        "last_delivery": delivery,
        "last_file": last_file,
        "new_files": len(found.files),
        "removed": sorted(asked.settings.removed),
        "service_dates_recomputed": found.counts["recompute"]["service_dates"],
        "moved_by": found.moved,
        "findings": dict(
            con.execute("select status, count(*) from finding_life group by status order by status").fetchall()
        ),
    }


def _held(con) -> list[dict]:
    """The files in force, with the counts of the night that read them."""
    files = rows_as_dicts(
        con,
        'select file_number, table_name as "table", file_name as file, sha256, delivery_number as delivery, '
        "file_number in (select n.file_number from input_file as n) as is_new, "
        "rows_read, rows_accepted, rows_quarantined, rows_duplicate, rows_in_file, rows_filtered, cells_set_aside "
        "from delivered_file order by file_number",
    )
    return [_with_cells(file) for file in files]


def _with_cells(file: dict) -> dict:
    """The file with the cells set aside as counts by column."""
    return file | {"cells_set_aside": json.loads(file["cells_set_aside"] or "{}")}


def _period(con) -> dict:
    first, last = con.execute(
        "select min(service_date), max(service_date) from date_count where name = 'therapy days'"
    ).fetchone()
    return {"first": _iso(first), "last": _iso(last)}


def _sums(con, kind: str) -> dict[str, int]:
    """The sums of one kind of date_count by name."""
    rows = con.execute(
        "select name, cast(sum(amount) as bigint) from date_count where kind = ? group by name order by name", [kind]
    )
    return dict(rows.fetchall())


def _inputs(con) -> list[dict]:
    files = rows_as_dicts(
        con,
        'select f.file_number, f.table_name as "table", f.file_name as file, f.sha256, c.rows_read, c.rows_accepted, '
        "c.rows_quarantined, c.rows_duplicate, l.rows_in_file, l.rows_filtered, a.cells_set_aside "
        "from input_file as f join load_count as c on c.file_number = f.file_number "
        "left join filtered_count as l on l.file_number = f.file_number "
        f"left join ({CELLS_SET_ASIDE}) as a on a.file_number = f.file_number order by f.file_number",
    )
    return [_with_cells(file) for file in files]


def _match(match) -> dict:
    return {
        "claim_days": match.claim_days,
        "claim_days_with_note": match.claim_days_with_note,
        "claim_day_share": match.claim_day_share,
        "notes": match.notes,
        "notes_with_claim": match.notes_with_claim,
        "note_share": match.note_share,
        "minimum_share": match.minimum_share,
    }


def _measured(run, con) -> dict:
    """How many counting notes of the run there are, and how many give any minutes: a total, or a block with minutes or
    a clock.

    A night holds the rows of the dates it touched only, and Spark keeps its rows: there the dates' counts are summed.
    """
    if run.found.warehouse or run.spark:
        sums = _sums(con, "match")
        counting, measured = sums.get("counting_notes", 0), sums.get("measured_notes", 0)
    else:
        counting, measured = con.execute("select counting_notes, measured_notes from stg_measure").fetchone()
    least = con.execute(
        "select value from ref_parameter where name = 'minimum_measured_share' "
        "and $day >= effective_from and $day < effective_to",
        {"day": run.asked.settings.as_of},
    ).fetchone()
    return {
        "counting_notes": counting,
        "measured_notes": measured,
        "measured_share": measured / counting if counting else None,
        "minimum_measured_share": float(least[0]) if least else 0.0,
    }


def _total(con) -> str:
    """Dollars at risk over all rules, each billed unit once."""
    return str(
        con.execute(
            "select cast((coalesce(sum(amount), 0) + 50) // 100 as decimal(18, 0)) * cast(0.01 as decimal(2, 2)) "
            "from date_count where kind = 'at_risk_e4'"
        ).fetchone()[0]
    )


def _without_dollars(con) -> dict[str, int]:
    """By rule the findings that put units at risk, and none of whose lines holds an amount: unknown, not none."""
    return dict(
        con.execute(
            "select f.rule_id, count(*) from finding as f join ref_audit_rule as r on r.rule_id = f.rule_id "
            "where r.family = 'overbilling' and f.at_risk_usd is null group by f.rule_id order by f.rule_id"
        ).fetchall()
    )


def _iso(day) -> str | None:
    return day.isoformat() if day else None
