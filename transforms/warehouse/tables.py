"""The warehouse: a DuckDB file, attached as `warehouse`, that keeps every row of every delivery and what it came to.

It holds the rows in force (ok_<table>), the rows that stand behind them (past_<table>, broken_row), the files they
came from, the reference tables of its last run, and the results by service date. A night reads it, computes in the
run's own database, and writes it back in one transaction.
"""

from datetime import date

from transforms.accept.apply import BROKEN_COLUMNS
from transforms.accept.settle import QUARANTINE_COLUMNS, ok_columns, row_columns
from transforms.contract.fields import TABLES, contract_fields
from transforms.database.duckdb_file import rows_as_dicts
from transforms.database.sql_values import literal
from transforms.reference.crosswalk import CROSSWALKS
from transforms.reference.definitions import TABLES as REFERENCE_TABLES

#: The shape of these tables; a warehouse of another shape is built anew from the published runs.
WAREHOUSE_SCHEMA = 3
REFERENCES = tuple(table.table_name for table in REFERENCE_TABLES)
#: Tables of the rows that were delivered, by the column that names the claim or note a row belongs to.
UNITS = {"claims": "claim_id", "notes": "note_id", "note_blocks": "note_id"}
#: Results, one set of rows a service date.
DATED_RESULTS = ("finding", "unit_published", "date_count", "code_count", "rule_count")
#: Replaced as a whole by every night.
REPLACED = ("accepted_date", *REFERENCES, *CROSSWALKS)
DELIVERED_FILE = """
    file_number INTEGER, table_name VARCHAR, file_name VARCHAR, sha256 VARCHAR, delivery_number INTEGER,
    rows_read BIGINT, rows_accepted BIGINT, rows_quarantined BIGINT, rows_duplicate BIGINT,
    rows_in_file BIGINT, rows_filtered BIGINT, cells_set_aside VARCHAR"""
#: One row a file with cells set aside: how many by column, as JSON.
CELLS_SET_ASIDE = """
    SELECT file_number,
        '{' || string_agg('"' || column_name || '": ' || cell_count, ', ' ORDER BY column_name) || '}'
            AS cells_set_aside
    FROM cell_set_aside GROUP BY file_number"""
STATE = """
    house_schema INTEGER, run_id VARCHAR, as_of DATE, code_version VARCHAR, delivery_number INTEGER,
    file_number INTEGER"""
FINDING_LIFE = """
    finding_id VARCHAR, rule_id VARCHAR, severity VARCHAR, service_date DATE, evidence_hash VARCHAR,
    status VARCHAR, first_seen DATE, first_seen_run VARCHAR, last_seen DATE, last_seen_run VARCHAR,
    times_reopened INTEGER, resolved_by VARCHAR"""


OWN_TABLES = {
    "house_state": STATE,
    "delivered_file": DELIVERED_FILE,
    "finding_life": FINDING_LIFE,
    "pending_date": "service_date DATE",  # to be computed again
    "unpublished_date": "service_date DATE",  # computed, and in no published run yet
    "broken_row": BROKEN_COLUMNS,
    "quarantine": QUARANTINE_COLUMNS,
    "accepted_date": "service_date DATE, claim_lines BIGINT, notes BIGINT",
}
ADDED_TYPES = {
    "file_number": "INTEGER",
    "source_line": "BIGINT",
    "piece": "INTEGER",
    "has_minutes_in_prose": "BOOLEAN",
    "service_date": "DATE",
    "start_second": "INTEGER",
    "end_second": "INTEGER",
    "started_cell": "VARCHAR",
    "ended_cell": "VARCHAR",
}


def has_table(con, table: str) -> bool:
    found = con.execute(
        f"SELECT count(*) FROM duckdb_tables() WHERE database_name = 'warehouse' AND table_name = {literal(table)}"
    )
    return found.fetchone()[0] > 0


def make_tables(con) -> None:
    """Makes the tables of an empty warehouse where they are missing; results take their shape from the first night."""
    for table in TABLES:
        con.execute(f"CREATE TABLE IF NOT EXISTS warehouse.ok_{table} ({_columns(table, ok_columns(table))})")
        con.execute(
            f"CREATE TABLE IF NOT EXISTS warehouse.past_{table} ({_columns(table, row_columns(table), past=True)})"
        )
    for table, columns in OWN_TABLES.items():
        con.execute(f"CREATE TABLE IF NOT EXISTS warehouse.{table} ({columns})")


def _columns(table: str, columns: list[str], past: bool = False) -> str:
    types = {f'"{field.field}"': field.duckdb_type for field in contract_fields(table)} | ADDED_TYPES
    if past:  # a clock without its note is the cell as it was written
        types |= {f'"{field.field}"': "VARCHAR" for field in contract_fields(table) if field.type == "clock"}
    return ", ".join(f"{column} {types[column]}" for column in columns)


def read_state(con) -> dict | None:
    """The warehouse's one row of state, or None before its first night."""
    rows = rows_as_dicts(con, "SELECT * FROM warehouse.house_state") if has_table(con, "house_state") else []
    return rows[0] if rows else None


def merge(con, run_id: str, as_of: date, code_version: str) -> None:
    """Writes a night into the warehouse; the caller begins and commits the transaction around it."""
    make_tables(con)
    merge_rows(con)
    merge_results(con, run_id, as_of)
    con.execute("CREATE OR REPLACE TEMP TABLE unpublished AS FROM warehouse.unpublished_date")
    con.execute("DELETE FROM warehouse.unpublished_date")
    put_state(con, run_id, as_of, code_version)


def merge_rows(con) -> None:
    """The rows and files of a delivery: settled_<table> and past_<table> of the claims and notes in affected_claim
    and affected_note, kept_<table> (repeats under another file name), quarantine, and the tables of settings."""
    for table, unit in UNITS.items():
        affected = f"SELECT {unit} FROM affected_{unit.removesuffix('_id')}"
        con.execute(f"DELETE FROM warehouse.ok_{table} WHERE {unit} IN ({affected})")
        con.execute(f"DELETE FROM warehouse.past_{table} WHERE {unit} IN ({affected})")
        con.execute(f"INSERT INTO warehouse.ok_{table} BY NAME SELECT * FROM settled_{table}")
        con.execute(f"INSERT INTO warehouse.past_{table} BY NAME SELECT * FROM past_{table}")
        con.execute(f"INSERT INTO warehouse.past_{table} BY NAME SELECT * FROM kept_{table}")
    con.execute("DELETE FROM warehouse.quarantine")
    con.execute("INSERT INTO warehouse.quarantine BY NAME SELECT * FROM quarantine")
    _merge_broken(con)
    _merge_files(con)
    for table in REPLACED:
        con.execute(f"CREATE OR REPLACE TABLE warehouse.{table} AS SELECT * FROM main.{table}")


def merge_results(con, run_id: str, as_of: date) -> None:
    """The results of the dates in touched_date take the place of those that the warehouse holds of them."""
    for table in DATED_RESULTS:
        con.execute(f"CREATE TABLE IF NOT EXISTS warehouse.{table} AS SELECT * FROM main.{table} LIMIT 0")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE gone_finding AS
        SELECT held.finding_id, held.patient_id FROM warehouse.finding AS held
        WHERE held.service_date IN (SELECT service_date FROM touched_date)
            AND held.finding_id NOT IN (SELECT finding_id FROM main.finding)""")
    for table in DATED_RESULTS:
        con.execute(f"DELETE FROM warehouse.{table} WHERE service_date IN (SELECT service_date FROM touched_date)")
        con.execute(f"INSERT INTO warehouse.{table} BY NAME SELECT * FROM main.{table}")
    con.execute("CREATE OR REPLACE TABLE warehouse.rule_error AS SELECT * FROM main.rule_error")
    con.execute("CREATE OR REPLACE TABLE warehouse.run_measure AS SELECT * FROM main.stg_measure")
    con.execute("DELETE FROM warehouse.pending_date WHERE service_date IN (SELECT service_date FROM touched_date)")
    # What a rule could not say today is asked again on the next night.
    con.execute(
        "INSERT INTO warehouse.pending_date SELECT service_date FROM touched_date WHERE EXISTS (FROM rule_error)"
    )
    _merge_lives(con, run_id, as_of)


def put_state(con, run_id: str | None, as_of: date, code_version: str) -> None:
    """The one row that says which run, date and program the warehouse stands at."""
    con.execute("DELETE FROM warehouse.house_state")
    con.execute(
        "INSERT INTO warehouse.house_state "
        "SELECT ?, ?, ?, ?, coalesce(max(delivery_number), 0), coalesce(max(file_number), 0) FROM "
        "(SELECT delivery_number, file_number FROM main.delivered_file UNION ALL FROM last_number)",
        [WAREHOUSE_SCHEMA, run_id, as_of, code_version],
    )


def _merge_broken(con) -> None:
    """Rows broken by themselves: those of removed files go, and those sent again just so; the new ones come."""
    con.execute("DELETE FROM warehouse.broken_row WHERE file_number IN (SELECT file_number FROM removed_file)")
    con.execute("""
        DELETE FROM warehouse.broken_row AS held USING repeated_broken AS again
        WHERE held.file_number = again.file_number AND held.source_line = again.source_line
            AND held.piece IS NOT DISTINCT FROM again.piece""")
    con.execute("""
        INSERT INTO warehouse.broken_row BY NAME
        SELECT broken.* REPLACE (held.row_json AS row_json)
        FROM main.broken_row AS broken
        JOIN delivered_file AS file ON file.file_number = broken.file_number AND file.is_new
        LEFT JOIN quarantine AS held ON held.file_number = broken.file_number
            AND held.source_line = broken.source_line AND held.piece IS NOT DISTINCT FROM broken.piece""")


def _merge_files(con) -> None:
    con.execute("DELETE FROM warehouse.delivered_file WHERE file_number IN (SELECT file_number FROM removed_file)")
    con.execute(f"""
        INSERT INTO warehouse.delivered_file BY NAME
        SELECT file.file_number, file.table_name, file.file_name, input.sha256, file.delivery_number,
            counted.rows_read, counted.rows_accepted, counted.rows_quarantined, counted.rows_duplicate,
            filtered.rows_in_file, filtered.rows_filtered, aside.cells_set_aside
        FROM main.delivered_file AS file
        JOIN input_file AS input ON input.file_number = file.file_number
        JOIN load_count AS counted ON counted.file_number = file.file_number
        LEFT JOIN filtered_count AS filtered ON filtered.file_number = file.file_number
        LEFT JOIN ({CELLS_SET_ASIDE}) AS aside ON aside.file_number = file.file_number
        WHERE file.is_new""")


def _merge_lives(con, run_id: str, as_of) -> None:
    """A finding is open while it stands, resolved by what moved on its date, and reopened when it comes back."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE moved AS
        SELECT service_date, patient_id, string_agg(DISTINCT what, '; ' ORDER BY what) AS what
        FROM change GROUP BY service_date, patient_id""")
    con.execute(
        """
        UPDATE warehouse.finding_life AS life SET status = 'resolved', last_seen = held.as_of,
            last_seen_run = held.run_id, resolved_by = coalesce(
                (SELECT string_agg(moved.what, '; ' ORDER BY moved.what) FROM moved
                    WHERE moved.service_date = life.service_date
                    AND (moved.patient_id IS NULL OR moved.patient_id = gone.patient_id)),
                (SELECT string_agg(DISTINCT moved.what, '; ' ORDER BY moved.what) FROM moved
                    WHERE moved.service_date = life.service_date))
        FROM gone_finding AS gone, warehouse.house_state AS held
        WHERE life.finding_id = gone.finding_id AND life.status = 'open'"""
    )
    con.execute("""
        UPDATE warehouse.finding_life AS life SET status = 'open', times_reopened = life.times_reopened + 1,
            resolved_by = NULL, last_seen = NULL, last_seen_run = NULL
        FROM main.finding AS found WHERE life.finding_id = found.finding_id AND life.status = 'resolved'""")
    con.execute("""
        UPDATE warehouse.finding_life AS life SET severity = found.severity, evidence_hash = found.evidence_hash
        FROM main.finding AS found WHERE life.finding_id = found.finding_id
            AND life.evidence_hash <> found.evidence_hash""")
    con.execute(
        """
        INSERT INTO warehouse.finding_life
        SELECT found.finding_id, found.rule_id, found.severity, found.service_date, found.evidence_hash, 'open',
            ?, ?, NULL, NULL, 0, NULL
        FROM main.finding AS found
        WHERE NOT EXISTS (FROM warehouse.finding_life AS life WHERE life.finding_id = found.finding_id)""",
        [as_of, run_id],
    )
