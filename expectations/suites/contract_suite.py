"""The contract as Great Expectations suites, one a table: columns, types, keys, ranges, reconciliation.

Import this module only inside a function: it imports Great Expectations.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

import great_expectations.expectations as gxe
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

from expectations.suites.context import shown
from transforms.contract.fields import TABLES, Field, contract_fields, key_fields

# Read with every table: where the row came from.
PROVENANCE = {"file_number": "INTEGER", "source_line": "BIGINT"}

# What load_count says of a file -> the tables that hold those rows.
OUTCOMES = {
    "rows_accepted": tuple(f"ok_{table}" for table in TABLES),
    "rows_quarantined": ("quarantine",),
    "rows_duplicate": ("duplicate_row",),
}


class CountedRowsExpectation(UnexpectedRowsExpectation):
    """No row may answer the query. Declares only the row count, so no row ever leaves the database."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics, runtime_configuration=None, execution_engine=None):
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count}}


def contract_checks(as_of: date | None = None) -> dict[str, list]:
    """The expectations of every table of the contract: table name -> list, `meta.check` naming each.

    `as_of` settles the contract's `as_of+1`; without it that bound is not judged.
    """
    checks = {f"ok_{table}": _table_checks(table, as_of) for table in TABLES}
    orphans = (
        "select block.note_id from {batch} as block"
        " left join ok_notes as note on note.note_id = block.note_id where note.note_id is null"
    )
    checks["ok_note_blocks"].append(_counted("ok_note_blocks", "note_id", "has its note", orphans))
    return checks | {"load_count": _reconciliation(), "finding": _finding_checks()}


def _table_checks(contract: str, as_of: date | None) -> list:
    table, fields = f"ok_{contract}", contract_fields(contract)
    types = {field.field: field.duckdb_type for field in fields} | PROVENANCE
    checks = [_type_check(table, field, held) for field, held in types.items()]
    for field in fields:
        checks += _value_checks(table, field, as_of)
    checks += [_required(table, field) for field in PROVENANCE]
    return [*checks, _key_check(table, key_fields(contract))]


def _value_checks(table: str, field: Field, as_of: date | None) -> list:
    checks = []
    if field.is_required or field.default:
        checks.append(_required(table, field.field))
    if field.allowed:
        about = _about(table, field.field, "allowed values", f"one of {', '.join(field.allowed)}")
        checks.append(gxe.ExpectColumnValuesToBeInSet(column=field.field, value_set=list(field.allowed), **about))
    outside = _outside(field, as_of)
    if outside:
        query = f'select "{field.field}" from {{batch}} where {" or ".join(outside)}'
        checks.append(_counted(table, field.field, "range", query))
    return checks


def _outside(field: Field, as_of: date | None) -> list[str]:
    """Conditions for a value out of range. Bounds are literals of the column's own type: nothing is cast."""
    is_day = field.type in ("date", "timestamp")
    conditions = []
    if field.minimum:
        lowest = f"date '{date.fromisoformat(field.minimum)}'" if is_day else Decimal(field.minimum)
        conditions.append(f'"{field.field}" < {lowest}')
    if field.maximum == "as_of+1":
        # The day after the as-of date is inside, up to its last moment.
        if as_of:
            conditions.append(f"\"{field.field}\" >= date '{as_of + timedelta(days=2)}'")
    elif field.maximum:
        conditions.append(f'"{field.field}" > {Decimal(field.maximum)}')
    return conditions


def _type_check(table: str, field: str, stored: str) -> CountedRowsExpectation:
    query = (
        f"select wanted.field from (select '{field}' as field) as wanted"
        " left join (describe {batch}) as held on held.column_name = wanted.field"
        f" and held.column_type = '{stored}' where held.column_name is null"
    )
    return _counted(table, field, f"is there as {stored}", query)


def _required(table: str, field: str):
    return gxe.ExpectColumnValuesToNotBeNull(column=field, **_about(table, field, "required", "never empty"))


def _key_check(table: str, keys: tuple[str, ...]) -> CountedRowsExpectation:
    columns = ", ".join(f'"{key}"' for key in keys)
    query = f"select {columns} from {{batch}} group by {columns} having count(*) > 1"
    return _counted(table, " + ".join(keys), "key is distinct", query)


def _reconciliation() -> list:
    """Rows read = accepted + quarantined + duplicate for every file, and each is what the tables hold."""
    unequal = (
        "select file_number from {batch} where rows_read is distinct from"
        " rows_accepted + rows_quarantined + rows_duplicate"
    )
    uncounted = (
        "select held.file_number from input_file as held"
        " left join {batch} as counted on counted.file_number = held.file_number"
        " group by held.file_number having count(counted.file_number) <> 1"
    )
    return [
        *[_required("load_count", column) for column in ("file_number", "rows_read", *OUTCOMES)],
        _counted("load_count", "rows_read", "accepted + quarantined + duplicate, per file", unequal),
        _counted("load_count", "file_number", "every input file is counted once", uncounted),
        *[_recount(column, tables) for column, tables in OUTCOMES.items()],
    ]


def _recount(column: str, tables: tuple[str, ...]) -> CountedRowsExpectation:
    rows = " union all ".join(f"select file_number from {table}" for table in tables)
    query = (
        "select coalesce(counted.file_number, held.file_number) as file_number from {batch} as counted"
        " full join (select file_number, count(*) as rows_held"
        f" from ({rows}) as every_row"
        # Rows of earlier deliveries were counted when they came.
        " where file_number not in (select file_number from delivered_file where not is_new)"
        " group by file_number) as held on held.file_number = counted.file_number"
        f" where counted.{column} is distinct from coalesce(held.rows_held, 0)"
    )
    return _counted("load_count", column, "the rows that the tables hold, per file", query)


def _finding_checks() -> list:
    unknown = (
        "select held.rule_id from"
        " (select rule_id from {batch} union all select rule_id from rule_result) as held"
        " left join ref_audit_rule as rule on rule.rule_id = held.rule_id where rule.rule_id is null"
    )
    return [
        _required("finding", "finding_id"),
        _key_check("finding", ("finding_id",)),
        _counted("finding", "rule_id", "is a rule of the registry", unknown),
    ]


def _counted(table: str, field: str, check: str, query: str) -> CountedRowsExpectation:
    return CountedRowsExpectation(unexpected_rows_query=query, **_about(table, field, check, check))


def _about(table: str, field: str, check: str, sentence: str) -> dict:
    meta = {"check": f"{table}.{field}: {check}"}
    description = shown(f"Contract (error): {table}.{field}: {sentence}")
    return {"severity": "critical", "meta": meta, "description": description}
