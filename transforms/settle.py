"""Which of the rows read stand: row_<table> and broken_row in, ok_<table>, past_<table> and quarantine out.

Per key the sound row of the latest delivery stands. Within one delivery exact repeats are counted once, and rows of
one key that still differ are all quarantined. A row equal to the one in force changes nothing. A quarantined row is
in force until a later delivery has a row of its key. All of it is a function of the rows of one claim or note, so a
night settles only those that it touched (interface.md section 1).
"""

from transforms.contract_blocks import CLOCK_COLUMNS, blocks_on_notes
from transforms.contract_fields import TABLES, contract_fields, key_fields
from transforms.contract_sql import name, text

FIRST_IN_LOAD_ORDER = "file_number, source_line, piece"
QUARANTINE_COLUMNS = """
    table_name VARCHAR, file_number INTEGER, file_name VARCHAR, source_line BIGINT, piece INTEGER,
    column_name VARCHAR, reason VARCHAR, row_json VARCHAR,
    patient_id VARCHAR, service_date DATE, claim_id VARCHAR, original_claim_id VARCHAR,
    note_id VARCHAR"""
#: What a quarantined row that is sound by itself names, out of its own columns.
NAMED = {
    "claims": {
        "patient_id": "patient_id",
        "service_date": "service_date",
        "claim_id": "claim_id",
        "original_claim_id": "CASE WHEN claim_frequency_code IN ('7', '8') THEN original_claim_id END",
    },
    "notes": {"patient_id": "patient_id", "service_date": "service_date", "note_id": "note_id"},
    "note_blocks": {"note_id": "note_id"},
}
#: What placed_note_blocks says besides of a block.
PLACED_COLUMNS = ("row_number", "reason", "column_name")
#: Problems of a block that end when its note comes: until then it is quarantined, and stands among the rows of its key.
WAITS_FOR_NOTE = ("block_without_note", "note_quarantined")

#: What accepted_date holds; `minutewise sql` writes it too.
ACCEPTED_DATES = """
    select service_date, cast(sum(claim_lines) as bigint) as claim_lines, cast(sum(notes) as bigint) as notes
    from (
        select service_date, count(*) as claim_lines, 0 as notes from ok_claims group by service_date
        union all
        select service_date, 0 as claim_lines, count(*) as notes from ok_notes group by service_date
    ) as counted
    group by service_date order by service_date"""


def settle_rows(con) -> None:
    """Makes ok_<table>, past_<table>, quarantine and duplicate_row of row_<table>, broken_row and delivered_file."""
    con.execute(f"CREATE OR REPLACE TABLE quarantine ({QUARANTINE_COLUMNS})")
    con.execute("CREATE OR REPLACE TABLE duplicate_row (table_name VARCHAR, file_number INTEGER, source_line BIGINT)")
    for table_name in TABLES:  # blocks come last: they go with their notes
        _place(con, table_name)
        _find_fates(con, table_name)
        _keep_past(con, table_name)
        _set_aside(con, table_name)
        _accept(con, table_name)
        con.execute(f"DROP TABLE fate_{table_name}; DROP TABLE newest_{table_name}")


def ok_columns(table_name: str) -> list[str]:
    """The columns of ok_<table>, in order."""
    columns = [name(field.field) for field in contract_fields(table_name)]
    columns += list(CLOCK_COLUMNS) if table_name == "note_blocks" else []
    columns += ["has_minutes_in_prose"] if table_name != "claims" else []
    return [*columns, "file_number", "source_line", "piece"]


def _place(con, table_name: str) -> None:
    """placed_<table>: every sound row with its row number in row_<table>, its delivery, and the reason of what its
    note shows to be wrong with it. A table of blocks, which their notes change; a view of claim lines and notes."""
    form, rows = (
        "TEMP VIEW",
        f"""SELECT held.*, held.rowid AS row_number,
        CAST(NULL AS VARCHAR) AS reason, CAST(NULL AS VARCHAR) AS column_name FROM row_{table_name} AS held""",
    )
    columns = "placed.*"
    if table_name == "note_blocks":
        form, rows = "TABLE", blocks_on_notes("row_note_blocks")
        columns = ", ".join(f"placed.{column}" for column in [*ok_columns(table_name), *PLACED_COLUMNS])
    con.execute(f"""
        CREATE OR REPLACE {form} placed_{table_name} AS
        SELECT {columns}, file.delivery_number FROM ({rows}) AS placed
        JOIN delivered_file AS file ON file.file_number = placed.file_number""")


def _find_fates(con, table_name: str) -> None:
    """fate_<table>: what became of each row whose key stands on several sound rows (null: it stands); and
    newest_<table>: the latest delivery that has a row of a key, where a row of that key is or may be quarantined."""
    keys = [name(key) for key in key_fields(table_name)]
    listed = ", ".join(keys)
    same_key = " AND ".join(f"placed.{key} IS NOT DISTINCT FROM crowded.{key}" for key in keys)
    content = ", ".join(_content(table_name, name(field.field)) for field in contract_fields(table_name))
    # What is wrong with a row itself keeps it from standing; that its note is not there does not.
    competes = f"coalesce(placed.reason IN {WAITS_FOR_NOTE}, true)"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE fate_{table_name} AS
        -- keys that may stand on several sound rows: whole numbers are compared faster than texts
        WITH suspect AS (
            SELECT hash({listed}) AS key_hash FROM placed_{table_name} AS placed WHERE {competes}
            GROUP BY key_hash HAVING count(*) > 1),
        -- one row a key of several sound rows
        crowded AS (
            SELECT {listed} FROM placed_{table_name} AS placed
            WHERE {competes} AND hash({listed}) IN (SELECT key_hash FROM suspect)
            GROUP BY {listed} HAVING count(*) > 1),
        -- their rows; of the exact repeats within a delivery the first is copy 1
        copies AS (
            SELECT placed.row_number, placed.delivery_number, {", ".join("placed." + key for key in keys)},
                row({content}) AS content,
                row_number() OVER (PARTITION BY placed.delivery_number, {content}
                    ORDER BY placed.file_number, placed.source_line, placed.piece, placed.row_number) AS copy_number
            FROM placed_{table_name} AS placed JOIN crowded ON {same_key} WHERE {competes}),
        -- first copies, and in how many versions their delivery brings the key
        versions AS (
            SELECT *, count(*) OVER (PARTITION BY delivery_number, {listed}) AS version_count
            FROM copies WHERE copy_number = 1),
        -- one row a key and delivery that says one thing of it; changed: other than the delivery before
        told AS (
            SELECT *, CASE WHEN content IS DISTINCT FROM
                lag(content) OVER (PARTITION BY {listed} ORDER BY delivery_number) THEN 1 ELSE 0 END AS is_changed
            FROM versions WHERE version_count = 1),
        -- deliveries in a row that say the same
        runs AS (
            SELECT *, sum(is_changed) OVER (PARTITION BY {listed} ORDER BY delivery_number) AS run_number FROM told),
        standing AS (
            SELECT *, run_number = max(run_number) OVER (PARTITION BY {listed}) AS is_last FROM runs)
        SELECT row_number, CASE WHEN is_changed = 0 THEN 'duplicate' WHEN NOT is_last THEN 'superseded' END AS fate
        FROM standing
        UNION ALL SELECT row_number, 'key_used_twice' FROM versions WHERE version_count > 1
        UNION ALL SELECT row_number, 'duplicate' FROM copies WHERE copy_number > 1""")
    broken = f"""FROM broken_row JOIN delivered_file USING (file_number)
            WHERE has_key AND broken_row.table_name = {text(table_name)}"""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE newest_{table_name} AS
        WITH quarantined AS (
            SELECT {listed} {broken}
            UNION SELECT {listed} FROM placed_{table_name} AS placed
            LEFT JOIN fate_{table_name} AS known ON known.row_number = placed.row_number
            WHERE placed.reason IS NOT NULL OR known.fate = 'key_used_twice'),
        brought AS (
            SELECT {listed}, delivery_number {broken}
            UNION ALL SELECT {", ".join("placed." + key for key in keys)}, placed.delivery_number
            FROM placed_{table_name} AS placed
            JOIN quarantined AS crowded ON {same_key})
        SELECT {listed}, max(delivery_number) AS delivery_number FROM brought GROUP BY {listed}""")


def _content(table_name: str, column: str) -> str:
    """A column as rows of one key are compared; without a note a bare time has no date, and is compared as a time."""
    if table_name == "note_blocks" and column in ("started_at", "ended_at"):
        cell = f"placed.{column.removesuffix('_at')}_cell"
        bare = f"CAST(try_cast(left({cell}, 15) AS TIME) AS VARCHAR)"
        return f"coalesce(CAST(placed.{column} AS VARCHAR), {bare}, {cell})"
    return f"placed.{column}"


def _keep_past(con, table_name: str) -> None:
    """past_<table>: the rows that stand behind others, or are quarantined for what other rows show."""
    con.execute(
        f"CREATE OR REPLACE TABLE past_{table_name} AS "
        f"SELECT held.* FROM row_{table_name} AS held WHERE held.rowid IN ({_fallen(table_name)})"
    )


def _fallen(table_name: str) -> str:
    """A query of the row numbers in row_<table> of the rows that do not stand; only of blocks a note has its say."""
    fallen = f"SELECT row_number FROM fate_{table_name} WHERE fate IS NOT NULL"
    if table_name != "note_blocks":
        return fallen
    return f"{fallen} UNION ALL SELECT row_number FROM placed_{table_name} WHERE reason IS NOT NULL"


def _accept(con, table_name: str) -> None:
    """ok_<table>: what is left of the placed rows without the past ones. Nearly all stand: none is written again."""
    con.execute(f"DROP TABLE IF EXISTS ok_{table_name}")
    if table_name != "note_blocks":
        con.execute(f"DROP VIEW placed_{table_name}")
        con.execute(f"DELETE FROM row_{table_name} WHERE rowid IN ({_fallen(table_name)})")
        con.execute(f"ALTER TABLE row_{table_name} RENAME TO ok_{table_name}")
        return
    con.execute(f"DROP TABLE row_{table_name}")
    con.execute(f"DELETE FROM placed_{table_name} WHERE row_number IN ({_fallen(table_name)})")
    for column in (*PLACED_COLUMNS, "delivery_number"):
        con.execute(f"ALTER TABLE placed_{table_name} DROP COLUMN {column}")
    con.execute(f"ALTER TABLE placed_{table_name} RENAME TO ok_{table_name}")


def _set_aside(con, table_name: str) -> None:
    """Adds the table's quarantined rows in force to quarantine, and the new files' repeats to duplicate_row."""
    keys = [name(key) for key in key_fields(table_name)]
    named = NAMED[table_name]
    values = (f"held.{value}" if value == column else value for column, value in named.items())
    is_newest = " AND ".join(f"newest.{key} IS NOT DISTINCT FROM held.{key}" for key in keys)
    con.execute(f"""
        INSERT INTO quarantine (
            table_name, file_number, source_line, piece, column_name, reason, {", ".join(named)})
        SELECT {text(table_name)}, held.file_number, held.source_line, held.piece,
            CASE WHEN known.fate IS NOT NULL THEN {text(key_fields(table_name)[0])} ELSE held.column_name END,
            coalesce(known.fate, held.reason), {", ".join(values)}
        FROM placed_{table_name} AS held
        LEFT JOIN fate_{table_name} AS known ON known.row_number = held.row_number
        JOIN newest_{table_name} AS newest ON {is_newest}
        WHERE known.fate = 'key_used_twice' AND newest.delivery_number = held.delivery_number
            -- a row that stands but for its note waits, whatever quarantined rows came after it
            OR known.fate IS NULL AND held.reason IN {WAITS_FOR_NOTE}
            OR held.reason NOT IN {WAITS_FOR_NOTE} AND newest.delivery_number = held.delivery_number""")
    con.execute(f"""
        INSERT INTO quarantine BY NAME
        SELECT held.* EXCLUDE (has_key, line_number, note_version, block_number)
        FROM broken_row AS held
        JOIN delivered_file AS file ON file.file_number = held.file_number
        LEFT JOIN newest_{table_name} AS newest ON held.has_key AND {is_newest}
        WHERE held.table_name = {text(table_name)}
            AND (NOT held.has_key OR newest.delivery_number = file.delivery_number)""")
    con.execute(f"""
        INSERT INTO duplicate_row
        SELECT {text(table_name)}, placed.file_number, placed.source_line
        FROM placed_{table_name} AS placed
        JOIN fate_{table_name} AS known ON known.row_number = placed.row_number
        JOIN delivered_file AS file ON file.file_number = placed.file_number
        WHERE known.fate = 'duplicate' AND file.is_new ORDER BY {FIRST_IN_LOAD_ORDER}""")


def count_accepted_dates(con) -> None:
    """Creates accepted_date: one row a service date that any accepted row has, with its claim lines and notes."""
    con.execute(f"create or replace table accepted_date as {ACCEPTED_DATES}")
