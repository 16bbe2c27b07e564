"""A night on a warehouse: which claims and notes a delivery touches, how they settle, and which service dates move.

Reads `warehouse` and the rows of the delivery; writes only the run's own database. Everything a run publishes is a
function of the rows in force, the quarantine, the reference tables and the as-of date, so it is enough to recompute
the service dates on which one of these moved.
"""

from datetime import date

from transforms.accept.apply import count_rows, fill_row_json, read_rows, require_counts
from transforms.accept.settle import NAMES_ANOTHER_CLAIM, row_columns, row_key, settle_rows
from transforms.contract.fields import TABLES, contract_fields, key_fields
from transforms.database.quoting import name, text
from transforms.database.sql_values import literal, row_values
from transforms.extract import require_sound_files, telling_of_files
from transforms.warehouse.moved import dates_spanned, find_moved_settings
from transforms.warehouse.tables import UNITS, read_state

#: How the cells of a block are called where ok_note_blocks has turned them into timestamps.
CELLS = {"started_at": "started_cell", "ended_at": "ended_cell"}


def take_in(con, as_of: date, removed: list[int], settle_all: bool = False) -> None:
    """Holds the delivery in raw_<table> against the contract and settles the claims and notes that it touches.

    Makes settled_<table>, past_<table>, kept_<table>, quarantine (all of it in force), duplicate_row, load_count,
    delivered_file, affected_claim and affected_note. `removed` are the numbers of files whose rows go.
    """
    with telling_of_files(con):
        read_rows(con, as_of)
    require_sound_files(con)
    _list_files(con, removed)
    for table in TABLES:
        _find_repeats(con, table)
    _find_affected(con, settle_all)
    for table in TABLES:
        _gather(con, table)
    _gather_broken(con)
    settle_rows(con)
    for table in TABLES:
        con.execute(f"INSERT INTO duplicate_row SELECT '{table}', file_number, source_line FROM repeated_{table}")
    _keep_quarantine(con)
    fill_row_json(con)
    _drop_repeated_broken(con)
    count_rows(con)
    require_counts(con)
    for table in TABLES:
        con.execute(f"ALTER TABLE ok_{table} RENAME TO settled_{table}")


def _list_files(con, removed: list[int]) -> None:
    """delivered_file: every file in force, new ones with the next delivery's number; removed_file; last_number."""
    held = read_state(con)
    last = (held["delivery_number"], held["file_number"]) if held else (0, 0)
    con.execute(f"CREATE OR REPLACE TABLE last_number AS SELECT {last[0]} AS delivery_number, {last[1]} AS file_number")
    con.execute("CREATE OR REPLACE TABLE removed_file (file_number INTEGER)")
    if removed:
        con.execute(f"INSERT INTO removed_file VALUES {row_values([number] for number in removed)}")
    con.execute(
        "CREATE OR REPLACE TABLE delivered_file AS "
        "SELECT file_number, table_name, file_name, delivery_number, false AS is_new FROM warehouse.delivered_file "
        "WHERE file_number NOT IN (SELECT file_number FROM removed_file) "
        f"UNION ALL SELECT file_number, table_name, file_name, {last[0] + 1}, true FROM input_file"
    )


def _find_repeats(con, table: str) -> None:
    """repeat_<table>: the delivery's rows that are equal to the row in force of their key, and change nothing."""
    unit, keys = UNITS[table], key_fields(table)
    listed = ", ".join(name(key) for key in keys)
    pairs = [(name(field.field), name(CELLS.get(field.field, field.field))) for field in contract_fields(table)]
    if table != "note_blocks":
        pairs = [(column, column) for column, _ in pairs]
    on_keys = " AND ".join(f"held.{name(key)} IS NOT DISTINCT FROM fresh.{name(key)}" for key in keys)
    same = " AND ".join(f"held.{ours} IS NOT DISTINCT FROM fresh.{theirs}" for theirs, ours in pairs)
    broken_keys = f"SELECT {listed} FROM broken_row WHERE has_key AND table_name = {text(table)}"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE repeat_{table} AS
        -- keys that the delivery names once, of claims and notes with nothing in quarantine
        WITH single AS (
            SELECT {listed} FROM (SELECT {listed} FROM row_{table} UNION ALL {broken_keys})
            GROUP BY {listed} HAVING count(*) = 1),
        quarantined AS (
            SELECT {unit} FROM warehouse.quarantine WHERE {unit} IS NOT NULL)
        SELECT {row_key("fresh")} AS row_number, fresh.{unit}, older.file_name = newer.file_name AS is_same_file
        FROM row_{table} AS fresh
        JOIN single AS once ON {" AND ".join(f"once.{name(k)} IS NOT DISTINCT FROM fresh.{name(k)}" for k in keys)}
        JOIN warehouse.ok_{table} AS held ON {on_keys} AND {same}
        JOIN delivered_file AS older ON older.file_number = held.file_number
        JOIN delivered_file AS newer ON newer.file_number = fresh.file_number
        WHERE fresh.{unit} NOT IN (SELECT {unit} FROM quarantined)""")


def _find_affected(con, settle_all: bool) -> None:
    """affected_claim, affected_note: those that a new, broken or removed row names; all of them for a rebuild."""
    for unit in ("claim_id", "note_id"):
        tables = [table for table in TABLES if UNITS[table] == unit]
        named = []
        for table in tables:
            named.append(
                f"SELECT {unit} FROM row_{table} AS fresh "
                f"WHERE {row_key('fresh')} NOT IN (SELECT row_number FROM repeat_{table})"
            )
            named.append(f"SELECT {unit} FROM broken_row WHERE table_name = {text(table)}")
            going = "" if settle_all else "WHERE file_number IN (SELECT file_number FROM removed_file)"
            named += [f"SELECT {unit} FROM warehouse.{kind}_{table} {going}" for kind in ("ok", "past")]
            where = going.replace("WHERE", "AND")
            named.append(f"SELECT {unit} FROM warehouse.broken_row WHERE table_name = {text(table)} {where}")
        union = " UNION ".join(named)
        con.execute(
            f"CREATE OR REPLACE TABLE affected_{unit.removesuffix('_id')} AS "
            f"SELECT {unit} FROM ({union}) WHERE {unit} IS NOT NULL"
        )


def _gather(con, table: str) -> None:
    """Leaves in row_<table> the rows of affected claims or notes, old and new; the delivery's other rows are repeats:
    repeated_<table> names them, kept_<table> holds those that a file of another name brought."""
    unit = UNITS[table]
    affected = f"SELECT {unit} FROM affected_{unit.removesuffix('_id')}"
    columns = ", ".join(row_columns(table))
    con.execute(f"""
        CREATE OR REPLACE TABLE repeated_{table} AS
        SELECT fresh.file_number, fresh.source_line FROM row_{table} AS fresh
        WHERE fresh.{unit} NOT IN ({affected})""")
    con.execute(f"""
        CREATE OR REPLACE TABLE kept_{table} AS
        SELECT fresh.* FROM row_{table} AS fresh
        JOIN repeat_{table} AS again ON again.row_number = {row_key("fresh")} AND NOT again.is_same_file
        WHERE fresh.{unit} NOT IN ({affected})""")
    con.execute(f"CREATE OR REPLACE TABLE fresh_{table} AS SELECT * FROM row_{table} WHERE {unit} IN ({affected})")
    con.execute(f"DROP TABLE repeat_{table}; DROP VIEW row_{table}; DROP TABLE read_{table}")
    con.execute(f"ALTER TABLE fresh_{table} RENAME TO row_{table}")
    still = f"WHERE {unit} IN ({affected}) AND file_number NOT IN (SELECT file_number FROM removed_file)"
    cells = columns
    for column, cell in CELLS.items() if table == "note_blocks" else ():
        cells = cells.replace(f'"{column}"', f'{cell} AS "{column}"')
    con.execute(f"INSERT INTO row_{table} BY NAME SELECT {cells} FROM warehouse.ok_{table} {still}")
    con.execute(f"INSERT INTO row_{table} BY NAME SELECT {columns} FROM warehouse.past_{table} {still}")


def _gather_broken(con) -> None:
    """Adds the warehouse's broken rows that bear on affected claims and notes, and those that name none."""
    con.execute("""
        INSERT INTO broken_row
        SELECT held.* FROM warehouse.broken_row AS held
        WHERE held.file_number NOT IN (SELECT file_number FROM removed_file) AND CASE held.table_name
            WHEN 'claims' THEN held.claim_id IS NULL OR held.claim_id IN (SELECT claim_id FROM affected_claim)
            ELSE held.note_id IS NULL OR held.note_id IN (SELECT note_id FROM affected_note) END""")


def _keep_quarantine(con) -> None:
    """Adds the entries of claims and notes that the night does not touch, and the older ones' rows as JSON."""
    con.execute("""
        UPDATE quarantine SET row_json = held.row_json FROM warehouse.quarantine AS held
        WHERE quarantine.row_json IS NULL AND held.file_number = quarantine.file_number
            AND held.source_line = quarantine.source_line AND held.piece IS NOT DISTINCT FROM quarantine.piece""")
    con.execute("""
        INSERT INTO quarantine BY NAME
        SELECT held.* FROM warehouse.quarantine AS held
        WHERE CASE held.table_name
            WHEN 'claims' THEN held.claim_id NOT IN (SELECT claim_id FROM affected_claim)
            ELSE held.note_id NOT IN (SELECT note_id FROM affected_note) END""")


def _drop_repeated_broken(con) -> None:
    """repeated_broken: broken rows without a key that the same file brings again, word for word: they count once."""
    con.execute("""
        CREATE OR REPLACE TABLE repeated_broken AS
        SELECT DISTINCT older.file_number, older.source_line, older.piece
        FROM quarantine AS older
        JOIN delivered_file AS before ON before.file_number = older.file_number AND NOT before.is_new
        JOIN broken_row AS broken ON broken.file_number = older.file_number
            AND broken.source_line = older.source_line AND broken.piece IS NOT DISTINCT FROM older.piece
            AND NOT broken.has_key
        JOIN quarantine AS newer ON newer.table_name = older.table_name AND newer.file_name = older.file_name
            AND newer.row_json = older.row_json
        JOIN delivered_file AS now ON now.file_number = newer.file_number AND now.is_new""")
    con.execute("""
        DELETE FROM quarantine AS held USING repeated_broken AS again
        WHERE held.file_number = again.file_number AND held.source_line = again.source_line
            AND held.piece IS NOT DISTINCT FROM again.piece""")


def find_touched(con, why_all_dates: str | None, as_of: date) -> None:
    """Finds what moved (change: service date, patient or null, what) and the dates to recompute (touched_date);
    accepted_date holds all dates."""
    _count_dates(con)
    _find_changes(con)
    if why_all_dates:
        con.execute(
            f"INSERT INTO change SELECT service_date, NULL, {literal(why_all_dates)} FROM "
            "(SELECT service_date FROM accepted_date UNION SELECT service_date FROM warehouse.accepted_date UNION "
            "SELECT service_date FROM quarantine WHERE service_date IS NOT NULL UNION "
            f"SELECT service_date FROM ({dates_spanned(_in_force('claims', 'true'))}))"
        )
    else:
        find_moved_settings(con, as_of)
    con.execute("INSERT INTO change SELECT service_date, NULL, 'an unfinished run' FROM warehouse.pending_date")
    con.execute("CREATE OR REPLACE TABLE touched_date AS SELECT DISTINCT service_date FROM change")


def _count_dates(con) -> None:
    """accepted_date: the warehouse's counts, less the old rows of affected claims and notes, plus the settled ones."""
    con.execute("""
        CREATE OR REPLACE TABLE accepted_date AS
        SELECT service_date, CAST(sum(claim_lines) AS BIGINT) AS claim_lines, CAST(sum(notes) AS BIGINT) AS notes
        FROM (
            SELECT service_date, claim_lines, notes FROM warehouse.accepted_date
            UNION ALL SELECT service_date, -1, 0 FROM warehouse.ok_claims
                WHERE claim_id IN (SELECT claim_id FROM affected_claim)
            UNION ALL SELECT service_date, 1, 0 FROM settled_claims
            UNION ALL SELECT service_date, 0, -1 FROM warehouse.ok_notes
                WHERE note_id IN (SELECT note_id FROM affected_note)
            UNION ALL SELECT service_date, 0, 1 FROM settled_notes)
        GROUP BY service_date HAVING sum(claim_lines) > 0 OR sum(notes) > 0 ORDER BY service_date""")


def _find_changes(con) -> None:
    """change: the dates of every row that came, went or may have moved, with its patient under the claims' id."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE differing AS
        SELECT * EXCLUDE (row_json) FROM quarantine EXCEPT SELECT * EXCLUDE (row_json) FROM warehouse.quarantine
        UNION ALL
        (SELECT * EXCLUDE (row_json) FROM warehouse.quarantine EXCEPT SELECT * EXCLUDE (row_json) FROM quarantine)""")
    # What a claim's change can move on other claims: those that corrections bind to it.
    _link_claims(
        con,
        "touched_claim",
        rows="FROM warehouse.ok_claims UNION ALL BY NAME FROM settled_claims",
        claims="FROM affected_claim",
        names="""SELECT claim_id FROM differing UNION ALL SELECT payer_claim_id FROM differing
            UNION ALL SELECT original_claim_id FROM differing""",
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE change AS
        -- rows that came, went or may have moved
        WITH moved AS (
            SELECT service_date, service_date_to, patient_id, 'a claim' AS what FROM warehouse.ok_claims
                WHERE claim_id IN (SELECT claim_id FROM touched_claim)
            UNION ALL SELECT service_date, service_date_to, patient_id, 'a claim' FROM settled_claims
            UNION ALL SELECT held.service_date, NULL, coalesce(x.to_id, held.patient_id), 'a note'
                FROM warehouse.ok_notes AS held
                LEFT JOIN crosswalk_patient AS x ON x.from_id = held.patient_id
                WHERE note_id IN (SELECT note_id FROM affected_note)
            UNION ALL SELECT held.service_date, NULL, coalesce(x.to_id, held.patient_id), 'a note'
                FROM settled_notes AS held
                LEFT JOIN crosswalk_patient AS x ON x.from_id = held.patient_id
            UNION ALL SELECT service_date, service_date_to, patient_id, 'a row set aside' FROM differing),
        -- patients with a row set aside whose date nobody knows: every date of theirs moves
        undated AS (
            SELECT DISTINCT coalesce(CASE WHEN table_name <> 'claims' THEN x.to_id END, patient_id) AS patient_id
            FROM differing LEFT JOIN crosswalk_patient AS x ON x.from_id = patient_id
            WHERE service_date IS NULL AND patient_id IS NOT NULL),
        of_patient AS (
            SELECT service_date, patient_id FROM warehouse.ok_claims
            UNION ALL SELECT service_date, patient_id FROM settled_claims
            UNION ALL SELECT held.service_date, coalesce(x.to_id, held.patient_id)
                FROM (SELECT service_date, patient_id FROM warehouse.ok_notes
                    UNION ALL SELECT service_date, patient_id FROM settled_notes) AS held
                LEFT JOIN crosswalk_patient AS x ON x.from_id = held.patient_id)
        SELECT DISTINCT service_date, CAST(patient_id AS VARCHAR) AS patient_id, CAST(what AS VARCHAR) AS what FROM (
            SELECT service_date, patient_id, what FROM moved
            UNION ALL {dates_spanned("FROM moved")}
            UNION ALL SELECT held.service_date, held.patient_id, 'a row set aside'
                FROM of_patient AS held JOIN undated ON undated.patient_id = held.patient_id)
        WHERE service_date IS NOT NULL""")
    con.execute("DROP TABLE differing")


def _link_claims(con, table: str, rows: str, claims: str, names: str) -> None:
    """Makes `table` the claim_ids of the query `claims`, of those that bear one of `names`, and of all that corrections
    bind to them, however long the chain. `rows` are claim lines; a claim is named by its own id or its payer's."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE claim_link AS
        WITH held AS ({rows}),
        correction AS (
            SELECT DISTINCT claim_id, original_claim_id AS name FROM held
            WHERE original_claim_id IS NOT NULL AND {NAMES_ANOTHER_CLAIM}),
        asked AS (SELECT name FROM correction UNION SELECT * FROM ({names}))
        SELECT claim_id, name FROM correction
        UNION SELECT claim_id, claim_id FROM held WHERE claim_id IN (SELECT name FROM asked WHERE name IS NOT NULL)
        UNION SELECT claim_id, payer_claim_id FROM held
            WHERE payer_claim_id IN (SELECT name FROM asked WHERE name IS NOT NULL)""")
    # From claims to the names that they bear or name, and from names to such claims.
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        WITH RECURSIVE step AS (
            SELECT 'claim' AS kind, claim_id AS node, 'name' AS next_kind, name AS next_node FROM claim_link
            UNION ALL SELECT 'name', name, 'claim', claim_id FROM claim_link),
        reached AS (
            SELECT 'claim' AS kind, claim_id AS node FROM ({claims})
            UNION SELECT 'name', * FROM ({names})
            UNION SELECT step.next_kind, step.next_node
            FROM reached JOIN step ON step.kind = reached.kind AND step.node = reached.node)
        SELECT node AS claim_id FROM reached WHERE kind = 'claim' AND node IS NOT NULL""")
    con.execute("DROP TABLE claim_link")


def take_rows(con) -> None:
    """ok_<table>: every row on a touched date, and what bears on it from other dates: all lines of those claims, the
    claims that corrections bind to them, all versions and blocks of those notes."""
    _link_claims(
        con,
        "related_claim",
        rows=_in_force("claims", "true"),
        claims=f"SELECT claim_id FROM ({_in_force('claims', _SPANS_TOUCHED)})",
        names="SELECT NULL",
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE related_note AS
        SELECT DISTINCT note_id FROM ({_in_force("notes", _TOUCHED)})""")
    for table, unit in UNITS.items():
        related = f"{unit} IN (SELECT {unit} FROM related_{unit.removesuffix('_id')})"
        # Rows lie by date in the warehouse: those on touched dates are found at once. The few others are looked for by
        # their claim or note alone, and only then read.
        elsewhere = f"SELECT rowid FROM warehouse.ok_{table} WHERE {related} AND NOT {_TOUCHED} AND {_untouched(table)}"
        con.execute(f"""
            CREATE OR REPLACE TABLE ok_{table} AS
            SELECT * FROM warehouse.ok_{table} WHERE {_TOUCHED} AND {related} AND {_untouched(table)}
            UNION ALL BY NAME SELECT * FROM warehouse.ok_{table} WHERE rowid IN ({elsewhere})
            UNION ALL BY NAME SELECT * FROM settled_{table} WHERE {related}""")


_TOUCHED = "service_date IN (SELECT service_date FROM touched_date)"
#: Of a claim line: one of its dates is touched.
_SPANS_TOUCHED = f"""({_TOUCHED} OR service_date_to > service_date AND EXISTS (
    SELECT 1 FROM touched_date AS touched
    WHERE touched.service_date > held.service_date AND touched.service_date <= held.service_date_to))"""


def _untouched(table: str) -> str:
    """The condition that the night did not settle the row's claim or note: then the warehouse's row is in force."""
    unit = UNITS[table]
    return f"{unit} NOT IN (SELECT {unit} FROM affected_{unit.removesuffix('_id')})"


def _in_force(table: str, condition: str) -> str:
    return (
        f"SELECT * FROM warehouse.ok_{table} AS held WHERE {condition} AND {_untouched(table)} "
        f"UNION ALL BY NAME SELECT * FROM settled_{table} AS held WHERE {condition}"
    )
