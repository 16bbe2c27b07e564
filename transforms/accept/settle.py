"""Which of the rows read stand: row_<table> and broken_row in, ok_<table>, past_<table> and quarantine out.

Per key the sound row of the latest delivery stands. Within one delivery exact repeats are counted once, and rows of
one key that still differ are all quarantined. A row equal to the one in force changes nothing. A quarantined row is
in force until a later delivery has a row of its key. All of it is a function of the rows of one claim or note, so a
night settles only those that it touched (interface.md section 1).
"""

from pathlib import Path

from transforms.accept.blocks import CLOCK_COLUMNS, blocks_on_notes
from transforms.contract.fields import TABLES, contract_fields, key_fields
from transforms.database.duckdb_file import glob_free
from transforms.database.quoting import name, text
from transforms.keys import written_out
from transforms.under_way import under_way

# The prose of a table that may speak of minutes.
PROSE = {"notes": "narrative", "note_blocks": "description"}
# Where a row stands: its file, its line, and its piece where a mapping makes several rows of one.
PLACE_COLUMNS = ("file_number", "source_line", "piece")
FIRST_IN_LOAD_ORDER = "file_number, source_line, piece"
QUARANTINE_COLUMNS = """
    table_name VARCHAR, file_number INTEGER, file_name VARCHAR, source_line BIGINT, piece INTEGER,
    column_name VARCHAR, reason VARCHAR, row_json VARCHAR,
    patient_id VARCHAR, service_date DATE, service_date_to DATE, claim_id VARCHAR, payer_claim_id VARCHAR,
    original_claim_id VARCHAR, note_id VARCHAR"""
#: Only a replacement or a void says something about the claim it names.
NAMES_ANOTHER_CLAIM = "claim_frequency_code IN ('6', '7', '8')"
#: What a quarantined row that is sound by itself names, out of its own columns.
NAMED = {
    "claims": {
        "patient_id": "patient_id",
        "service_date": "service_date",
        "service_date_to": "service_date_to",
        "claim_id": "claim_id",
        "payer_claim_id": "payer_claim_id",
        "original_claim_id": f"CASE WHEN {NAMES_ANOTHER_CLAIM} THEN original_claim_id END",
    },
    "notes": {"patient_id": "patient_id", "service_date": "service_date", "note_id": "note_id"},
    "note_blocks": {"note_id": "note_id"},
}
#: The clock of a block, and what its note makes of it.
STAMPS = {"started_at": "start_stamp", "ended_at": "end_stamp"}
#: Columns of ok_note_blocks that are not the row's own: `held` is the row, `laid` what its note makes of it.
LAID = {
    '"started_at"': "laid.start_stamp AS started_at",
    '"ended_at"': "laid.end_stamp AS ended_at",
    "service_date": "laid.service_date",
    "start_second": "laid.start_second",
    "end_second": "laid.end_second",
    "started_cell": "held.started_at AS started_cell",
    "ended_cell": "held.ended_at AS ended_cell",
}
#: So many lines are listed in a condition, over all files that it is asked of: each of them holds the list in memory.
MOST_LISTED = 50_000
#: How accepted rows are published: the same rows give the same bytes. Their dates stand together, for everything after
#: the contract looks at a few dates at a time.
PUBLISHED_FORM = "format parquet, compression zstd"
PUBLISHED_ORDER = {
    "claims": "service_date, claim_id, line_number",
    "notes": "service_date, note_id, note_version",
    "note_blocks": "service_date, note_id, note_version nulls first, block_number",
}
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


def row_key(alias: str) -> str:
    """The expression of a row's key."""
    return written_out(f"place_key({alias}.file_number, {alias}.source_line, {alias}.piece)")


ON_ITS_NOTE = f"JOIN block_on_note AS laid ON laid.row_number = {row_key('held')}"


def settle_rows(con, accepted: Path | None = None) -> None:
    """Makes ok_<table>, past_<table>, quarantine and duplicate_row of row_<table>, broken_row and delivered_file.

    With a folder `accepted` the rows of ok_<table> stand there, in <table>.parquet, and the table is a view of it.
    """
    con.execute(f"CREATE OR REPLACE TABLE quarantine ({QUARANTINE_COLUMNS})")
    con.execute("CREATE OR REPLACE TABLE duplicate_row (table_name VARCHAR, file_number INTEGER, source_line BIGINT)")
    for table_name in TABLES:  # blocks come last: they go with their notes
        if table_name == "note_blocks":
            laid = blocks_on_notes("row_note_blocks AS held", row_key("held"))
            con.execute(f"CREATE OR REPLACE TEMP TABLE block_on_note AS {laid}")
        with under_way(f"table {table_name}"):
            _contest(con, table_name)
            _find_fates(con, table_name)
            _keep_past(con, table_name)
            _set_aside(con, table_name)
            _accept(con, table_name, accepted)
        for table in ("contested", "fate", "newest"):
            con.execute(f"DROP TABLE {table}_{table_name}")
    con.execute("DROP TABLE block_on_note")


def row_columns(table_name: str) -> list[str]:
    """The columns of row_<table>: every field, what was seen in its prose, and where the row stands."""
    return [*_field_columns(table_name), *_said_of_prose(table_name), *PLACE_COLUMNS]


def ok_columns(table_name: str) -> list[str]:
    """The columns of ok_<table>, in order."""
    laid = CLOCK_COLUMNS if table_name == "note_blocks" else ()
    return [*_field_columns(table_name), *laid, *_said_of_prose(table_name), *PLACE_COLUMNS]


def _field_columns(table_name: str) -> list[str]:
    return [name(field.field) for field in contract_fields(table_name)]


def _said_of_prose(table_name: str) -> list[str]:
    return ["has_minutes_in_prose"] if table_name in PROSE else []


def _contest(con, table_name: str) -> None:
    """contested_<table>: the rows whose fate other rows have a say in, because a key seems to be theirs too (nearly
    always: whole numbers are compared faster than texts) or because of their note; each with its key, its delivery, and
    the reason of what its note shows to be wrong with it."""
    keys = [name(key) for key in key_fields(table_name)]
    listed = ", ".join(keys)
    said, on_its_note, problem = "CAST(NULL AS VARCHAR) AS reason, CAST(NULL AS VARCHAR) AS column_name", "", "false"
    if table_name == "note_blocks":
        said = "laid.start_stamp, laid.end_stamp, laid.reason, laid.column_name"
        on_its_note, problem = ON_ITS_NOTE, "laid.reason IS NOT NULL"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE suspect_{table_name} AS
        WITH crowded AS (
            SELECT hash({listed}) AS key_hash FROM (
                SELECT {listed} FROM row_{table_name}
                UNION ALL SELECT {listed} FROM broken_row WHERE has_key AND table_name = {text(table_name)})
            GROUP BY key_hash HAVING count(*) > 1)
        SELECT {row_key("held")} AS row_number, held.source_line
        FROM row_{table_name} AS held
        {on_its_note}
        WHERE {problem} OR hash({", ".join(f"held.{key}" for key in keys)}) IN (SELECT key_hash FROM crowded)""")
    of_table = f"SELECT count(*) FROM input_file WHERE table_name = {text(table_name)}"
    few = on_lines(con, "held.source_line", f"suspect_{table_name}", con.execute(of_table).fetchone()[0])
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE contested_{table_name} AS
        SELECT held.*, suspect.row_number, {said}, file.delivery_number
        FROM row_{table_name} AS held
        JOIN suspect_{table_name} AS suspect ON suspect.row_number = {row_key("held")}
        JOIN delivered_file AS file ON file.file_number = held.file_number
        {on_its_note}
        WHERE {few}""")
    con.execute(f"DROP TABLE suspect_{table_name}")


def on_lines(con, column: str, rows: str, files: int = 1) -> str:
    """The condition that the line in `column` is one of those in `rows`. Where they are few they are listed: a list is
    looked for before the other cells of a row are read, a query after. `files` are so many as are asked.
    """
    most = MOST_LISTED // max(1, files)
    found = con.execute(f"SELECT DISTINCT source_line FROM {rows} LIMIT {most + 1}").fetchall()
    if len(found) > most:
        return f"{column} IN (SELECT source_line FROM {rows})"
    return f"{column} IN ({', '.join(str(line) for (line,) in found)})" if found else "false"


def _find_fates(con, table_name: str) -> None:
    """fate_<table>: what became of each row whose key stands on several sound rows (null: it stands); and
    newest_<table>: the latest delivery that has a row of a key, where a row of that key is or may be quarantined."""
    keys = [name(key) for key in key_fields(table_name)]
    listed = ", ".join(keys)
    same_key = " AND ".join(f"placed.{key} IS NOT DISTINCT FROM crowded.{key}" for key in keys)
    content = ", ".join(_content(table_name, field.field) for field in contract_fields(table_name))
    # What is wrong with a row itself keeps it from standing; that its note is not there does not.
    competes = f"coalesce(placed.reason IN {WAITS_FOR_NOTE}, true)"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE fate_{table_name} AS
        -- one row a key of several sound rows
        WITH crowded AS (
            SELECT {listed} FROM contested_{table_name} AS placed WHERE {competes}
            GROUP BY {listed} HAVING count(*) > 1),
        -- their rows; of the exact repeats within a delivery the first is copy 1
        copies AS (
            SELECT placed.row_number, placed.delivery_number, {", ".join("placed." + key for key in keys)},
                row({content}) AS content,
                row_number() OVER (PARTITION BY placed.delivery_number, {content}
                    ORDER BY placed.file_number, placed.source_line, placed.piece, placed.row_number) AS copy_number
            FROM contested_{table_name} AS placed JOIN crowded ON {same_key} WHERE {competes}),
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
            UNION SELECT {listed} FROM contested_{table_name} AS placed
            LEFT JOIN fate_{table_name} AS known ON known.row_number = placed.row_number
            WHERE placed.reason IS NOT NULL OR known.fate = 'key_used_twice'),
        brought AS (
            SELECT {listed}, delivery_number {broken}
            UNION ALL SELECT {", ".join("placed." + key for key in keys)}, placed.delivery_number
            FROM contested_{table_name} AS placed
            JOIN quarantined AS crowded ON {same_key})
        SELECT {listed}, max(delivery_number) AS delivery_number FROM brought GROUP BY {listed}""")


def _content(table_name: str, column: str) -> str:
    """A column as rows of one key are compared; without a note a bare time has no date, and is compared as a time."""
    if table_name == "note_blocks" and column in STAMPS:
        bare = f"CAST(try_cast(left(placed.{column}, 15) AS TIME) AS VARCHAR)"
        stamp = f"CAST(placed.{STAMPS[column]} AS VARCHAR)"
        return f"coalesce({stamp}, {bare}, placed.{column})"
    return f"placed.{name(column)}"


def _keep_past(con, table_name: str) -> None:
    """past_<table>: the rows that stand behind others, or are quarantined for what other rows show; fallen_<table>:
    their keys."""
    con.execute(f"""
        CREATE OR REPLACE TABLE fallen_{table_name} AS
        SELECT row_number FROM fate_{table_name} WHERE fate IS NOT NULL
        UNION SELECT row_number FROM contested_{table_name} WHERE reason IS NOT NULL""")
    con.execute(f"""
        CREATE OR REPLACE TABLE past_{table_name} AS
        SELECT {", ".join(row_columns(table_name))} FROM contested_{table_name} AS held
        WHERE held.row_number IN (SELECT row_number FROM fallen_{table_name})""")


def _accept(con, table_name: str, folder: Path | None) -> None:
    """ok_<table>: the rows without the past ones, written once."""
    is_laid = table_name == "note_blocks"
    columns = [(is_laid and LAID.get(column)) or f"held.{column}" for column in ok_columns(table_name)]
    rows = f"""
        SELECT {", ".join(columns)}
        FROM row_{table_name} AS held
        {ON_ITS_NOTE if is_laid else ""}
        ANTI JOIN fallen_{table_name} AS fallen ON fallen.row_number = {row_key("held")}"""
    if folder is None:
        con.execute(f"CREATE OR REPLACE TABLE ok_{table_name} AS {rows}")
        return
    path = folder / f"{table_name}.parquet"
    ordered = f"{with_file(f'({rows})')} ORDER BY {PUBLISHED_ORDER[table_name]}"
    con.execute(f"COPY ({ordered}) TO {text(str(path))} ({PUBLISHED_FORM})")
    read_accepted(con, path)


def read_accepted(con, path: Path) -> None:
    """Makes ok_<table> the rows of the published file `path`, which is called <table>.parquet."""
    # A folder called like a column would stand for it.
    rows = f"read_parquet({text(glob_free(path))}, hive_partitioning = false)"
    con.execute(f"CREATE OR REPLACE VIEW ok_{path.stem} AS SELECT * EXCLUDE (source_file) FROM {rows}")


def with_file(rows: str) -> str:
    """A query of accepted rows with the name of the file that each came from, as they are published; `held` is the
    row."""
    return (
        f"SELECT held.*, file.file_name AS source_file FROM {rows} AS held "
        "JOIN delivered_file AS file ON file.file_number = held.file_number"
    )


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
        FROM contested_{table_name} AS held
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
        FROM contested_{table_name} AS placed
        JOIN fate_{table_name} AS known ON known.row_number = placed.row_number
        JOIN delivered_file AS file ON file.file_number = placed.file_number
        WHERE known.fate = 'duplicate' AND file.is_new ORDER BY {FIRST_IN_LOAD_ORDER}""")


def count_accepted_dates(con) -> None:
    """Creates accepted_date: one row a service date that any accepted row has, with its claim lines and notes."""
    con.execute(f"create or replace table accepted_date as {ACCEPTED_DATES}")
