"""SQL that lays note blocks on their notes: the version a block belongs to, and its clock in minutes."""

from transforms.contract_sql import TIME, matches, name

LONGEST_PASS_OVER_MIDNIGHT_MINUTES = 240
LONGEST_BLOCK_MINUTES = 1440
# The columns that the clock adds to a block.
CLOCK_COLUMNS = ("start_minute", "end_minute", "clock_has_seconds")


def blocks_on_notes(cells: str) -> str:
    """A query like `cells` (every field, and p_<field> with its problem) with the clock columns added,
    started_at and ended_at as timestamps, and the problems that only the note of the block can show."""
    problems = ", ".join(f"{value} AS {name('p_' + column)}" for column, value in NOTE_PROBLEMS.items())
    return f"""
    WITH cells AS ({cells}),
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
        FROM stamped)
    SELECT * EXCLUDE (note_date, note_problem, start_stamp, end_stamp)
        REPLACE (start_stamp AS started_at, end_stamp AS ended_at, {problems}),
        {_minute("start_stamp")} AS start_minute,
        {_minute("end_stamp")} AS end_minute,
        {_has_seconds("start_stamp")} OR {_has_seconds("end_stamp")} AS clock_has_seconds
    FROM clocked"""


def _stamp(column: str) -> str:
    """The time in `column` as a timestamp: a bare one lies on the note's service date."""
    return f"""CASE WHEN {name("p_" + column)} IS NOT NULL THEN NULL
        WHEN {matches(column, TIME)} THEN note_date + try_cast(left({column}, 15) AS TIME)
        ELSE try_cast(left({column}, 26) AS TIMESTAMP) END"""


def _minute(stamp: str) -> str:
    """Whole minutes since midnight of the service date, seconds cut."""
    elapsed = f"(epoch_us({stamp}) - epoch_us(CAST(note_date AS TIMESTAMP)))"
    return f"try_cast({elapsed} // 60000000 AS INTEGER)"


def _has_seconds(stamp: str) -> str:
    return f"coalesce(epoch_us({stamp}) % 60000000 <> 0, false)"


NOTE_PROBLEM = """CASE
            WHEN cells.p_note_id IS NOT NULL OR cells.p_note_version IS NOT NULL THEN NULL
            WHEN unsure.note_id IS NOT NULL AND (cells.note_version IS NULL OR ok_notes.note_id IS NULL)
                THEN 'note_quarantined'
            WHEN ok_notes.note_id IS NULL THEN 'block_without_note' END"""

PASSES_MIDNIGHT = f"""end_stamp < start_stamp AND {matches("ended_at", TIME)}
            AND end_stamp + INTERVAL 1 DAY - start_stamp
                <= INTERVAL {LONGEST_PASS_OVER_MIDNIGHT_MINUTES} MINUTE"""

# An end without a start may lie on the day after: the start that nobody wrote may be before midnight.
NOTE_PROBLEMS = {
    "note_id": "coalesce(p_note_id, note_problem)",
    "started_at": """coalesce(p_started_at,
            CASE WHEN CAST(start_stamp AS DATE) <> note_date THEN 'clock_off_service_date' END)""",
    "ended_at": f"""coalesce(p_ended_at, CASE
            WHEN end_stamp < start_stamp THEN 'end_before_start'
            WHEN end_stamp - start_stamp > INTERVAL {LONGEST_BLOCK_MINUTES} MINUTE
                THEN 'clock_off_service_date'
            WHEN start_stamp IS NULL AND CAST(end_stamp AS DATE) - note_date NOT BETWEEN 0 AND 1
                THEN 'clock_off_service_date' END)""",
}
