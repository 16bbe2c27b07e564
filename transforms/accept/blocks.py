"""SQL that lays note blocks on their notes: the version a block belongs to, and its clock in seconds."""

from transforms.contract.cell_sql import TIME, matches

LONGEST_PASS_OVER_MIDNIGHT_MINUTES = 240
LONGEST_BLOCK_MINUTES = 1440
# The columns that its note adds to a block.
CLOCK_COLUMNS = ("service_date", "start_second", "end_second", "started_cell", "ended_cell")


def blocks_on_notes(rows: str, key: str) -> str:
    """A query over the sound block rows `rows`, one row a block and its key `key` as row_number: what its accepted note
    makes of it. That is its service date, its clock as timestamps (start_stamp, end_stamp) and in seconds, and reason
    and column_name of the problem that only the note of the block can show."""
    return f"""
    WITH cells AS (SELECT {key} AS row_number, note_id, note_version, started_at, ended_at FROM {rows}),
    -- one row a note with accepted versions: the version that counts (drafts aside, the highest)
    counting AS (
        SELECT note_id, coalesce(
            max(note_version) FILTER (WHERE coalesce(status, '') <> 'draft'),
            max(note_version)) AS note_version
        FROM ok_notes GROUP BY note_id),
    -- one row a note that has a row in quarantine
    unsure AS (SELECT DISTINCT note_id FROM quarantine WHERE table_name = 'notes' AND note_id IS NOT NULL),
    -- one row a block, with the service date of its note where there is one
    placed AS (
        SELECT cells.*, ok_notes.service_date AS note_date, {NOTE_PROBLEM} AS note_problem
        FROM cells
        LEFT JOIN counting ON counting.note_id = cells.note_id
        LEFT JOIN unsure ON unsure.note_id = cells.note_id
        LEFT JOIN ok_notes ON ok_notes.note_id = cells.note_id
            AND ok_notes.note_version = coalesce(cells.note_version, counting.note_version)),
    -- one row a block, with its times as timestamps
    stamped AS (
        SELECT *, {_stamp("started_at")} AS start_stamp, {_stamp("ended_at")} AS end_stamp FROM placed),
    -- one row a block, a bare end before its start moved past midnight
    clocked AS (
        SELECT * REPLACE (
            CASE WHEN {PASSES_MIDNIGHT} THEN end_stamp + INTERVAL 1 DAY ELSE end_stamp END AS end_stamp)
        FROM stamped),
    -- one row a block, with what is wrong with its start and its end
    judged AS (
        SELECT *, {START_PROBLEM} AS start_problem, {END_PROBLEM} AS end_problem FROM clocked)
    SELECT row_number,
        note_date AS service_date,
        start_stamp,
        end_stamp,
        {_second("start_stamp")} AS start_second,
        {_second("end_stamp")} AS end_second,
        coalesce(note_problem, start_problem, end_problem) AS reason,
        CASE WHEN note_problem IS NOT NULL THEN 'note_id' WHEN start_problem IS NOT NULL THEN 'started_at'
            WHEN end_problem IS NOT NULL THEN 'ended_at' END AS column_name
    FROM judged"""


def _stamp(column: str) -> str:
    """The time in `column` as a timestamp: a bare one lies on the note's service date."""
    return f"""CASE WHEN {matches(column, TIME)} THEN note_date + try_cast(left({column}, 15) AS TIME)
        ELSE try_cast(left({column}, 26) AS TIMESTAMP) END"""


def _second(stamp: str) -> str:
    """Whole seconds since midnight of the service date, fractions of a second cut."""
    elapsed = f"(epoch_us({stamp}) - epoch_us(CAST(note_date AS TIMESTAMP)))"
    return f"try_cast({elapsed} // 1000000 AS INTEGER)"


NOTE_PROBLEM = """CASE
            WHEN unsure.note_id IS NOT NULL AND (cells.note_version IS NULL OR ok_notes.note_id IS NULL)
                THEN 'note_quarantined'
            WHEN ok_notes.note_id IS NULL THEN 'block_without_note' END"""

PASSES_MIDNIGHT = f"""end_stamp < start_stamp AND {matches("ended_at", TIME)}
            AND end_stamp + INTERVAL 1 DAY - start_stamp
                <= INTERVAL {LONGEST_PASS_OVER_MIDNIGHT_MINUTES} MINUTE"""

START_PROBLEM = "CASE WHEN CAST(start_stamp AS DATE) <> note_date THEN 'clock_off_service_date' END"
# An end without a start may lie on the day after: the start that nobody wrote may be before midnight.
END_PROBLEM = f"""CASE
            WHEN end_stamp < start_stamp THEN 'end_before_start'
            WHEN end_stamp - start_stamp > INTERVAL {LONGEST_BLOCK_MINUTES} MINUTE
                THEN 'clock_off_service_date'
            WHEN start_stamp IS NULL AND CAST(end_stamp AS DATE) - note_date NOT BETWEEN 0 AND 1
                THEN 'clock_off_service_date' END"""
