"""Runs the benchmark: every size, CSV against Parquet, pandas against the audit, and one dated document of it all."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from flows.bench.figures import against_parquet, growth
from flows.bench.measure import FLOOR_RUNS, PANDAS, Limits, make_extracts, measure, measure_pandas
from flows.identity import code_version

VERSIONS = ("duckdb", "pyarrow", "pandas", "great-expectations")
NO_PANDAS = "not measured: the pandas version is in the repository only (tests/bench)"


@dataclass(frozen=True)
class Asked:
    """What is measured: sizes in visits, ascending; `csv_visits` and `pandas_visits` of them or beside them, 0: not."""

    sizes: tuple[int, ...]
    csv_visits: int
    pandas_visits: int
    seed: int
    limits: Limits
    keep: Path | None = None


def bench(asked: Asked, say: Callable[[str], None]) -> dict:
    """Measures all that was asked for, telling `say` what is under way, and gives the document; raises AuditError
    where a measured program fails. Extracts are made in a temporary folder, or kept in `asked.keep`."""
    if asked.pandas_visits and not PANDAS.exists():
        say(NO_PANDAS)
        asked = replace(asked, pandas_visits=0)
    document = {"date": date.today().isoformat(), "machine": machine(), "asked": _told(asked)}
    parquet, pandas = {}, None
    # Sizes that only CSV or pandas is held against are measured, too.
    for visits in sorted({*asked.sizes, asked.csv_visits, asked.pandas_visits} - {0}):
        parquet[visits], told = _measured(asked, visits, "parquet", say)
        pandas = told or pandas
    runs = [parquet[visits] for visits in asked.sizes]
    document |= {"runs": runs, "growth": growth(runs)}
    if asked.csv_visits:
        csv, _ = _measured(asked, asked.csv_visits, "csv", say)
        document |= {"csv": csv, "csv_to_parquet": against_parquet(csv, parquet[asked.csv_visits])}
    return document | {"pandas": pandas}


def _told(asked: Asked) -> dict:
    limits = {"threads": asked.limits.threads, "memory_limit": asked.limits.memory_limit}
    return {"sizes": list(asked.sizes), "seed": asked.seed, **limits, "floor_runs": 2 * FLOOR_RUNS}


def _measured(asked: Asked, visits: int, form: str, say: Callable[[str], None]) -> tuple[dict, dict | None]:
    """The run of one size and form, and what pandas took for the same rows, where that was asked for."""
    with _folder(asked.keep) as folder, tempfile.TemporaryDirectory(dir=folder) as out:
        extracts = folder / f"{form}-{visits}-{asked.seed}"
        say(f"{visits:,} visits as {form}: making extracts ...")
        make_extracts(extracts, visits, asked.seed, form)
        say(f"{visits:,} visits as {form}: floor, audit, floor ...")
        run = measure(extracts, visits, form, Path(out), asked.limits)
        if form != "parquet" or visits != asked.pandas_visits:
            return run, None
        say(f"{visits:,} visits: pandas ...")
        return run, measure_pandas(Path(out), run)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to keep the extracts in, or one that goes with its content."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    made = Path(tempfile.mkdtemp(prefix="minutewise-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def machine() -> dict:
    """What the machine is and how busy it was, without its name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_before": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "minutewise": code_version(),
        **{name: version(name) for name in VERSIONS},
    }


def write_results(document: dict, folder: Path) -> Path:
    """Writes the document as FOLDER/YYYY-MM-DD.json, or with a number behind where that day has one, and gives the
    path."""
    path, number = folder / f"{document['date']}.json", 1
    while path.exists():
        number += 1
        path = folder / f"{document['date']}-{number}.json"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path
