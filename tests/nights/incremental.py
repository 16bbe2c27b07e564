"""The warehouse under test, one night at a time: the transforms level, without Great Expectations and publishing."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.extract import find_inputs, load_extracts
from transforms.models.run import Setting
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference
from transforms.warehouse.deliveries import held_files, new_files, removed_files
from transforms.warehouse.night import attached, merged, recompute_night, why_all_dates
from transforms.warehouse.tables import read_state
from transforms.warehouse.take_in import take_in


@dataclass(frozen=True)
class Published:
    """The whole published state after a night, as tests.harness.AuditResult has it, and the dates recomputed."""

    findings: list[dict]
    rules: dict[str, dict]
    units: list[dict]
    quarantine: list[dict]
    unjudged: set[tuple]
    recomputed_dates: set[date] = field(default_factory=set)


class Warehouse:
    """A warehouse file in `folder`, from which it also works."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "warehouse.duckdb"
        self.nights = 0
        self.unjudged: set[tuple] = set()

    def night(self, extracts: Path, as_of: date, reference: Path | None, removed: list[str]) -> Published:
        """One incremental night."""
        return self._run(extracts, as_of, reference, removed, None)

    def rebuild(self, as_of: date, reference: Path | None) -> Published:
        """The state from scratch, of the rows in force."""
        return self._run(None, as_of, reference, [], "rebuild")

    def _run(self, extracts, as_of, reference, removed, why) -> Published:
        self.nights += 1
        with open_database(threads=1) as con:
            with attached(con, self.file):
                held, state = held_files(con), read_state(con)
                found = find_inputs(extracts) if extracts else []
                fresh = new_files(held, found, state["file_number"] if state else 0)
                gone = removed_files(held, found, removed)
                load_reference(con, reference)
                load_crosswalk(con, None)
                load_extracts(con, fresh)
                take_in(con, as_of, gone, settle_all=why is not None)
                why = why or why_all_dates(con, "code")
                recompute_night(con, Setting(as_of), why, allow_low_match=True)
            assert con.execute("select * from rule_error").fetchall() == []
            (touched,) = zip(*con.execute("select service_date from touched_date").fetchall() or [(None,)], strict=True)
            unjudged = con.execute(
                "select p.patient_id, u.service_date from stg_unjudged_day u join stg_patient p using (patient_key)"
            ).fetchall()
            self.unjudged = {one for one in self.unjudged if one[1] not in touched} | {
                one for one in unjudged if one[1] in touched
            }
            with merged(con, self.file, None, f"night {self.nights}", as_of, "code") as commit:
                commit()
                return Published(
                    findings=rows_as_dicts(con, "select * from finding order by finding_id"),
                    rules={row["rule_id"]: row for row in rows_as_dicts(con, "select * from rule_result")},
                    units=rows_as_dicts(con, "select * from unit_published order by all"),
                    quarantine=rows_as_dicts(con, "select * from quarantine order by all"),
                    unjudged=set(self.unjudged),
                    recomputed_dates=set(touched) - {None},
                )
