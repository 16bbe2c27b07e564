"""Writes made-up extracts of any size, seeded: clinics at work for a year, mostly honest, with errors planted.

    python -m flows.bench.extracts FOLDER VISITS SEED FORM

Everything of a row follows from the row's number and the seed, by a hash, so nothing is kept in memory. The shapes are
those of data/samples; the SQL files beside say what they are.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from transforms.database.quoting import text

#: Visits in 10,000 at which each thing is planted. A few of them are lawful: an audit must not accuse them.
PLANTED = {
    "unit_too_many": 60,
    "unit_too_few": 50,
    "wrong_code": 25,
    "other_method": 40,
    "code_not_documented": 20,
    "untimed_twice": 60,
    "split_lines": 20,
    "above_cap": 12,
    "sent_twice": 15,
    "not_billed": 25,
    "no_note": 20,
    "draft": 25,
    "not_billable": 12,
    "note_voided": 4,
    "overlap": 20,
    "double_booked": 12,
    "stated_above_clock": 20,
    "total_below_blocks": 15,
    "total_above_blocks": 12,
    # lawful
    "amended": 60,
    "replaced": 40,
    "voided": 10,
    "denied": 30,
    "secondary": 25,
}
#: What stands behind the rows. A seed's draws hold for one version of DuckDB, whose hash they are.
VIEWS = ("words", "visit_placed", "visit_written", "visit_billed")
TABLES = ("claims", "notes", "note_blocks")
#: How each form is written.
FORMS = {"parquet": "format parquet", "csv": "format csv, header"}
#: Five weekdays at the least, a year of them at the most, and in between 96 visits a day: eight clinicians.
LEAST_DAYS, MOST_DAYS, VISITS_A_DAY = 5, 260, 96
#: A date by which everything of the year should be billed; the audit of the extracts is made as of it.
AS_OF = "2026-11-10"
_CITATION = "Invented for the benchmark: the demonstration plan's provider manual"
_PAYER_METHOD = f"""\
payer_id,counting_method,follows_mue,timed_units_per_day_cap,effective_from,effective_to,citation,last_checked_on
DEMO-CAP4,cms_8_minute,false,4,2025-01-01,,{_CITATION},2026-11-01
DEMO-PPO,ama_midpoint,false,,2025-01-01,,{_CITATION},2026-11-01
"""


def write_extracts(folder: Path, visits: int, seed: int, form: str, threads: int = 2) -> None:
    """Writes claims, notes and note_blocks of so many visits into `folder`, as "parquet" or "csv", one file a table,
    and the payers' methods into its subfolder reference. So many tables are written at a time as there are `threads`;
    equal arguments give equal bytes, whatever their number."""
    (folder / "reference").mkdir(parents=True, exist_ok=True)
    (folder / "reference" / "payer_method.csv").write_text(_PAYER_METHOD, encoding="utf-8")
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(lambda table: _write_table(folder / f"{table}.{form}", visits, seed, form), TABLES))


def _write_table(path: Path, visits: int, seed: int, form: str) -> None:
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.execute("set memory_limit = '1GB'")
        # Where a row is unnested, several threads write it in the order in which they come to it.
        con.execute("set threads = 1")
        make_visits(con, visits, seed)
        con.execute(f"copy (select * exclude (copy) from ({_sql(path.stem)})) to {text(str(path))} ({FORMS[form]})")


def make_visits(con, visits: int, seed: int) -> None:
    """The views over visit_number, and the variables that they read."""
    days = min(MOST_DAYS, max(LEAST_DAYS, visits // VISITS_A_DAY))
    variables = {"visits": visits, "days": days, "seed": seed}
    for name, value in variables.items():
        con.execute(f"set variable {name} = cast(? as bigint)", [value])
    con.execute("set variable planted = cast(? as varchar[])", [planted_list()])
    con.execute("create view visit_number as select range as visit from range(getvariable('visits'))")
    for view in VIEWS:
        con.execute(_sql(view))


def planted_list() -> list[str | None]:
    """What each of 10,000 equal draws plants; None: an ordinary visit."""
    named = [name for name, count in PLANTED.items() for _ in range(count)]
    return named + [None] * (10_000 - len(named))


def _sql(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


if __name__ == "__main__":
    write_extracts(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
