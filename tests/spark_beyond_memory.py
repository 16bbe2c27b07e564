"""An extract larger than Spark's memory, audited by Spark all the same, and what that costs beside DuckDB.

    python -m tests.spark_beyond_memory [VISITS] [MEMORY]

Writes its own extract, audits it with DuckDB and then with Spark on local[2] in MEMORY (1g), and prints the size of
the rows as text, the seconds of the heavy stages, and whether both published the same. Minutes long: a make target.
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


def main(visits: int, memory: str) -> int:
    """Audits and prints; 1 where the two engines published other rows."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_extracts(folder / "extracts", visits, 1, "parquet")
        print(f"{visits} visits, {text_bytes(folder / 'extracts') / 1e9:.2f} GB as text; Spark has {memory}")
        runs = {
            "duckdb": audit(folder, "duckdb"),
            "spark": audit(
                folder, "spark", "--spark-master", "local[2]", "--spark-conf", f"spark.driver.memory={memory}"
            ),
        }
        seconds = {}
        for engine, run in runs.items():
            stages = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["seconds"]
            seconds[engine] = sum(stages[stage] for stage in HEAVY)
            print(f"{engine}: {seconds[engine]:.0f} s", {stage: round(stages[stage]) for stage in HEAVY})
        print(f"ratio: {seconds['spark'] / seconds['duckdb']:.1f}")
        differing = [
            name for name in PUBLISHED if (runs["duckdb"] / name).read_bytes() != (runs["spark"] / name).read_bytes()
        ]
        print("the same bytes of both" if not differing else f"differ: {differing}")
        return bool(differing)


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
    given = sys.argv[1:]
    sys.exit(main(int(given[0]) if given else 1_500_000, given[1] if len(given) > 1 else "1g"))
