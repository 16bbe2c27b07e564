"""The warehouse of a run: what it holds, whether it is sound, and how it is built again from the published runs."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from flows.disk.durable import fsync
from flows.dispositions.table import COLUMNS as DISPOSITION_COLUMNS
from flows.identity import SCHEMA_VERSION, reference_version
from flows.runs.earlier import earlier_manifests
from flows.runs.read import published_table, read_published
from flows.runs.verify import verify
from flows.settings import AuditSettings
from transforms.contract.fields import TABLES
from transforms.database.duckdb_file import open_database
from transforms.database.quoting import text
from transforms.errors import Busy, InputRejected, UsageProblem
from transforms.extract import InputFile
from transforms.warehouse.deliveries import held_files, new_files, removed_files
from transforms.warehouse.night import attached
from transforms.warehouse.tables import WAREHOUSE_SCHEMA, make_tables, read_state

#: DuckDB's file begins with three headers of this size; blocks follow.
_HEADER_BYTES = 3 * 4096
#: What attach_encrypted says of a file whose head is broken.
_NO_ENCRYPTED_FILE = "cannot be opened as an encrypted DuckDB file"


@dataclass
class WarehouseState:
    """The warehouse that a run works on: its files in force and its last run; `file` is none before its first night.

    Where it has to be built again, `restored_from` is the run whose rows it is built of, and it is written aside.
    """

    target: Path
    held: list[dict] = field(default_factory=list)
    run_id: str | None = None
    as_of: date | None = None
    last_file: int = 0
    is_replaced: bool = False
    restored_from: Path | None = None
    why_all_dates: str | None = None
    removed: list[int] = field(default_factory=list)
    #: Names that earlier nights took back: a night that is run again names them again.
    taken_back: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def aside(self) -> Path:
        """Where a warehouse is built that takes the target's place as a whole."""
        return self.target.with_name(f".{self.target.name}.partial")

    @property
    def is_sound(self) -> bool:
        return not self.is_replaced

    @property
    def file(self) -> Path | None:
        """The file to read the history from."""
        if self.is_replaced:
            return self.aside if self.restored_from else None
        return self.target if self.target.exists() and self.target.stat().st_size else None

    @property
    def file_to_write(self) -> Path:
        return self.aside if self.is_replaced else self.target

    @property
    def places(self) -> tuple[Path, ...]:
        return (self.target, self.aside)

    def take(self, found: list[InputFile], removed: tuple[str, ...]) -> list[InputFile]:
        """Of the files found the new ones; notes which held files are named as removed."""
        self.removed = removed_files(self.held, found, removed, self.taken_back)
        return new_files(self.held, found, self.last_file)

    def clear(self) -> None:
        """Removes what was built aside and did not come into place."""
        for path in (self.aside, _wal(self.aside)):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def find_warehouse(settings: AuditSettings, current: str | None) -> WarehouseState:
    """What the warehouse named in the settings holds; `current` is the run that is served.

    A warehouse that is gone, damaged, or older than what was published of it is built again from the newest run that
    was made with it. Raises UsageProblem for a file that no audit made, or that is damaged and no published run can
    replace, and for a new one where the output folder's history stands in another file; Busy for one in use.
    """
    target = settings.warehouse
    nights = [one for one in earlier_manifests(settings.out) if one.get("warehouse")] if current else []
    path = str(target.resolve())
    last = next((one for one in nights if one["warehouse"]["path"] == path), None)
    if settings.is_rebuild:
        if not nights:
            raise UsageProblem(
                f"--out {settings.out}: none of its last runs was made with --warehouse, so nothing can be rebuilt; "
                "run `minutewise audit --warehouse` over the extracts"
            )
        return _from_run(target, settings, last or nights[0], "a rebuild")
    if not target.exists() or not target.stat().st_size:
        if last:
            return _from_run(target, settings, last, "the warehouse was gone")
        if nights:
            raise UsageProblem(
                f"--warehouse {target}: does not exist, and the history of {settings.out} stands in "
                f"{nights[0]['warehouse']['path']}; name that one, or build it here with `minutewise rebuild`"
            )
        return WarehouseState(target)
    if not os.access(target, os.R_OK | os.W_OK):
        raise UsageProblem(f"--warehouse {target}: cannot be read and written; check its rights")
    try:
        warehouse = _read(target, settings.key)
    except (duckdb.Error, InputRejected, UsageProblem) as problem:
        if isinstance(problem, UsageProblem) and not (last and _NO_ENCRYPTED_FILE in str(problem)):
            raise
        if "Could not set lock" in str(problem):
            raise Busy(f"--warehouse {target}: another program has it open; close it there") from None
        if "without a key" in str(problem):
            raise UsageProblem(f"--warehouse {target}: is encrypted; give its key with --warehouse-key-file") from None
        if last:
            return _from_run(target, settings, last, "the warehouse was damaged")
        raise UsageProblem(
            f"--warehouse {target}: is damaged, or was not made by an audit and would be replaced; choose another name"
        ) from None
    newest = nights[0] if nights else None
    if newest and newest["warehouse"]["path"] != path and warehouse.run_id != newest["run_id"]:
        raise UsageProblem(
            f"--warehouse {target}: does not hold the last night of {settings.out}, which was made with "
            f"{newest['warehouse']['path']}; name that one, or recreate this one with `minutewise rebuild`"
        )
    if last and _is_older(warehouse, last, nights):
        return _from_run(target, settings, last, "the warehouse was older than its last published run")
    warehouse.taken_back = [name for night in nights for name in night["warehouse"]["removed"]]
    return warehouse


def _is_older(warehouse: WarehouseState, last: dict, nights: list[dict]) -> bool:
    """Whether a copy of an earlier night was put back: a night on it would lose what was taken in since then."""
    is_of_earlier_night = warehouse.run_id in [one["run_id"] for one in nights if one is not last]
    return warehouse.run_id != last["run_id"] and (
        is_of_earlier_night or warehouse.last_file < last["warehouse"]["last_file"]
    )


def last_run(settings: AuditSettings) -> str | None:
    """The run that the warehouse last committed; None where it holds none, is gone or damaged."""
    target = settings.warehouse
    if not target.exists() or not target.stat().st_size:
        return None
    try:
        return _read(target, settings.key).run_id
    except (duckdb.Error, InputRejected):
        return None


def _read(target: Path, key: str | None) -> WarehouseState:
    """The warehouse as it stands; raises InputRejected where it is damaged, UsageProblem where no audit made it."""
    with open_database(with_encryption=key is not None) as con, attached(con, target, key):
        tables = {
            name
            for (name,) in con.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
            ).fetchall()
        }
        if not tables:
            # A first night was killed between making the file and committing it; the next one takes its place.
            return WarehouseState(target, is_replaced=True)
        if "house_state" not in tables and "ref_audit_rule" in tables:
            # A single run's file, as version 0.1.0 kept it: the first night takes its place.
            return WarehouseState(target, is_replaced=True)
        if "house_state" not in tables:
            raise UsageProblem(
                f"--warehouse {target}: was not made by an audit and would be replaced; choose another name"
            )
        state = read_state(con)
        if state is None:
            return WarehouseState(target)
        if _is_cut_short(con, target, tables):
            raise InputRejected(f"--warehouse {target}: is damaged")
        if state["house_schema"] != WAREHOUSE_SCHEMA:
            raise _of_another_version(target, f"made with version {state['code_version']}")
        return WarehouseState(
            target,
            held=held_files(con),
            run_id=state["run_id"],
            as_of=state["as_of"],
            last_file=state["file_number"],
        )


def _of_another_version(target: Path, made: str) -> UsageProblem:
    """What is kept is rows as they were read. Another version reads the same cells otherwise, so nothing but the
    extracts themselves can bring them into its form."""
    return UsageProblem(
        f"--warehouse {target}: was {made}, whose rows this version reads differently; name a new warehouse and a new "
        "--out, and audit all extracts once more (`minutewise backfill` for many months)"
    )


def _is_cut_short(con, target: Path, tables: set[str]) -> bool:
    """Whether the file ends before the last block in use. DuckDB itself cuts off blocks that are free, and still
    counts them, so a file shorter than its count is looked into: by what it says of its blocks, not by its rows."""
    blocks, size = con.execute(
        "SELECT total_blocks, block_size FROM pragma_database_size() WHERE database_name = 'warehouse'"
    ).fetchone()
    whole = (target.stat().st_size - _HEADER_BYTES) // size
    if whole >= blocks:
        return False
    used = ["SELECT max(block_id) AS block FROM pragma_metadata_info('warehouse')"]
    used += [
        "SELECT greatest(max(block_id), max(list_max(additional_block_ids))) "
        f"FROM pragma_storage_info({text(f'warehouse.main.{table}')})"
        for table in sorted(tables)
    ]
    (last,) = con.execute(f"SELECT max(block) FROM ({' UNION ALL '.join(used)})").fetchone()
    return last is not None and last >= whole


def _other_reference(settings: AuditSettings, manifest: dict) -> list[str]:
    """What to say where a rebuild is given other reference tables than its run had: findings change with them."""
    if not settings.is_rebuild or manifest["reference_version"] == reference_version(settings.reference):
        return []
    return [
        f"the reference tables are not those of {manifest['run_id']}, so findings may change; for the same ones give "
        "the --reference that it was made with"
    ]


def _from_run(target: Path, settings: AuditSettings, night: dict, why: str) -> WarehouseState:
    manifest = read_published(settings.out, night["run_id"])
    if manifest["warehouse"].get("is_encrypted") and not settings.key and not settings.is_rebuild:
        raise UsageProblem(f"--warehouse {target}: was encrypted; give its key with --warehouse-key-file")
    folder = settings.out / "runs" / manifest["run_id"]
    if manifest["warehouse"].get("house_schema") != WAREHOUSE_SCHEMA:
        raise _of_another_version(target, f"last published as {manifest['run_id']} by another version")
    (checked,) = verify(settings.out, manifest["run_id"])
    if not checked.is_sound:
        file, told = checked.problems[0]
        raise UsageProblem(
            f"{folder / file}: {told}; {why}, and {target} can be built again from a whole run only: take "
            "the run's folder from a backup"
        )
    held = [
        {
            "file_number": file["file_number"],
            "table_name": file["table"],
            "file_name": file["file"],
            "sha256": file["sha256"],
            "delivery_number": file["delivery"],
        }
        for file in manifest["inputs"]
    ]
    return WarehouseState(
        target,
        held=held,
        run_id=manifest["run_id"],
        as_of=date.fromisoformat(manifest["warehouse"]["as_of"]),
        last_file=manifest["warehouse"]["last_file"],
        is_replaced=True,
        restored_from=folder,
        why_all_dates=why,
        messages=[
            f"{why}: {target} is built again from the published run {manifest['run_id']}",
            *_other_reference(settings, manifest),
        ],
    )


def restore(con, warehouse: WarehouseState, key: str | None) -> None:
    """Fills a new warehouse, aside, with the rows, files and lives that a published run holds."""
    warehouse.clear()
    manifest = read_published(warehouse.restored_from.parents[1], warehouse.restored_from.name)
    with attached(con, warehouse.aside, key, write=True):
        con.execute("BEGIN")
        make_tables(con)
        for table in TABLES:
            if list((warehouse.restored_from / "accepted" / table).glob("*.parquet")):  # none where no row was accepted
                _fill(con, f"ok_{table}", published_table(warehouse.restored_from / "accepted" / table))
            _fill(con, f"past_{table}", published_table(warehouse.restored_from / "accepted" / f"past_{table}"))
        _fill(con, "broken_row", published_table(warehouse.restored_from / "accepted" / "broken_row"))
        _fill(con, "finding_life", published_table(warehouse.restored_from / "finding_history"))
        if manifest["schema_version"] == SCHEMA_VERSION:  # else what is gone now stays open
            # Without what people decided: the log has that.
            own = f"COLUMNS(c -> c NOT IN ({', '.join(map(text, DISPOSITION_COLUMNS))}))"
            findings = published_table(warehouse.restored_from / "findings")
            con.execute(f"CREATE TABLE warehouse.finding AS SELECT {own} FROM {findings}")
        quarantine = published_table(warehouse.restored_from / "quarantine")
        _fill(con, "quarantine", f'(SELECT *, "row" AS row_json FROM {quarantine})')
        con.execute("""
            INSERT INTO warehouse.accepted_date
            SELECT service_date, sum(claim_lines), sum(notes) FROM (
                SELECT service_date, 1 AS claim_lines, 0 AS notes FROM warehouse.ok_claims
                UNION ALL SELECT service_date, 0, 1 FROM warehouse.ok_notes)
            GROUP BY service_date""")
        for file in manifest["inputs"]:
            con.execute(
                f"INSERT INTO warehouse.delivered_file VALUES ({', '.join('?' * 12)})",
                [
                    *(file[name] for name in ("file_number", "table", "file", "sha256", "delivery")),
                    *(file[name] for name in ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")),
                    *(file[name] for name in ("rows_in_file", "rows_filtered")),
                    json.dumps(file["cells_set_aside"]),
                ],
            )
        night = manifest["warehouse"]
        con.execute(
            "INSERT INTO warehouse.house_state VALUES (?, ?, ?, ?, ?, ?)",
            [
                WAREHOUSE_SCHEMA,
                manifest["run_id"],
                night["as_of"],
                manifest["code_version"],
                night["last_delivery"],
                night["last_file"],
            ],
        )
        con.execute("COMMIT")


def _fill(con, table: str, source: str) -> None:
    columns = ", ".join(f'"{row[0]}"' for row in con.execute(f"DESCRIBE warehouse.{table}").fetchall())
    renamed = columns.replace('"source_line"', 'line_number AS "source_line"') if table == "quarantine" else columns
    con.execute(f"INSERT INTO warehouse.{table} ({columns}) SELECT {renamed} FROM {source}")


def put_in_place(con, warehouse: WarehouseState) -> None:
    """After the commit: a warehouse built aside takes the target's place; nothing to do for one written where it is."""
    if not warehouse.is_replaced:
        return
    con.execute("CHECKPOINT warehouse")
    fsync(warehouse.aside)
    _wal(warehouse.target).unlink(missing_ok=True)
    warehouse.aside.replace(warehouse.target)
    fsync(warehouse.target.parent)


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
