"""Checks a published run against its own manifest: no file changed, missing or added, and every count holds."""

import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.disk.durable import file_problem
from flows.runs.names import MANIFEST
from flows.runs.published_shapes import MANIFEST_SHAPE
from flows.runs.read import current_run
from flows.runs.shapes import Misshapen, read_document
from transforms.errors import UsageProblem


@dataclass
class Checked:
    """What came of one run: how much was looked at, and (file, what is wrong) for everything that does not hold."""

    run_id: str
    files: int = 0
    bytes: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


def verify(out: Path, run_id: str | None = None, every_run: bool = False) -> list[Checked]:
    """Checks one run (default: the current one), or every run below `out`; UsageProblem where there is no such run."""
    try:
        return _verify(out, run_id, every_run)
    except PermissionError:
        raise UsageProblem(f"{out}: cannot be looked into (Permission denied); check its rights") from None


def _verify(out: Path, run_id: str | None, every_run: bool) -> list[Checked]:
    runs, current = out / "runs", current_run(out)
    if every_run:
        # The current run is asked for even where its folder is gone: that is a problem, too.
        chosen = sorted({*(path.name for path in runs.glob("[!.]*")), *([current] if current else [])})
    else:
        chosen = [run_id or current] if run_id or current else []
    if not chosen:
        raise UsageProblem(f"{out}: no run is published there; give the folder that an audit had as --out")
    if run_id and not _is_run(runs, run_id):
        raise UsageProblem(f"{runs / run_id}: there is no such run")
    return [_check(runs, name) for name in chosen]


def _is_run(runs: Path, name: str) -> bool:
    return Path(name).name == name and not name.startswith(".") and (runs / name).is_dir()


def _check(runs: Path, name: str) -> Checked:
    folder, run = runs / name, Checked(name)
    if not _is_run(runs, name):
        told = "is not a run's folder" if folder.exists() else "is missing, though `current` names it"
        run.problems.append(("", told))
        return run
    manifest = _manifest(folder, run)
    if manifest is not None:
        rows = _rows(folder, _check_files(folder, manifest["files"], run), run)
        _check_rows(rows, manifest, run)
        _check_totals(rows, manifest, run)
    return run


def _manifest(folder: Path, run: Checked) -> dict | None:
    try:
        manifest = read_document(folder / MANIFEST, MANIFEST_SHAPE)
    except FileNotFoundError:
        run.problems.append((MANIFEST, "is missing, so nothing can be checked"))
        return None
    except Misshapen as problem:
        run.problems.append((MANIFEST, f"{problem}, so nothing can be checked"))
        return None
    if manifest["run_id"] != folder.name:
        run.problems.append((MANIFEST, "is the manifest of another run"))
    return manifest


def _check_files(folder: Path, wanted: dict, run: Checked) -> list[str]:
    """Every hash again. Returns the files that are as they were published; only these are looked into."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    found = {name: path for name, path in found.items() if path.is_symlink() or not path.is_dir()}
    sound = []
    for name in sorted({*wanted, *found} - {MANIFEST}):
        if name not in found:
            run.problems.append((name, "is missing"))
        elif name not in wanted:
            run.problems.append((name, "is not in the manifest"))
        elif problem := _file_problem(found[name], wanted[name], run):
            run.problems.append((name, problem))
        else:
            sound.append(name)
    return sound


def _file_problem(path: Path, wanted: str, run: Checked) -> str | None:
    with suppress(OSError):
        held = path.lstat()
        if stat.S_ISREG(held.st_mode):
            run.files += 1
            run.bytes += held.st_size
    return file_problem(path, wanted)


def _rows(folder: Path, names: list[str], run: Checked) -> dict[str, int]:
    """The rows of each Parquet file."""
    rows = {}
    for name in names:
        if name.endswith(".parquet"):
            try:
                rows[name] = pq.read_metadata(folder / name).num_rows
            except (pa.ArrowException, OSError):
                run.problems.append((name, "cannot be read as Parquet"))
    return rows


def _check_rows(rows: dict[str, int], manifest: dict, run: Checked) -> None:
    """The rows of each file as the manifest gives them; runs of the first version give none."""
    for name, wanted in manifest.get("row_counts", {}).items():
        if rows.get(name, wanted) != wanted:
            run.problems.append((name, f"holds {rows[name]} rows; the manifest says {wanted}"))


def _check_totals(rows: dict[str, int], manifest: dict, run: Checked) -> None:
    """Files against what the manifest says of findings, rules and inputs."""
    totals = {"rules": len(manifest["rules"]), "findings": sum(rule["violations"] for rule in manifest["rules"])}
    for file in manifest["inputs"]:
        parts = [file[f"rows_{fate}"] for fate in ("accepted", "quarantined", "duplicate")]
        if file["rows_read"] != sum(parts):
            told = "{} accepted + {} quarantined + {} duplicate".format(*parts)
            run.problems.append((MANIFEST, f"{file['file']}: {file['rows_read']} rows read are not {told}"))
        # A warehouse's run publishes the rows of earlier deliveries too, so these do not add up to its inputs.
        if not manifest.get("warehouse"):
            for name, fate in (("quarantine", "quarantined"), (f"accepted/{file['table']}", "accepted")):
                totals[name] = totals.get(name, 0) + file[f"rows_{fate}"]
    for name, wanted in totals.items():
        # A table is a file, or a folder of monthly files: accepted/claims/2026-03.parquet.
        parts = [file for file in manifest["files"] if file.startswith((f"{name}.parquet", f"{name}/"))]
        if all(file in rows for file in parts) and (held := sum(rows[file] for file in parts)) != wanted:
            run.problems.append((f"{name}.parquet", f"holds {held} rows; the manifest's counts make {wanted}"))


def verify_text(checked: list[Checked]) -> str:
    """One line a sound run, one line a problem."""
    lines = []
    for run in checked:
        if run.is_sound:
            lines.append(f"{run.run_id}: sound ({run.files:,} files, {run.bytes:,} bytes)")
        for name, problem in run.problems:
            # A planted name must not forge a line.
            place = f"{name if name.isprintable() else ascii(name)}: " if name else ""
            lines.append(f"{run.run_id}: {place}{problem}")
    return "\n".join(lines)


def verify_json(checked: list[Checked]) -> dict:
    """The same as one document."""
    runs = [
        {
            "run_id": run.run_id,
            "is_sound": run.is_sound,
            "files": run.files,
            "bytes": run.bytes,
            "problems": [{"file": name, "problem": problem} for name, problem in run.problems],
        }
        for run in checked
    ]
    return {"is_sound": all(run.is_sound for run in checked), "runs": runs}
