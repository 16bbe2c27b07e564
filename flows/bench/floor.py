"""The floor: what a bare DuckDB takes for one look at the claim lines and one at the blocks. A program of its own.

    python -m flows.bench.floor CLAIMS NOTE_BLOCKS [THREADS] [MEMORY_LIMIT]

prints {"claims": seconds, "note_blocks": seconds}. Nobody can audit without reading these columns and bringing
together the lines of a day and the blocks of a note, so no audit is faster; what it takes more is its price. Started
anew for each measurement, for an audit is a process of its own, too. Nothing but DuckDB is imported.
"""

import json
import sys
import time

import duckdb

from transforms.database.quoting import text

#: The sums are asked for, so that no optimizer can leave them out.
QUERIES = {
    "claims": "select count(*), sum(units) from (select patient_id, service_date, procedure_code, "
    "sum(billed_units) as units from {source} group by patient_id, service_date, procedure_code)",
    "note_blocks": "select count(*), sum(minutes) from (select note_id, procedure_code, sum(minutes) as minutes "
    "from {source} group by note_id, procedure_code)",
}


def floor_seconds(paths: dict[str, str], threads: str | None, memory_limit: str | None) -> dict[str, float]:
    """The seconds of each query over its one file, in a database in memory that is set up before the clock runs."""
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        if threads:
            con.execute(f"set threads = {int(threads)}")
        if memory_limit:
            con.execute(f"set memory_limit = '{memory_limit}'")
        seconds = {}
        for table, query in QUERIES.items():
            started = time.perf_counter()
            con.execute(query.format(source=text(paths[table]))).fetchall()
            seconds[table] = round(time.perf_counter() - started, 4)
    return seconds


if __name__ == "__main__":
    claims, note_blocks, *limits = sys.argv[1:]
    asked = [limit or None for limit in [*limits, "", ""][:2]]
    print(json.dumps(floor_seconds({"claims": claims, "note_blocks": note_blocks}, *asked)))
