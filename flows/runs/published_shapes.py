"""What manifest.json and summary.json of a published run must hold, for those who read them again.

Needed is what every version has written; of what came later, that it is right where it stands.
"""

from collections.abc import Iterable

from flows.runs.shapes import (
    a_count,
    a_day,
    a_flag,
    a_moment,
    a_name,
    a_number,
    a_path_inside,
    a_sha256,
    a_text,
    by_name,
    dollars,
    each,
    maybe,
    needing,
    one_of,
    record,
)
from transforms.contract.fields import TABLES

_STATUS = one_of("error", "failed", "passed", "not_applicable")
_TABLE = one_of(*TABLES)
_ROWS = tuple(f"rows_{fate}" for fate in ("accepted", "quarantined", "duplicate"))
#: Of a run on a warehouse alone, and needed to build it again.
_INPUT_MORE = {
    "delivery": a_count,
    "is_new": a_flag,
    "rows_in_file": maybe(a_count),
    "rows_filtered": maybe(a_count),
    "cells_set_aside": by_name(a_count),
}
_INPUT = {"file_number": a_count, "table": _TABLE, "file": a_text, "sha256": a_sha256, "rows_read": a_count}
_INPUT |= dict.fromkeys(_ROWS, a_count)
_WAREHOUSE = record(
    {
        "path": a_text,
        "as_of": a_day,
        "last_delivery": a_count,
        "last_file": a_count,
        "new_files": a_count,
        "removed": each(a_text),
        "service_dates_recomputed": a_count,
        "moved_by": by_name(a_count),
        "findings": by_name(a_count),
    },
    {
        "is_encrypted": a_flag,
        "house_schema": a_count,
        "months_checked": by_name(a_day, a_path_inside),
        "months_written_again": each(a_path_inside),
    },
)
_COUNTED = {"claim_days": a_count, "claim_days_with_note": a_count, "claim_day_share": maybe(a_number)}
_COUNTED |= {"notes": a_count, "notes_with_claim": a_count, "note_share": maybe(a_number), "minimum_share": a_number}
_MEASURED = {"counting_notes": a_count, "measured_notes": a_count}
_MEASURED |= {"measured_share": maybe(a_number), "minimum_measured_share": a_number}
_PERIOD = record({"first": maybe(a_day), "last": maybe(a_day)})
_RULE = {"rule_id": a_text, "status": _STATUS, "at_risk_usd": maybe(dollars)}
_RULE |= dict.fromkeys(("in_scope", "unjudged", "violations", "errors", "warnings", "reviews"), a_count)
_INFERRED = record(
    {
        "table_name": a_text,
        "column_name": a_text,
        "file_name": a_text,
        "row_count": a_count,
        "taken_from": maybe(a_text),
    },
    {"kind": a_text},
)
_FILTERED = {"table": a_text, "file": a_text, "place": a_text, "filter": a_text, "rows": a_count}
_GUARD = {"guard": a_text, "action": a_text, "did_fire": a_flag, "was_overridden": a_flag, "sentence": a_text}
#: What the guards of later nights compare with, and the search for a lost warehouse.
_OF_NIGHTS = {
    "since": maybe(a_day),
    "until": maybe(a_day),
    "warehouse": maybe(_WAREHOUSE),
    "is_incremental": a_flag,
    "payers": each(a_text),
    "dates_without_notes": by_name(a_count),
    "dates_without_blocks": by_name(a_count),
    "notes": a_count,
    "notes_with_blocks": a_count,
    "asked_for_rows": a_flag,
}


def _of_measures(match: dict) -> Iterable[str]:
    return _MEASURED if match.keys() & _MEASURED else ()


def _of_kind(manifest: dict) -> Iterable[str]:
    return ["rules_not_judged"] if manifest.get("claims_only") else []


def _manifest(value, key: str) -> None:
    _MANIFEST(value, key)
    if value["warehouse"] is not None:
        each(record({"delivery": a_count, "is_new": a_flag}))(value["inputs"], "inputs")


_MANIFEST = needing(
    record(
        {
            "run_id": a_name,
            "previous_run": maybe(a_name),
            "audit_digest": a_text,
            "as_of": a_day,
            "since": maybe(a_day),
            "until": maybe(a_day),
            "period": _PERIOD,
            "code_version": a_text,
            "schema_version": a_count,
            "reference_version": a_text,
            "finished_at": a_moment,
            "inputs": each(record(_INPUT, _INPUT_MORE)),
            "warehouse": maybe(_WAREHOUSE),
            "match": needing(record(_COUNTED, _MEASURED), _of_measures),
            "inferred": each(_INFERRED),
            "rows": by_name(a_count),
            "quarantine_reasons": by_name(a_count),
            "unjudged_days": by_name(a_count),
            "payers_without_method": by_name(a_count),
            "rules": each(record(_RULE), least=1),
            "findings_by_severity": by_name(a_count),
            "at_risk_usd": dollars,
            "contract_ok": a_flag,
            "contract_failures": each(a_text),
            "files": by_name(a_sha256, a_path_inside),
        },
        _OF_NIGHTS
        | {
            "claims_only": a_flag,
            "rules_not_judged": each(a_text),
            "mapping": maybe(record({"file": a_text, "sha256": a_sha256})),
            "mapped_columns": by_name(by_name(each(a_text))),
            "filtered": each(record(_FILTERED)),
            "quarantined_without_day": by_name(a_count),
            "partly_unjudged_days": by_name(a_count),
            "findings_without_dollars": by_name(a_count),
            "guards": each(record(_GUARD)),
            "dispositions": by_name(by_name(a_count)),
            "row_counts": by_name(a_count, a_path_inside),
            "seconds": by_name(a_number),
        },
    ),
    _of_kind,
)

#: manifest.json.
MANIFEST_SHAPE = _manifest
#: As much of it as a night needs to know of those before it.
NIGHT_SHAPE = record(
    {
        "run_id": a_name,
        "as_of": a_day,
        "finished_at": a_moment,
        "inputs": each(record({"table": a_text, "rows_read": a_count}, {"is_new": a_flag, "file_number": a_count})),
    },
    _OF_NIGHTS | {"previous_run": maybe(a_text)},
)
#: summary.json.
SUMMARY_SHAPE = record(
    {
        "run_id": a_name,
        "previous_run": maybe(a_name),
        "as_of": a_day,
        "since": maybe(a_day),
        "until": maybe(a_day),
        "period": _PERIOD,
        "versions": record({"code": a_text, "schema": a_count, "reference": a_text}),
        "rows": by_name(record(dict.fromkeys(("read", "accepted", "quarantined", "duplicate"), a_count))),
        "quarantine_reasons": by_name(a_count),
        "match": record(_COUNTED, {name: maybe(check) for name, check in _MEASURED.items()}),
        "unjudged_days": by_name(a_count),
        "payers_without_method": a_count,
        "rules": each(record(_RULE | {"family": maybe(a_text), "share": maybe(a_number)})),
        "families": by_name(record({"violations": a_count, "at_risk_usd": maybe(dollars)})),
        "violations": a_count,
        "by_severity": record(dict.fromkeys(("error", "warning", "review"), a_count)),
        "at_risk_usd": maybe(dollars),
        "changes": maybe(
            record(
                {"previous_run": a_name, "new_usd": maybe(dollars), "resolved_usd": maybe(dollars)}
                | dict.fromkeys(("new", "still_open", "changed", "reopened", "resolved"), a_count)
            )
        ),
        "dispositions": by_name(by_name(a_count)),
        "guards_fired": each(a_text),
        "contract_ok": a_flag,
    }
)
