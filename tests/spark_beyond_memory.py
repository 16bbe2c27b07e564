"""An extract larger than Spark's memory, audited by Spark all the same, and what that costs beside DuckDB.

    python -m tests.spark_beyond_memory [VISITS] [MEGABYTES]

Writes its own extract, with notes so long that they alone are a tenth more than MEGABYTES (640), the memory that Spark
on local[2] is given; audits it with DuckDB and with Spark, and prints the seconds of the heavy stages, and
whether both published the same. Minutes long: a make target.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from flows.bench.extracts import AS_OF, write_extracts

HEAVY = ("extract", "contract", "recompute")
PUBLISHED = ("findings.parquet", "units.parquet", "rules.parquet", "quarantine.parquet")


def main(visits: int, megabytes: int) -> int:
    """Audits and prints; 1 where the two engines published other rows."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_extracts(folder / "extracts", visits, 1, "parquet")
        lengthen_notes(folder / "extracts", megabytes * 1_153_434 // visits)
        size = text_bytes(folder / "extracts")
        print(f"{visits} visits, {size / 1e6:.0f} MB as text; Spark has {megabytes * 1.048576:.0f} MB", flush=True)
        memory = f"spark.driver.memory={megabytes}m"
        runs = {
            "duckdb": audit(folder, "duckdb"),
            "spark": audit(folder, "spark", "--spark-master", "local[2]", "--spark-conf", memory),
        }
        seconds = {}
        for engine, run in runs.items():
            stages = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["seconds"]
            seconds[engine] = sum(stages[stage] for stage in HEAVY)
            print(f"{engine}: {seconds[engine]:.0f} s", {stage: round(stages[stage]) for stage in HEAVY})
        print(f"ratio: {seconds['spark'] / seconds['duckdb']:.1f}")
        duckdbs, sparks = ([(run / name).read_bytes() for name in PUBLISHED] for run in runs.values())
        print("the same bytes of both" if duckdbs == sparks else "the two published other rows")
        return int(duckdbs != sparks or size <= megabytes * 1024**2)


def lengthen_notes(folder: Path, characters: int) -> None:
    """Makes the prose of each note longer, by words that say nothing of minutes; every note is another text."""
    notes = folder / "notes.parquet"
    words = "concat_ws(' ', narrative, repeat(md5(note_id) || ' tolerated well ', greatest(0, ? // 48)::integer))"
    longer = f"select * replace ({words} as narrative) from '{notes}'"
    with duckdb.connect() as con:
        con.execute(f"create table note as {longer}", [characters])
        con.execute(f"copy note to '{notes}' (format parquet)")


def text_bytes(folder: Path) -> int:
    """How much the rows of all extracts are as text, commas and line ends included."""
    total = 0
    for path in sorted(folder.glob("*.parquet")):
        rows = duckdb.read_parquet(str(path))
        cells = " + ".join(f'coalesce(strlen(cast("{column}" as varchar)), 0) + 1' for column in rows.columns)
        total += rows.aggregate(f"sum({cells})").fetchone()[0]
    return int(total)


def audit(folder: Path, engine: str, *more: str) -> Path:
    """The folder of the run that an engine publishes."""
    out = folder / engine
    subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "audit", "--extracts", folder / "extracts",
         "--reference", folder / "extracts" / "reference", "--as-of", AS_OF, "--out", out, "--engine", engine,
         "--memory-limit", "2GB", *more],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return out / "runs" / (out / "current").read_text().strip()


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*given, *(120_000, 640)[len(given) :]))
