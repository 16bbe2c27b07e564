"""The contract stage: raw_<table> in; ok_<table>, quarantine, duplicate_row and load_count out.

Every row read ends in exactly one place: accepted, quarantined with its reason, or counted as a repeat.
All of it is SQL made from data/contracts/*.csv; the rules of the contract stand in interface.md section 1.
"""

import datetime

from transforms.contract_blocks import CLOCK_COLUMNS, blocks_on_notes
from transforms.contract_fields import TABLES, contract_fields, key_fields
from transforms.contract_sql import (
    modifiers_of_line,
    name,
    speaks_of_minutes,
    text,
    trimmed,
    value_and_problem,
)
from transforms.errors import InputRejected

# Problems that a column can have beside those of its type.
MORE_PROBLEMS = {
    # X12 unit basis MJ: what stands in billed_units are minutes.
    ("claims", "unit_basis"): """CASE WHEN "unit_basis" = 'MJ' THEN 'units_are_minutes' END""",
}
# The prose of a table that may speak of minutes.
PROSE = {"notes": "narrative", "note_blocks": "description"}
# The columns of quarantine that name what a broken row touches, where they can be read.
TOUCHED = {
    "claims": ("patient_id", "service_date", "claim_id", "original_claim_id"),
    "notes": ("patient_id", "service_date", "note_id"),
    "note_blocks": ("note_id",),
}
# Only a replacement or a void says something about the claim it names.
DECIDES = {"claims": ("claim_frequency_code",)}
NAMES_ANOTHER_CLAIM = "(p_claim_frequency_code IS NOT NULL OR claim_frequency_code IN ('7', '8'))"
# A file's table begins with what the reader says of the row; the file's own columns follow.
READER_COLUMNS = ("source_line", "read_problem", "problem_column", "unread_text")
FIRST_IN_LOAD_ORDER = "file_number, source_line, piece"


def apply_contract(con, as_of: datetime.date) -> None:
    """Hold raw_claims, raw_notes and raw_note_blocks against the contract, as of the day `as_of`.

    Makes ok_claims, ok_notes, ok_note_blocks (typed, defaults filled in), quarantine (broken rows),
    duplicate_row (one row an exact repeat) and load_count (one row a file). Raises InputRejected when, for
    any file, rows read are not rows accepted + quarantined + duplicate.
    """
    _make_empty_outcomes(con)
    for table_name in TABLES:  # blocks come last: they go with their notes
        _read_rows(con, table_name, as_of)
        _mark_repeats(con, table_name)
        _accept(con, table_name)
        _set_aside(con, table_name)
        con.execute(f"DROP TABLE read_{table_name}; DROP TABLE repeat_{table_name}")
    _write_quarantine(con)
    _count_rows(con)
    _check_counts(con)


def _make_empty_outcomes(con) -> None:
    con.execute("""
        CREATE OR REPLACE TABLE quarantine (
            table_name VARCHAR, file_number INTEGER, file_name VARCHAR, source_line BIGINT, piece INTEGER,
            column_name VARCHAR, reason VARCHAR, row_json VARCHAR,
            patient_id VARCHAR, service_date DATE, claim_id VARCHAR, original_claim_id VARCHAR,
            note_id VARCHAR);
        CREATE OR REPLACE TABLE duplicate_row (
            table_name VARCHAR, file_number INTEGER, source_line BIGINT)""")


def _read_rows(con, table_name: str, as_of: datetime.date) -> None:
    """read_<table>: every raw row with its values, and its first problem as reason and column_name."""
    cells = _cells(table_name, as_of)
    if table_name == "note_blocks":
        cells = blocks_on_notes(cells)
    columns = [field.field for field in contract_fields(table_name)]
    fields = [name(column) for column in columns]
    problems = [name("p_" + column) for column in columns]
    first = " ".join(f"WHEN {name('p_' + column)} IS NOT NULL THEN {text(column)}" for column in columns)
    # Of the problems only those are kept that say which keys of a broken row could be read.
    kept = [name("p_" + column) for column in (*TOUCHED[table_name], *DECIDES.get(table_name, ()))]
    added = list(CLOCK_COLUMNS) if table_name == "note_blocks" else []
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE read_{table_name} AS
        SELECT file_number, source_line, piece, {", ".join(fields + added + kept)},
            coalesce(read_problem, {", ".join(problems)}) AS reason,
            CASE WHEN read_problem IS NOT NULL THEN problem_column {first} END AS column_name
        FROM ({cells})""")


def _cells(table_name: str, as_of: datetime.date) -> str:
    """A query over raw_<table>: every field as its value, and p_<field> with its problem."""
    fields = contract_fields(table_name)
    place = "file_number, source_line, piece, read_problem, problem_column"
    clean = ", ".join(f"{trimmed(name(field.field))} AS {name(field.field)}" for field in fields)
    helpers = [
        f", {modifiers_of_line(name(field.field), name('procedure_code'))} AS {name('all_' + field.field)}"
        for field in fields
        if field.type == "modifier_list"
    ]
    values, more = [], []
    for field in fields:
        value, problem = value_and_problem(field, as_of)
        values.append(f"{value} AS {name(field.field)}, {problem} AS {name('p_' + field.field)}")
        if (table_name, field.field) in MORE_PROBLEMS:
            column = name("p_" + field.field)
            more.append(f"coalesce({column}, {MORE_PROBLEMS[table_name, field.field]}) AS {column}")
    replaced = f"REPLACE ({', '.join(more)})" if more else ""
    # Layer by layer, because what an inner layer has computed is not computed again.
    return f"""
        SELECT * {replaced} FROM (
            SELECT {place}, {", ".join(values)} FROM (
                SELECT * {"".join(helpers)} FROM (
                    SELECT {place}, {clean} FROM raw_{table_name})))"""


def _mark_repeats(con, table_name: str) -> None:
    """repeat_<table>: rows whose key stands on several sound rows, with their fate (null: stays).

    Exact repeats are taken out first; rows of one key that still differ are all quarantined: none is known to
    be right.
    """
    keys = [name(key) for key in key_fields(table_name)]
    same_key = " AND ".join(f"read.{key} IS NOT DISTINCT FROM crowded.{key}" for key in keys)
    content = ", ".join(f"read.{name(field.field)}" for field in contract_fields(table_name))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE repeat_{table_name} AS
        WITH crowded AS (
            SELECT {", ".join(keys)} FROM read_{table_name} WHERE reason IS NULL
            GROUP BY {", ".join(keys)} HAVING count(*) > 1),
        copies AS (
            SELECT read.rowid AS row_number, {", ".join("read." + key for key in keys)}, row_number() OVER (
                PARTITION BY {content} ORDER BY {FIRST_IN_LOAD_ORDER}, read.rowid) AS copy_number
            FROM read_{table_name} AS read JOIN crowded ON {same_key} WHERE read.reason IS NULL)
        SELECT row_number, CASE
            WHEN copy_number > 1 THEN 'duplicate'
            WHEN count(*) FILTER (WHERE copy_number = 1) OVER (PARTITION BY {", ".join(keys)}) > 1
                THEN 'key_used_twice' END AS fate
        FROM copies""")


def _accept(con, table_name: str) -> None:
    columns = [name(field.field) for field in contract_fields(table_name)]
    columns += list(CLOCK_COLUMNS) if table_name == "note_blocks" else []
    if table_name in PROSE:
        columns.append(f"{speaks_of_minutes(name(PROSE[table_name]))} AS has_minutes_in_prose")
    con.execute(f"""
        CREATE OR REPLACE TABLE ok_{table_name} AS
        SELECT {", ".join(columns)}, file_number, source_line
        FROM read_{table_name} AS read
        WHERE reason IS NULL
            AND NOT EXISTS (SELECT 1 FROM repeat_{table_name} AS repeat
                WHERE repeat.row_number = read.rowid AND repeat.fate IS NOT NULL)""")


def _set_aside(con, table_name: str) -> None:
    """Adds the table's broken rows to quarantine (row_json still null), its repeats to duplicate_row."""
    touched = TOUCHED[table_name]
    readable = ", ".join(_where_readable(table_name, column) for column in touched)
    con.execute(f"""
        INSERT INTO quarantine (
            table_name, file_number, source_line, piece, column_name, reason, {", ".join(touched)})
        SELECT {text(table_name)}, file_number, source_line, piece,
            CASE WHEN reason IS NULL THEN {text(key_fields(table_name)[0])} ELSE column_name END,
            coalesce(reason, fate), {readable}
        FROM read_{table_name} AS read
        LEFT JOIN repeat_{table_name} AS repeat ON repeat.row_number = read.rowid
        WHERE reason IS NOT NULL OR fate = 'key_used_twice'""")
    con.execute(f"""
        INSERT INTO duplicate_row
        SELECT {text(table_name)}, file_number, source_line
        FROM read_{table_name} AS read JOIN repeat_{table_name} AS repeat ON repeat.row_number = read.rowid
        WHERE fate = 'duplicate' ORDER BY {FIRST_IN_LOAD_ORDER}""")


def _where_readable(table_name: str, column: str) -> str:
    problem = name("p_" + column)
    # A block that goes with its note has a readable note id all the same.
    condition = f"coalesce({problem}, '') IN ('', 'note_quarantined', 'block_without_note')"
    if column == "original_claim_id":
        condition += f" AND {NAMES_ANOTHER_CLAIM}"
    return f"CASE WHEN {condition} THEN {name(column)} END"


def _write_quarantine(con) -> None:
    """Fills in the file's name and the row as JSON as the file has it; puts the rows in the files' order."""
    con.execute("CREATE OR REPLACE TEMP TABLE row_text (file_number INTEGER, source_line BIGINT, row_json VARCHAR)")
    numbers = con.execute("SELECT DISTINCT file_number FROM quarantine ORDER BY file_number").fetchall()
    for (file_number,) in numbers:
        con.execute(f"""
            INSERT INTO row_text
            SELECT {file_number}, source_line, min({_row_json(con, file_number)})
            FROM file_{file_number}
            WHERE source_line IN (SELECT source_line FROM quarantine WHERE file_number = {file_number})
            GROUP BY source_line""")
    con.execute("""
        CREATE OR REPLACE TABLE quarantine AS
        SELECT broken.* REPLACE (input_file.file_name AS file_name, row_text.row_json AS row_json)
        FROM quarantine AS broken
        LEFT JOIN input_file ON input_file.file_number = broken.file_number
        LEFT JOIN row_text
            ON row_text.file_number = broken.file_number AND row_text.source_line = broken.source_line
        ORDER BY broken.table_name, broken.file_number, broken.source_line, broken.piece""")
    con.execute("DROP TABLE row_text")


def _row_json(con, file_number: int) -> str:
    """The expression of a row of file_<n> as a JSON object of the file's own columns."""
    described = con.execute(f"SELECT * FROM file_{file_number} LIMIT 0").description
    own = [column[0] for column in described if column[0] not in READER_COLUMNS]
    pairs = ", ".join(f"{text(column)}, CAST({name(column)} AS VARCHAR)" for column in own)
    unread = "json_object('unread_text', unread_text)"
    return f"CAST(CASE WHEN unread_text IS NOT NULL THEN {unread} ELSE json_object({pairs}) END AS VARCHAR)"


def _count_rows(con) -> None:
    raw = " UNION ALL ".join(f"SELECT file_number FROM raw_{table_name}" for table_name in TABLES)
    accepted = " UNION ALL ".join(f"SELECT file_number FROM ok_{table_name}" for table_name in TABLES)
    con.execute(f"""
        CREATE OR REPLACE TABLE load_count AS
        WITH outcome AS (
            SELECT file_number, 'read' AS fate FROM ({raw})
            UNION ALL SELECT file_number, 'accepted' FROM ({accepted})
            UNION ALL SELECT file_number, 'quarantined' FROM quarantine
            UNION ALL SELECT file_number, 'duplicate' FROM duplicate_row),
        counted AS (
            SELECT file_number,
                count(*) FILTER (WHERE fate = 'read') AS rows_read,
                count(*) FILTER (WHERE fate = 'accepted') AS rows_accepted,
                count(*) FILTER (WHERE fate = 'quarantined') AS rows_quarantined,
                count(*) FILTER (WHERE fate = 'duplicate') AS rows_duplicate
            FROM outcome GROUP BY file_number)
        SELECT file_number, coalesce(rows_read, 0) AS rows_read, coalesce(rows_accepted, 0) AS rows_accepted,
            coalesce(rows_quarantined, 0) AS rows_quarantined, coalesce(rows_duplicate, 0) AS rows_duplicate
        FROM input_file FULL JOIN counted USING (file_number)
        ORDER BY file_number""")


def _check_counts(con) -> None:
    row = con.execute("""
        SELECT file_name, rows_read, rows_accepted, rows_quarantined, rows_duplicate
        FROM load_count LEFT JOIN input_file USING (file_number)
        WHERE file_name IS NULL OR rows_read <> rows_accepted + rows_quarantined + rows_duplicate
        ORDER BY file_number LIMIT 1""").fetchone()
    if row:
        file_name, read, accepted, quarantined, duplicate = row
        raise InputRejected(
            f"{file_name or 'a file that is not listed'}: {read} rows read, but {accepted} accepted + "
            f"{quarantined} quarantined + {duplicate} duplicate; nothing is published: please report this "
            "with the program's version"
        )
