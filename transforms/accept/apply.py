"""The contract stage: raw_<table> in; ok_<table>, quarantine, duplicate_row and load_count out.

Every row read ends in exactly one place: accepted, quarantined with its reason, or counted as a repeat.
All of it is SQL made from data/contracts/*.csv; the rules of the contract stand in interface.md section 1.
"""

import datetime
from pathlib import Path

from transforms.accept.settle import (
    NAMES_ANOTHER_CLAIM,
    PLACE_COLUMNS,
    PROSE,
    count_accepted_dates,
    on_lines,
    row_columns,
    row_key,
    settle_rows,
)
from transforms.contract.cell_sql import (
    all_plain,
    is_plain,
    modifiers_of_line,
    one_form,
    speaks_of_minutes,
    trimmed,
    value_and_problem,
    without_blank_ends,
)
from transforms.contract.fields import TABLES, Field, contract_fields, key_fields, spared_fields
from transforms.database.quoting import name, text
from transforms.errors import InputRejected
from transforms.extract import require_sound_files, telling_of_files
from transforms.keys import LINES_OF_A_FILE, PIECES_OF_A_LINE
from transforms.under_way import under_way

# Problems that a column can have beside those of its type.
MORE_PROBLEMS = {
    ("claims", "service_date_to"): """CASE WHEN "service_date_to" < "service_date" THEN 'end_before_start' END""",
    # X12 unit basis MJ: what stands in billed_units are minutes.
    ("claims", "unit_basis"): """CASE WHEN "unit_basis" = 'MJ' THEN 'units_are_minutes' END""",
}
# The columns of quarantine that name what a broken row touches, where they can be read.
TOUCHED = {
    "claims": ("patient_id", "service_date", "service_date_to", "claim_id", "payer_claim_id", "original_claim_id"),
    "notes": ("patient_id", "service_date", "note_id"),
    "note_blocks": ("note_id",),
}
BROKEN_COLUMNS = """
    table_name VARCHAR, file_number INTEGER, source_line BIGINT, piece INTEGER, column_name VARCHAR,
    reason VARCHAR, row_json VARCHAR, patient_id VARCHAR, service_date DATE, service_date_to DATE, claim_id VARCHAR,
    payer_claim_id VARCHAR, original_claim_id VARCHAR, note_id VARCHAR, has_key BOOLEAN, line_number INTEGER,
    note_version INTEGER, block_number INTEGER"""
# A file's table begins with what the reader says of the row; the file's own columns follow.
READER_COLUMNS = ("source_line", "read_problem", "problem_column", "unread_text")


def apply_contract(con, as_of: datetime.date, accepted: Path | None = None) -> None:
    """Hold raw_claims, raw_notes and raw_note_blocks against the contract, as of the day `as_of`.

    Makes ok_claims, ok_notes, ok_note_blocks (typed, defaults filled in), quarantine (broken rows),
    duplicate_row (one row an exact repeat), load_count (one row a file) and accepted_date (one row a service
    date). With a folder `accepted` the accepted rows are written there as they are published, and ok_<table> are views
    of these files. Raises InputRejected when, for any file, rows read are not rows accepted + quarantined + duplicate.
    """
    con.execute(
        "CREATE OR REPLACE TABLE delivered_file AS "
        "SELECT file_number, table_name, file_name, 1 AS delivery_number, true AS is_new FROM input_file"
    )
    with telling_of_files(con):
        read_rows(con, as_of, in_place=True)
        settle_rows(con, accepted)
    require_sound_files(con)
    fill_row_json(con)
    count_rows(con)
    require_counts(con)
    count_accepted_dates(con)


def read_rows(con, as_of: datetime.date, in_place: bool = False) -> None:
    """Makes row_<table> (rows that are sound by themselves), broken_row and cell_set_aside (one row a file and column)
    of every row in raw_<table>.

    What the rows are read from is cell_<table>, where the loader made one: the same rows, with cells that are no text.
    With `in_place` these are not written: row_<table> reads them again each time. Raises InputRejected for a file with
    more rows than there are keys.
    """
    con.execute(f"CREATE OR REPLACE TABLE broken_row ({BROKEN_COLUMNS})")
    con.execute("CREATE OR REPLACE TABLE cell_set_aside (file_number INTEGER, column_name VARCHAR, cell_count BIGINT)")
    _require_places(con)
    for table_name in TABLES:
        with under_way(f"table {table_name}"):
            _read_table(con, table_name, as_of, in_place)


def _require_places(con) -> None:
    """Raises InputRejected where a row stands at a place that its key has no room for: it would be another row's."""
    beyond = " UNION ALL ".join(
        f"SELECT count(*) AS row_count FROM raw_{table} "
        f"WHERE source_line >= {LINES_OF_A_FILE} OR piece >= {PIECES_OF_A_LINE}"
        for table in TABLES
    )
    if con.execute(f"SELECT CAST(sum(row_count) AS BIGINT) FROM ({beyond}) AS beyond").fetchone()[0]:
        raise InputRejected(
            f"a file has {LINES_OF_A_FILE:,} lines or more, or a mapping makes {PIECES_OF_A_LINE:,} rows or more of "
            "one line: split the file"
        )


def _read_table(con, table_name: str, as_of: datetime.date, in_place: bool) -> None:
    """read_<table>: every row, with what is wrong with it by itself and which of its cells are set aside; row_<table>:
    those with nothing wrong."""
    spared = spared_fields(table_name)
    aside = " ".join(
        f"|| CASE WHEN {name('p_' + field)} IS NOT NULL THEN {text(field + ';')} ELSE '' END" for field in spared
    )
    fields = [field for field in contract_fields(table_name) if field.is_verdict_bearing]
    problems = [name("p_" + field.field) for field in fields]
    first = " ".join(
        f"WHEN {problem} IS NOT NULL THEN {text(field.field)}" for problem, field in zip(problems, fields, strict=True)
    )
    broken = " ".join(
        f"|| CASE WHEN {problem} IS NOT NULL THEN {text(field.field + ';')} ELSE '' END"
        for problem, field in zip(problems, fields, strict=True)
    )
    has_cells = _has_table(con, f"cell_{table_name}")
    # Cells of Parquet files are soon read again. Texts of CSV would have to be read as numbers and dates again.
    form = "VIEW" if in_place and has_cells else "TABLE"
    con.execute(f"""
        CREATE OR REPLACE {form} read_{table_name} AS
        SELECT {", ".join(row_columns(table_name))}, reason,
            CASE WHEN read_problem IS NOT NULL THEN problem_column {first} END AS column_name,
            CASE WHEN reason IS NOT NULL THEN ';' {broken} END AS broken_columns,
            nullif(';' {aside}, ';') AS cells_aside
        FROM (SELECT *, coalesce(read_problem, {", ".join(problems)}) AS reason {_prose_mark(table_name)}
            FROM ({_cells(con, table_name, as_of, has_cells)}))""")
    _mark(con, table_name)
    _keep_broken(con, table_name)
    _count_cells(con, table_name)
    con.execute(f"DROP TABLE marked_{table_name}")
    # By their places, for to know a reason again would be to look at every cell again.
    con.execute(f"""
        CREATE OR REPLACE VIEW row_{table_name} AS
        SELECT {", ".join(f"held.{column}" for column in row_columns(table_name))}
        FROM read_{table_name} AS held
        ANTI JOIN (SELECT * FROM broken_row WHERE table_name = {text(table_name)}) AS broken
            ON {row_key("broken")} = {row_key("held")}""")


def _prose_mark(table_name: str) -> str:
    if table_name not in PROSE:
        return ""
    prose = PROSE[table_name]
    # What nobody can read may speak of them.
    unread = f" OR {name('p_' + prose)} IS NOT NULL" if prose in spared_fields(table_name) else ""
    return f", {speaks_of_minutes(name(prose))}{unread} AS has_minutes_in_prose"


def _named_when_broken(table_name: str) -> list[str]:
    return list(dict.fromkeys([*TOUCHED[table_name], *key_fields(table_name)]))


def _mark(con, table_name: str) -> None:
    """marked_<table>: the rows that are broken by themselves, with the ids and the key that can be read, and those with
    cells that are set aside; one look at every row finds both."""
    has_key = " AND ".join(_is_readable(key) for key in key_fields(table_name))
    named = (f"{_where_readable(column)} AS {name(column)}" for column in _named_when_broken(table_name))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE marked_{table_name} AS
        SELECT {", ".join(PLACE_COLUMNS)}, column_name, reason, cells_aside, {has_key} AS has_key, {", ".join(named)}
        FROM read_{table_name} WHERE reason IS NOT NULL OR cells_aside IS NOT NULL""")


def _keep_broken(con, table_name: str) -> None:
    """Adds the table's rows that are broken by themselves to broken_row."""
    columns = [*PLACE_COLUMNS, "column_name", "reason", "has_key", *map(name, _named_when_broken(table_name))]
    listed = ", ".join(columns)
    con.execute(f"""
        INSERT INTO broken_row (table_name, {listed})
        SELECT {text(table_name)}, {listed} FROM marked_{table_name} WHERE reason IS NOT NULL""")


def _count_cells(con, table_name: str) -> None:
    """Adds to cell_set_aside how many cells of each file and column are set aside in rows that stand."""
    for field in spared_fields(table_name):
        con.execute(f"""
            INSERT INTO cell_set_aside
            SELECT file_number, {text(field)}, count(*) FROM marked_{table_name}
            WHERE reason IS NULL AND contains(cells_aside, {text(f";{field};")}) GROUP BY file_number""")


def _is_readable(column: str) -> str:
    return f"NOT contains(broken_columns, {text(f';{column};')})"


def _where_readable(column: str) -> str:
    condition = _is_readable(column)
    if column == "original_claim_id":
        condition += f" AND ({NAMES_ANOTHER_CLAIM} OR NOT {_is_readable('claim_frequency_code')})"
    return f"CASE WHEN {condition} THEN {name(column)} END"


def _cells(con, table_name: str, as_of: datetime.date, is_in_place: bool) -> str:
    """A query over the rows read: every field as its value, and p_<field> with its problem."""
    fields = contract_fields(table_name)
    source = f"cell_{table_name}" if is_in_place else f"raw_{table_name}"
    types = dict(row[:2] for row in con.execute(f"DESCRIBE {source}").fetchall())
    texts = {field.field for field in fields if types[field.field] == "VARCHAR"}
    place = "file_number, source_line, piece, read_problem, problem_column"
    looked_at = [name(field.field) for field in fields if field.field in texts and not field.is_free_text]
    copied = [field for field in fields if _is_copied(field)]
    plain = [f"{is_plain(name(field.field)) if is_in_place else 'is_plain'} AS {_plain(field)}" for field in copied]
    clean = ", ".join(_clean(field, field.field in texts, is_in_place) for field in fields)
    helpers = [
        f", {modifiers_of_line(name(field.field), name('procedure_code'))} AS {name('all_' + field.field)}"
        for field in fields
        if field.type == "modifier_list"
    ]
    values, more = [], []
    for field in fields:
        value, problem = value_and_problem(field, as_of, field.field in texts)
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
                    SELECT {", ".join([place, *map(_plain, copied)])}, {clean} FROM (
                        SELECT *, {", ".join(plain)} FROM (
                            SELECT *, {all_plain(looked_at)} AS is_plain FROM {source})))))"""


def _clean(field: Field, is_text: bool, is_in_place: bool) -> str:
    """A cell without the blanks around it, and an id in its one form, as a select item."""
    cell = name(field.field)
    if not is_text:
        return cell
    if field.is_free_text:
        return f"{trimmed(cell)} AS {cell}"
    if _is_copied(field):
        unusual = one_form(trimmed(cell)) if field.type == "id" else trimmed(cell)
        return f"CASE WHEN {_plain(field)} THEN {cell} ELSE {unusual} END AS {cell}"
    if is_in_place:  # what is made of the cell is a function of it alone, so its column's dictionary goes on
        return f"{without_blank_ends(cell)} AS {cell}"
    return f"CASE WHEN is_plain THEN {cell} ELSE {trimmed(cell)} END AS {cell}"


def _is_copied(field: Field) -> bool:
    """Whether the field's cell becomes its value as it stands, but for the blanks around it."""
    return field.type in ("id", "text") and not field.is_free_text


def _plain(field: Field) -> str:
    """The column that says whether there is nothing to trim in the field's cell."""
    return name(f"plain_{field.field}")


def fill_row_json(con) -> None:
    """Writes each new quarantined row as JSON, as its file has it, into quarantine."""
    con.execute("CREATE OR REPLACE TEMP TABLE row_text (file_number INTEGER, source_line BIGINT, row_json VARCHAR)")
    numbers = con.execute("""
        SELECT DISTINCT file_number FROM quarantine JOIN input_file USING (file_number)
        WHERE row_json IS NULL ORDER BY file_number""").fetchall()
    for (file_number,) in numbers:
        if not _has_table(con, f"file_{file_number}"):
            continue
        here = f"quarantine WHERE file_number = {file_number}"
        con.execute(f"""
            INSERT INTO row_text
            SELECT {file_number}, source_line, min({_row_json(con, file_number)})
            FROM file_{file_number}
            WHERE {on_lines(con, "source_line", here)}
            GROUP BY source_line""")
    con.execute("""
        CREATE OR REPLACE TABLE quarantine AS
        SELECT broken.* REPLACE (delivered_file.file_name AS file_name,
            coalesce(broken.row_json, row_text.row_json) AS row_json)
        FROM quarantine AS broken
        LEFT JOIN delivered_file ON delivered_file.file_number = broken.file_number
        LEFT JOIN row_text
            ON row_text.file_number = broken.file_number AND row_text.source_line = broken.source_line
        ORDER BY broken.table_name, broken.file_number, broken.source_line, broken.piece""")
    con.execute("DROP TABLE row_text")


def _has_table(con, table: str) -> bool:
    found = con.execute(
        f"SELECT count(*) FROM information_schema.tables WHERE table_name = {text(table)} "
        "AND table_schema = current_schema()"
    )
    return found.fetchone()[0] > 0


def _row_json(con, file_number: int) -> str:
    """The expression of a row of file_<n> as a JSON object of the file's own columns."""
    described = con.execute(f"SELECT * FROM file_{file_number} LIMIT 0").description
    own = [column[0] for column in described if column[0] not in READER_COLUMNS]
    pairs = ", ".join(f"{text(column)}, CAST({name(column)} AS VARCHAR)" for column in own)
    unread = "json_object('unread_text', unread_text)"
    return f"CAST(CASE WHEN unread_text IS NOT NULL THEN {unread} ELSE json_object({pairs}) END AS VARCHAR)"


def count_rows(con) -> None:
    """Makes load_count, one row a new file: the rows read, and what became of them."""
    tables = {
        "read": [f"raw_{table_name}" for table_name in TABLES],
        "accepted": [f"ok_{table_name}" for table_name in TABLES],
        "quarantined": ["quarantine"],
        "duplicate": ["duplicate_row"],
    }
    counts = " UNION ALL ".join(
        f"SELECT file_number, '{fate}' AS fate, count(*) AS row_count FROM {table} GROUP BY file_number"
        for fate, of_fate in tables.items()
        for table in of_fate
    )
    sums = ", ".join(
        f"CAST(coalesce(sum(row_count) FILTER (WHERE fate = '{fate}'), 0) AS BIGINT) AS rows_{fate}" for fate in tables
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE load_count AS
        WITH counted AS (
            SELECT file_number, {sums} FROM ({counts})
            WHERE file_number NOT IN (SELECT file_number FROM delivered_file WHERE NOT is_new)
            GROUP BY file_number)
        SELECT file_number, {", ".join(f"coalesce(rows_{fate}, 0) AS rows_{fate}" for fate in tables)}
        FROM input_file FULL JOIN counted USING (file_number)
        ORDER BY file_number""")


def require_counts(con) -> None:
    """Raises InputRejected where not every row that was read has exactly one fate."""
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
