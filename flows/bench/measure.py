"""Measures one size: makes the extracts, takes the floor before and after, and audits them in between."""

import hashlib
import json
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

from flows.bench.children import Child, run_python
from flows.bench.extracts import AS_OF, TABLES
from flows.bench.figures import ratios

#: Taken so often before the audit, and so often after: other work on the machine must not pass for a slow floor.
FLOOR_RUNS = 3
_HERE = Path(__file__).parent
_AUDIT = "from flows.cli import main; main()"
#: Stands in the repository, not in an installed package.
PANDAS = _HERE.parents[1] / "tests" / "bench" / "pandas_units.py"
_MADE = "made.txt"


@dataclass(frozen=True)
class Limits:
    """What every measured process may use: threads (None: all) and DuckDB's memory (None: its default)."""

    threads: int | None = None
    memory_limit: str | None = None


def make_extracts(folder: Path, visits: int, seed: int, form: str) -> None:
    """Has the extracts written into `folder`, by a process of its own; those of the same making are used again."""
    making = hashlib.sha256(repr((visits, seed, form)).encode())
    for source in sorted([*_HERE.glob("*.sql"), _HERE / "extracts.py"]):
        making.update(source.read_bytes())
    made = folder / _MADE
    if made.exists() and made.read_text() == making.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run_python("making the extracts", "-m", "flows.bench.extracts", folder, visits, seed, form)
    made.write_text(making.hexdigest())


def measure(extracts: Path, visits: int, form: str, out: Path, limits: Limits) -> dict:
    """Audits the extracts into `out` and gives what it took, with the floor of the same files; seconds and bytes."""
    before = [_floor(extracts, form, limits) for _ in range(FLOOR_RUNS)]
    audit = _audit(extracts, out, limits)
    after = [_floor(extracts, form, limits) for _ in range(FLOOR_RUNS)]
    manifest = json.loads(audit.output)
    floors = [round(sum(floor.values()), 4) for floor in before + after]
    run = {
        "form": form,
        "visits": visits,
        "rows": {entry["table"]: entry["rows_read"] for entry in manifest["inputs"]},
        "bytes": sum((extracts / f"{table}.{form}").stat().st_size for table in TABLES),
        "match_share": round(min(manifest["match"]["claim_day_share"], manifest["match"]["note_share"]), 4),
        "findings": manifest["rows"]["findings"],
        "findings_a_thousand_visits": round(1000 * manifest["rows"]["findings"] / visits, 1),
        "seconds": manifest["seconds"],
        "seconds_within": manifest["seconds_within"],
        "seconds_in_all": round(audit.seconds, 3),
        "core_seconds": round(audit.core_seconds, 3),
        "peak_memory_bytes": audit.peak_bytes,
        "floor_seconds": {"median": round(statistics.median(floors), 4), "best": min(floors), "each": floors},
    }
    return run | {"ratios": ratios(run)}


def measure_pandas(out: Path, run: dict) -> dict:
    """Times the pandas version on the accepted rows of the run in `out`, and holds the audit's seconds against it."""
    folder = out / "runs" / (out / "current").read_text().strip()
    child = run_python("the pandas version", PANDAS, folder)
    told = json.loads(child.output)
    seconds = round(sum(told["seconds"].values()), 3)
    return {
        "visits": run["visits"],
        "seconds": told["seconds"],
        "seconds_in_all": seconds,
        "peak_memory_bytes": child.peak_bytes,
        "times_the_recomputation": round(seconds / run["seconds"]["recompute"], 1),
        "times_load_contract_recompute": round(seconds / run["ratios"]["recomputed_seconds"], 1),
    }


def _audit(extracts: Path, out: Path, limits: Limits) -> Child:
    asked = ["audit", "--extracts", extracts, "--reference", extracts / "reference", "--as-of", AS_OF, "--out", out]
    asked += ["--threads", limits.threads] if limits.threads else []
    asked += ["--memory-limit", limits.memory_limit] if limits.memory_limit else []
    return run_python("the audit", "-c", _AUDIT, *asked, "--json")


def _floor(extracts: Path, form: str, limits: Limits) -> dict[str, float]:
    paths = [extracts / f"{table}.{form}" for table in ("claims", "note_blocks")]
    asked = [*paths, limits.threads or "", limits.memory_limit or ""]
    return json.loads(run_python("the floor", "-m", "flows.bench.floor", *asked).output)
