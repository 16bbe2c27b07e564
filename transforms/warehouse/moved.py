"""Which service dates move though no row of theirs did: the as-of date, the covered dates or a reference row moved.

Every dated table is resolved on the service date, so a changed row moves only dates in its period on which it is met.
"""

from datetime import date

from transforms.database.sql_values import literal
from transforms.reference.definitions import TABLES, Met
from transforms.reference.definitions import Table as ReferenceTable

#: Where a changed row of a table is met: dates of claim lines of the code, of the payer, and blocks of the code.
_LINES_OF_CODE = "SELECT service_date, procedure_code AS met FROM warehouse.ok_claims"
_BLOCKS_OF_CODE = (
    "SELECT n.service_date, b.procedure_code AS met FROM warehouse.ok_note_blocks AS b "
    "JOIN warehouse.ok_notes AS n ON n.note_id = b.note_id"
)
#: A cap of one code of a pair is met where the other one is, and so is the alias that makes them a pair.
_PAIRS = (
    "(SELECT procedure_code, target_code FROM main.ref_code_alias WHERE relation = 'counts_as' UNION "
    "SELECT procedure_code, target_code FROM warehouse.ref_code_alias WHERE relation = 'counts_as')"
)
_PARTNERS_OF_LINES = (
    "SELECT c.service_date, a.procedure_code AS met FROM warehouse.ok_claims AS c "
    f"JOIN {_PAIRS} AS a ON a.target_code = c.procedure_code "
    "UNION SELECT c.service_date, a.target_code AS met FROM warehouse.ok_claims AS c "
    f"JOIN {_PAIRS} AS a ON a.procedure_code = c.procedure_code"
)
_LINES_OF_PAYER = (
    "SELECT c.service_date, coalesce(x.to_id, c.payer_id) AS met FROM warehouse.ok_claims AS c "
    "LEFT JOIN crosswalk_payer AS x ON x.from_id = c.payer_id"
)
#: The column of a table's key that a row of an extract meets it by, and where; None: every row in force is met.
_MEETS = {
    Met.CODE: ("procedure_code", f"{_LINES_OF_CODE} UNION {_BLOCKS_OF_CODE}"),
    Met.CODE_OR_PARTNER: ("procedure_code", f"{_LINES_OF_CODE} UNION {_BLOCKS_OF_CODE} UNION {_PARTNERS_OF_LINES}"),
    Met.PAYER: ("payer_id", _LINES_OF_PAYER),
    Met.EVERY_DATE: (None, None),
}


def find_moved_settings(con, as_of: date) -> None:
    """Adds to `change` the dates that the billing lag, the covered dates and the reference tables move."""
    _billing_lag(con, as_of)
    _coverage(con)
    for table in TABLES:
        if table.met is not Met.NO_DATE:
            _reference(con, table)


def _billing_lag(con, as_of: date) -> None:
    """A date passes the billing lag, or comes back into it (rule book s. 2)."""
    past = """
        SELECT d.service_date FROM accepted_date AS d JOIN {table} AS lag
            ON lag.name = 'billing_lag_days'
            AND d.service_date >= lag.effective_from AND d.service_date < lag.effective_to
        WHERE d.service_date <= {as_of} - CAST(lag.value AS INTEGER)"""
    now = past.format(table="main.ref_parameter", as_of=f"DATE '{as_of.isoformat()}'")
    before = past.format(table="warehouse.ref_parameter", as_of="(SELECT as_of FROM warehouse.house_state)")
    _add(con, "the billing lag", f"({now} EXCEPT {before}) UNION ({before} EXCEPT {now})")


def _coverage(con) -> None:
    """A date comes into the dates that both extracts cover, or leaves them."""
    covered = """
        SELECT d.service_date FROM main.accepted_date AS d CROSS JOIN (
            SELECT greatest(min(service_date) FILTER (WHERE claim_lines > 0),
                    min(service_date) FILTER (WHERE notes > 0)) AS first_date,
                least(max(service_date) FILTER (WHERE claim_lines > 0),
                    max(service_date) FILTER (WHERE notes > 0)) AS last_date,
                count(*) FILTER (WHERE claim_lines > 0) > 0 AND count(*) FILTER (WHERE notes > 0) > 0 AS have_both
            FROM {table}) AS both_cover
        WHERE have_both AND d.service_date BETWEEN first_date AND last_date"""
    now, before = covered.format(table="main.accepted_date"), covered.format(table="warehouse.accepted_date")
    _add(con, "the covered dates", f"({now} EXCEPT {before}) UNION ({before} EXCEPT {now})")


def _reference(con, table: ReferenceTable) -> None:
    """The dates on which a key of the table resolves otherwise than before, and on which a row meets it."""
    column, meets = _MEETS[table.met]
    said = ", ".join([*table.values, "reference_key"])
    keys = ", ".join(table.key)
    periods = "effective_from, effective_to"
    (first, *_) = table.key
    elsewhere = ", ".join(map(literal, table.met_elsewhere))
    leave_out = f"WHERE {first} NOT IN ({elsewhere})" if elsewhere else ""
    rows = f"SELECT {keys}, {said}, {periods} FROM {{catalog}}.{table.table_name} {leave_out}"
    now, before = rows.format(catalog="main"), rows.format(catalog="warehouse")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE differing AS SELECT DISTINCT {keys} FROM "
        f"(({now} EXCEPT {before}) UNION ({before} EXCEPT {now}))"
    )
    if not con.execute("SELECT count(*) FROM differing").fetchone()[0]:
        return
    same_key = " AND ".join(f"ref.{key} IS NOT DISTINCT FROM differing.{key}" for key in table.key)
    listed = ", ".join(f"ref.{name}" for name in (*table.key, *table.values, "reference_key"))
    resolved = f"""
        SELECT d.service_date, {listed} FROM differing JOIN {{catalog}}.{table.table_name} AS ref ON {same_key}
        JOIN accepted_date AS d ON d.service_date >= ref.effective_from AND d.service_date < ref.effective_to"""
    now, before = resolved.format(catalog="main"), resolved.format(catalog="warehouse")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE resolves_anew AS SELECT DISTINCT service_date, {column or first} AS met FROM "
        f"(({now} EXCEPT {before}) UNION ({before} EXCEPT {now}))"
    )
    dates = "SELECT service_date FROM resolves_anew"
    if meets:
        # The row for any other payer is met by every line.
        dates += f" WHERE met = '*' OR (service_date, met) IN (SELECT service_date, met FROM ({meets}))"
    if table.name == "procedure_code":
        # A line that comes into scope, or leaves it, on its first date does so for all dates that it spans.
        spans = (
            "SELECT service_date, service_date_to FROM warehouse.ok_claims "
            "WHERE (service_date, procedure_code) IN (SELECT service_date, met FROM resolves_anew)"
        )
        dates += f" UNION ({dates_spanned(spans)})"
    _add(con, f"a row of {table.name}", dates)


def dates_spanned(lines: str) -> str:
    """A query of these rows once for each date after service_date through service_date_to, as service_date; such a
    date is unjudged, and counted, whether it holds any row or not."""
    following = "CAST(unnest(generate_series(service_date + 1, service_date_to, INTERVAL 1 DAY)) AS DATE)"
    return (
        f"SELECT * EXCLUDE (service_date_to) REPLACE ({following} AS service_date) FROM ({lines}) "
        "WHERE service_date_to > service_date"
    )


def _add(con, what: str, dates: str) -> None:
    con.execute(f"INSERT INTO change SELECT DISTINCT service_date, NULL, {literal(what)} FROM ({dates})")
