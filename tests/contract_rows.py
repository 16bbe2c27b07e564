"""Helpers of the contract tests: raw tables made from plain dicts, one list of rows a file."""

import datetime

import duckdb

from transforms.accept.apply import apply_contract
from transforms.contract.fields import TABLES, contract_fields

AS_OF = datetime.date(2026, 6, 30)

CLAIM = {
    "claim_id": "C1", "line_number": "1", "patient_id": "P1", "payer_id": "medicare",
    "service_date": "2026-06-01", "procedure_code": "97112", "billed_units": "2",
}  # fmt: skip
NOTE = {
    "note_id": "N1", "patient_id": "P1", "service_date": "2026-06-01", "provider_id": "T1",
    "discipline": "PT",
}  # fmt: skip
BLOCK = {"note_id": "N1", "block_number": "1", "procedure_code": "97112"}
SOUND = {"claims": CLAIM, "notes": NOTE, "note_blocks": BLOCK}
READER = ("read_problem", "problem_column", "unread_text", "piece", "source_line")


def audit_rows(files, as_of=AS_OF, threads=2):
    """A connection after the contract stage over `files`: pairs of (table name, rows as dicts of text)."""
    con = duckdb.connect(config={"threads": threads})
    make_raw_tables(con, files)
    apply_contract(con, as_of)
    return con


def make_raw_tables(con, files):
    """raw_<table>, file_<n> and input_file as the loader leaves them; line numbers count from 2."""
    con.execute(
        "CREATE TABLE input_file (file_number INTEGER, table_name VARCHAR, file_name VARCHAR, path VARCHAR,"
        " sha256 VARCHAR, format VARCHAR)"
    )
    for table_name in TABLES:
        columns = ", ".join(f'"{field.field}" VARCHAR' for field in contract_fields(table_name))
        con.execute(
            f"CREATE TABLE raw_{table_name} (file_number INTEGER, source_line BIGINT, piece INTEGER,"
            f" read_problem VARCHAR, problem_column VARCHAR, {columns})"
        )
    for number, (table_name, rows) in enumerate(files, 1):
        file = [number, table_name, f"{table_name}_{number}.csv", "", "", "csv"]
        con.execute("INSERT INTO input_file VALUES (?, ?, ?, ?, ?, ?)", file)
        _add_file(con, number, table_name, rows)


def _add_file(con, number, table_name, rows):
    own = [field.field for field in contract_fields(table_name)]
    columns = ", ".join(f'"{column}" VARCHAR' for column in own)
    con.execute(
        f"CREATE TABLE file_{number} (source_line BIGINT, read_problem VARCHAR, problem_column VARCHAR,"
        f" unread_text VARCHAR, {columns})"
    )
    seen = set()
    for line, row in enumerate(rows, 2):
        line = row.get("source_line", line)
        unknown = set(row) - set(own) - set(READER)
        assert not unknown, unknown
        said = [row.get("read_problem"), row.get("problem_column")]
        cells = [row.get(column) for column in own]
        _insert(con, f"raw_{table_name}", [number, line, row.get("piece", 0), *said, *cells])
        if line not in seen:
            _insert(con, f"file_{number}", [line, *said, row.get("unread_text"), *cells])
        seen.add(line)


def _insert(con, table, values):
    con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


def rows_of(con, query):
    """The rows of a query as dicts."""
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def judge_row(table_name, **cells):
    """What becomes of one row: (accepted row or None, (reason, column) or None). The note is of June 1."""
    return judge_rows([(table_name, cells)])[0]


def judge_rows(cases):
    """`judge_row` of many (table name, cells), all in one load: each in a file and under a key of its own."""
    files = [("notes", [NOTE])]
    for number, (table_name, cells) in enumerate(cases, 2):
        own_key = {
            "claims": {"claim_id": f"case {number}", "line_number": str(number)},
            "notes": {"note_id": f"case {number}"},
            "note_blocks": {"block_number": str(number)},
        }[table_name]
        files.append((table_name, [{**SOUND[table_name], **own_key, **cells}]))
    con = audit_rows(files)
    found = {}
    for table_name in TABLES:
        for row in rows_of(con, f"SELECT * FROM ok_{table_name}"):
            found[row["file_number"]] = (row, None)
    for row in rows_of(con, "SELECT * FROM quarantine"):
        assert row["file_number"] not in found
        found[row["file_number"]] = (None, (row["reason"], row["column_name"]))
    con.close()
    return [found[number] for number in range(2, len(cases) + 2)]
